//! What a mail relay is configured with, what it can do, and what is wrong with settings.

use std::net::IpAddr;
use std::sync::Arc;

use secrecy::SecretString;

use super::{BulkEmail, Email, IDLE_MAX};
use crate::channels::bulk_mail::BulkMailer;
use crate::channels::links::Links;
use crate::channels::{BuildError, Channel, Kind, Parts, Provider};
use crate::document::section::Section;
use crate::document::{MapSchema, Value, units};
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};

/// Incidents that one mail names.
const INCIDENTS_NAMED_MAX: usize = 200;

/// The kind as it stands in the table.
pub const KIND: Kind = Kind {
    name: "smtp",
    schema: MapSchema::new(
        "a channel of kind smtp",
        &[
            "name",
            "kind",
            "concurrency",
            "depends_on",
            "tls",
            "host",
            "port",
            "username",
            "password",
            "from",
            "reply_to",
            "hello",
        ],
    ),
    concurrency: 8,
    read,
};

/// The settings of one relay.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: ChannelName,
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// User name and password.
    pub login: Option<(String, SecretString)>,
    /// `Reveille <pager@example.com>`, or the address alone.
    pub from: String,
    pub reply_to: Option<String>,
    /// The name with which the relay is greeted (EHLO); `None`: made from the other settings.
    pub hello: Option<String>,
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

impl Tls {
    fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

impl Provider for Settings {
    fn info(&self) -> ChannelInfo {
        ChannelInfo::new(
            self.name.clone(),
            Medium::Email,
            Capabilities {
                threads: true,
                probes: true,
                probes_login: true,
                incidents_named_max: INCIDENTS_NAMED_MAX,
                ..Capabilities::default()
            },
        )
    }

    fn build(&self, parts: &Parts) -> Result<Arc<dyn Channel>, BuildError> {
        Ok(Arc::new(Email::new(self.clone(), parts.links.clone())?))
    }

    fn bulk_mailer(&self, links: &Links) -> Option<Result<Arc<dyn BulkMailer>, BuildError>> {
        let mailer = BulkEmail::new(self.clone(), links);
        Some(match mailer {
            Ok(mailer) => Ok(Arc::new(mailer)),
            Err(error) => Err(error.into()),
        })
    }

    fn idle_connections(&self) -> Option<usize> {
        // Those of pages, and those of mails to subscribers.
        Some(2 * IDLE_MAX)
    }
}

fn read(name: ChannelName, section: &mut Section<'_, '_>) -> Option<Arc<dyn Provider>> {
    let tls = section.read("tls", tls).unwrap_or(Tls::StartTls);
    let host = section.require("host", "write host = \"smtp.example.com\"", units::text);
    let port = section.read("port", port).unwrap_or(tls.port());
    section.require_all_or_none(&["username", "password"]);
    let username = section
        .read("username", units::optional(units::text))
        .flatten();
    let password = section.secret("password");
    let from = section.require("from", "write from = \"reveille@example.com\"", mailbox);
    let reply_to = section.read("reply_to", units::optional(mailbox)).flatten();
    let hello = section.read("hello", units::optional(host_name)).flatten();
    Some(Arc::new(Settings {
        name,
        host: host?,
        port,
        tls,
        login: username.zip(password),
        from: from?,
        reply_to,
        hello,
        extra_roots: Vec::new(),
    }))
}

fn tls(value: &Value) -> Result<Tls, String> {
    match units::text(value)?.as_str() {
        "starttls" => Ok(Tls::StartTls),
        "implicit" => Ok(Tls::Implicit),
        "none" => Ok(Tls::None),
        _ => Err("must be starttls, implicit or none".to_owned()),
    }
}

fn port(value: &Value) -> Result<u16, String> {
    units::count(value)
        .ok()
        .and_then(|count| u16::try_from(count).ok())
        .ok_or_else(|| "must be a port from 1 to 65535".to_owned())
}

/// The relay and the mail library judge the rest.
fn mailbox(value: &Value) -> Result<String, String> {
    let text = units::text(value)?;
    if text.contains('@') && !text.contains(char::is_control) {
        Ok(text)
    } else {
        Err("must be an address such as reveille@example.com".to_owned())
    }
}

/// A name as a relay wants it: with a dot, or an address.
fn host_name(value: &Value) -> Result<String, String> {
    let text = units::text(value)?;
    let is_good = |letter: char| letter.is_ascii_alphanumeric() || "-.[]:".contains(letter);
    if text.chars().all(is_good) && text.contains(['.', ':']) {
        Ok(text)
    } else {
        Err("must be a host name with its domain, such as pager.example.com".to_owned())
    }
}

/// The name with which relays are greeted unless one is set: the public host where that is a name
/// of the internet, else the domain of the sender. The machine's own name often has no domain, and
/// relays refuse such a name.
pub fn greeting_name(host: &str, from: &str) -> String {
    let is_name = host.contains('.') && host.parse::<IpAddr>().is_err();
    if is_name {
        return host.to_owned();
    }
    let domain = from.rsplit('@').next().unwrap_or_default();
    domain.trim_end_matches(['>', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::links::Links;

    #[test]
    fn a_relay_is_greeted_with_a_name_that_has_a_domain() {
        let from = "Reveille <pager@example.com>";
        for (public_url, from, expected) in [
            ("https://pager.example.org/", from, "pager.example.org"),
            ("https://pager.example.org:8443", from, "pager.example.org"),
            ("http://127.0.0.1:8080", from, "example.com"),
            ("http://[::1]:8080", "pager@example.com", "example.com"),
            ("http://pagerhost:8080", from, "example.com"),
        ] {
            let links = Links::new(public_url, [0; 32]);
            assert_eq!(greeting_name(links.host(), from), expected, "{public_url}");
        }
    }
}
