//! What a `[[channel]]` of the kind `sms_webhook` is configured with.

use secrecy::SecretString;

use crate::document::Value;

use super::section::Section;
use super::units;

/// An SMS gateway with an HTTP interface of its own.
#[derive(Clone, Debug)]
pub struct SmsWebhook {
    pub url: String,
    pub method: String,
    pub headers: Vec<(String, SecretString)>,
    /// A template over `to`, `text` and `page_id`; without one, a JSON object of the three.
    pub body: Option<String>,
    /// Statuses that mean "taken".
    pub success: Vec<u16>,
    /// Pointer to the gateway's message id in its answer.
    pub message_id: Option<String>,
    /// Where the gateway says what is left in the account; unset, nothing is asked.
    pub balance: Option<GatewayBalance>,
    /// Lets the gateway hand in replies; without it they are not accepted.
    pub inbound_key: Option<SecretString>,
    pub inbound: Inbound,
}

/// Where a gateway says what is left in the account.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayBalance {
    /// Is asked by GET, with the headers of messages.
    pub url: String,
    /// Pointer to the amount in the answer.
    pub amount: String,
    /// Less than this is told.
    pub min: f64,
}

/// Pointers into what the gateway posts for a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
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

/// Reads the keys of the kind `sms_webhook`.
pub(super) fn read(section: &mut Section<'_, '_>) -> Option<SmsWebhook> {
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
    Some(SmsWebhook {
        url: url?,
        method: method.unwrap_or_else(|| "POST".to_owned()),
        headers,
        body,
        success: success.unwrap_or_else(|| vec![200, 201, 202]),
        message_id,
        balance,
        inbound_key,
        inbound: inbound.unwrap_or_else(|| Inbound {
            from: "/from".to_owned(),
            text: "/text".to_owned(),
            message_id: Some("/id".to_owned()),
            confirm: Confirm::Sms,
        }),
    })
}

fn read_balance(section: &mut Section<'_, '_>) -> Option<GatewayBalance> {
    section.require_all_or_none(&["balance_url", "balance", "balance_min"]);
    let url = section.read_address("balance_url", units::endpoint);
    let amount = section.read("balance", pointer);
    let min = section.read("balance_min", units::amount);
    Some(GatewayBalance {
        url: url?,
        amount: amount?,
        min: min?,
    })
}

fn method(value: &Value) -> Result<String, String> {
    let method = units::text(value)?.to_uppercase();
    if ["GET", "POST", "PUT", "PATCH"].contains(&method.as_str()) {
        Ok(method)
    } else {
        Err("must be GET, POST, PUT or PATCH".to_owned())
    }
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

fn inbound(value: &Value) -> Result<Inbound, String> {
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
    Ok(Inbound {
        confirm,
        from: pointer("from")?.ok_or(HELP)?,
        text: pointer("text")?.ok_or(HELP)?,
        message_id: pointer("message_id")?,
    })
}
