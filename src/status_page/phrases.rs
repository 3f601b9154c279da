//! What the forms of a status page say beside what people wrote, in each language that there is.

use crate::engine::status_post::{PostKind, PostState};
use crate::engine::status_report::{ComponentState, Impact};

use super::uptime::Uptime;

/// The phrases of one language. A `{}` stands for what [`fill`] puts there.
#[derive(Debug)]
pub struct Phrases {
    /// The language's tag.
    pub tag: &'static str,
    pub decimal: char,
    pub months: [&'static str; 12],
    /// Day, month and year by `{d}`, `{m}` and `{y}`.
    pub date: &'static str,
    pub states: StatePhrases,
    pub posts: PostPhrases,
    pub page: PagePhrases,
}

/// How things are.
#[derive(Debug)]
pub struct StatePhrases {
    /// Of a page, in the order of the states.
    pub overall: [&'static str; 6],
    /// Of a component, in the order of the states.
    pub component: [&'static str; 6],
    /// Of a post, in the order of the states.
    pub post: [&'static str; 9],
    /// Of an incident, in the order of the impacts.
    pub impact: [&'static str; 5],
}

/// What is said of posts.
#[derive(Debug)]
pub struct PostPhrases {
    pub announcement: &'static str,
    pub maintenance: &'static str,
    pub automatic: &'static str,
    pub affects: &'static str,
    pub earlier_updates: &'static str,
}

/// What the page says around them.
#[derive(Debug)]
pub struct PagePhrases {
    pub open: &'static str,
    pub planned: &'static str,
    pub components: &'static str,
    pub past: &'static str,
    pub no_past: &'static str,
    pub history: &'static str,
    pub nothing_that_month: &'static str,
    pub earlier: &'static str,
    pub later: &'static str,
    pub back: &'static str,
    pub last_known: &'static str,
    pub affected: &'static str,
    pub uptime: &'static str,
    pub no_uptime: &'static str,
    pub bars: &'static str,
    pub no_trouble: &'static str,
    pub days_with_trouble: &'static str,
    pub one_day_with_trouble: &'static str,
    pub earlier_days: &'static str,
    pub subscribe: &'static str,
    pub calendar: &'static str,
    pub times: &'static str,
    pub skip: &'static str,
}

/// English, which is also what languages get that have no table.
pub static ENGLISH: Phrases = Phrases {
    tag: "en",
    decimal: '.',
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    date: "{d} {m} {y}",
    states: StatePhrases {
        overall: [
            "All systems operational",
            "Degraded performance",
            "Partial outage",
            "Major outage",
            "Maintenance in progress",
            "State not known",
        ],
        component: [
            "Operational",
            "Degraded performance",
            "Partial outage",
            "Major outage",
            "Under maintenance",
            "Not known",
        ],
        post: [
            "Investigating",
            "Identified",
            "Monitoring",
            "Resolved",
            "Postmortem",
            "Scheduled",
            "In progress",
            "Verifying",
            "Completed",
        ],
        impact: [
            "Maintenance",
            "No impact",
            "Minor impact",
            "Major impact",
            "Critical impact",
        ],
    },
    posts: PostPhrases {
        announcement: "Announcement",
        maintenance: "Maintenance",
        automatic: "Detected automatically",
        affects: "Affects: {}",
        earlier_updates: "Earlier updates: {}",
    },
    page: PagePhrases {
        open: "Happening now",
        planned: "Maintenance",
        components: "Components",
        past: "Past incidents",
        no_past: "No incidents in the last 30 days.",
        history: "History",
        nothing_that_month: "No incidents in this month.",
        earlier: "Earlier",
        later: "Later",
        back: "Current status",
        last_known: "Last known state, as of {}. It may have changed since.",
        affected: "{} more",
        uptime: "{} uptime",
        no_uptime: "No data yet",
        bars: "The bars show the last 90 days, today at the right.",
        no_trouble: "no trouble",
        days_with_trouble: "{} days with trouble",
        one_day_with_trouble: "1 day with trouble",
        earlier_days: "Earlier days: {}",
        subscribe: "Follow",
        calendar: "Calendar",
        times: "All times are UTC.",
        skip: "Skip to the components",
    },
};

/// German.
pub static GERMAN: Phrases = Phrases {
    tag: "de",
    decimal: ',',
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    date: "{d}. {m} {y}",
    states: StatePhrases {
        overall: [
            "Alle Systeme in Betrieb",
            "Eingeschränkte Leistung",
            "Teilausfall",
            "Schwerer Ausfall",
            "Wartung läuft",
            "Zustand nicht bekannt",
        ],
        component: [
            "In Betrieb",
            "Eingeschränkte Leistung",
            "Teilausfall",
            "Schwerer Ausfall",
            "In Wartung",
            "Nicht bekannt",
        ],
        post: [
            "Wird untersucht",
            "Ursache gefunden",
            "Wird beobachtet",
            "Behoben",
            "Nachbericht",
            "Angekündigt",
            "Im Gange",
            "Wird geprüft",
            "Abgeschlossen",
        ],
        impact: [
            "Wartung",
            "Keine Auswirkung",
            "Geringe Auswirkung",
            "Große Auswirkung",
            "Kritische Auswirkung",
        ],
    },
    posts: PostPhrases {
        announcement: "Ankündigung",
        maintenance: "Wartung",
        automatic: "Automatisch erkannt",
        affects: "Betrifft: {}",
        earlier_updates: "Frühere Meldungen: {}",
    },
    page: PagePhrases {
        open: "Aktuell",
        planned: "Wartung",
        components: "Komponenten",
        past: "Vergangene Störungen",
        no_past: "Keine Störungen in den letzten 30 Tagen.",
        history: "Verlauf",
        nothing_that_month: "Keine Störungen in diesem Monat.",
        earlier: "Früher",
        later: "Später",
        back: "Aktueller Zustand",
        last_known: "Letzter bekannter Zustand, Stand {}. Er kann sich geändert haben.",
        affected: "{} weitere",
        uptime: "{} verfügbar",
        no_uptime: "Noch keine Daten",
        bars: "Die Balken zeigen die letzten 90 Tage, rechts ist heute.",
        no_trouble: "keine Störung",
        days_with_trouble: "{} Tage mit Störung",
        one_day_with_trouble: "1 Tag mit Störung",
        earlier_days: "Frühere Tage: {}",
        subscribe: "Folgen",
        calendar: "Kalender",
        times: "Alle Zeiten in UTC.",
        skip: "Zu den Komponenten",
    },
};

/// The phrases for a language tag such as `de` or `de-AT`.
pub fn phrases(language: &str) -> &'static Phrases {
    let language = language.split(['-', '_']).next().unwrap_or_default();
    match language.to_ascii_lowercase().as_str() {
        "de" => &GERMAN,
        _ => &ENGLISH,
    }
}

/// A phrase with what belongs into it.
pub fn fill(phrase: &str, value: &str) -> String {
    phrase.replacen("{}", value, 1)
}

impl Phrases {
    pub fn overall(&self, state: ComponentState) -> &'static str {
        self.states.overall[place(state)]
    }

    pub fn component(&self, state: ComponentState) -> &'static str {
        self.states.component[place(state)]
    }

    pub fn post(&self, state: PostState) -> &'static str {
        let place = match state {
            PostState::Investigating => 0,
            PostState::Identified => 1,
            PostState::Monitoring => 2,
            PostState::Resolved => 3,
            PostState::Postmortem => 4,
            PostState::Scheduled => 5,
            PostState::InProgress => 6,
            PostState::Verifying => 7,
            PostState::Completed => 8,
        };
        self.states.post[place]
    }

    pub fn impact(&self, impact: Impact) -> &'static str {
        let place = match impact {
            Impact::Maintenance => 0,
            Impact::None => 1,
            Impact::Minor => 2,
            Impact::Major => 3,
            Impact::Critical => 4,
        };
        self.states.impact[place]
    }

    /// What a post is where its state would say too little; nothing of incidents.
    pub fn kind(&self, kind: PostKind) -> Option<&'static str> {
        match kind {
            PostKind::Incident => None,
            PostKind::Maintenance => Some(self.posts.maintenance),
            PostKind::Announcement => Some(self.posts.announcement),
        }
    }

    pub fn uptime(&self, uptime: Option<Uptime>) -> String {
        match uptime {
            Some(uptime) => fill(self.page.uptime, &uptime.with_decimal(self.decimal)),
            None => self.page.no_uptime.to_owned(),
        }
    }
}

fn place(state: ComponentState) -> usize {
    match state {
        ComponentState::Operational => 0,
        ComponentState::Degraded => 1,
        ComponentState::PartialOutage => 2,
        ComponentState::MajorOutage => 3,
        ComponentState::Maintenance => 4,
        ComponentState::Unknown => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_without_a_table_gets_english() {
        for (tag, expected) in [("de", "de"), ("de-AT", "de"), ("DE", "de"), ("en", "en")] {
            assert_eq!(phrases(tag).tag, expected);
        }
        for tag in ["fr", "", "-", "deu"] {
            assert_eq!(phrases(tag).tag, "en", "{tag}");
        }
    }

    #[test]
    fn every_phrase_has_the_places_that_it_has_in_english() {
        // All phrases stand in the derived text, in the same order in both tables.
        let of = |phrases: &Phrases| -> Vec<usize> {
            let text = format!("{phrases:?}");
            text.split("\", ")
                .map(|phrase| phrase.matches("{}").count())
                .collect()
        };
        assert_eq!(of(&ENGLISH), of(&GERMAN));
        assert!(
            !format!("{GERMAN:?}").contains("\"\""),
            "no phrase is empty"
        );
    }
}
