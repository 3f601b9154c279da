//! Whether prose says that an incident is over: for feeds, which have no field that says so.
//!
//! An incident is open until it is said to be closed, and the last clause that speaks of its state
//! decides: "Resolved in A. Impact continues in B" is open.

use crate::engine::status_report::ReportPhase;

/// Words that stand where a page names the state of an update, and whether they are those of a
/// maintenance.
const STATES: &[(&str, ReportPhase, bool)] = &[
    ("investigating", ReportPhase::Open, false),
    ("identified", ReportPhase::Open, false),
    ("monitoring", ReportPhase::Open, false),
    ("update", ReportPhase::Open, false),
    ("resolved", ReportPhase::Closed, false),
    ("fixed", ReportPhase::Closed, false),
    ("recovered", ReportPhase::Closed, false),
    ("postmortem", ReportPhase::Closed, false),
    ("scheduled", ReportPhase::Scheduled, true),
    ("in progress", ReportPhase::Open, true),
    ("verifying", ReportPhase::Open, true),
    ("completed", ReportPhase::Closed, true),
];

/// Words of a clause by which it is not over.
const OPEN: &[&str] = &[
    "continue",
    "continues",
    "continuing",
    "ongoing",
    "remain",
    "remains",
    "still",
    "unresolved",
    "unfixed",
    "investigating",
    "persists",
    "recurred",
    "again",
];

/// Words by which "resolved" is not said of all of it, or not yet.
const HEDGES: &[&str] = &[
    "not",
    "partially",
    "partly",
    "partial",
    "almost",
    "nearly",
    "mostly",
    "some",
    "most",
    "many",
    "will",
    "would",
    "should",
    "could",
    "can",
    "cannot",
    "may",
    "might",
    "expect",
    "expected",
    "once",
    "until",
    "unless",
    "when",
    "if",
    "after",
    "before",
    "being",
    "be",
    "working",
    "yet",
    "hope",
    "trying",
    "plan",
    "planned",
    "estimated",
    "eta",
    "appears",
    "seems",
    "previously",
    "never",
    "isn't",
    "hasn't",
    "believed",
    "cause",
    "towards",
    "incompletely",
];

/// Words of a clause by which it is over.
const CLOSED: &[&str] = &["resolved", "recovered"];

/// The state that the first line which names one gives, the word, and whether it is that of a
/// maintenance. Pages write the newest update first.
pub fn stated(text: &str) -> Option<(ReportPhase, &'static str, bool)> {
    text.lines().find_map(|line| {
        let line = line.trim().trim_start_matches("- ").to_lowercase();
        let line = line.strip_prefix("status:").unwrap_or(&line).trim_start();
        STATES.iter().find_map(|(word, phase, is_maintenance)| {
            let after = line.strip_prefix(word)?;
            let dashes = [" -", " –", " —", ":"];
            let ends = after.trim().is_empty() || dashes.iter().any(|dash| after.starts_with(dash));
            ends.then_some((*phase, *word, *is_maintenance))
        })
    })
}

/// The state that a title carries as a mark: `[Resolved] …`, `Resolved: …`, `… (resolved)`.
pub fn marked(title: &str) -> Option<(ReportPhase, &'static str, bool)> {
    let title = title.trim().to_lowercase();
    STATES.iter().find_map(|(word, phase, is_maintenance)| {
        let is_bracketed = title.contains(&format!("[{word}]"));
        let is_last =
            title.ends_with(&format!("({word})")) || title.ends_with(&format!("- {word}"));
        let is_first = title.starts_with(&format!("{word}:")) && *word != "update";
        (is_bracketed || is_last || is_first).then_some((*phase, *word, *is_maintenance))
    })
}

/// What the last clause that speaks of the state says; `None` if none does.
pub fn told(text: &str) -> Option<ReportPhase> {
    let text = text.to_lowercase().replace('’', "'");
    let clauses = text.split(['.', ';', ',', '!', '?', '\n', '(', ')']);
    clauses.filter_map(clause).next_back()
}

fn clause(clause: &str) -> Option<ReportPhase> {
    let words: Vec<&str> = clause
        .split(|letter: char| !letter.is_alphanumeric() && letter != '\'')
        .filter(|word| !word.is_empty())
        .collect();
    let has = |known: &[&str]| words.iter().any(|word| known.contains(word));
    // "We continue to monitor" says nothing of the state.
    if has(&["monitor", "monitoring", "watch", "observe"]) && !has(CLOSED) {
        return None;
    }
    if has(OPEN) {
        return Some(ReportPhase::Open);
    }
    let is_well = clause.contains("operating normally");
    let is_done = has(&["completed"]) && (has(&["maintenance"]) || words.len() == 1);
    if !is_well && !is_done && !has(CLOSED) {
        return None;
    }
    Some(if has(HEDGES) {
        ReportPhase::Open
    } else {
        ReportPhase::Closed
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_clause_that_speaks_of_the_state_decides() {
        let (open, closed) = (Some(ReportPhase::Open), Some(ReportPhase::Closed));
        let cases = [
            ("Resolved", closed),
            ("This incident has been resolved.", closed),
            ("API recovered", closed),
            ("Service is operating normally", closed),
            ("The scheduled maintenance has been completed.", closed),
            ("Resolved. We continue to monitor.", closed),
            ("Unresolved", open),
            ("Partially resolved", open),
            (
                "Resolved in North Europe. Impact continues in West Europe",
                open,
            ),
            ("Resolved in A, impact continues in B", open),
            ("Impact continued in B; resolved in A and B", closed),
            ("This should be resolved soon", open),
            ("It is not resolved yet", open),
            ("It will be resolved once the rollout is completed", open),
            ("Resolved for most customers", open),
            ("The issue recurred after it was resolved", open),
            ("We completed the rollout of a patch", None),
            ("We fixed one of the causes", None),
            ("API went down", None),
            ("Elevated errors", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn states_stand_before_a_dash_or_alone_on_their_line() {
        let cases = [
            (
                "Jul 16, 20:00 UTC\nResolved - done.\nJul 16\nInvestigating - x",
                Some("resolved"),
            ),
            (
                "Jul 16\nMonitoring - a fix\nJul 16\nResolved - wrong",
                Some("monitoring"),
            ),
            ("Status: Identified\nResolved", Some("identified")),
            (
                "In progress - work has begun\nScheduled - soon",
                Some("in progress"),
            ),
            ("Resolved issues come back", None),
            ("Fixed-line telephony is down", None),
        ];
        for (text, expected) in cases {
            assert_eq!(stated(text).map(|(_, word, _)| word), expected, "{text}");
        }
    }

    #[test]
    fn titles_carry_marks() {
        let cases = [
            ("[Resolved] API", Some("resolved")),
            ("Informational message: [RESOLVED] Errors", Some("resolved")),
            ("[Fixed] Mail", Some("fixed")),
            ("Resolved: Mail", Some("resolved")),
            ("Mail (resolved)", Some("resolved")),
            ("[Unresolved] Mail", None),
            ("[Investigating] Mail", Some("investigating")),
            ("Mail resolved by hand fails", None),
        ];
        for (title, expected) in cases {
            assert_eq!(marked(title).map(|(_, word, _)| word), expected, "{title}");
        }
    }
}
