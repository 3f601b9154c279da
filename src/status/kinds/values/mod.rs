//! Small helpers of the kinds of this room: values of JSON, words by table, and reports as they
//! grow.

use std::sync::Arc;

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::Timestamp;
use crate::status::moment::moment;
use crate::status::plain_text::plain_text;
use crate::status::{StatusAddress, StatusAnswer, StatusDocument, StatusLook, StatusUnreadable};
use crate::text::one_line;
use crate::text::truncate::truncate;

/// Characters of names, titles and words that are kept.
const LINE_CHARACTERS: usize = 300;

/// A table from a page's words to ours.
pub type WordTable<T> = &'static [(&'static str, T)];

/// The words that most pages share for where an incident or a maintenance is.
pub const PHASES: WordTable<ReportPhase> = &[
    ("detected", ReportPhase::Open),
    ("investigating", ReportPhase::Open),
    ("identified", ReportPhase::Open),
    ("monitoring", ReportPhase::Open),
    ("in progress", ReportPhase::Open),
    ("verifying", ReportPhase::Open),
    ("scheduled", ReportPhase::Scheduled),
    ("resolved", ReportPhase::Closed),
    ("postmortem", ReportPhase::Closed),
    ("completed", ReportPhase::Closed),
];

/// The words that most pages share for how bad it is.
pub const IMPACTS: WordTable<Impact> = &[
    ("none", Impact::None),
    ("minor", Impact::Minor),
    ("major", Impact::Major),
    ("critical", Impact::Critical),
    ("maintenance", Impact::Maintenance),
    ("scheduled", Impact::Maintenance),
];

/// Documents at these addresses, without which nothing can be said.
pub fn required(urls: Vec<String>) -> Vec<StatusDocument> {
    let documents = urls.into_iter().map(|url| StatusDocument {
        url,
        is_required: true,
    });
    documents.collect()
}

/// The last part of an address's path, or else the first part of its host.
pub fn last_part(address: &StatusAddress) -> &str {
    let part = address.path.rsplit('/').next().unwrap_or_default();
    match part {
        "" => address.host.split('.').next().unwrap_or_default(),
        _ => part,
    }
}

/// That a body is not of the kind.
pub fn shape(kind: &'static str, problem: &str) -> StatusUnreadable {
    StatusUnreadable::Shape {
        kind,
        problem: problem.to_owned(),
    }
}

/// The body of an answer that was given with success.
pub fn body<'look>(
    look: &StatusLook<'look>,
    place: usize,
    kind: &'static str,
) -> Result<&'look [u8], StatusUnreadable> {
    let Some(Some(answer)) = look.answers.get(place) else {
        return Err(shape(kind, "there is no answer"));
    };
    match answer.status {
        200..=299 => Ok(answer.body),
        404 | 410 => Err(StatusUnreadable::Gone(answer.status)),
        status => Err(StatusUnreadable::Status(status)),
    }
}

/// The first document as JSON.
pub fn first_json(look: &StatusLook<'_>, kind: &'static str) -> Result<Value, StatusUnreadable> {
    let body = body(look, 0, kind)?;
    json(body).ok_or_else(|| shape(kind, "it is not JSON"))
}

/// A further document as JSON.
pub fn further_json(
    look: &StatusLook<'_>,
    place: usize,
    kind: &'static str,
) -> Result<Value, StatusUnreadable> {
    json(body(look, place, kind)?).ok_or_else(|| shape(kind, "a further document is not JSON"))
}

/// The body of an answer as JSON, whatever its status.
pub fn answered_json(answer: &StatusAnswer<'_>) -> Option<Value> {
    json(answer.body)
}

fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)).ok()
}

/// A text or a number that is not blank, on one line.
pub fn line(value: &Value, pointer: &str) -> Option<Text> {
    let found = value.pointer(pointer)?;
    let text = match found {
        Value::String(text) => one_line(text),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then(|| truncate(&text, LINE_CHARACTERS).into())
}

/// The first of several pointers that leads to a line.
pub fn first_line(value: &Value, pointers: &[&str]) -> Option<Text> {
    pointers.iter().find_map(|pointer| line(value, pointer))
}

/// The elements of an array, or nothing.
pub fn list<'value>(value: &'value Value, pointer: &str) -> &'value [Value] {
    let found = value.pointer(pointer).and_then(Value::as_array);
    found.map(Vec::as_slice).unwrap_or_default()
}

/// The elements of an array that must be there.
pub fn anchored_list<'value>(
    value: &'value Value,
    pointer: &str,
    kind: &'static str,
) -> Result<&'value [Value], StatusUnreadable> {
    match value.pointer(pointer) {
        Some(Value::Array(elements)) => Ok(elements),
        _ => Err(shape(kind, &format!("there is no list at {pointer:?}"))),
    }
}

/// The lines at a pointer within each element of an array.
pub fn lines(value: &Value, array: &str, pointer: &str) -> Vec<Text> {
    let elements = list(value, array).iter();
    elements
        .filter_map(|element| line(element, pointer))
        .collect()
}

/// A moment that is written as a text, and has come.
pub fn has_ended(value: &Value, pointer: &str, now: Timestamp) -> bool {
    let text = value.pointer(pointer).and_then(Value::as_str);
    text.and_then(moment).is_some_and(|ended| ended <= now)
}

/// A moment in any form, also seconds since 1970.
pub fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    let found = value.pointer(pointer)?;
    match found {
        Value::String(text) => moment(text),
        Value::Number(number) => {
            let seconds = number.as_i64()?;
            Some(Timestamp(seconds.checked_mul(1_000)?))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The plain text of what stands at a pointer.
pub fn prose(value: &Value, pointer: &str) -> Text {
    let text = value.pointer(pointer).and_then(Value::as_str);
    let text = plain_text(text.unwrap_or_default(), ReportedIncident::TEXT_CHARACTERS);
    text.into()
}

/// Words are compared without regard to case, `_`, `-` and blanks.
pub fn normal(word: &str) -> String {
    let kept = word.chars().filter(|letter| letter.is_alphanumeric());
    kept.flat_map(char::to_uppercase).collect()
}

/// Joins the identity of something from its parts.
pub fn made_id(parts: &[&str]) -> Text {
    let hash = crate::text::hash::Fnv128::default();
    let hash = parts.iter().fold(hash, |hash, part| hash.with(part));
    hash.to_hex().into()
}

/// A report as it grows: ids once, bad records counted, unknown words once.
#[derive(Debug, Default)]
pub struct ListedReport {
    pub components: Vec<ReportedComponent>,
    pub incidents: Vec<Arc<ReportedIncident>>,
    unknown_words: Vec<Text>,
    skipped_components: usize,
    skipped_incidents: usize,
}

impl ListedReport {
    /// What a word means by this table. An unknown one is remembered and means `otherwise`; a
    /// missing one does too.
    pub fn look_up<T: Copy>(
        &mut self,
        table: WordTable<T>,
        what: &str,
        word: Option<&str>,
        otherwise: T,
    ) -> T {
        let Some(word) = word else {
            return otherwise;
        };
        let found = table
            .iter()
            .find(|(known, _)| normal(known) == normal(word));
        match found {
            Some((_, meaning)) => *meaning,
            None => {
                self.note(what, word);
                otherwise
            }
        }
    }

    /// Remembers a word that no table knows.
    pub fn note(&mut self, what: &str, word: &str) {
        const WORDS_MAX: usize = 20;
        let note: Text = format!("{what} {word:?}").into();
        if self.unknown_words.len() < WORDS_MAX && !self.unknown_words.contains(&note) {
            self.unknown_words.push(note);
        }
    }

    /// Adds a component, or counts it as skipped.
    pub fn add_component(&mut self, component: Option<ReportedComponent>) {
        match component {
            Some(component) => {
                let is_new = self.components.iter().all(|known| known.id != component.id);
                if is_new {
                    self.components.push(component);
                }
            }
            None => self.skipped_components += 1,
        }
    }

    /// Adds an incident, or counts it as skipped.
    pub fn add_incident(&mut self, incident: Option<ReportedIncident>) {
        match incident {
            Some(incident) => {
                let is_new = self.incidents.iter().all(|known| known.id != incident.id);
                if is_new {
                    self.incidents.push(Arc::new(incident));
                }
            }
            None => self.skipped_incidents += 1,
        }
    }

    /// The report, unless more than half of the records were bad.
    pub fn finish(
        self,
        page: Option<Text>,
        name: Option<Text>,
        listing: Listing,
        look: &StatusLook<'_>,
    ) -> Result<StatusReport, StatusUnreadable> {
        let read = self.components.len().saturating_add(self.incidents.len());
        let skipped = self.skipped_components + self.skipped_incidents;
        let total = read.saturating_add(skipped);
        if skipped > read {
            return Err(StatusUnreadable::TooManyBad { skipped, total });
        }
        let host: Text = look.address.host.as_str().into();
        let name = name.unwrap_or_else(|| host.clone());
        Ok(StatusReport {
            page: page.unwrap_or_else(|| name.clone()),
            name,
            components: self.components,
            incidents: self.incidents,
            listing,
            unknown_words: self.unknown_words,
            skipped_components: self.skipped_components,
            skipped_incidents: self.skipped_incidents,
        })
    }
}

/// A component in a group or none.
pub fn component(
    id: Option<Text>,
    name: Option<Text>,
    group: Option<Text>,
    state: ComponentState,
) -> Option<ReportedComponent> {
    let name = name?;
    let mut component = ReportedComponent {
        id: name.clone(),
        name,
        group,
        state,
    };
    component.id = id.unwrap_or_else(|| component.full_name());
    Some(component)
}

/// An open incident of which nothing is known but its identity and title.
pub fn incident(id: Text, title: Text) -> ReportedIncident {
    ReportedIncident {
        id,
        title,
        text: Text::default(),
        url: None,
        impact: Impact::Minor,
        phase: ReportPhase::Open,
        state_word: Text::default(),
        is_maintenance: false,
        components: Vec::new(),
        started_at: None,
        updated_at: None,
        window: None,
    }
}

#[cfg(test)]
pub mod tests;
