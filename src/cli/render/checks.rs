//! Checks of our own, and what came of a try.

use super::table::Table;
use super::time_format::latency;
use super::{View, clean, local};
use crate::api::wire::check::{CheckTried, ShownCheck};
use crate::text::clean::blanked;

/// All checks of the rules.
pub fn list(checks: &[ShownCheck], view: &View) -> String {
    let heads = "CHECK, STATE, KIND, TARGET, LAST TRY, TOOK, INCIDENTS, ANSWER";
    let mut table = Table::new(heads, 7);
    for check in checks {
        let numbers = check.numbers.iter().map(|number| format!("#{number}"));
        let numbers: Vec<String> = numbers.collect();
        table.row([
            check.name.clone(),
            check.state.clone(),
            check.kind.clone(),
            blanked(&check.target),
            local(&check.last_try_at, view),
            check.latency_ms.map_or_else(String::new, latency),
            numbers.join(", "),
            clean(&check.said),
        ]);
    }
    table.render(view.look, "there are no checks: add `checks:` to the rules")
}

/// What came of a try.
pub fn tried(tried: &CheckTried) -> String {
    format!(
        "check {}: {} after {}: {}",
        blanked(&tried.name),
        blanked(&tried.outcome),
        latency(tried.latency_ms),
        blanked(&tried.said)
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::tests::samples::{sample, view};

    #[test]
    fn a_list_shows_each_check_with_its_last_try_and_its_incidents() {
        let failing = json!({"name": "helpline/api", "provider": "helpline", "kind": "http",
            "target": "https://api.example.com/health", "urgency": "high", "state": "failing",
            "last_try_at": "2026-11-23T03:19:00Z", "outcome": "failed", "said": "answered 503",
            "latency_ms": 412, "integration": "check/helpline/api", "numbers": [7, 8]});
        let untried = json!({"name": "old", "kind": "tcp", "target": "old.example:5432",
            "urgency": "low", "state": "unknown", "integration": "check/old", "numbers": []});
        let shown = list(&[sample(&failing), sample(&untried)], &view());
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.len(), 3, "{shown}");
        for part in ["failing", "03:19", "0.4 s", "#7, #8", "answered 503"] {
            assert!(lines[1].contains(part), "{part} in {shown}");
        }
        assert!(lines[2].contains("unknown"), "{shown}");
        let none = list(&[], &view());
        assert_eq!(none, "there are no checks: add `checks:` to the rules");
    }

    #[test]
    fn a_try_says_what_came_of_it_and_how_long_it_took() {
        let answer = json!({"name": "old", "outcome": "failed", "said": "answered 503",
            "latency_ms": 12_000});
        let shown = tried(&sample(&answer));
        assert_eq!(shown, "check old: failed after 12 s: answered 503");
    }
}
