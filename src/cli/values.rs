//! What arguments of commands may be: numbers of incidents, ids, hashes, labels and targets.

use clap::Args;

use crate::text::hex;

/// A command about one incident.
#[derive(Debug, Args)]
pub struct Numbered {
    /// The incident's number
    #[arg(value_name = "N", value_parser = incident_number)]
    pub number: u64,
}

/// A command about incidents.
#[derive(Debug, Args)]
pub struct Several {
    /// The incidents' numbers
    #[arg(value_name = "N", value_parser = incident_number, required = true)]
    pub numbers: Vec<u64>,
}

/// `1042` or `#1042`.
pub fn incident_number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let number = digits.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "an incident has a number, such as 1042".to_owned())
}

/// `1042`, `#1042` or `r12`.
pub fn incident_or_receipt(text: &str) -> Result<String, String> {
    let receipt = text.strip_prefix('r').map(str::parse::<u64>);
    match (receipt, incident_number(text)) {
        (Some(Ok(_)), _) | (_, Ok(_)) => Ok(text.to_owned()),
        (Some(Err(_)) | None, Err(_)) => {
            Err("write the number of an incident, such as 1042, or a receipt, such as r12".into())
        }
    }
}

/// The id of something that a list shows with one, or a revision.
pub fn id(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "write its number, as the list shows it".to_owned())
}

/// A SHA-256 in hex.
pub fn hash(text: &str) -> Result<String, String> {
    let hash = hex::decode_hash(text.trim());
    let hash =
        hash.ok_or("write the 64 hexadecimal digits of a hash, as `audit verify` shows it")?;
    Ok(hex::encode(&hash))
}

/// `team=payments`.
pub fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        Some(_) | None => Err("write a label as name=value".to_owned()),
    }
}

/// `user/ana`, `policy/ops`.
pub fn target(text: &str) -> Result<String, String> {
    const KINDS: [&str; 4] = ["user/", "policy/", "schedule/", "channel/"];
    let is_good = KINDS.iter().any(|kind| {
        let name = text.strip_prefix(kind);
        name.is_some_and(|name| !name.is_empty())
    });
    if is_good {
        Ok(text.to_owned())
    } else {
        Err("write user/NAME, policy/NAME, schedule/NAME or channel/NAME/ADDRESS".to_owned())
    }
}
