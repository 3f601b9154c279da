//! The `[[channel]]` tables: one provider each, with the keys of its kind.

use std::collections::BTreeSet;

use secrecy::SecretString;

use crate::document::{MapSchema, Node, Value};

use super::gateway::{self, SmsWebhook};
use super::section::Section;
use super::units;

/// The name and the kind of the channel that always exists.
const CONSOLE: &str = "console";

const KINDS: &str = "smtp, slack, twilio, sms_webhook, webhook or console";

/// A configured provider.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Unique; letters a-z, digits and `-`.
    pub name: String,
    /// Attempts under way at once.
    pub concurrency: usize,
    pub kind: ChannelKind,
}

/// What kind of provider, with what it needs.
#[derive(Clone, Debug)]
pub enum ChannelKind {
    Smtp(Smtp),
    Slack(Slack),
    Twilio(Twilio),
    SmsWebhook(SmsWebhook),
    Webhook(Webhook),
    Console,
}

impl ChannelKind {
    /// The word of the settings.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Smtp(_) => "smtp",
            Self::Slack(_) => "slack",
            Self::Twilio(_) => "twilio",
            Self::SmsWebhook(_) => "sms_webhook",
            Self::Webhook(_) => "webhook",
            Self::Console => CONSOLE,
        }
    }
}

/// A mail relay.
#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub username: Option<String>,
    pub password: Option<SecretString>,
    pub from: String,
    pub reply_to: Option<String>,
    /// The name with which the relay is greeted (EHLO); `None`: made from the other settings.
    pub hello: Option<String>,
}

/// How the connection to a mail relay is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Begins in the clear and must become encrypted.
    Starttls,
    /// Encrypted from the first byte.
    Implicit,
    /// Not at all.
    None,
}

impl Tls {
    fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// A Slack workspace.
#[derive(Clone, Debug)]
pub struct Slack {
    pub token: SecretString,
    /// Without it, buttons are not shown.
    pub signing_secret: Option<SecretString>,
    pub api_url: String,
}

/// A Twilio account.
#[derive(Clone, Debug)]
pub struct Twilio {
    pub account_sid: String,
    pub auth_token: SecretString,
    /// Keys with which Twilio signs instead of the auth token.
    pub shared_keys: Vec<SecretString>,
    pub sender: TwilioSender,
    /// Less than this, in the account's own currency, is told; unset, nothing is asked.
    pub balance_min: Option<f64>,
    pub api_url: String,
}

/// In whose name Twilio sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TwilioSender {
    /// A number or a short code, to which people can reply.
    Number(String),
    /// Letters, to which nobody can reply.
    Letters(String),
    MessagingService(String),
}

/// Signed posts to the URLs of contacts.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub secret: SecretString,
}

impl Channel {
    /// The channel that prints pages on the terminal.
    pub fn console() -> Self {
        Self {
            name: CONSOLE.to_owned(),
            concurrency: 32,
            kind: ChannelKind::Console,
        }
    }

    fn is_console(&self) -> bool {
        matches!(self.kind, ChannelKind::Console)
    }
}

/// The keys of a channel whose kind there is not.
const UNKNOWN: MapSchema = MapSchema::new("a channel", &["name", "kind", "concurrency"]);

/// The keys of a kind, beside those that all have.
macro_rules! schema {
    ($kind:ident: $($key:ident)*) => {
        (
            stringify!($kind),
            &MapSchema::new(
                concat!("a channel of kind ", stringify!($kind)),
                &["name", "kind", "concurrency", $(stringify!($key)),*],
            ),
        )
    };
}

const SCHEMAS: [(&str, &MapSchema); 6] = [
    schema!(smtp: tls host port username password from reply_to hello),
    schema!(slack: token signing_secret api_url),
    schema!(twilio: account_sid auth_token shared_keys from messaging_service_sid balance_min
        api_url),
    schema!(sms_webhook: url method headers body success message_id balance_url balance
        balance_min inbound_key inbound),
    schema!(webhook: secret),
    schema!(console:),
];

/// Reads all channels; the console is added where it is missing and stands last.
pub(super) fn read_all(root: &mut Section<'_, '_>) -> Vec<Channel> {
    let mut names = BTreeSet::new();
    let mut channels = Vec::new();
    for (node, number) in root.tables("channel").into_iter().zip(1..) {
        let name = node.get("name").and_then(Node::as_text);
        let shown = name.map_or_else(|| number.to_string(), str::to_owned);
        let kind = node.get("kind").and_then(Node::as_text);
        let schema = SCHEMAS.iter().find(|(name, _)| Some(*name) == kind);
        let schema = schema.map_or(&UNKNOWN, |(_, schema)| schema);
        let mut section = root.table(node, &format!("channel {shown}"), schema);
        let channel = read(&mut section);
        if let Some(channel) = &channel
            && !names.insert(channel.name.clone())
        {
            section.refuse(
                &format!("the name {} is used twice", channel.name),
                "give each channel a unique name",
            );
        }
        channels.extend(channel);
    }
    let (consoles, mut others): (Vec<_>, Vec<_>) =
        channels.into_iter().partition(Channel::is_console);
    others.push(consoles.into_iter().next().unwrap_or_else(Channel::console));
    others
}

fn read(section: &mut Section<'_, '_>) -> Option<Channel> {
    let name = section.require("name", "write name = \"mail\"", name);
    let kind_name = section.require("kind", &format!("one of {KINDS}"), units::text);
    let concurrency = section.read("concurrency", concurrency);
    let kind = match kind_name.as_deref()? {
        "smtp" => read_smtp(section).map(ChannelKind::Smtp),
        "slack" => read_slack(section).map(ChannelKind::Slack),
        "twilio" => read_twilio(section).map(ChannelKind::Twilio),
        "sms_webhook" => gateway::read(section).map(ChannelKind::SmsWebhook),
        "webhook" => read_webhook(section).map(ChannelKind::Webhook),
        CONSOLE => Some(ChannelKind::Console),
        unknown => {
            section.refuse(&format!("kind = {unknown:?}"), &format!("must be {KINDS}"));
            None
        }
    };
    let (name, kind) = (name?, kind?);
    if (name == CONSOLE) != matches!(kind, ChannelKind::Console) {
        section.refuse(
            &format!("the name {CONSOLE} is reserved for the channel of kind {CONSOLE}"),
            "rename this one",
        );
    }
    Some(Channel {
        name,
        concurrency: concurrency.unwrap_or(match kind {
            ChannelKind::Smtp(_) => 8,
            ChannelKind::Slack(_)
            | ChannelKind::Twilio(_)
            | ChannelKind::SmsWebhook(_)
            | ChannelKind::Webhook(_)
            | ChannelKind::Console => 32,
        }),
        kind,
    })
}

fn read_smtp(section: &mut Section<'_, '_>) -> Option<Smtp> {
    let tls = section.read("tls", tls).unwrap_or(Tls::Starttls);
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
    Some(Smtp {
        host: host?,
        port,
        tls,
        username,
        password,
        from: from?,
        reply_to,
        hello,
    })
}

fn read_slack(section: &mut Section<'_, '_>) -> Option<Slack> {
    let token = section.require_secret("token", "write token = \"env:SLACK_TOKEN\" (xoxb-…)");
    let signing_secret = section.secret("signing_secret");
    let api_url = section.read_address("api_url", units::url);
    Some(Slack {
        token: token?,
        signing_secret,
        api_url: api_url.unwrap_or_else(|| "https://slack.com/api".to_owned()),
    })
}

fn read_twilio(section: &mut Section<'_, '_>) -> Option<Twilio> {
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
        (None, Some(service)) => Some(TwilioSender::MessagingService(service)),
        // Its fault is told already.
        (None, None) if is_from_given => None,
        (None, None) | (Some(_), Some(_)) => {
            let help = "give either from or messaging_service_sid, not both";
            section.refuse("it has no sender, or two", help);
            None
        }
    };
    Some(Twilio {
        account_sid: account_sid?,
        auth_token: auth_token?,
        shared_keys,
        sender: sender?,
        balance_min,
        api_url: api_url.unwrap_or_else(|| "https://api.twilio.com".to_owned()),
    })
}

fn read_webhook(section: &mut Section<'_, '_>) -> Option<Webhook> {
    let secret =
        section.require_secret("secret", "write secret = \"env:WEBHOOK_SECRET\" (whsec_…)");
    Some(Webhook { secret: secret? })
}

fn name(value: &Value) -> Result<String, String> {
    let name = units::text(value)?;
    let is_good = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_good {
        Ok(name)
    } else {
        Err("use only the letters a-z, digits and -".to_owned())
    }
}

fn concurrency(value: &Value) -> Result<usize, String> {
    units::count(value)
        .ok()
        .filter(|count| *count <= 1_024)
        .ok_or_else(|| "must be a whole number from 1 to 1024".to_owned())
}

fn tls(value: &Value) -> Result<Tls, String> {
    match units::text(value)?.as_str() {
        "starttls" => Ok(Tls::Starttls),
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

/// A number, a short code or letters, as Twilio takes them.
fn sender(value: &Value) -> Result<TwilioSender, String> {
    let text = units::text(value)?;
    let digits = text.strip_prefix('+').unwrap_or(&text);
    let lengths = if text.starts_with('+') { 7..=15 } else { 3..=8 };
    if lengths.contains(&digits.len()) && digits.chars().all(|sign| sign.is_ascii_digit()) {
        return Ok(TwilioSender::Number(text));
    }
    let is_good = |sign: char| sign.is_ascii_alphanumeric() || " +-_&.".contains(sign);
    let has_letter = text.chars().any(|sign| sign.is_ascii_alphabetic());
    if has_letter && text.len() <= SENDER_LETTERS_MAX && text.chars().all(is_good) {
        return Ok(TwilioSender::Letters(text));
    }
    Err(
        "must be a number as +15005550006, a short code of 3 to 8 digits, or a name of at most \
         11 letters and digits"
            .to_owned(),
    )
}

/// Characters of a sender that is a name.
const SENDER_LETTERS_MAX: usize = 11;
