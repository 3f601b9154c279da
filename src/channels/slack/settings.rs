//! What a Slack workspace is configured with, and what it can do.

use std::sync::Arc;

use secrecy::SecretString;

use super::Slack;
use crate::channels::{BuildError, Channel, Inbound, Kind, Parts, Provider};
use crate::document::section::Section;
use crate::document::{MapSchema, units};
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};

/// Incidents that a bundle message names.
const INCIDENTS_NAMED_MAX: usize = 40;

/// The kind as it stands in the table.
pub const KIND: Kind = Kind {
    name: "slack",
    schema: MapSchema::new(
        "a channel of kind slack",
        &[
            "name",
            "kind",
            "concurrency",
            "depends_on",
            "token",
            "signing_secret",
            "api_url",
        ],
    ),
    concurrency: 32,
    read,
};

/// Settings of one workspace.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: ChannelName,
    /// `xoxb-…`.
    pub token: SecretString,
    /// Without it, no press can be believed and buttons are not shown.
    pub signing_secret: Option<SecretString>,
    /// `https://slack.com/api` unless it is a test.
    pub api_url: String,
}

impl Settings {
    pub(super) fn buttons(&self) -> Buttons {
        match self.signing_secret {
            Some(_) => Buttons::Shown,
            None => Buttons::Hidden,
        }
    }
}

/// Whether messages carry buttons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buttons {
    /// A signing secret is configured, so that a press can be believed.
    Shown,
    Hidden,
}

impl Provider for Settings {
    fn info(&self) -> ChannelInfo {
        ChannelInfo::new(
            self.name.clone(),
            Medium::Slack,
            Capabilities {
                threads: true,
                updates: true,
                buttons: self.buttons() == Buttons::Shown,
                receipts: false,
                probes: true,
                probes_login: true,
                incidents_named_max: INCIDENTS_NAMED_MAX,
            },
        )
    }

    fn build(&self, parts: &Parts) -> Result<Arc<dyn Channel>, BuildError> {
        let (http, links) = (parts.http.clone(), parts.links.clone());
        Ok(Arc::new(Slack::new(self.clone(), http, links)?))
    }

    fn inbound(&self) -> Option<Arc<dyn Inbound>> {
        self.signing_secret.as_ref()?;
        Some(Arc::new(self.clone()))
    }
}

fn read(name: ChannelName, section: &mut Section<'_, '_>) -> Option<Arc<dyn Provider>> {
    let token = section.require_secret("token", "write token = \"env:SLACK_TOKEN\" (xoxb-…)");
    let signing_secret = section.secret("signing_secret");
    let api_url = section.read_address("api_url", units::url);
    Some(Arc::new(Settings {
        name,
        token: token?,
        signing_secret,
        api_url: api_url.unwrap_or_else(|| "https://slack.com/api".to_owned()),
    }))
}
