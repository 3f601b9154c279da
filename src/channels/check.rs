//! What can be wrong with a channel's settings, found when the channel is made.

use super::http::{self, Fault};
use crate::engine::ids::ChannelName;

/// A setting with which the channel cannot work: the thing and the fix, never a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("channel {channel}: {key}: {problem}")]
pub struct Error {
    pub channel: ChannelName,
    pub key: &'static str,
    pub problem: String,
}

impl Error {
    /// A fault of one key.
    pub fn new(channel: &ChannelName, key: &'static str, problem: impl Into<String>) -> Self {
        Self {
            channel: channel.clone(),
            key,
            problem: problem.into(),
        }
    }
}

/// Whether the key's value is an address that can be called; gives it back without a slash at its
/// end.
pub fn url(channel: &ChannelName, key: &'static str, value: &str) -> Result<String, Error> {
    let fault = |fault: Fault| Error::new(channel, key, fault.to_string());
    http::check_url(value).map_err(fault)?;
    Ok(value.trim_end_matches('/').to_owned())
}
