//! Timelines: one line an entry, so that a night reads as a story. Also single receipts.

use serde_json::Value;

use super::incident::by_what;
use super::table::Table;
use super::{View, items, joined, list, moment, moments, text};

/// The widest that the columns of a story grow; longer texts push what follows.
const WHO_MAX: usize = 16;
const WHAT_MAX: usize = 52;

struct Line {
    day: String,
    clock: String,
    incident: String,
    who: String,
    what: String,
    why: String,
}

/// A timeline; entries of several incidents name theirs.
pub fn story(answer: &Value, view: &View) -> String {
    let entries = items(answer);
    let lines: Vec<Line> = entries.iter().map(|entry| line(entry, view)).collect();
    if lines.is_empty() {
        return "nothing happened".to_owned();
    }
    let is_mixed = lines
        .windows(2)
        .any(|pair| pair[0].incident != pair[1].incident);
    let width = |cell: fn(&Line) -> &String, max: usize| {
        let widths = lines.iter().map(|line| cell(line).chars().count());
        widths.max().unwrap_or(0).min(max)
    };
    let who_width = width(|line| &line.who, WHO_MAX);
    let what_width = width(|line| &line.what, WHAT_MAX);
    let incident_width = width(|line| &line.incident, WHO_MAX);
    let zone = view.zone.iana_name().unwrap_or("local time");
    let mut shown = Vec::new();
    let mut day = String::new();
    for line in &lines {
        if line.day != day {
            shown.push(format!("{}, {zone}", line.day));
            day.clone_from(&line.day);
        }
        let mut cells = vec![line.clock.clone()];
        if is_mixed {
            cells.push(format!("{:<incident_width$}", line.incident));
        }
        if who_width > 0 {
            cells.push(format!("{:<who_width$}", line.who));
        }
        cells.push(format!("{:<what_width$}", line.what));
        cells.push(line.why.clone());
        shown.push(cells.join("  ").trim_end().to_owned());
    }
    shown.join("\n")
}

fn line(entry: &Value, view: &View) -> Line {
    let at = moment(entry, "at");
    let incident = text(entry, "incident");
    Line {
        day: at.map_or_else(String::new, |at| moments::day(at, view)),
        clock: at.map_or_else(|| "--:--:--".to_owned(), |at| moments::clock(at, view)),
        incident: if incident.is_empty() {
            incident
        } else {
            format!("#{incident}")
        },
        who: text(entry, "user"),
        what: what(entry),
        why: why(entry),
    }
}

/// An attempt that ended says how; everything else has its text.
fn what(entry: &Value) -> String {
    let outcome = text(entry, "outcome");
    if outcome.is_empty() {
        let said = text(entry, "text");
        return if said.is_empty() {
            text(entry, "reason")
        } else {
            said
        };
    }
    let latency = entry.get("latency_ms").and_then(Value::as_u64);
    let latency = latency.map_or_else(String::new, |ms| format!(" {}", moments::latency(ms)));
    let said = text(entry, "provider_message");
    let is_sent = matches!(outcome.as_str(), "delivered" | "accepted");
    let said = if is_sent || said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    };
    format!("{}  {outcome}{latency}{said}", by_what(entry))
        .trim()
        .to_owned()
}

/// `route payments → step 1 → schedule night`, as far as it applies.
fn why(entry: &Value) -> String {
    let parts = [
        ("route", "route"),
        ("step", "step"),
        ("schedule", "schedule"),
    ];
    let parts = parts.iter().filter_map(|(field, word)| {
        let value = text(entry, field);
        (!value.is_empty()).then(|| format!("{word} {value}"))
    });
    parts.collect::<Vec<_>>().join(" → ")
}

/// The receipts of an answer, one line each: events that paged nobody, and why.
pub fn quiet(answer: &Value, view: &View) -> String {
    let header = [
        "AT",
        "RECEIPT",
        "INTEGRATION",
        "EVENT",
        "DISPOSITION",
        "WHY",
    ];
    let mut table = Table::new(&header, 3);
    for receipt in list(answer, "receipts") {
        let at = moment(receipt, "at");
        let summary = text(receipt, "summary");
        table.row([
            at.map_or_else(String::new, |at| moments::local(at, view)),
            text(receipt, "id"),
            text(receipt, "integration"),
            if summary.is_empty() {
                text(receipt, "dedup_key")
            } else {
                summary
            },
            text(receipt, "disposition"),
            text(receipt, "reason"),
        ]);
    }
    table.render(view.look, "")
}

/// What became of one event, and why.
pub fn receipt(receipt: &Value, view: &View) -> String {
    let at = moment(receipt, "at")
        .map(|at| moments::both(at, view))
        .unwrap_or_default();
    let reason = text(receipt, "reason");
    let meaning = text(receipt, "text");
    let rows = [
        ("received", at),
        ("event", {
            let words = ["action", "severity", "summary"].map(|field| text(receipt, field));
            words
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect::<Vec<_>>()
                .join("  ")
        }),
        ("integration", text(receipt, "integration")),
        ("dedup key", text(receipt, "dedup_key")),
        ("disposition", text(receipt, "disposition")),
        (
            "because",
            match (reason.is_empty(), meaning.is_empty()) {
                (_, true) => reason,
                (true, false) => meaning,
                (false, false) => format!("{meaning} ({reason})"),
            },
        ),
        ("routes", joined(receipt, "routes")),
        ("incidents", hashed(&joined(receipt, "incidents"))),
    ];
    let mut lines = vec![format!("receipt {}", text(receipt, "id"))];
    let kept = rows.into_iter().filter(|(_, value)| !value.is_empty());
    lines.extend(kept.map(|(name, value)| format!("{name:<12}  {value}")));
    let faults = list(receipt, "faults").iter();
    lines.extend(faults.map(|fault| {
        format!(
            "{:<12}  {}: {}",
            "fault",
            text(fault, "path"),
            text(fault, "problem")
        )
    }));
    lines.join("\n")
}

/// `1, 2` as `#1, #2`.
pub fn hashed(numbers: &str) -> String {
    if numbers.is_empty() {
        String::new()
    } else {
        format!("#{}", numbers.replace(", ", ", #"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::view;
    use super::*;

    #[test]
    fn a_timeline_reads_as_a_story() {
        let answer = json!({"items": [
            {"at": "2026-11-22T23:59:58Z", "kind": "incident", "reason": "opened", "incident": 5,
             "text": "opened: Checkout is failing", "route": "payments"},
            {"at": "2026-11-23T03:12:04Z", "kind": "attempt", "reason": "attempt_ended",
             "incident": 5, "text": "", "user": "ana", "contact": "phone", "channel": "twilio",
             "outcome": "accepted", "latency_ms": 412, "route": "pay", "step": 1,
             "schedule": "night", "provider_message": "queued"},
            {"at": "2026-11-23T03:13:00Z", "kind": "attempt", "reason": "attempt_ended",
             "incident": 5, "user": "bo", "contact": "mail", "channel": "relay",
             "outcome": "refused_target", "latency_ms": 80, "provider_message": "550 no"},
            {"at": "2026-11-23T03:14:00Z", "kind": "person", "reason": "acknowledged",
             "incident": 5, "text": "ana acknowledged via api", "user": "ana"},
        ]});
        let expected = "\
Sun 22 Nov 2026, Europe/Lisbon
23:59:58       opened: Checkout is failing                   route payments
Mon 23 Nov 2026, Europe/Lisbon
03:12:04  ana  phone via twilio  accepted 0.4 s              route pay → step 1 → schedule night
03:13:00  bo   mail via relay  refused_target 0.1 s: 550 no
03:14:00  ana  ana acknowledged via api";
        assert_eq!(story(&answer, &view()), expected);
        assert_eq!(story(&json!({"items": []}), &view()), "nothing happened");
    }

    #[test]
    fn entries_of_several_incidents_name_theirs() {
        let answer = json!({"items": [
            {"at": "2026-11-23T03:12:04Z", "incident": 5, "user": "ana", "text": "paged"},
            {"at": "2026-11-23T03:12:05Z", "incident": 16, "user": "ana", "text": "folded"},
        ]});
        let expected = "\
Mon 23 Nov 2026, Europe/Lisbon
03:12:04  #5   ana  paged
03:12:05  #16  ana  folded";
        assert_eq!(story(&answer, &view()), expected);
    }

    #[test]
    fn events_that_paged_nobody_are_listed_with_their_reasons() {
        let answer = json!({"receipts": [
            {"id": "r12", "at": "2026-11-23T03:12:04Z", "integration": "prometheus",
             "dedup_key": "abc", "disposition": "recorded", "reason": "route_does_not_page",
             "summary": "Watchdog"},
        ]});
        let expected = "\
AT     RECEIPT  INTEGRATION  EVENT     DISPOSITION  WHY
03:12  r12      prometheus   Watchdog  recorded     route_does_not_page";
        assert_eq!(quiet(&answer, &view()), expected);
        assert_eq!(quiet(&json!({"receipts": []}), &view()), "");
    }

    #[test]
    fn a_receipt_says_why_nobody_was_paged() {
        let answer = json!({
            "id": "r12", "at": "2026-11-23T03:12:04Z", "integration": "prometheus",
            "action": "trigger", "dedup_key": "abc", "disposition": "recorded",
            "incidents": [], "reason": "route_does_not_page",
            "text": "the route says page: false", "routes": ["watchdog"],
            "summary": "Watchdog", "severity": "none",
            "faults": [{"path": "$.labels.x", "problem": "cut to 4096 bytes"}],
        });
        let expected = "\
receipt r12
received      03:12 (7m ago)
event         trigger  none  Watchdog
integration   prometheus
dedup key     abc
disposition   recorded
because       the route says page: false (route_does_not_page)
routes        watchdog
fault         $.labels.x: cut to 4096 bytes";
        assert_eq!(receipt(&answer, &view()), expected);
    }
}
