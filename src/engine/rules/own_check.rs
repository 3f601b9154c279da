//! A check of our own, compiled: what is tried from here, and what it has to answer.

use core::net::IpAddr;
use core::ops::RangeInclusive;

use crate::engine::event::{Labels, Text};
use crate::engine::ids::{IntegrationName, OwnCheckName, ProviderName};
use crate::engine::provider_rules::shown_url;
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;

/// A check of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCheck {
    /// Of a provider's check `provider/name`, which no name in the rules can be.
    pub name: OwnCheckName,
    /// Whose service it tries.
    pub provider: Option<ProviderName>,
    pub target: CheckTarget,
    pub every: Duration,
    /// For one try.
    pub timeout: Duration,
    pub urgency: Urgency,
    /// Added to each of its events.
    pub labels: Labels,
    pub service: Option<Text>,
}

/// What is tried, and what has to be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckTarget {
    /// A GET of this address.
    Http(HttpCheck),
    /// A connection to `host:port`.
    Tcp(HostPort),
    /// A handshake with `host:port`.
    Tls {
        at: HostPort,
        /// The certificate is good for so long at least.
        certificate: Option<Duration>,
    },
    /// A name has addresses.
    Dns {
        name: Text,
        /// This one among them.
        address: Option<IpAddr>,
    },
}

/// What an address on the web has to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCheck {
    pub url: Text,
    pub status: RangeInclusive<u16>,
    /// The body contains this text.
    pub body: Option<Text>,
    /// The answer is there after so long at most.
    pub latency: Option<Duration>,
    /// The certificate is good for so long at least.
    pub certificate: Option<Duration>,
}

/// A host and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    pub host: Text,
    pub port: u16,
}

impl OwnCheck {
    /// The integration under which its alert is known; none of the rules has such a name.
    pub fn integration(&self) -> IntegrationName {
        integration_of(&self.name)
    }
}

/// The integration of a check's alert: `check/<name>`.
pub fn integration_of(name: &OwnCheckName) -> IntegrationName {
    format!("{}{name}", IntegrationName::CHECK).into()
}

impl CheckTarget {
    /// The key that it stands under in the rules.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Tcp(_) => "tcp",
            Self::Tls { .. } => "tls",
            Self::Dns { .. } => "dns",
        }
    }

    /// What is tried, as it is shown: what follows a question mark may hold a key.
    pub fn shown(&self) -> Text {
        match self {
            Self::Http(http) => shown_url(&http.url),
            Self::Tcp(at) | Self::Tls { at, .. } => at.to_string().into(),
            Self::Dns { name, .. } => name.clone(),
        }
    }
}

impl core::fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.host.contains(':') {
            true => write!(formatter, "[{}]:{}", self.host, self.port),
            false => write!(formatter, "{}:{}", self.host, self.port),
        }
    }
}
