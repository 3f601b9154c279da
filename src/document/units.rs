//! How single settings are written, and within which bounds. Each refusal is the help.
//!
//! Addresses and lengths of time come from `core`, which has no sockets and no clock.

use core::net::{IpAddr, SocketAddr};
use core::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;

use super::{Value, values};
use crate::engine::ruleset::WeeklyTime;
use crate::engine::time::{Duration, NoLength};

pub fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(text) if !text.trim().is_empty() => Ok(text.clone()),
        Value::Text(_) => Err("must not be empty".to_owned()),
        _ => Err("must be text: put it in quotes".to_owned()),
    }
}

/// An empty text means "not set".
pub fn optional<T>(
    parse: impl FnOnce(&Value) -> Result<T, String>,
) -> impl FnOnce(&Value) -> Result<Option<T>, String> {
    move |value| match value {
        Value::Text(text) if text.is_empty() => Ok(None),
        other => parse(other).map(Some),
    }
}

pub fn path(value: &Value) -> Result<PathBuf, String> {
    text(value).map(PathBuf::from)
}

pub fn time(value: &Value) -> Result<core::time::Duration, String> {
    let length: Duration = text(value)?
        .parse()
        .map_err(|error: NoLength| error.to_string())?;
    if length > Duration::LONGEST {
        return Err("longer than 100 years: write a shorter time".to_owned());
    }
    Ok(core::time::Duration::from_millis(length.0))
}

/// A time that is not nothing.
pub fn some_time(value: &Value) -> Result<core::time::Duration, String> {
    let time = time(value)?;
    if time.is_zero() {
        return Err("must be more than zero: write a time such as 10s or 30d".to_owned());
    }
    Ok(time)
}

/// A size; a bare number is bytes.
pub fn size(value: &Value) -> Result<u64, String> {
    match value {
        Value::Integer(number) => {
            u64::try_from(*number).map_err(|_| "write a size such as 512 KiB".to_owned())
        }
        _ => values::bytes(&text(value)?),
    }
}

/// A size of something that is held in memory, such as a request body.
pub fn memory(value: &Value) -> Result<usize, String> {
    size_within(value, 1..=64 << 20, "must be between 1 B and 64 MiB")
}

/// A size of what many requests hold in memory together, at least the rules of one.
pub fn budget(value: &Value) -> Result<usize, String> {
    let help = "must be between 16 MiB and 64 GiB";
    size_within(value, 16 << 20..=64 << 30, help)
}

/// Memory for pages of the database.
pub fn cache(value: &Value) -> Result<usize, String> {
    size_within(
        value,
        8 << 20..=64 << 30,
        "must be between 8 MiB and 64 GiB",
    )
}

fn size_within(value: &Value, allowed: RangeInclusive<u64>, help: &str) -> Result<usize, String> {
    let size = size(value)?;
    if !allowed.contains(&size) {
        return Err(help.to_owned());
    }
    usize::try_from(size).map_err(|_| "too large for this machine".to_owned())
}

/// A number from 1 to 1,000,000.
pub fn count(value: &Value) -> Result<usize, String> {
    const HELP: &str = "must be a whole number from 1 to 1000000";
    let number = match value {
        Value::Integer(number) => usize::try_from(*number).map_err(|_| HELP)?,
        Value::Text(text) => text.trim().parse().map_err(|_| HELP)?,
        _ => return Err(HELP.to_owned()),
    };
    if (1..=1_000_000).contains(&number) {
        Ok(number)
    } else {
        Err(HELP.to_owned())
    }
}

/// A sum of money, in whatever currency.
pub fn amount(value: &Value) -> Result<f64, String> {
    const HELP: &str = "must be a number from 0 to 1000000000, such as 20 or 12.50";
    let text = match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) | Value::Other(text) => text.trim().to_owned(),
        _ => return Err(HELP.to_owned()),
    };
    let number: f64 = text.parse().map_err(|_| HELP)?;
    if (0.0..=1e9).contains(&number) {
        Ok(number)
    } else {
        Err(HELP.to_owned())
    }
}

/// `tue 10:30`.
pub fn weekly_time(value: &Value) -> Result<WeeklyTime, String> {
    values::weekly_time(&text(value)?).ok_or_else(|| {
        "write a weekday and a time of day, such as \"tue 10:30\", or \"\" for never".to_owned()
    })
}

pub fn address(value: &Value) -> Result<SocketAddr, String> {
    const HELP: &str = "write an address and a port, such as 127.0.0.1:8080 or 0.0.0.0:8080";
    let text = text(value)?;
    let text = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text,
    };
    text.parse().map_err(|_| HELP.to_owned())
}

/// The beginning of addresses on the web, without a slash at its end.
pub fn url(value: &Value) -> Result<String, String> {
    Ok(endpoint(value)?.trim_end_matches('/').to_owned())
}

/// A whole address on the web, as it is.
pub fn endpoint(value: &Value) -> Result<String, String> {
    const HELP: &str = "write an address such as https://reveille.example.com";
    let text = text(value)?;
    if !values::is_web_address(&text) {
        return Err(HELP.to_owned());
    }
    Ok(text)
}

/// A list, or comma-separated in a variable.
pub fn networks(value: &Value) -> Result<Vec<IpNet>, String> {
    let texts = texts_such_as(value, "a list of ranges such as [\"10.0.0.0/8\"]")?;
    texts.iter().map(|text| network(text)).collect()
}

/// A list of names, or comma-separated in a variable.
pub fn texts(value: &Value) -> Result<Vec<String>, String> {
    texts_such_as(value, "a list such as [\"example.com\"]")
}

fn texts_such_as(value: &Value, example: &str) -> Result<Vec<String>, String> {
    let fault = || format!("write {example}");
    match value {
        Value::Text(text) => {
            let parts = text.split(',').map(str::trim);
            let filled = parts.filter(|part| !part.is_empty());
            Ok(filled.map(str::to_owned).collect())
        }
        Value::List(items) => items
            .iter()
            .map(|item| item.as_text().map(str::to_owned).ok_or_else(fault))
            .collect(),
        _ => Err(fault()),
    }
}

/// As [`networks`]; a single address is the range of only this one.
pub fn hosts_and_networks(value: &Value) -> Result<Vec<IpNet>, String> {
    let texts = texts_such_as(value, "a list such as [\"10.0.0.7\", \"10.1.0.0/16\"]")?;
    let one = |text: &String| match text.parse::<IpAddr>() {
        Ok(address) => Ok(IpNet::from(address)),
        Err(_) => network(text),
    };
    texts.iter().map(one).collect()
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .map_err(|_| format!("{text:?} is not a range: write one such as 10.0.0.0/8 or fd00::/8"))
}
