//! Who is paged by a policy step or gets a copy: `user/…`, `schedule/…`, `channel/…/…`.

use crate::document::{Code, Node, text, values};
use crate::engine::event::Text;
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{ChannelInfo, ChannelTarget, Medium, Target};
use crate::text::{suggest, truncate::quoted};

use super::Context;
use super::documents::Section;

const FORMS: &str = "write user/NAME, schedule/NAME or channel/NAME/ADDRESS";

impl Context<'_> {
    /// Reads a target and checks that what it names exists.
    pub(super) fn target(&mut self, node: &Node) -> Option<Target> {
        let written = text(node, "a target", &mut self.faults)?;
        let (kind, name) = written.split_once('/').unwrap_or((written, ""));
        match (kind, name) {
            ("user", name) if !name.is_empty() => self
                .check_reference(Section::Users, name, node.at)
                .then(|| Target::User(name.into())),
            ("schedule", name) if !name.is_empty() => self
                .check_reference(Section::Schedules, name, node.at)
                .then(|| Target::Schedule(name.into())),
            ("channel", name) if !name.is_empty() => {
                self.channel_target(name, node).map(Target::Channel)
            }
            _ => {
                let message = format!("{} is not a target", quoted(written));
                let help = self.help_of(written);
                self.faults.error(Code::BadTarget, node.at, message, help);
                None
            }
        }
    }

    /// Reads a target that must be on a channel.
    pub(super) fn copy(&mut self, node: &Node) -> Option<ChannelTarget> {
        let written = text(node, "a target of `copy_to`", &mut self.faults)?;
        match written.strip_prefix("channel/") {
            Some(name) if !name.is_empty() => self.channel_target(name, node),
            Some(_) | None => {
                let message = format!("`copy_to` takes channels only, not {}", quoted(written));
                let help = "write channel/NAME/ADDRESS; people are paged by a policy";
                self.faults.error(Code::BadTarget, node.at, message, help);
                None
            }
        }
    }

    fn help_of(&self, written: &str) -> String {
        if self.names.of(Section::Users).contains_key(written) {
            format!("write `user/{written}`")
        } else if self.names.of(Section::Schedules).contains_key(written) {
            format!("write `schedule/{written}`")
        } else {
            FORMS.to_owned()
        }
    }

    /// `NAME/ADDRESS`, or the console's name alone.
    fn channel_target(&mut self, written: &str, node: &Node) -> Option<ChannelTarget> {
        let (channel, address) = written.split_once('/').unwrap_or((written, ""));
        let target = ChannelTarget {
            channel: channel.into(),
            address: Text::from(address),
        };
        let environment = self.environment;
        let mut channels = environment.channels.iter();
        match channels.find(|known| known.name == target.channel) {
            Some(known) => self.check_address(known, address, node),
            None => self.report_channel(channel, node),
        }
        Some(target)
    }

    /// A stored target whose channel is gone stays; the engine skips it.
    fn report_channel(&mut self, channel: &str, node: &Node) {
        let known = self.environment.channels.iter();
        let known = known.map(|channel| channel.name.as_str());
        let lead = "configure it as a [[channel]] in reveille.toml; the channels are";
        let message = format!("no channel {}", quoted(channel));
        let help = suggest::help(channel, known, lead);
        self.faults
            .error(Code::UnknownChannel, node.at, message, help);
    }

    fn check_address(&mut self, channel: &ChannelInfo, address: &str, node: &Node) {
        if channel.name.as_str() == ChannelName::CONSOLE {
            return;
        }
        let fits = |medium: &Medium| match medium {
            Medium::Email => values::is_email_address(address),
            Medium::Sms => values::is_phone_number(address),
            Medium::Slack => values::is_slack_channel(address),
            Medium::Webhook => values::is_web_address(address),
            Medium::Console => true,
        };
        if channel.media.iter().any(fits) {
            if channel.media.contains(&Medium::Webhook) {
                let whose = format!("the target on channel/{}", channel.name);
                self.check_web_address(&whose, address, node.at);
            }
            return;
        }
        let example = match channel.media.first() {
            Some(Medium::Email) => "team@example.com",
            Some(Medium::Sms) => "+351912345678",
            Some(Medium::Slack) => "#payments",
            Some(Medium::Webhook) => "https://example.com/hook",
            Some(Medium::Console) | None => "ADDRESS",
        };
        let name = &channel.name;
        let message = match address {
            "" => format!("the target channel/{name} has no address"),
            address => format!(
                "{} is not an address on the channel {name}",
                quoted(address)
            ),
        };
        let help = format!("write it as \"channel/{name}/{example}\"");
        self.faults.error(Code::BadTarget, node.at, message, help);
    }
}
