//! The small words of the wire: moments, lengths of time, targets, cursors, keys in hex.

use serde::Deserialize;

use crate::engine::ids::{ChannelName, PolicyName, ScheduleName, UserName};
use crate::engine::input::ReassignTo;
use crate::engine::ruleset::{ChannelTarget, Target};
use crate::engine::time::{Duration, Timestamp};
use crate::engine::urgency::Urgency;
use crate::text::{clean::blanked, truncate::prefix};

use super::problem::Problem;
use super::wire::ITEMS_MAX;

/// Reads a moment in RFC 3339.
pub fn moment(field: &str, text: &str) -> Result<Timestamp, Problem> {
    text.parse::<jiff::Timestamp>()
        .map(Timestamp::from)
        .map_err(|_| {
            Problem::invalid(format!(
                "{field} {text:?} is not a time; write it as 2026-11-23T03:10:00Z"
            ))
        })
}

/// Reads a length of time such as `1h 30m`.
pub fn length(field: &str, text: &str) -> Result<Duration, Problem> {
    parse_length(text).ok_or_else(|| {
        Problem::invalid(format!(
            "{field} {text:?} is not a duration; write it as 90s, 30m, 1h30m or 2d"
        ))
    })
}

/// A length of time that is not nothing, and not so long that sums with times overflow.
fn parse_length(text: &str) -> Option<Duration> {
    let length = text.parse().ok();
    length.filter(|length| (Duration(1)..=Duration::LONGEST).contains(length))
}

/// The end of something that is given as a moment or as a length from now.
pub fn end(until: Option<&str>, for_: Option<&str>, now: Timestamp) -> Result<Timestamp, Problem> {
    match (until, for_) {
        (Some(until), None) => moment("until", until),
        (None, Some(length_)) => Ok(now + length("for", length_)?),
        (None, None) | (Some(_), Some(_)) => Err(Problem::invalid(
            "give either until (a time) or for (a duration such as 1h)",
        )),
    }
}

/// A start that is given as a moment or as a length back from now.
pub fn since(text: Option<&str>, default: Duration, now: Timestamp) -> Result<Timestamp, Problem> {
    match text {
        None => Ok(now.minus(default)),
        Some(text) => match parse_length(text) {
            Some(length) => Ok(now.minus(length)),
            None => moment("since", text),
        },
    }
}

/// Reads `user/ana`, `schedule/night`, `policy/payments` or `channel/slack/#payments`.
pub fn target(text: &str) -> Result<ReassignTo, Problem> {
    let unclear = || {
        Problem::invalid(format!(
            "target {text:?} is not clear; \
             write user/NAME, schedule/NAME, policy/NAME or channel/NAME/ADDRESS"
        ))
    };
    let (kind, name) = text.split_once('/').ok_or_else(unclear)?;
    if name.is_empty() {
        return Err(unclear());
    }
    let target = match kind {
        "user" => Target::User(UserName::from(name)),
        "schedule" => Target::Schedule(ScheduleName::from(name)),
        "policy" => return Ok(ReassignTo::Policy(PolicyName::from(name))),
        "channel" => {
            let (channel, address) = name.split_once('/').unwrap_or((name, ""));
            Target::Channel(ChannelTarget {
                channel: ChannelName::from(channel),
                address: address.into(),
            })
        }
        _ => return Err(unclear()),
    };
    Ok(ReassignTo::Target(target))
}

/// Reads `high` or `low`.
pub fn urgency(text: &str) -> Result<Urgency, Problem> {
    match text {
        "high" => Ok(Urgency::High),
        "low" => Ok(Urgency::Low),
        word => Err(Problem::invalid(format!(
            "urgency {word:?} is unknown; use high or low"
        ))),
    }
}

/// Reads the number of something in a path; `#1042` is understood.
pub fn number(kind: &str, text: &str) -> Result<u64, Problem> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    digits
        .parse()
        .map_err(|_| Problem::not_found(kind, format_args!("{text:?}; it is a number")))
}

/// Reads the cursor of a list whose items are ordered by a number.
pub fn cursor(text: Option<&str>) -> Result<Option<u64>, Problem> {
    text.map(|text| text.parse().map_err(|_| unknown_cursor(text)))
        .transpose()
}

/// A cursor that none of our lists gave out.
pub fn unknown_cursor(text: &str) -> Problem {
    Problem::invalid(format!(
        "cursor {text:?} is not valid; use `next` of the previous answer"
    ))
}

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Items of one answer.
    pub limit: Option<usize>,
    /// `next` of the answer before.
    pub cursor: Option<String>,
}

impl Paging {
    /// Of a list that goes up by number: the number after which it goes on, and how many items
    /// are asked for.
    pub fn read(&self) -> Result<(u64, usize), Problem> {
        let after = cursor(self.cursor.as_deref())?;
        Ok((after.unwrap_or(0), limit(self.limit)))
    }
}

/// The items asked for, at least one and at most [`ITEMS_MAX`].
pub fn limit(asked: Option<usize>) -> usize {
    asked.unwrap_or(100).clamp(1, ITEMS_MAX)
}

/// Text of a person without control characters, at most so many characters.
pub fn clean(text: &str, characters_max: usize) -> String {
    blanked(prefix(text, characters_max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_neither_nothing_nor_endless() {
        let cases = [
            ("1h 30m", Some(Duration::minutes(90))),
            ("36600d", Some(Duration::LONGEST)),
            ("36601d", None),
            ("0m", None),
            ("30", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_length(text), expected, "{text}");
        }
    }

    #[test]
    fn an_end_is_given_in_exactly_one_way() {
        let now = Timestamp(0);
        let hour = Timestamp(3_600_000);
        assert_eq!(end(None, Some("1h"), now), Ok(hour));
        assert_eq!(end(Some("1970-01-01T01:00:00Z"), None, now), Ok(hour));
        assert!(end(None, None, now).is_err());
        assert!(end(Some("1970-01-01T01:00:00Z"), Some("1h"), now).is_err());
        assert!(end(Some("tomorrow"), None, now).is_err());
    }

    #[test]
    fn targets_are_read_as_rule_documents_write_them() {
        let channel = |channel: &str, address: &str| {
            ReassignTo::Target(Target::Channel(ChannelTarget {
                channel: channel.into(),
                address: address.into(),
            }))
        };
        let cases = [
            (
                "user/ana",
                Some(ReassignTo::Target(Target::User("ana".into()))),
            ),
            ("policy/ops", Some(ReassignTo::Policy("ops".into()))),
            (
                "channel/slack/#pay/ments",
                Some(channel("slack", "#pay/ments")),
            ),
            ("channel/console", Some(channel("console", ""))),
            ("ana", None),
            ("user/", None),
            ("team/ops", None),
        ];
        for (text, expected) in cases {
            assert_eq!(target(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn text_of_people_is_cut_and_keeps_no_control_characters() {
        assert_eq!(clean(" a\r\nb\0c ", 10), "a  b c");
        assert_eq!(clean("äöüß", 2), "äö");
    }
}
