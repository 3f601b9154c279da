//! What a gateway of the kind `sms_webhook` is configured with, and what it can do.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use super::SmsGateway;
use crate::channels::http::Method;
use crate::channels::{BuildError, Channel, Inbound, Kind, Parts, Provider};
use crate::document::section::Section;
use crate::document::{MapSchema, Value, units};
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};

/// Statuses that mean "taken" unless the settings say otherwise.
pub const SUCCESS: [u16; 3] = [200, 201, 202];

/// Numbers of incidents that two segments hold beside the link.
const INCIDENTS_NAMED_MAX: usize = 20;

/// What is posted when the settings have no template.
pub const BODY: &str =
    r#"{"to":{{ to|tojson }},"text":{{ text|tojson }},"page_id":{{ page_id|tojson }}}"#;

/// The kind as it stands in the table.
pub const KIND: Kind = Kind {
    name: "sms_webhook",
    schema: MapSchema::new(
        "a channel of kind sms_webhook",
        &[
            "name",
            "kind",
            "concurrency",
            "depends_on",
            "url",
            "method",
            "headers",
            "body",
            "success",
            "message_id",
            "balance_url",
            "balance",
            "balance_min",
            "inbound_key",
            "inbound",
        ],
    ),
    concurrency: 32,
    read,
};

/// Settings of one gateway.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: ChannelName,
    pub url: String,
    pub method: Method,
    /// Without a `content-type` here, the body is JSON.
    pub headers: Vec<(String, SecretString)>,
    /// A template that can name `to`, `text` and `page_id`.
    pub body: String,
    pub success: Vec<u16>,
    /// Pointer (RFC 6901) to the message's id in the answer.
    pub message_id: Option<String>,
    /// Where it says what is left in the account; unset, nothing is asked.
    pub balance: Option<Balance>,
    /// Lets the gateway hand in replies, as bearer token or `?key=`; without it none is accepted.
    pub inbound_key: Option<SecretString>,
    pub inbound: Pointers,
}

/// How a gateway is asked what is left in the account.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// On the server of messages, since it is asked with their headers.
    pub url: String,
    /// Pointer to the amount in the answer.
    pub amount: String,
    /// Less than this is told.
    pub min: f64,
}

/// Pointers into what the gateway posts for a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointers {
    pub from: String,
    pub text: String,
    pub message_id: Option<String>,
    pub confirm: Confirm,
}

/// How somebody learns what became of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// By a message of its own through the same channel.
    Sms,
    /// The gateway sends the text that stands in our answer to it.
    Answer,
}

impl Default for Pointers {
    fn default() -> Self {
        Self {
            from: "/from".to_owned(),
            text: "/text".to_owned(),
            message_id: Some("/id".to_owned()),
            confirm: Confirm::Sms,
        }
    }
}

/// What a body is, unless the settings say otherwise.
pub const JSON: &str = "application/json";

impl Settings {
    /// What a body is, where the headers say so.
    pub fn content_type(&self) -> Option<&str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        header.map(|(_, value)| value.expose_secret())
    }
}

impl Provider for Settings {
    fn info(&self) -> ChannelInfo {
        ChannelInfo::new(
            self.name.clone(),
            Medium::Sms,
            Capabilities {
                probes: self.balance.is_some(),
                incidents_named_max: INCIDENTS_NAMED_MAX,
                ..Capabilities::default()
            },
        )
    }

    fn build(&self, parts: &Parts) -> Result<Arc<dyn Channel>, BuildError> {
        let (http, links) = (parts.http.clone(), parts.links.clone());
        Ok(Arc::new(SmsGateway::new(self.clone(), http, links)?))
    }

    fn inbound(&self) -> Option<Arc<dyn Inbound>> {
        self.inbound_key.as_ref()?;
        Some(Arc::new(self.clone()))
    }
}

/// Reads the keys of the kind `sms_webhook`.
fn read(name: ChannelName, section: &mut Section<'_, '_>) -> Option<Arc<dyn Provider>> {
    section.expect("url", "write url = \"https://sms.example.com/send\"");
    let url = section.read_address("url", units::endpoint);
    let method = section.read("method", method);
    let headers = section.secrets("headers");
    let body = section.read("body", units::optional(units::text)).flatten();
    let success = section.read("success", statuses);
    let message_id = section
        .read("message_id", units::optional(pointer))
        .flatten();
    let balance = read_balance(section);
    let inbound_key = section.secret("inbound_key");
    let inbound = section.read("inbound", inbound);
    Some(Arc::new(Settings {
        name,
        url: url?,
        method: method.unwrap_or(Method::POST),
        headers,
        body: body.unwrap_or_else(|| BODY.to_owned()),
        success: success.unwrap_or_else(|| SUCCESS.to_vec()),
        message_id,
        balance,
        inbound_key,
        inbound: inbound.unwrap_or_default(),
    }))
}

fn read_balance(section: &mut Section<'_, '_>) -> Option<Balance> {
    section.require_all_or_none(&["balance_url", "balance", "balance_min"]);
    let url = section.read_address("balance_url", units::endpoint);
    let amount = section.read("balance", pointer);
    let min = section.read("balance_min", units::amount);
    Some(Balance {
        url: url?,
        amount: amount?,
        min: min?,
    })
}

fn method(value: &Value) -> Result<Method, String> {
    let word = units::text(value)?.to_uppercase();
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH];
    let mut methods = methods.into_iter();
    let found = methods.find(|method| method.as_str() == word);
    found.ok_or_else(|| "must be GET, POST, PUT or PATCH".to_owned())
}

fn statuses(value: &Value) -> Result<Vec<u16>, String> {
    const HELP: &str = "must be a list of HTTP statuses such as [200, 202]";
    let Value::List(items) = value else {
        return Err(HELP.to_owned());
    };
    let statuses: Vec<u16> = items
        .iter()
        .filter_map(|item| match item.value {
            Value::Integer(status) => u16::try_from(status).ok(),
            _ => None,
        })
        .filter(|status| (200..600).contains(status))
        .collect();
    if statuses.is_empty() || statuses.len() != items.len() {
        return Err(HELP.to_owned());
    }
    Ok(statuses)
}

/// A pointer into JSON, as `/data/0/id`.
fn pointer(value: &Value) -> Result<String, String> {
    let text = units::text(value)?;
    if text.starts_with('/') {
        Ok(text)
    } else {
        Err("must be a JSON pointer such as /data/id".to_owned())
    }
}

fn inbound(value: &Value) -> Result<Pointers, String> {
    const HELP: &str = "write { from = \"/from\", text = \"/text\", message_id = \"/id\", \
                        confirm = \"sms\" }";
    let Value::Map(entries) = value else {
        return Err(HELP.to_owned());
    };
    let known = ["from", "text", "message_id", "confirm"];
    let mut keys = entries.iter().map(|entry| &entry.key);
    if let Some(unknown) = keys.find(|key| !known.contains(&key.as_str())) {
        return Err(format!("unknown key {unknown}: {HELP}"));
    }
    let find = |key: &str| {
        let entry = entries.iter().find(|entry| entry.key == key);
        entry.map(|entry| &entry.node.value)
    };
    let pointer = |key: &str| {
        find(key)
            .map(|value| pointer(value).map_err(|problem| format!("{key} {problem}")))
            .transpose()
    };
    let confirm = match find("confirm") {
        None => Confirm::Sms,
        Some(Value::Text(word)) if word == "sms" => Confirm::Sms,
        Some(Value::Text(word)) if word == "answer" => Confirm::Answer,
        Some(_) => return Err("confirm is \"sms\" or \"answer\"".to_owned()),
    };
    Ok(Pointers {
        confirm,
        from: pointer("from")?.ok_or(HELP)?,
        text: pointer("text")?.ok_or(HELP)?,
        message_id: pointer("message_id")?,
    })
}
