//! How single values are written: times, sizes, addresses, networks. Each refusal names the cure.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::document::Value;

/// A range of addresses, as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub address: IpAddr,
    /// Leading bits that count.
    pub prefix: u8,
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.prefix)
    }
}

/// A length of time as people write it: `10s`, `1h 30m`, `400d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    const CURE: &str = "write a time such as 10s, 5m, 1h 30m or 30d";
    let mut rest = text.trim();
    let mut total_ms: u64 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let unit_ms = unit_milliseconds(unit).ok_or(CURE)?;
        let number: u64 = number.parse().map_err(|_| CURE)?;
        total_ms = number
            .checked_mul(unit_ms)
            .and_then(|part| total_ms.checked_add(part))
            .filter(|total| *total <= LONGEST_MS)
            .ok_or("longer than 100 years: write a shorter time")?;
        rest = after.trim_start();
    }
    if text.trim().is_empty() {
        return Err(CURE.to_owned());
    }
    Ok(Duration::from_millis(total_ms))
}

/// Longer times are mistakes, and would overflow dates.
const LONGEST_MS: u64 = 100 * 366 * 86_400_000;

fn unit_milliseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => return None,
    })
}

/// Bytes as people write them: `512 KiB`, `10 GiB`.
pub fn bytes(text: &str) -> Result<u64, String> {
    const CURE: &str = "write a size such as 512 KiB, 4 MiB or 10 GiB";
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| CURE)?;
    let shift = match unit.trim() {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err(CURE.to_owned()),
    };
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| format!("too large: {CURE}"))
}

pub(super) fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::Text(text) if !text.trim().is_empty() => Ok(text.clone()),
        Value::Text(_) => Err("must not be empty".to_owned()),
        Value::Integer(_)
        | Value::Boolean(_)
        | Value::List(_)
        | Value::Table(_)
        | Value::Other(_) => Err("must be text: put it in quotes".to_owned()),
    }
}

/// An empty text means "not set".
pub(super) fn optional<T>(
    parse: impl FnOnce(&Value) -> Result<T, String>,
) -> impl FnOnce(&Value) -> Result<Option<T>, String> {
    move |value| match value {
        Value::Text(text) if text.is_empty() => Ok(None),
        other => parse(other).map(Some),
    }
}

pub(super) fn path(value: &Value) -> Result<PathBuf, String> {
    text(value).map(PathBuf::from)
}

pub(super) fn time(value: &Value) -> Result<Duration, String> {
    duration(&text(value)?)
}

/// A time that is not nothing.
pub(super) fn some_time(value: &Value) -> Result<Duration, String> {
    let time = time(value)?;
    if time.is_zero() {
        return Err("must be longer than nothing: write a time such as 10s or 30d".to_owned());
    }
    Ok(time)
}

/// A size; a bare number is bytes.
pub(super) fn size(value: &Value) -> Result<u64, String> {
    match value {
        Value::Integer(number) => {
            u64::try_from(*number).map_err(|_| "write a size such as 512 KiB".to_owned())
        }
        Value::Text(_) | Value::Boolean(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => {
            bytes(&text(value)?)
        }
    }
}

/// A size of something that is held in memory, such as a request body.
pub(super) fn memory(value: &Value) -> Result<usize, String> {
    const MAX: u64 = 64 << 20;
    let size = size(value)?;
    if size == 0 || size > MAX {
        return Err("must lie between 1 B and 64 MiB".to_owned());
    }
    usize::try_from(size).map_err(|_| "too large for this machine".to_owned())
}

/// A size of what many requests hold in memory together.
pub(super) fn budget(value: &Value) -> Result<usize, String> {
    // The rules of one request.
    const MIN: u64 = 16 << 20;
    const MAX: u64 = 64 << 30;
    let size = size(value)?;
    if !(MIN..=MAX).contains(&size) {
        return Err("must lie between 16 MiB and 64 GiB".to_owned());
    }
    usize::try_from(size).map_err(|_| "too large for this machine".to_owned())
}

/// A number from 1 to 1,000,000.
pub(super) fn count(value: &Value) -> Result<usize, String> {
    const CURE: &str = "must be a whole number from 1 to 1000000";
    let number = match value {
        Value::Integer(number) => usize::try_from(*number).map_err(|_| CURE)?,
        Value::Text(text) => text.trim().parse().map_err(|_| CURE)?,
        Value::Boolean(_) | Value::List(_) | Value::Table(_) | Value::Other(_) => {
            return Err(CURE.to_owned());
        }
    };
    if (1..=1_000_000).contains(&number) {
        Ok(number)
    } else {
        Err(CURE.to_owned())
    }
}

/// A sum of money, in whatever currency.
pub(super) fn amount(value: &Value) -> Result<f64, String> {
    const CURE: &str = "must be a number from 0 to 1000000000, such as 20 or 12.50";
    let text = match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) | Value::Other(text) => text.trim().to_owned(),
        Value::Boolean(_) | Value::List(_) | Value::Table(_) => return Err(CURE.to_owned()),
    };
    let number: f64 = text.parse().map_err(|_| CURE)?;
    if (0.0..=1e9).contains(&number) {
        Ok(number)
    } else {
        Err(CURE.to_owned())
    }
}

/// A time of the week on a local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeeklyTime {
    /// Days after Monday, 0..7.
    pub day: i8,
    /// Minute of the day, 0..1440.
    pub minute: u16,
}

/// `tue 10:30`.
pub(super) fn weekly_time(value: &Value) -> Result<WeeklyTime, String> {
    const CURE: &str =
        "write a weekday and a time of day, such as \"tue 10:30\", or \"\" for never";
    const DAYS: [(&str, i8); 7] = [
        ("monday", 0),
        ("tuesday", 1),
        ("wednesday", 2),
        ("thursday", 3),
        ("friday", 4),
        ("saturday", 5),
        ("sunday", 6),
    ];
    let text = text(value)?;
    let (day, time) = text.split_once(' ').ok_or(CURE)?;
    let day = day.to_ascii_lowercase();
    let known = DAYS
        .iter()
        .find(|(name, _)| day == *name || day == name[..3]);
    let (_, day) = known.ok_or(CURE)?;
    let (hour, minute) = time.trim().split_once(':').ok_or(CURE)?;
    let number = |part: &str, below: u16| {
        let is_padded = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.parse::<u16>().ok().filter(|number| *number < below);
        number.filter(|_| is_padded).ok_or(CURE)
    };
    Ok(WeeklyTime {
        day: *day,
        minute: number(hour, 24)? * 60 + number(minute, 60)?,
    })
}

pub(super) fn address(value: &Value) -> Result<SocketAddr, String> {
    const CURE: &str = "write an address and a port, such as 127.0.0.1:8080 or 0.0.0.0:8080";
    let text = text(value)?;
    let text = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text,
    };
    text.parse().map_err(|_| CURE.to_owned())
}

/// The beginning of addresses on the web, without a slash at its end.
pub(super) fn url(value: &Value) -> Result<String, String> {
    Ok(endpoint(value)?.trim_end_matches('/').to_owned())
}

/// A whole address on the web, as it is.
pub(super) fn endpoint(value: &Value) -> Result<String, String> {
    const CURE: &str = "write an address such as https://reveille.example.com";
    let text = text(value)?;
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    let is_good = host.is_some_and(|host| {
        !host.is_empty()
            && !host.starts_with(['/', '?', '#', ':'])
            && !host.contains(|c: char| c.is_whitespace() || c.is_control())
    });
    if !is_good {
        return Err(CURE.to_owned());
    }
    Ok(text)
}

/// A list, or comma-separated in a variable.
pub(super) fn networks(value: &Value) -> Result<Vec<Network>, String> {
    let texts = texts_such_as(value, "a list of ranges such as [\"10.0.0.0/8\"]")?;
    texts.iter().map(|text| network(text)).collect()
}

/// A list of names, or comma-separated in a variable.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, String> {
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
            .map(|item| match &item.value {
                Value::Text(text) => Ok(text.clone()),
                Value::Integer(_)
                | Value::Boolean(_)
                | Value::List(_)
                | Value::Table(_)
                | Value::Other(_) => Err(fault()),
            })
            .collect(),
        Value::Integer(_) | Value::Boolean(_) | Value::Table(_) | Value::Other(_) => Err(fault()),
    }
}

/// As [`networks`]; a single address is the range of only this one.
pub(super) fn hosts_and_networks(value: &Value) -> Result<Vec<Network>, String> {
    let texts = texts_such_as(value, "a list such as [\"10.0.0.7\", \"10.1.0.0/16\"]")?;
    let one = |text: &String| match text.parse::<IpAddr>() {
        Ok(address) => Ok(Network {
            address,
            prefix: if address.is_ipv4() { 32 } else { 128 },
        }),
        Err(_) => network(text),
    };
    texts.iter().map(one).collect()
}

fn network(text: &str) -> Result<Network, String> {
    let refuse = || format!("{text:?} is no range: write one such as 10.0.0.0/8 or fd00::/8");
    let (address, prefix) = text.split_once('/').ok_or_else(refuse)?;
    let address: IpAddr = address.parse().map_err(|_| refuse())?;
    let prefix: u8 = prefix.parse().map_err(|_| refuse())?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    if prefix > bits {
        return Err(refuse());
    }
    Ok(Network { address, prefix })
}

/// The candidate that was probably meant, if one is near enough.
pub(super) fn nearest<'known>(
    word: &str,
    candidates: impl Iterator<Item = &'known str>,
) -> Option<&'known str> {
    let allowed = (word.len() / 3).clamp(1, 3);
    candidates
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Letters to add, drop or change to get from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in to.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = change.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let cases = [
            ("10s", Some(10_000)),
            ("250ms", Some(250)),
            ("1h 30m", Some(5_400_000)),
            ("1h30m", Some(5_400_000)),
            ("400d", Some(400 * 86_400_000)),
            ("0s", Some(0)),
            ("10", None),
            ("s", None),
            ("", None),
            ("-5m", None),
            ("5 m", None),
            ("99999999999999999999d", None),
            ("40000d", None),
        ];
        for (text, milliseconds) in cases {
            let read = duration(text).ok();
            assert_eq!(read, milliseconds.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        let cases = [
            ("512 KiB", Some(512 << 10)),
            ("10GiB", Some(10 << 30)),
            ("7 B", Some(7)),
            ("512 KB", None),
            ("12", None),
            ("18446744073709551615 TiB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(bytes(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_near_word_is_proposed_and_a_far_one_is_not() {
        let known = ["listen", "listen_public", "public_url"];
        let cases = [
            ("listn", Some("listen")),
            ("Listen", Some("listen")),
            ("public-url", Some("public_url")),
            ("banana", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
    }
}
