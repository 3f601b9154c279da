//! Values as messages show them: of an address on the web only what can hold no secret.

use super::Value;

/// A value as it would be written, for messages.
pub fn show(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(truth) => truth.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => format!("{:?}", without_secrets(text)),
        Value::Other(text) => text.clone(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|node| show(&node.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(_) => "a table".to_owned(),
    }
}

/// As [`show`], for what should be an address on the web and may lack the beginning.
pub fn show_address(value: &Value) -> String {
    match value {
        Value::Text(text) if !text.contains("://") => format!("{:?}", host_of(text)),
        value => show(value),
    }
}

/// Addresses on the web may hold keys in every part but scheme and host: only these are shown.
fn without_secrets(text: &str) -> String {
    match text.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", host_of(rest)),
        None => text.to_owned(),
    }
}

/// The host, and that there was more.
fn host_of(rest: &str) -> String {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = if path.len() > 1 { "/…" } else { path };
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}{path}"),
        None => format!("{authority}{path}"),
    }
}
