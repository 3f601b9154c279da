//! Rules: what a change does, the revisions there were, and what would become of an event.

use serde_json::Value;

use crate::text::clean::blanked;

use super::table::Table;
use super::{View, actor, items, list, moment, text, time_format};

/// The differences between two rule sets, one line each; empty when there are none.
pub fn differences(answer: &Value) -> String {
    let told = list(answer, "differences")
        .iter()
        .map(|difference| match difference {
            Value::String(said) => blanked(said),
            other => text(other, "text"),
        });
    let moves = moves(answer).into_iter();
    told.chain(moves).collect::<Vec<_>>().join("\n")
}

/// Who is on call now and would not be, or the other way round.
pub fn moves(answer: &Value) -> Vec<String> {
    let name = |value: &Value, fields: [&str; 2]| {
        let mut names = fields.map(|field| text(value, field)).into_iter();
        let found = names.find(|name| !name.is_empty());
        found.unwrap_or_else(|| "nobody".to_owned())
    };
    let moves = [list(answer, "moves"), list(answer, "on_call")].concat();
    moves
        .iter()
        .map(|moved| {
            format!(
                "on call now: schedule {} moves from {} to {}",
                text(moved, "schedule"),
                name(moved, ["from", "before"]),
                name(moved, ["to", "after"])
            )
        })
        .collect()
}

/// What an export is not: the files as they were applied, or keys in clear.
pub fn export_remarks(answer: &Value) -> Vec<String> {
    let mut remarks = Vec::new();
    if text(answer, "origin") == "written_anew" {
        remarks.push(
            "the original files of this revision were not kept: these are equivalent, but \
             comments and layout are lost"
                .to_owned(),
        );
    }
    match answer.get("hashed_keys").and_then(Value::as_u64) {
        None | Some(0) => {}
        Some(1) => {
            remarks.push("1 key is written as its hash (sha256:…), not in plain text".to_owned());
        }
        Some(count) => {
            remarks.push(format!(
                "{count} keys are written as their hashes (sha256:…), not in plain text"
            ));
        }
    }
    remarks
}

/// Warnings of an answer, one line each.
pub fn warnings(answer: &Value) -> Vec<String> {
    let told = list(answer, "warnings")
        .iter()
        .map(|warning| match warning {
            Value::String(said) => blanked(said),
            fault => {
                let place = ["path", "line", "column"].map(|field| text(fault, field));
                let place = place
                    .into_iter()
                    .filter(|part| !part.is_empty() && part != "0");
                let place = place.collect::<Vec<_>>().join(":");
                format!(
                    "{place}: {}; {}",
                    text(fault, "message"),
                    text(fault, "help")
                )
            }
        });
    told.collect()
}

/// The revisions that there were.
pub fn history(answer: &Value, view: &View) -> String {
    let mut table = Table::new(&["REVISION", "WHEN", "BY", "MESSAGE"], 3);
    for revision in items(answer) {
        let at = moment(revision, "at");
        table.row([
            text(revision, "revision"),
            at.map_or_else(String::new, |at| time_format::both(at, view)),
            actor(revision, "author"),
            text(revision, "message"),
        ]);
    }
    table.render(view.look, "no rules have been applied yet")
}

/// What would become of an event.
pub fn decisions(answer: &Value) -> String {
    let decisions = list(answer, "decisions");
    if decisions.is_empty() {
        return "no route matches this event".to_owned();
    }
    decisions
        .iter()
        .map(decision)
        .collect::<Vec<_>>()
        .join("\n\n")
}

fn decision(decision: &Value) -> String {
    let policy = text(decision, "policy");
    let does_page = decision.get("page").and_then(Value::as_bool) != Some(false);
    let rows = [
        (
            "policy",
            if policy.is_empty() {
                "none".to_owned()
            } else {
                policy
            },
        ),
        ("service", text(decision, "service")),
        ("urgency", text(decision, "urgency")),
        ("group", text(decision, "group_key")),
        (
            "pages",
            if does_page {
                String::new()
            } else {
                "nobody".to_owned()
            },
        ),
    ];
    let mut lines = vec![format!("route {}", text(decision, "route"))];
    let kept = rows.into_iter().filter(|(_, value)| !value.is_empty());
    lines.extend(kept.map(|(name, value)| format!("  {name:<8} {value}")));
    lines.extend(list(decision, "pages").iter().map(planned));
    let reasons = list(decision, "reasons").iter().filter_map(Value::as_str);
    lines.extend(reasons.map(|reason| format!("  because  {}", blanked(reason))));
    lines.join("\n")
}

fn planned(page: &Value) -> String {
    let after = text(page, "after");
    let after = match after.as_str() {
        "" | "0ms" | "0s" => "at once".to_owned(),
        after => format!("after {after}"),
    };
    let user = text(page, "user");
    let step = text(page, "step");
    let step = if step.is_empty() {
        step
    } else {
        format!("step {step}")
    };
    let words = [step, after, user, super::incident::by_what(page)];
    let words: Vec<String> = words.into_iter().filter(|word| !word.is_empty()).collect();
    format!("  page     {}", words.join("  "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::view;
    use super::*;

    #[test]
    fn differences_are_lines_and_moves_stand_out() {
        let answer = json!({
            "differences": [{"text": "policy payments: step 2 waits 10m instead of 5m"},
                            "user cy is new"],
            "moves": [{"schedule": "night", "from": "ana", "to": null}],
            "on_call": [{"schedule": "day", "before": null, "after": "bo"}],
        });
        let expected = "\
policy payments: step 2 waits 10m instead of 5m
user cy is new
on call now: schedule night moves from ana to nobody
on call now: schedule day moves from nobody to bo";
        assert_eq!(differences(&answer), expected);
        assert_eq!(differences(&json!({"differences": [], "moves": []})), "");
    }

    #[test]
    fn a_routing_test_names_policy_people_and_contacts() {
        let answer = json!({"decisions": [
            {"route": "payments", "policy": "payments", "service": "api", "urgency": "high",
             "group_key": "payments/abc", "page": true,
             "pages": [{"user": "ana", "contact": "phone", "channel": "sms", "after": "0ms",
                        "step": 1},
                       {"user": null, "contact": null, "channel": "slack", "after": "5m"}],
             "reasons": ["team=\"payments\" matches"]},
            {"route": "watchdog", "policy": null, "service": null, "urgency": "low",
             "group_key": "", "page": false, "pages": [], "reasons": []},
        ]});
        let expected = "\
route payments
  policy   payments
  service  api
  urgency  high
  group    payments/abc
  page     step 1  at once  ana  phone via sms
  page     after 5m  via slack
  because  team=\"payments\" matches

route watchdog
  policy   none
  urgency  low
  pages    nobody";
        assert_eq!(decisions(&answer), expected);
    }

    #[test]
    fn history_says_who_changed_what_when() {
        let answer = json!({"items": [
            {"revision": 2, "at": "2026-11-23T03:10:00Z",
             "author": {"user": "ana", "name": "ana", "via": "api"}, "message": "more sms"},
            {"revision": 1, "at": "2026-11-20T03:10:00Z",
             "author": {"user": null, "name": "first start", "via": "router"}, "message": ""},
        ]});
        let expected = "\
REVISION  WHEN                   BY           MESSAGE
2         03:10 (10m ago)        ana          more sms
1         Nov 20 03:10 (3d ago)  first start";
        assert_eq!(history(&answer, &view()), expected);
    }
}
