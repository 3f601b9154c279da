//! What is odd about a matcher although it can be read: it never matches, it always does, or it
//! means something else to another parser.
//!
//! `severity_class` and `integration` take a few values only, so that a slip is certain. Any other
//! label is free text; of `severity` a slip is guessed where a word is near a known one.

use std::borrow::Cow;

use crate::document::{Code, Position};
use crate::engine::matcher::{Fields, Matcher};
use crate::engine::own_check;
use crate::engine::provider_rules::integration_of;
use crate::engine::urgency::SeverityClass;
use crate::text::{suggest, truncate, truncate::quoted};

use super::Context;
use super::documents::Section;

/// Letters of a severity below which too many words are near each other.
const SLIP_LETTERS_MIN: usize = 5;

/// Characters of a matcher that a message shows.
const SHOWN_CHARACTERS: usize = 80;

/// The values that a field can have.
struct Closed<'names> {
    /// One of them, in words.
    noun: &'static str,
    /// Before the list of them.
    lead: &'static str,
    values: Vec<Cow<'names, str>>,
}

/// One value under every name.
struct Value<'value>(&'value str);

impl Fields for Value<'_> {
    fn field(&self, _name: &str) -> &str {
        self.0
    }
}

impl Context<'_> {
    /// Warns of a matcher that cannot be meant; `written` is its text.
    pub(super) fn check_matcher(&mut self, matcher: &Matcher, written: &str, at: Position) {
        self.check_readings(matcher, written, at);
        if let Some(closed) = self.closed(&matcher.name) {
            if let Some((code, message, help)) = without_effect(matcher, &closed) {
                self.faults.warning(code, at, message, help);
            }
        } else if &*matcher.name == "severity" {
            self.check_severity(matcher, at);
        }
    }

    fn closed(&self, name: &str) -> Option<Closed<'_>> {
        let closed = match name {
            "severity_class" => Closed {
                noun: "severity class",
                lead: "severity classes are",
                values: SeverityClass::ALL
                    .map(|class| Cow::Borrowed(class.as_str()))
                    .to_vec(),
            },
            "integration" if !self.documents.is_incomplete() => Closed {
                noun: "integration",
                lead: "integrations are",
                values: self.integration_names(),
            },
            _ => return None,
        };
        (name == "integration" || !self.adds_label(name)).then_some(closed)
    }

    /// What `integration` can be: those of the rules, and one for each provider and check.
    fn integration_names(&self) -> Vec<Cow<'_, str>> {
        let own = self.names.of(Section::Integrations).keys();
        let of_providers = self.names.of(Section::Providers).keys();
        let of_providers = of_providers.map(|name| integration_of(&(*name).into()).to_string());
        let own = own.map(|name| Cow::Borrowed(*name));
        let of_checks = self.check_names();
        let of_checks = of_checks.map(|name| own_check::integration_of(&name).to_string());
        let built_in = of_providers.chain(of_checks);
        own.chain(built_in.map(Cow::Owned)).collect()
    }

    /// Whether an integration gives its events a label of this name, which then counts.
    fn adds_label(&self, name: &str) -> bool {
        let mut entries = self.documents.things(Section::Integrations);
        entries.any(|entry| {
            let mapping = entry.node.get("mapping");
            let sets = [Some(&entry.node), mapping].into_iter().flatten();
            let mut labels = sets.filter_map(|set| set.get("labels"));
            labels.any(|labels| labels.get(name).is_some())
        })
    }

    fn check_readings(&mut self, matcher: &Matcher, written: &str, at: Position) {
        let Some(newer) = Matcher::other_reading(written) else {
            return;
        };
        let [written, classic, newer] =
            [written.to_owned(), matcher.to_string(), newer.to_string()]
                .map(|text| truncate(&text, SHOWN_CHARACTERS));
        let message = format!(
            "{written} is ambiguous: {classic} for Alertmanager's classic parser, which is used \
             here, and {newer} for its newer one"
        );
        let help = format!("write {classic}, which both read the same way");
        self.faults.warning(Code::TwoReadings, at, message, help);
    }

    /// Severities are compared as they were sent, and any word may be sent; a word that is almost
    /// a usual one is probably a slip.
    fn check_severity(&mut self, matcher: &Matcher, at: Position) {
        let known: Vec<&str> = SeverityClass::known_words().collect();
        for word in matcher.words().unwrap_or_default() {
            let is_word = word.chars().all(char::is_alphabetic);
            let is_long = word.chars().count() >= SLIP_LETTERS_MIN;
            let is_known = SeverityClass::of(word) != SeverityClass::Unknown;
            if !is_word || !is_long || is_known {
                continue;
            }
            let Some(meant) = suggest::nearest(word, &known) else {
                continue;
            };
            let message = format!(
                "{} names the severity {}, which common senders never send",
                truncate(&matcher.to_string(), SHOWN_CHARACTERS),
                quoted(word)
            );
            let help = format!("did you mean `{meant}`? severities are compared exactly as sent");
            self.faults
                .warning(Code::UnknownSeverity, at, message, help);
        }
    }
}

/// Why a condition on a closed field decides nothing, with its code and help.
fn without_effect(matcher: &Matcher, closed: &Closed<'_>) -> Option<(Code, String, String)> {
    let values = || closed.values.iter().map(|value| &**value);
    let satisfied = values()
        .filter(|value| matcher.matches(&Value(value)))
        .count();
    let noun = closed.noun;
    let shown = truncate(&matcher.to_string(), SHOWN_CHARACTERS);
    let negates = matcher.operator.negates();
    let unknown = matcher.words().unwrap_or_default().iter();
    let unknown = unknown
        .map(|word| &**word)
        .find(|word| !values().any(|value| value == *word));
    let is_empty = satisfied == 0;
    let is_all = satisfied == closed.values.len();
    let code = if negates && !is_empty {
        Code::AlwaysMatches
    } else {
        Code::NeverMatches
    };
    let effect = match (is_empty, is_all && negates) {
        (true, _) => " never matches",
        (false, true) => " always matches",
        (false, false) => "",
    };
    let Some(word) = unknown else {
        if effect.is_empty() {
            return None;
        }
        let message = format!("{shown}{effect}, for any {noun}");
        return Some((
            code,
            message,
            suggest::list(&values().collect::<Vec<_>>(), closed.lead),
        ));
    };
    let message = match effect {
        "" => format!(
            "{shown} names the {noun} {}, which does not exist",
            quoted(word)
        ),
        effect => format!("{shown}{effect}: there is no {noun} {}", quoted(word)),
    };
    Some((code, message, suggest::help(word, values(), closed.lead)))
}
