//! Silences in our own shape and in Alertmanager's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::matcher::{self, MatcherError, Operator};
use crate::engine::records;
use crate::engine::time::Wall;

/// Matchers and a time: alerts are kept and shown, pages are held.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Silence {
    pub id: u64,
    pub matchers: Vec<String>,
    pub from: String,
    pub until: String,
    pub reason: String,
    pub created_by: String,
    pub created_at: String,
    /// Whether it is in force now.
    pub active: bool,
    /// Incidents whose pages it held.
    pub held_pages: u64,
}

/// A silence that has not ended.
pub fn silence(silence: &records::Silence) -> Silence {
    let matchers = silence.matchers.iter();
    Silence {
        id: silence.id.0,
        matchers: matchers.map(ToString::to_string).collect(),
        from: silence.from.to_string(),
        until: silence.until.to_string(),
        reason: silence.reason.to_string(),
        created_by: silence.created_by.to_string(),
        created_at: silence.created_at.to_string(),
        active: silence.is_active,
        held_pages: silence.held_pages,
    }
}

/// Alertmanager's silence, as its API v2 gives it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GettableSilence {
    pub id: String,
    pub status: SilenceStatus,
    pub updated_at: String,
    pub matchers: Vec<SilenceMatcher>,
    pub starts_at: String,
    pub ends_at: String,
    pub created_by: String,
    pub comment: String,
}

/// `active` or `pending`; an expired one is no longer there.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SilenceStatus {
    pub state: String,
}

/// Alertmanager's silence, as clients post it.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostableSilence {
    /// Replaces this one.
    #[serde(default)]
    pub id: Option<String>,
    pub matchers: Vec<SilenceMatcher>,
    pub starts_at: String,
    pub ends_at: String,
    pub created_by: String,
    pub comment: String,
}

/// Alertmanager's matcher in four fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SilenceMatcher {
    pub name: String,
    pub value: String,
    pub is_regex: bool,
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}

/// A silence in Alertmanager's shape.
pub fn gettable(silence: &records::Silence) -> GettableSilence {
    let state = if silence.is_active {
        "active"
    } else {
        "pending"
    };
    GettableSilence {
        id: silence.id.to_string(),
        status: SilenceStatus {
            state: state.to_owned(),
        },
        updated_at: alertmanager_time(silence.created_at),
        matchers: silence.matchers.iter().map(of_matcher).collect(),
        starts_at: alertmanager_time(silence.from),
        ends_at: alertmanager_time(silence.until),
        created_by: silence.created_by.to_string(),
        comment: silence.reason.to_string(),
    }
}

/// Three digits after the second, as Alertmanager's clients are used to.
pub fn alertmanager_time(at: Wall) -> String {
    format!("{:.3}", at.timestamp())
}

fn of_matcher(matcher: &matcher::Matcher) -> SilenceMatcher {
    let (is_regex, is_equal) = match matcher.operator {
        Operator::Equal => (false, true),
        Operator::NotEqual => (false, false),
        Operator::Match => (true, true),
        Operator::NotMatch => (true, false),
    };
    SilenceMatcher {
        name: matcher.name.to_string(),
        value: matcher.value.to_string(),
        is_regex,
        is_equal,
    }
}

/// A matcher out of Alertmanager's four fields.
pub fn to_matcher(matcher: &SilenceMatcher) -> Result<matcher::Matcher, MatcherError> {
    let operator = match (matcher.is_regex, matcher.is_equal) {
        (false, true) => Operator::Equal,
        (false, false) => Operator::NotEqual,
        (true, true) => Operator::Match,
        (true, false) => Operator::NotMatch,
    };
    matcher::Matcher::new(&matcher.name, operator, &matcher.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_survive_the_way_to_alertmanagers_shape_and_back() {
        let cases = [
            (Operator::Equal, "payments"),
            (Operator::NotEqual, ""),
            (Operator::Match, "a|b"),
            (Operator::NotMatch, "x.*"),
        ];
        for (operator, value) in cases {
            let matcher = matcher::Matcher::new("team", operator, value).unwrap();
            assert_eq!(to_matcher(&of_matcher(&matcher)).unwrap(), matcher);
        }
    }

    #[test]
    fn a_matcher_without_is_equal_means_equal() {
        let posted = r#"{"name":"team","value":"a","isRegex":false}"#;
        let read: SilenceMatcher = serde_json::from_str(posted).unwrap();
        assert!(read.is_equal);
    }

    #[test]
    fn times_look_as_alertmanager_writes_them() {
        assert_eq!(alertmanager_time(Wall(0)), "1970-01-01T00:00:00.000Z");
    }
}
