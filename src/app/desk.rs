//! The configured channels, as the API asks for them.

use tracing::warn;

use super::channels::Built;
use crate::api::ports::{Channels, Pending};
use crate::api::wire::channel::Checked;
use crate::channels::links::Links;
use crate::engine::ids::ChannelName;
use crate::engine::outcome::Capacity;
use crate::runtime::supervise::Supervisor;

/// All channels with their kinds.
pub struct Desk {
    channels: Built,
    is_local: bool,
    supervisor: Supervisor,
}

impl Desk {
    /// A desk over these channels.
    pub fn new(channels: Built, links: &Links, supervisor: Supervisor) -> Self {
        Self {
            channels,
            is_local: links.is_local(),
            supervisor,
        }
    }
}

impl Channels for Desk {
    fn list(&self) -> Vec<(ChannelName, &'static str)> {
        let built = self.channels.all().iter();
        built.map(|it| (it.info.name.clone(), it.kind)).collect()
    }

    fn check<'port>(&'port self, name: &'port ChannelName) -> Pending<'port, Option<Checked>> {
        Box::pin(async move {
            let built = self.channels.find(name)?;
            let mut checked = Checked {
                name: name.to_string(),
                ok: None,
                outcome: None,
                provider_message: None,
                warnings: Vec::new(),
            };
            if self.is_local && name.as_str() != ChannelName::CONSOLE {
                let text = "links in pages only work on this machine: set public_url";
                checked.warnings.push(text.to_owned());
            }
            if !built.info.capabilities.probes {
                return Some(checked);
            }
            let probed = built.channel.probe().await;
            match probed.capacity {
                Capacity::Low { text } => checked.warnings.push(text.to_string()),
                Capacity::Enough | Capacity::Unread => {}
            }
            checked.ok = Some(probed.outcome.is_sent());
            checked.outcome = Some(probed.outcome.to_string());
            checked.provider_message = probed.provider_message;
            Some(checked)
        })
    }

    fn email_of<'port>(
        &'port self,
        channel: &'port ChannelName,
        account: &'port str,
    ) -> Pending<'port, Option<String>> {
        Box::pin(async move { self.channels.find(channel)?.channel.email_of(account).await })
    }

    fn confirm(&self, name: &ChannelName, address: String, text: String) {
        let Some(built) = self.channels.find(name) else {
            warn!(
                channel.name = %name,
                "no such channel; the answer to a reply or press was not sent"
            );
            return;
        };
        let (name, channel) = (name.clone(), built.channel.clone());
        self.supervisor.spawn("confirmation", async move {
            let sent = channel.confirm(&address, &text).await;
            if !sent.outcome.is_sent() {
                warn!(
                    channel.name = %name,
                    outcome = %sent.outcome,
                    provider.message = sent.provider_message.as_deref().unwrap_or(""),
                    "the answer to a reply or press was not sent"
                );
            }
        });
    }
}
