//! What an answer is, how a call says who we are, and whether its address is checked.

use secrecy::SecretString;

use super::fault::Fault;
use crate::engine::outcome::Validity;
use crate::engine::time::Duration;

/// Bytes kept of an answer.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Whether the address of a call is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The address stands in the settings of the process: any network.
    Configured,
    /// The address came with the rules: public networks and those that are opened.
    Guarded,
}

impl Reach {
    /// An address that cannot be called is the fault of whoever wrote it down.
    pub fn blamed(self, fault: Fault) -> Fault {
        match self {
            Self::Configured => fault.blaming_us(),
            Self::Guarded => fault,
        }
    }
}

/// How a call says who we are.
#[derive(Clone, Copy, Default)]
pub enum Auth<'call> {
    #[default]
    None,
    Bearer(&'call SecretString),
    Basic {
        user: &'call str,
        password: &'call SecretString,
    },
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// What `Retry-After` asks for, if it is there.
    pub retry_after: Option<Duration>,
    /// The first [`BODY_BYTES_MAX`] bytes.
    pub body: Vec<u8>,
    /// Whether the body is complete: neither too large, nor cut off, nor too late.
    pub is_whole: bool,
    /// Of the server, over TLS.
    pub certificate: Option<Validity>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, if it is complete and is JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        let body = self.is_whole.then_some(&self.body)?;
        serde_json::from_slice(body).ok()
    }
}
