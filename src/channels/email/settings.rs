//! What a mail relay is configured with, what it can do, and what is wrong with settings.

use secrecy::SecretString;

use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};

/// Incidents that one mail names.
const INCIDENTS_NAMED_MAX: usize = 200;

/// The settings of one relay.
#[derive(Debug)]
pub struct Settings {
    pub name: ChannelName,
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    /// `Reveille <pager@example.com>`, or the address alone.
    pub from: String,
    pub reply_to: Option<String>,
    /// The name with which the relay is greeted (EHLO).
    pub hello: String,
    /// The public host name under which message ids are made.
    pub id_host: String,
    /// Certificates (DER) to trust beside the system's.
    pub extra_roots: Vec<Vec<u8>>,
}

/// How the conversation is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Begin in clear text and insist on changing to TLS.
    StartTls,
    /// TLS from the first byte, usually on port 465.
    Implicit,
    /// Clear text, for a relay on this machine.
    None,
}

/// Settings with which no mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "channel {channel}: {setting} {value:?} is not an e-mail address; \
         write pager@example.com or \"Reveille <pager@example.com>\""
    )]
    Address {
        channel: ChannelName,
        setting: &'static str,
        value: String,
    },
    #[error("channel {channel}: set username and password together, or neither")]
    Credentials { channel: ChannelName },
    #[error(
        "channel {channel}: no certificate authorities to trust; \
         install ca-certificates or set SSL_CERT_FILE"
    )]
    Trust {
        channel: ChannelName,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What the engine must know of a relay.
pub fn info(name: &ChannelName) -> ChannelInfo {
    ChannelInfo {
        name: name.clone(),
        media: vec![Medium::Email],
        reaches_people: true,
        is_one_endpoint: true,
        concurrency: ChannelInfo::CONCURRENCY,
        capabilities: Capabilities {
            threads: true,
            updates: false,
            buttons: false,
            receipts: false,
            probes: true,
            probes_login: true,
            incidents_named_max: INCIDENTS_NAMED_MAX,
        },
    }
}
