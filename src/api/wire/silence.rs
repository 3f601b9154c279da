//! Silences in our own shape and in Alertmanager's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::matcher::{self, MatcherError, Operator};
use crate::engine::records;
use crate::engine::time::Timestamp;

use super::actor::Actor;

use crate::text::{hash, hex};

/// Matchers and a time: alerts are kept and shown, pages are held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Silence {
    pub id: u64,
    /// Its id on `/api/v2`.
    pub uuid: String,
    pub matchers: Vec<String>,
    pub from: String,
    pub until: String,
    pub reason: String,
    pub created_by: Actor,
    pub created_at: String,
    /// Whether it is in force now.
    pub active: bool,
    /// It is shown for 5 days more.
    pub ended_at: Option<String>,
    /// Incidents whose pages it held.
    pub held_pages: u64,
}

/// A silence that was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Silenced {
    pub id: u64,
    /// Open incidents that it covers now.
    pub covers: usize,
    pub until: String,
}

/// A silence in our own shape.
pub fn silence(silence: &records::Silence) -> Silence {
    let matchers = silence.matchers.iter();
    Silence {
        id: silence.id.0,
        uuid: uuid(silence),
        matchers: matchers.map(ToString::to_string).collect(),
        from: silence.from.to_string(),
        until: silence.until.to_string(),
        reason: silence.reason.to_string(),
        created_by: (&silence.created_by).into(),
        created_at: silence.created_at.to_string(),
        active: silence.is_active,
        ended_at: silence.ended_at.map(|at| at.to_string()),
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

/// How a silence stands.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SilenceStatus {
    pub state: SilenceState,
}

/// Whether a silence is in force, in the order in which the original lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    Active,
    Pending,
    Expired,
}

impl SilenceState {
    /// How this one stands.
    pub fn of(silence: &records::Silence) -> Self {
        match silence.ended_at {
            Some(_) => Self::Expired,
            // It holds nothing by the clock as it is.
            None if silence.has_lapsed => Self::Expired,
            None if silence.is_active => Self::Active,
            None => Self::Pending,
        }
    }
}

/// Alertmanager's silence, as clients post it.
#[derive(Clone, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostableSilence {
    /// Changes this one, or replaces it where it cannot be changed.
    pub id: Option<String>,
    pub matchers: Vec<SilenceMatcher>,
    pub starts_at: String,
    pub ends_at: String,
    pub created_by: String,
    pub comment: String,
    /// Not of the original: it is meant that it may cover everything.
    #[serde(default)]
    pub everything: bool,
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
    let changes = [silence.updated_at, silence.ended_at];
    let updated_at = changes.into_iter().flatten().max();
    GettableSilence {
        id: uuid(silence),
        status: SilenceStatus {
            state: SilenceState::of(silence),
        },
        updated_at: alertmanager_time(updated_at.unwrap_or(silence.created_at)),
        matchers: silence.matchers.iter().map(of_matcher).collect(),
        starts_at: alertmanager_time(silence.from),
        ends_at: alertmanager_time(silence.until),
        created_by: silence.created_by.name.to_string(),
        comment: silence.reason.to_string(),
    }
}

/// The id by which Alertmanager's tools know a silence. It follows from what never changes of it,
/// so that silences of any age have one.
pub fn uuid(silence: &records::Silence) -> String {
    let what = format!("silence {} of {}", silence.id, silence.created_at.0);
    let hash = hash::sha256(what);
    let digits = hex::encode(&hash[..16]);
    // Version 8 says that its maker chose the bits; the variant is that of RFC 9562.
    let variant = ['8', '9', 'a', 'b'][usize::from(hash[16] % 4)];
    format!(
        "{}-{}-8{}-{variant}{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[13..16],
        &digits[17..20],
        &digits[20..],
    )
}

/// Three digits after the second, as Alertmanager's clients are used to.
pub fn alertmanager_time(at: Timestamp) -> String {
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
    use crate::engine::ids::SilenceId;
    use crate::engine::input;

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
    fn a_silence_has_the_same_uuid_whatever_becomes_of_it_and_no_other_has_it() {
        let set = records::Silence {
            id: SilenceId(3),
            matchers: Vec::new(),
            from: Timestamp(0),
            until: Timestamp(3_600_000),
            reason: "maintenance".into(),
            created_by: input::Actor::named("ana", input::Via::Api),
            created_at: Timestamp(1_795_403_400_000),
            held_pages: 0,
            is_active: true,
            updated_at: None,
            ended_at: None,
            has_lapsed: false,
        };
        let mut ended = set.clone();
        ended.until = Timestamp(1);
        ended.is_active = false;
        ended.ended_at = Some(Timestamp(1));
        // Stored nowhere: another text would rename every silence that clients know.
        assert_eq!(uuid(&set), "94c29719-4b40-87a8-a5dd-6a103a02b291");
        assert_eq!(uuid(&ended), uuid(&set));
        let mut other = set.clone();
        other.id = SilenceId(4);
        assert_ne!(uuid(&other), uuid(&set));
    }

    #[test]
    fn times_look_as_alertmanager_writes_them() {
        assert_eq!(alertmanager_time(Timestamp(0)), "1970-01-01T00:00:00.000Z");
    }
}
