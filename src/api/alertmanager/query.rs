//! What Alertmanager's lists are asked for: matchers, a receiver, and switches.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::api::extract::Query;
use crate::api::ports::AppState;
use crate::api::problem::Problem;
use crate::engine::matcher::{Matcher, Operator};

/// The parameters of a request as they came; some stand there several times.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

impl FromRequestParts<AppState> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        query.map(|Query(parameters)| Self(parameters))
    }
}

impl Parameters {
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// The matchers of `filter`, which may stand there several times.
    pub fn matchers(&self) -> Result<Vec<Matcher>, Problem> {
        let matchers = self.all("filter").map(Matcher::parse);
        let matchers: Result<_, _> = matchers.collect();
        matchers.map_err(|error| Problem::invalid(format!("bad matcher format: {error}")))
    }

    /// The regular expression of `receiver`, which has to match the whole name.
    pub fn receiver(&self) -> Result<Option<Matcher>, Problem> {
        let Some(pattern) = self.all("receiver").last().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let matcher = Matcher::new("receiver", Operator::Match, pattern);
        matcher
            .map(Some)
            .map_err(|error| Problem::invalid(format!("failed to parse receiver param: {error}")))
    }

    /// A switch, which is on unless it is turned off.
    pub fn switch(&self, name: &str) -> bool {
        let words = [
            "true", "1", "yes", "ok", "y", "on", "selected", "checked", "t", "enabled",
        ];
        let value = self.all(name).last().filter(|value| !value.is_empty());
        value.is_none_or(|value| words.contains(&value.to_ascii_lowercase().as_str()))
    }
}

/// What lists of alerts can be asked for, for the description of the API; [`Parameters`] reads it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only its shape is used")]
pub struct AlertsParameters {
    /// Matchers, one each time.
    filter: Option<Vec<String>>,
    /// A regular expression for the whole name.
    receiver: Option<String>,
    active: Option<bool>,
    silenced: Option<bool>,
    inhibited: Option<bool>,
    unprocessed: Option<bool>,
}

/// Whether a silence with these matchers is asked for: the text of its matcher of that name is
/// compared, whatever its operator.
pub fn passes(silence: &[Matcher], filter: &[Matcher]) -> bool {
    filter.iter().all(|wanted| {
        // Of two matchers with one name the later counts, as in the original.
        let named = silence.iter().rev().find(|known| known.name == wanted.name);
        let matches = |text: &str| takes_text(wanted, text);
        match wanted.operator {
            Operator::NotEqual | Operator::NotMatch if wanted.value.is_empty() => {
                named.is_some() || matches("")
            }
            Operator::Equal | Operator::Match | Operator::NotEqual | Operator::NotMatch => {
                matches(named.map_or("", |known| &known.value))
            }
        }
    })
}

/// Whether a matcher takes a text, whatever name it has.
pub fn takes_text(matcher: &Matcher, text: &str) -> bool {
    matcher.matches(&OneField(text))
}

/// A value under whatever name.
struct OneField<'text>(&'text str);

impl crate::engine::matcher::Fields for OneField<'_> {
    fn field(&self, _: &str) -> &str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matchers(texts: &[&str]) -> Vec<Matcher> {
        let matchers = texts.iter().map(|text| Matcher::parse(text).unwrap());
        matchers.collect()
    }

    #[test]
    fn a_silence_is_asked_for_by_the_text_of_its_matchers() {
        let silence = matchers(&["alertname=DiskFull", "team=~\"pay|ops\""]);
        let cases: [(&[&str], bool); 10] = [
            (&[], true),
            (&["alertname=DiskFull"], true),
            (&["alertname=Disk"], false),
            (&["alertname=~\"Disk.*\""], true),
            (&["team=pay"], false),
            (&["team=\"pay|ops\""], true),
            (&["cluster=eu"], false),
            (&["cluster!=eu"], true),
            (&["cluster=\"\""], true),
            (&["alertname=DiskFull", "team!=\"pay|ops\""], false),
        ];
        for (filter, expected) in cases {
            assert_eq!(passes(&silence, &matchers(filter)), expected, "{filter:?}");
        }
    }

    #[test]
    fn switches_are_on_unless_turned_off_and_faults_of_the_query_are_named() {
        let query = |name: &str, value: &str| Parameters(vec![(name.into(), value.into())]);
        for (value, expected) in [("true", true), ("", true), ("false", false), ("0", false)] {
            assert_eq!(query("active", value).switch("active"), expected, "{value}");
        }
        assert!(query("silenced", "false").switch("active"));
        let unread = query("receiver", "d(b").receiver().unwrap_err();
        assert!(unread.detail().contains("d(b"), "{}", unread.detail());
        let unread = query("filter", "bad").matchers().unwrap_err();
        assert!(unread.detail().starts_with("bad matcher format"));
        let receiver = query("receiver", "pay.*").receiver().unwrap().unwrap();
        assert!(takes_text(&receiver, "payments") && !takes_text(&receiver, "prepay"));
    }
}
