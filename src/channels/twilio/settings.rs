//! What a Twilio account is configured with, and what it can do.

use std::sync::Arc;

use secrecy::SecretString;

use super::Twilio;
use crate::channels::{BuildError, Channel, Inbound, Kind, Parts, Provider};
use crate::document::section::Section;
use crate::document::{MapSchema, Value, units};
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};

/// Numbers of incidents that two segments hold beside the link.
const INCIDENTS_NAMED_MAX: usize = 20;

/// Characters of a sender that is a name.
const SENDER_LETTERS_MAX: usize = 11;

/// The kind as it stands in the table.
pub const KIND: Kind = Kind {
    name: "twilio",
    schema: MapSchema::new(
        "a channel of kind twilio",
        &[
            "name",
            "kind",
            "concurrency",
            "depends_on",
            "account_sid",
            "auth_token",
            "shared_keys",
            "from",
            "messaging_service_sid",
            "balance_min",
            "api_url",
        ],
    ),
    concurrency: 32,
    read,
};

/// Settings of one Twilio account.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: ChannelName,
    pub account_sid: String,
    pub auth_token: SecretString,
    /// Keys with which Twilio signs instead of the auth token.
    pub shared_keys: Vec<SecretString>,
    pub sender: Sender,
    /// What the account must have left, in its own currency, for nobody to be told.
    pub balance_min: Option<f64>,
    /// `https://api.twilio.com` unless it is a test or a regional address.
    pub api_url: String,
}

/// From whom a message comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A number in E.164 form, or a short code.
    Number(String),
    /// Letters instead of a number: nobody can reply to them.
    Letters(String),
    /// The sid of a messaging service, `MG…`.
    MessagingService(String),
}

impl Provider for Settings {
    fn info(&self) -> ChannelInfo {
        ChannelInfo::new(
            self.name.clone(),
            Medium::Sms,
            Capabilities {
                receipts: true,
                probes: true,
                probes_login: true,
                incidents_named_max: INCIDENTS_NAMED_MAX,
                ..Capabilities::default()
            },
        )
    }

    fn build(&self, parts: &Parts) -> Result<Arc<dyn Channel>, BuildError> {
        let (http, links) = (parts.http.clone(), parts.links.clone());
        Ok(Arc::new(Twilio::new(self.clone(), http, links)?))
    }

    fn inbound(&self) -> Option<Arc<dyn Inbound>> {
        Some(Arc::new(self.clone()))
    }
}

fn read(name: ChannelName, section: &mut Section<'_, '_>) -> Option<Arc<dyn Provider>> {
    let account_sid = section.require("account_sid", "write account_sid = \"AC…\"", units::text);
    let auth_token = section.require_secret("auth_token", "write \"env:TWILIO_AUTH_TOKEN\"");
    let shared_keys = section.secret_list("shared_keys");
    let mut is_from_given = false;
    let from = section.read("from", |value| {
        is_from_given = true;
        sender(value)
    });
    let service = section.read("messaging_service_sid", units::text);
    let balance_min = section.read("balance_min", units::amount);
    let api_url = section.read_address("api_url", units::url);
    let sender = match (from, service) {
        (Some(from), None) => Some(from),
        (None, Some(service)) => Some(Sender::MessagingService(service)),
        // Its fault is told already.
        (None, None) if is_from_given => None,
        (None, None) | (Some(_), Some(_)) => {
            let help = "give either from or messaging_service_sid, not both";
            section.refuse("it has no sender, or two", help);
            None
        }
    };
    Some(Arc::new(Settings {
        name,
        account_sid: account_sid?,
        auth_token: auth_token?,
        shared_keys,
        sender: sender?,
        balance_min,
        api_url: api_url.unwrap_or_else(|| "https://api.twilio.com".to_owned()),
    }))
}

/// A number, a short code or letters, as Twilio takes them.
fn sender(value: &Value) -> Result<Sender, String> {
    let text = units::text(value)?;
    let digits = text.strip_prefix('+').unwrap_or(&text);
    let lengths = if text.starts_with('+') { 7..=15 } else { 3..=8 };
    if lengths.contains(&digits.len()) && digits.chars().all(|sign| sign.is_ascii_digit()) {
        return Ok(Sender::Number(text));
    }
    let is_good = |sign: char| sign.is_ascii_alphanumeric() || " +-_&.".contains(sign);
    let has_letter = text.chars().any(|sign| sign.is_ascii_alphabetic());
    if has_letter && text.len() <= SENDER_LETTERS_MAX && text.chars().all(is_good) {
        return Ok(Sender::Letters(text));
    }
    Err(
        "must be a number as +15005550006, a short code of 3 to 8 digits, or a name of at most \
         11 letters and digits"
            .to_owned(),
    )
}
