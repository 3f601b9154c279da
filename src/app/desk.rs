//! The configured channels, as the API asks for them.

use tracing::warn;

use super::channels::Built;
use crate::api::ports::{ChannelCheck, Channels, ConfiguredChannel, Pending};
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
    fn list(&self) -> Vec<ConfiguredChannel> {
        let listed = self.channels.all().iter();
        listed
            .map(|built| ConfiguredChannel {
                name: built.info.name.clone(),
                kind: built.kind.to_owned(),
            })
            .collect()
    }

    fn check<'port>(&'port self, name: &'port ChannelName) -> Pending<'port, Option<ChannelCheck>> {
        Box::pin(async move {
            let built = self.channels.find(name)?;
            let mut warnings = Vec::new();
            if self.is_local && name.as_str() != ChannelName::CONSOLE {
                let text = "links in pages only work on this machine: set public_url";
                warnings.push(text.to_owned());
            }
            if !built.info.capabilities.probes {
                return Some(ChannelCheck {
                    outcome: None,
                    provider_message: None,
                    warnings,
                });
            }
            let probed = built.channel.probe().await;
            match probed.capacity {
                Capacity::Low { text } => warnings.push(text.to_string()),
                Capacity::Enough | Capacity::Unread => {}
            }
            Some(ChannelCheck {
                outcome: Some(probed.outcome),
                provider_message: probed.provider_message,
                warnings,
            })
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
