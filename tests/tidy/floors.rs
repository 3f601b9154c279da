//! The floors of the engine: a lower one never names a higher one, so that what is kept knows
//! nothing of what happens to it.

use crate::paths::{module, within};
use crate::tree::Tree;
use crate::{Break, Rule};

/// From the lowest to the highest, each with its folders and files. Those of one floor may name
/// each other.
const FLOORS: [&[&str]; 10] = [
    &["model", "rules"],
    &[
        "input",
        "decision",
        "request",
        "work",
        "follow_up",
        "state",
        "touched",
    ],
    &["transaction"],
    // What several stages need: counting, noting, looking up.
    &[
        "archive",
        "channel_health",
        "counts",
        "flapping",
        "notes",
        "overrides",
        "pinned_policy",
        "queueing",
        "receipts",
        "rate_limit",
        "reachability",
        "send_request",
        "target_resolution",
        "unreported",
    ],
    // A page and its way to a channel.
    &[
        "attempt_start",
        "covering",
        "copies",
        "delivery",
        "page_plan",
        "updates",
        "withdrawal",
    ],
    // A person and their notify steps.
    &["bundle", "notification", "reached"],
    // An incident and its policy.
    &[
        "acknowledgment",
        "dependents",
        "escalation",
        "silence",
        "silence_request",
    ],
    // Alerts and the incidents that they are in.
    &[
        "grouping",
        "incident_timers",
        "opening",
        "resolution",
        "self_incidents",
        "silencing",
    ],
    // What comes from outside, and what time brings.
    &[
        "actions",
        "alert_update",
        "attempt_result",
        "collapse",
        "page_by_hand",
        "page_timers",
        "slot",
        "probe",
        "sms_callers",
        "contact_test_result",
        "channel_trouble",
        "check",
        "conditions",
        "contact_test",
        "delivery_report",
        "ingest",
        "own_alerts",
        "placement",
        "provider_alerts",
        "provider_components",
        "provider_incidents",
        "provider_look",
        "provider_reading",
        "providers",
        "sms_parse",
        "jump",
        "own_checks",
        "pending",
        "slots",
        "recovery",
        "replied",
        "sms_commands",
        "status_alerts",
        "status_components",
        "status_posts",
        "status_requests",
        "status_state",
        "status_texts",
        "status_timers",
        "tasks",
    ],
    &["step", "preview", "audit"],
];

pub const RULES: &[Rule] = &[Rule {
    name: "no floor of the engine names a higher one",
    help: "move what both need to the lower floor, or let the higher one ask",
    find: upward,
    planted: &[
        (
            "src/engine/model/a.rs",
            "//! A.\nuse crate::engine::flow::ingest;\n",
        ),
        (
            "src/engine/flow/notes.rs",
            "//! A.\nuse crate::engine::step;\n",
        ),
        (
            "src/engine/flow/delivery.rs",
            "//! A.\nuse crate::engine::escalation;\n",
        ),
    ],
}];

fn upward(tree: &Tree) -> Vec<Break> {
    let mut breaks = Vec::new();
    for source in tree.product() {
        let own = module(source);
        let Some(floor) = floor(&own) else {
            if own.len() > 2 && own[..2] == ["engine", "flow"] {
                breaks.push(Break::new(source, 1, "has no floor"));
            }
            continue;
        };
        for named in within(source)
            .into_iter()
            .filter(|named| is_in_engine(&named.path))
        {
            if self::floor(&named.path).is_some_and(|other| other > floor) {
                let what = format!("names {}", named.path.join("::"));
                breaks.push(Break::new(source, named.line, what));
            }
        }
    }
    breaks
}

fn is_in_engine(path: &[String]) -> bool {
    path.first().is_some_and(|room| room == "engine")
}

/// The floor of a path: of a folder or file of the engine, or of what its root shows as its own.
fn floor(path: &[String]) -> Option<usize> {
    let [room, module, rest @ ..] = path else {
        return None;
    };
    let module = rest.first().filter(|_| module == "flow").unwrap_or(module);
    let floor = FLOORS.iter().position(|names| names.contains(&&**module));
    floor.filter(|_| room == "engine")
}
