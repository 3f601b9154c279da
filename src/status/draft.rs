//! A report while a page is read: words in one vocabulary, each id once, and bad records counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::engine::event::Text;
use crate::engine::status_report::{
    ComponentState, Impact, Listing, ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};

use super::StatusUnreadable;
use super::fields::{normalised, scalar};

/// Words of components, by all kinds that have words: none of them contradicts another.
const STATES: &[(&str, ComponentState)] = &[
    ("OPERATIONAL", ComponentState::Operational),
    ("OK", ComponentState::Operational),
    ("GREEN", ComponentState::Operational),
    ("RESOLVED", ComponentState::Operational),
    ("DEGRADED", ComponentState::Degraded),
    ("DEGRADEDPERFORMANCE", ComponentState::Degraded),
    ("MINOROUTAGE", ComponentState::Degraded),
    ("NOTICE", ComponentState::Degraded),
    ("YELLOW", ComponentState::Degraded),
    ("SERVICEINFORMATION", ComponentState::Degraded),
    ("PARTIALOUTAGE", ComponentState::PartialOutage),
    ("DISRUPTED", ComponentState::PartialOutage),
    ("SERVICEDISRUPTION", ComponentState::PartialOutage),
    ("MAJOROUTAGE", ComponentState::MajorOutage),
    ("FULLOUTAGE", ComponentState::MajorOutage),
    ("DOWNTIME", ComponentState::MajorOutage),
    ("DOWN", ComponentState::MajorOutage),
    ("OFFLINE", ComponentState::MajorOutage),
    ("RED", ComponentState::MajorOutage),
    ("SERVICEOUTAGE", ComponentState::MajorOutage),
    ("UNDERMAINTENANCE", ComponentState::Maintenance),
    ("MAINTENANCE", ComponentState::Maintenance),
    ("NOTMONITORED", ComponentState::Unknown),
];

/// Words of impacts that most kinds share.
pub const IMPACTS: &[(&str, Impact)] = &[
    ("NONE", Impact::None),
    ("MINOR", Impact::Minor),
    ("MAJOR", Impact::Major),
    ("CRITICAL", Impact::Critical),
    ("MAINTENANCE", Impact::Maintenance),
    ("SCHEDULED", Impact::Maintenance),
];

const PHASES: &[(&str, ReportPhase)] = &[
    ("DETECTED", ReportPhase::Open),
    ("INVESTIGATING", ReportPhase::Open),
    ("IDENTIFIED", ReportPhase::Open),
    ("MONITORING", ReportPhase::Open),
    ("INPROGRESS", ReportPhase::Open),
    ("VERIFYING", ReportPhase::Open),
    ("ACTIVE", ReportPhase::Open),
    ("OPEN", ReportPhase::Open),
    ("MAINTENANCEINPROGRESS", ReportPhase::Open),
    ("SCHEDULED", ReportPhase::Scheduled),
    ("NOTSTARTEDYET", ReportPhase::Scheduled),
    ("UPCOMING", ReportPhase::Scheduled),
    ("MAINTENANCESCHEDULED", ReportPhase::Scheduled),
    ("RESOLVED", ReportPhase::Closed),
    ("POSTMORTEM", ReportPhase::Closed),
    ("COMPLETED", ReportPhase::Closed),
    ("CANCELLED", ReportPhase::Closed),
    ("CANCELED", ReportPhase::Closed),
];

/// How many different unknown words are told.
const UNKNOWN_WORDS_MAX: usize = 20;

/// Records of one sort that were looked at.
#[derive(Debug, Default)]
struct Tally {
    total: usize,
    skipped: usize,
}

impl Tally {
    fn count<T>(&mut self, record: Option<T>) -> Option<T> {
        self.total += 1;
        self.skipped += usize::from(record.is_none());
        record
    }
}

/// What was read so far of the documents of a page.
#[derive(Debug, Default)]
pub struct ReportDraft {
    components: Vec<ReportedComponent>,
    positions: BTreeMap<Text, usize>,
    incidents: Vec<Arc<ReportedIncident>>,
    ids: BTreeSet<Text>,
    unknown_words: BTreeSet<Text>,
    component_tally: Tally,
    incident_tally: Tally,
}

impl ReportDraft {
    /// Adds a component; `None` is a record that could not be read. Of two with one id the worse
    /// state stands.
    pub fn component(&mut self, component: Option<ReportedComponent>) {
        let Some(component) = self.component_tally.count(component) else {
            return;
        };
        let known = self.positions.get(&component.id);
        match known.and_then(|position| self.components.get_mut(*position)) {
            Some(known) => known.state = worse(known.state, component.state),
            None => {
                let position = self.components.len();
                self.positions.insert(component.id.clone(), position);
                self.components.push(component);
            }
        }
    }

    /// Adds an incident; `None` is a record that could not be read. The first with an id stands.
    pub fn incident(&mut self, incident: Option<ReportedIncident>) {
        let incident = self.incident_tally.count(incident);
        if let Some(incident) = incident.filter(|incident| self.ids.insert(incident.id.clone())) {
            self.incidents.push(Arc::new(incident));
        }
    }

    /// The components that were added, for kinds that say of their states elsewhere.
    pub fn components(&mut self) -> impl Iterator<Item = &mut ReportedComponent> {
        self.components.iter_mut()
    }

    /// The worst state of the components with these ids.
    pub fn worst(&self, ids: &[Text]) -> ComponentState {
        let positions = ids.iter().filter_map(|id| self.positions.get(id));
        let components = positions.filter_map(|position| self.components.get(*position));
        let states = components.map(|component| component.state);
        states.fold(ComponentState::Operational, worse)
    }

    /// The state that a member tells; `None` if it is no word at all.
    pub fn state(&mut self, value: Option<&Value>) -> Option<ComponentState> {
        self.state_in(STATES, value)
    }

    /// The state by a table of the kind's own.
    pub fn state_in(
        &mut self,
        table: &[(&str, ComponentState)],
        value: Option<&Value>,
    ) -> Option<ComponentState> {
        let word = scalar(value?)?;
        Some(self.look_up(table, "component", &word, ComponentState::Degraded))
    }

    /// The impact that a member tells; words of components are known here too. An absent one, and
    /// a word that is not known, is minor.
    pub fn impact(&mut self, value: Option<&Value>) -> Impact {
        let word = value.and_then(scalar).unwrap_or_default();
        let state = found(STATES, &word).map(ComponentState::impact);
        let of_state = state.filter(|_| found(IMPACTS, &word).is_none());
        of_state.unwrap_or_else(|| self.impact_in(IMPACTS, value))
    }

    /// The impact by a table of the kind's own.
    pub fn impact_in(&mut self, table: &[(&str, Impact)], value: Option<&Value>) -> Impact {
        let word = value.and_then(scalar);
        word.map_or(Impact::Minor, |word| {
            self.look_up(table, "impact", &word, Impact::Minor)
        })
    }

    /// Where an incident is, by its word; open until it is said to be closed.
    pub fn phase(&mut self, value: Option<&Value>) -> ReportPhase {
        self.phase_in(PHASES, value)
    }

    /// The phase by a table of the kind's own.
    pub fn phase_in(
        &mut self,
        table: &[(&str, ReportPhase)],
        value: Option<&Value>,
    ) -> ReportPhase {
        let word = value.and_then(scalar);
        word.map_or(ReportPhase::Open, |word| {
            self.look_up(table, "incident", &word, ReportPhase::Open)
        })
    }

    fn look_up<T: Copy>(&mut self, table: &[(&str, T)], of: &str, word: &str, other: T) -> T {
        found(table, word).unwrap_or_else(|| {
            self.note(of, word);
            other
        })
    }

    /// Tells of a word that no table knows.
    pub fn note(&mut self, of: &str, word: &str) {
        if self.unknown_words.len() < UNKNOWN_WORDS_MAX {
            let word = crate::text::truncate::quoted(word);
            self.unknown_words.insert(format!("{of} {word}").into());
        }
    }

    /// The report, unless more than half of the components or of the incidents could not be read:
    /// then the page has changed its format.
    pub fn finish(
        self,
        page: Text,
        name: Text,
        listing: Listing,
    ) -> Result<StatusReport, StatusUnreadable> {
        for Tally { total, skipped } in [&self.component_tally, &self.incident_tally] {
            if *skipped > total / 2 {
                let (skipped, total) = (*skipped, *total);
                return Err(StatusUnreadable::TooManyBad { skipped, total });
            }
        }
        Ok(StatusReport {
            page,
            name,
            components: self.components,
            incidents: self.incidents,
            listing,
            unknown_words: self.unknown_words.into_iter().collect(),
            skipped_components: self.component_tally.skipped,
            skipped_incidents: self.incident_tally.skipped,
        })
    }
}

/// A component, known by its full name where it has no id.
pub fn component(
    id: Option<Text>,
    name: Text,
    group: Option<Text>,
    state: ComponentState,
) -> ReportedComponent {
    let mut component = ReportedComponent {
        id: Text::default(),
        name,
        group,
        state,
    };
    component.id = id.unwrap_or_else(|| component.full_name());
    component
}

/// An open incident of which nothing but id and title is known.
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

/// The impact of an incident whose kind tells none: that of its components, and at least minor.
pub fn derived_impact(worst: ComponentState) -> Impact {
    worst.impact().max(Impact::Minor)
}

/// The worse of two states. What is down outweighs maintenance and what is not known.
pub fn worse(one: ComponentState, other: ComponentState) -> ComponentState {
    one.max(other).min(match (one.is_down(), other.is_down()) {
        (true, false) => one,
        (false, true) => other,
        (true, true) | (false, false) => ComponentState::Unknown,
    })
}

fn found<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    let word = normalised(word);
    let entry = table.iter().find(|(known, _)| *known == word);
    entry.map(|(_, meaning)| *meaning)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_word_is_read_as_the_worse_side_and_told_once() {
        let mut draft = ReportDraft::default();
        for _ in 0..3 {
            let state = draft.state(Some(&json!("shaky")));
            assert_eq!(state, Some(ComponentState::Degraded));
            assert_eq!(draft.impact(Some(&json!("MEDIUM"))), Impact::Minor);
            assert_eq!(draft.phase(Some(&json!("looking"))), ReportPhase::Open);
        }
        assert_eq!(draft.impact(None), Impact::Minor);
        let report = draft.finish("p".into(), "P".into(), Listing::OpenOnly);
        let report = report.expect("a report");
        let told: Vec<&str> = report.unknown_words.iter().map(AsRef::as_ref).collect();
        let expected = [
            "component \"shaky\"",
            "impact \"MEDIUM\"",
            "incident \"looking\"",
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn spellings_of_one_word_are_one_word() {
        let mut draft = ReportDraft::default();
        for word in ["NOTSTARTEDYET", "not_started_yet", "Not started yet"] {
            assert_eq!(draft.phase(Some(&json!(word))), ReportPhase::Scheduled);
        }
        for word in ["majorOutage", "MAJOR_OUTAGE", "full outage"] {
            assert_eq!(draft.impact(Some(&json!(word))), Impact::Critical);
        }
        assert!(draft.unknown_words.is_empty());
    }

    #[test]
    fn the_first_of_two_incidents_with_one_id_stands() {
        let mut draft = ReportDraft::default();
        draft.incident(Some(incident("1".into(), "first".into())));
        draft.incident(Some(incident("1".into(), "second".into())));
        assert_eq!(draft.incidents.len(), 1);
        assert_eq!(&*draft.incidents[0].title, "first");
    }

    #[test]
    fn more_than_half_of_the_records_bad_makes_the_page_unknown() {
        let read = |good: usize, bad: usize| {
            let mut draft = ReportDraft::default();
            for number in 0..good {
                draft.incident(Some(incident(number.to_string().into(), "x".into())));
            }
            (0..bad).for_each(|_| draft.incident(None));
            let report = draft.finish("p".into(), "P".into(), Listing::OpenOnly);
            report.map(|report| report.skipped_components + report.skipped_incidents)
        };
        assert_eq!(read(2, 2), Ok(2));
        assert_eq!(read(0, 0), Ok(0));
        let too_many = StatusUnreadable::TooManyBad {
            skipped: 3,
            total: 5,
        };
        assert_eq!(read(2, 3), Err(too_many));
        assert!(read(0, 1).is_err());
    }

    #[test]
    fn what_is_down_outweighs_maintenance_and_the_unknown() {
        use ComponentState::{Degraded, Maintenance, MajorOutage, Operational, Unknown};
        let cases = [
            (Operational, Degraded, Degraded),
            (Degraded, MajorOutage, MajorOutage),
            (Degraded, Maintenance, Degraded),
            (Unknown, Degraded, Degraded),
            (Operational, Maintenance, Maintenance),
        ];
        for (one, other, expected) in cases {
            assert_eq!(worse(one, other), expected, "{one} {other}");
            assert_eq!(worse(other, one), expected, "{other} {one}");
        }
    }
}
