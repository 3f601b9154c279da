//! The links that messages carry, and whether anybody but this machine can follow them.

use crate::engine::decision::TokenSubject;
use crate::signing::ack;

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

    /// The public address, without a slash at the end.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The host of the public address: a name, or an address without brackets.
    pub fn host(&self) -> &str {
        let rest = self.public_url.split_once("://");
        let rest = rest.map_or("", |(_, rest)| rest);
        let host = match rest.strip_prefix('[') {
            Some(bracketed) => bracketed.split(']').next(),
            None => rest.split([':', '/', '?']).next(),
        };
        host.unwrap_or_default()
    }

    /// The token that lets the reader of a page act; what buttons carry.
    pub fn token(&self, subject: &TokenSubject) -> String {
        ack::make(&self.secret, subject)
    }

    /// The link that shows a page and lets its reader acknowledge.
    pub fn page(&self, subject: &TokenSubject) -> String {
        format!("{}/a/{}", self.public_url, self.token(subject))
    }

    /// Whether the address works on this machine only; messages then say how to acknowledge by
    /// reply or command beside the link.
    pub fn is_local(&self) -> bool {
        let host = self.host().to_ascii_lowercase();
        match host.parse::<std::net::IpAddr>() {
            Ok(address) => address.is_loopback() || address.is_unspecified(),
            Err(_) => host.is_empty() || host == "localhost" || host.ends_with(".localhost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::PageId;

    #[test]
    fn a_link_ends_in_the_token_of_its_page() {
        let links = Links::new("https://pager.example.com/", [7; 32]);
        let subject = TokenSubject {
            page: PageId(17),
            generation: 0,
            user: None,
        };
        let expected = "https://pager.example.com/a/AAAAAAAAABH_CcIeDBz5xAvMYCfHzlkd";
        assert_eq!(links.page(&subject), expected);
    }

    #[test]
    fn only_addresses_of_this_machine_are_local() {
        let cases = [
            ("http://127.0.0.1:8080", true),
            ("http://127.1.2.3", true),
            ("http://localhost:8080/", true),
            ("http://LOCALHOST", true),
            ("http://[::1]:8080", true),
            ("http://0.0.0.0:8080", true),
            ("", true),
            ("https://localhost.example.com", false),
            ("https://127.example.com", false),
            ("https://pager.example.com", false),
            ("http://192.168.1.4:8080", false),
        ];
        for (public_url, is_local) in cases {
            let links = Links::new(public_url, [0; 32]);
            assert_eq!(links.is_local(), is_local, "{public_url:?}");
        }
    }
}
