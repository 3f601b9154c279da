//! The small languages inside of texts: times of day, weekdays, sizes, addresses.

use jiff::civil::Weekday;

use crate::engine::ruleset::WeeklyTime;
use crate::engine::time::Duration;

/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// A length of time as documents write it; none at all is `0s`.
pub fn shown(length: Duration) -> String {
    match length {
        Duration::ZERO => "0s".to_owned(),
        length => length.to_string(),
    }
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

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// `mon`, `tues`, `monday`, in any case.
pub fn weekday(text: &str) -> Option<Weekday> {
    let text = text.to_ascii_lowercase();
    let is_meant = |name: &&str| text.len() >= 3 && name.starts_with(&text);
    let offset = WEEKDAYS.iter().position(is_meant)?;
    Weekday::from_monday_zero_offset(offset.try_into().ok()?).ok()
}

/// `mon`, `tue`.
pub fn weekday_word(day: Weekday) -> &'static str {
    &WEEKDAYS[usize::from(day.to_monday_zero_offset().unsigned_abs())][..3]
}

/// Bytes as people write them: `512 KiB`, `10 GiB`.
pub fn bytes(text: &str) -> Result<u64, String> {
    const HELP: &str = "write a size such as 512 KiB, 4 MiB or 10 GiB";
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| HELP)?;
    let shift = match unit.trim() {
        "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err(HELP.to_owned()),
    };
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| format!("too large: {HELP}"))
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
        host_end > 0
            && !rest.starts_with(':')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control())
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
                    "http://:80",
                ],
            ),
        ];
        for (accepts, good, bad) in cases {
            assert!(good.iter().all(|text| accepts(text)), "{good:?}");
            assert!(!bad.iter().any(|text| accepts(text)), "{bad:?}");
        }
    }
}
