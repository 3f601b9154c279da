//! The small languages inside of texts: lengths of time, times of day, weekdays, addresses.

use jiff::civil::Weekday;

use crate::engine::ruleset::WeeklyTime;
use crate::engine::time::Duration;

/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// `90s`, `5m`, `1h30m`, `1h 30m`, `2d`, `1w`; nothing else and nothing negative.
pub fn duration(text: &str) -> Option<Duration> {
    let mut total: u64 = 0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (amount, after) = take_while(rest, u8::is_ascii_digit);
        let (unit, after) = take_while(after, u8::is_ascii_alphabetic);
        let amount: u64 = amount.parse().ok()?;
        total = total.checked_add(amount.checked_mul(unit_millis(unit)?)?)?;
        rest = after.trim_start_matches(' ');
    }
    Some(Duration(total))
}

/// A length of time as documents write it; none at all is `0s`.
pub fn shown(length: Duration) -> String {
    match length {
        Duration::ZERO => "0s".to_owned(),
        length => length.to_string(),
    }
}

fn take_while(text: &str, is_part: fn(&u8) -> bool) -> (&str, &str) {
    let length = text.bytes().take_while(is_part).count();
    text.split_at(length)
}

fn unit_millis(unit: &str) -> Option<u64> {
    let length = match unit {
        "ms" => Duration(1),
        "s" => Duration::seconds(1),
        "m" => Duration::minutes(1),
        "h" => Duration::hours(1),
        "d" => Duration::days(1),
        "w" => Duration::days(7),
        _ => return None,
    };
    Some(length.0)
}

/// `09:00` to `24:00` as the minute of the day.
pub fn time_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let is_padded = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !is_padded(hours) || !is_padded(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= DAY_MINUTES).then_some(minute)
}

/// `tue 10:30`.
pub fn weekly_time(text: &str) -> Option<WeeklyTime> {
    let (day, time) = text.split_once(' ')?;
    let minute = time_of_day(time.trim()).filter(|minute| *minute < DAY_MINUTES)?;
    let weekday = weekday(day)?;
    Some(WeeklyTime { weekday, minute })
}

/// `mon`, `monday`, in any case.
pub fn weekday(text: &str) -> Option<Weekday> {
    let days = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let text = text.to_ascii_lowercase();
    days.into_iter()
        .find(|(name, _)| text == *name || text == name[..3])
        .map(|(_, day)| day)
}

/// E.164: a plus, then 7 to 15 digits that do not begin with a zero.
pub fn is_phone_number(text: &str) -> bool {
    let Some(digits) = text.strip_prefix('+') else {
        return false;
    };
    (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// One address without a name, as far as can be told without asking its server.
pub fn is_email_address(text: &str) -> bool {
    let is_plain = |character: char| {
        !character.is_whitespace()
            && !character.is_control()
            && !"<>,;:\"()[]\\".contains(character)
    };
    let Some((mailbox, host)) = text.rsplit_once('@') else {
        return false;
    };
    let has_labels = host.split('.').all(|label| !label.is_empty());
    text.len() <= 254
        && !mailbox.is_empty()
        && !mailbox.contains('@')
        && has_labels
        && text.chars().all(is_plain)
}

/// A Slack id such as `U024BE7LH`, or the e-mail address by which Slack knows somebody.
pub fn is_slack_person(text: &str) -> bool {
    is_slack_id(text) || is_email_address(text)
}

/// A Slack channel: `#name`, or its id.
pub fn is_slack_channel(text: &str) -> bool {
    let is_name = text.strip_prefix('#').is_some_and(|name| {
        !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '#')
    });
    is_name || is_slack_id(text)
}

fn is_slack_id(text: &str) -> bool {
    text.len() >= 8
        && text.starts_with(['U', 'W', 'C', 'G', 'D'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// An `http` or `https` URL with a host.
pub fn is_web_address(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        host_end > 0 && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    })
}

/// Whether a text can be the name of something that targets refer to: no spaces, no slash.
pub fn is_name(text: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || "._-@+".contains(character);
    text.chars().all(is_part) && text.starts_with(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_numbers_with_units() {
        let cases = [
            ("90s", Some(Duration::seconds(90))),
            ("5m", Some(Duration::minutes(5))),
            ("1h30m", Some(Duration::minutes(90))),
            ("1h 30m", Some(Duration::minutes(90))),
            ("2d", Some(Duration::days(2))),
            ("1w", Some(Duration::days(7))),
            ("0s", Some(Duration::ZERO)),
            ("", None),
            ("5", None),
            ("m", None),
            ("-5m", None),
            ("5 m", None),
            ("5x", None),
            ("1.5h", None),
            ("99999999999999999999d", None),
            ("9999999999999999d", None),
        ];
        for (text, expected) in cases {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn times_of_day_have_two_digits_and_end_with_24_00() {
        let cases = [
            ("00:00", Some(0)),
            ("09:00", Some(540)),
            ("23:59", Some(1_439)),
            ("24:00", Some(1_440)),
            ("24:01", None),
            ("9:00", None),
            ("12:60", None),
            ("+9:00", None),
            ("noon", None),
        ];
        for (text, expected) in cases {
            assert_eq!(time_of_day(text), expected, "{text}");
        }
    }

    #[test]
    fn addresses_fit_their_medium_or_do_not() {
        type Accepts = fn(&str) -> bool;
        let cases: [(Accepts, &[&str], &[&str]); 5] = [
            (
                is_phone_number,
                &["+351912345678", "+15005550006"],
                &["351912345678", "+0123456789", "+351 912 345", "+1", ""],
            ),
            (
                is_email_address,
                &[
                    "ana@example.com",
                    "ana+night@mail.example.com",
                    "root@localhost",
                ],
                &[
                    "ana",
                    "@example.com",
                    "ana@",
                    "a@b@c",
                    "Ana <ana@example.com>",
                    "a@b..c",
                ],
            ),
            (
                is_slack_person,
                &["U024BE7LH", "ana@example.com"],
                &["@ana", "ana", "U024be7lh"],
            ),
            (
                is_slack_channel,
                &["#payments", "C024BE7LH"],
                &["payments", "#", "#a b"],
            ),
            (
                is_web_address,
                &["https://example.com/ana", "http://127.0.0.1:9000"],
                &[
                    "example.com",
                    "https://",
                    "ftp://example.com",
                    "https://a b",
                ],
            ),
        ];
        for (accepts, good, bad) in cases {
            assert!(good.iter().all(|text| accepts(text)), "{good:?}");
            assert!(!bad.iter().any(|text| accepts(text)), "{bad:?}");
        }
    }
}
