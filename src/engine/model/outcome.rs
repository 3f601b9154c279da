//! What a channel answered to an attempt: one total, exclusive set.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
use crate::engine::time::{Duration, Timestamp};

/// The typed answer to one attempt. What could not be understood is [`Outcome::Unknown`], which is
/// never treated as permanent: the message may have been sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider confirmed that the message is with the person (or with their server).
    Delivered,
    /// The provider took it; a delivery report may follow. Counts as sent.
    Accepted,
    /// The provider asks to wait; no fault of the target.
    Throttled { wait: Duration },
    /// It did not work now and may work soon.
    Transient,
    /// This address does not exist or does not want us.
    RefusedTarget,
    /// The provider does not take this text.
    RefusedContent,
    /// Our credentials are not accepted: every page through this channel fails.
    RefusedCredential,
    /// The certificate is for another name.
    TlsNameMismatch,
    /// The certificate is expired, unknown or otherwise not accepted.
    TlsOther,
    /// Our account has nothing left to send with.
    QuotaExhausted,
    /// No understandable answer after the message was handed over: it may have been sent.
    Unknown,
}

impl Outcome {
    /// The word of the API and of the logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Accepted => "accepted",
            Self::Throttled { .. } => "throttled",
            Self::Transient => "transient",
            Self::RefusedTarget => "refused_target",
            Self::RefusedContent => "refused_content",
            Self::RefusedCredential => "refused_credential",
            Self::TlsNameMismatch => "tls_name_mismatch",
            Self::TlsOther => "tls_other",
            Self::QuotaExhausted => "quota_exhausted",
            Self::Unknown => "unknown",
        }
    }

    /// Delivered or accepted: the page counts as sent.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Delivered | Self::Accepted)
    }

    /// Whether it is about this address or text, and says nothing of the channel.
    pub fn is_about_page(self) -> bool {
        matches!(self, Self::RefusedTarget | Self::RefusedContent)
    }
}

/// How long the certificate of a server is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    pub begins: Timestamp,
    pub ends: Timestamp,
}

impl Validity {
    /// Who renews certificates does so earlier than this before their end.
    const USUALLY_RENEWED_BEFORE: Duration = Duration::days(14);
    /// Of certificates that are made for a few days: earlier than this part before their end.
    const PART: u64 = 4;

    /// Whether the certificate should have been renewed by now: it has at most 14 days left, and
    /// at most a quarter of its time.
    pub fn is_ending(self, now: Timestamp) -> bool {
        let quarter = Duration(self.ends.since(self.begins).0 / Self::PART);
        self.ends.since(now) <= quarter.min(Self::USUALLY_RENEWED_BEFORE)
    }
}

/// What a channel that would take messages says of how many more it can carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Capacity {
    /// Enough as far as is known: most providers give no figure.
    #[default]
    Enough,
    /// It gives one and could not be asked for it now.
    Unread,
    /// Too little, or what should say so cannot be understood; in words.
    Low { text: Text },
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
