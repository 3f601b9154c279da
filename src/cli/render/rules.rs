//! Rules: what a change does, the revisions there were, and what would become of an event.

use super::table::Table;
use super::{View, both, clean, or, rows, spaced};
use crate::api::wire::preview::{Decision, PlannedPage, Preview};
use crate::api::wire::rules::{
    FilesOrigin, OnCallMove, RevisionLine, RuleFault, Rules, RulesChange,
};
use crate::text::clean::blanked;

/// What a change does, one line each; empty when it does nothing.
pub fn differences(change: &RulesChange) -> String {
    let differences = change.differences.iter().map(|text| blanked(text));
    let moves = change.on_call.iter().map(moved);
    differences.chain(moves).collect::<Vec<_>>().join("\n")
}

/// Who is on call now and would not be, or the other way round.
fn moved(moved: &OnCallMove) -> String {
    let name = |user: &Option<String>| or(clean(user), "nobody");
    format!(
        "on call now: schedule {} moves from {} to {}",
        blanked(&moved.schedule),
        name(&moved.before),
        name(&moved.after)
    )
}

/// What an export is not: the files as they were applied, or keys in clear.
pub fn export_remarks(rules: &Rules) -> Vec<String> {
    let origin = match rules.origin {
        FilesOrigin::AsApplied => None,
        FilesOrigin::WrittenAnew => Some(
            "the original files of this revision were not kept: these are equivalent, but \
             comments and layout are lost"
                .to_owned(),
        ),
    };
    let hashed = match rules.hashed_keys {
        0 => None,
        1 => Some("1 key is written as its hash (sha256:…), not in plain text".to_owned()),
        count => Some(format!(
            "{count} keys are written as their hashes (sha256:…), not in plain text"
        )),
    };
    origin.into_iter().chain(hashed).collect()
}

/// A warning as one line.
pub fn warning(fault: &RuleFault) -> String {
    let mut place = vec![blanked(&fault.path)];
    let numbers = [fault.line, fault.column].into_iter();
    place.extend(
        numbers
            .filter(|number| *number != 0)
            .map(|number| number.to_string()),
    );
    place.retain(|part| !part.is_empty());
    let (message, help) = (blanked(&fault.message), blanked(&fault.help));
    format!("{}: {message}; {help}", place.join(":"))
}

/// The revisions that there were.
pub fn history(revisions: &[RevisionLine], view: &View) -> String {
    let mut table = Table::new("REVISION, WHEN, BY, MESSAGE", 3);
    for revision in revisions {
        table.row([
            revision.revision.to_string(),
            both(&revision.at, view),
            revision.author.name.clone(),
            revision.message.clone(),
        ]);
    }
    table.render(view.look, "no rules have been applied yet")
}

/// What would become of an event.
pub fn decisions(preview: &Preview) -> String {
    if preview.decisions.is_empty() {
        return "no route matches this event".to_owned();
    }
    let decisions = preview.decisions.iter().map(decision);
    decisions.collect::<Vec<_>>().join("\n\n")
}

fn decision(decision: &Decision) -> String {
    let pages = if decision.page { "" } else { "nobody" };
    let joins = decision
        .joins
        .map_or_else(String::new, |number| format!("#{number}"));
    let facts = [
        ("policy", or(clean(&decision.policy), "none")),
        ("service", clean(&decision.service)),
        ("urgency", blanked(&decision.urgency)),
        ("group", blanked(&decision.group_key)),
        ("joins", joins),
        ("pages", pages.to_owned()),
    ];
    let mut lines = vec![format!("route {}", blanked(&decision.route))];
    lines.extend(rows(7, facts).map(|row| format!("  {row}")));
    lines.extend(decision.pages.iter().map(planned));
    let reasons = decision.reasons.iter();
    lines.extend(reasons.map(|reason| format!("  because  {}", blanked(reason))));
    lines.join("\n")
}

fn planned(page: &PlannedPage) -> String {
    let after = match blanked(&page.after).as_str() {
        "0s" => "at once".to_owned(),
        after => format!("after {after}"),
    };
    let step = match page.step {
        Some(step) => format!("step {step}"),
        None if page.is_fallback => "fallback".to_owned(),
        None => String::new(),
    };
    let round = match page.round {
        1 => String::new(),
        round => format!("round {round}"),
    };
    let by = super::incident::by_what(&page.contact, &page.channel);
    let words = [step, round, after, clean(&page.user), by];
    format!("  page     {}", spaced(words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::tests::samples::{sample, view};

    #[test]
    fn differences_are_lines_and_moves_stand_out() {
        let answer = json!({
            "revision": 4, "warnings": [],
            "differences": ["policy payments: step 2 waits 10m instead of 5m", "user cy is new"],
            "on_call": [{"schedule": "night", "before": "ana", "after": null},
                        {"schedule": "day", "before": null, "after": "bo"}],
        });
        let expected = "\
policy payments: step 2 waits 10m instead of 5m
user cy is new
on call now: schedule night moves from ana to nobody
on call now: schedule day moves from nobody to bo";
        assert_eq!(differences(&sample(&answer)), expected);
        let nothing = json!({"revision": 4, "differences": [], "on_call": [], "warnings": []});
        assert_eq!(differences(&sample(&nothing)), "");
    }

    #[test]
    fn a_routing_test_names_policy_people_and_contacts() {
        let answer = json!({"events": [], "faults": [], "decisions": [
            {"dedup_key": "abc", "route": "payments", "policy": "payments", "service": "api",
             "urgency": "high", "group_key": "payments/abc", "page": true,
             "pages": [{"user": "ana", "contact": "phone", "channel": "sms", "after": "0s",
                        "step": 1, "is_fallback": false, "round": 1},
                       {"user": null, "contact": null, "channel": "slack", "after": "5m",
                        "is_fallback": true, "round": 2}],
             "reasons": ["team=\"payments\" matches"]},
            {"dedup_key": "abc", "route": "watchdog", "policy": null, "service": null,
             "urgency": "low", "group_key": "", "joins": 7, "page": false, "pages": [],
             "reasons": []},
        ]});
        let expected = "\
route payments
  policy   payments
  service  api
  urgency  high
  group    payments/abc
  page     step 1  at once  ana  phone via sms
  page     fallback  round 2  after 5m  via slack
  because  team=\"payments\" matches

route watchdog
  policy   none
  urgency  low
  joins    #7
  pages    nobody";
        assert_eq!(decisions(&sample(&answer)), expected);
    }

    #[test]
    fn history_says_who_changed_what_when() {
        let answer = json!([
            {"revision": 2, "current": true, "at": "2026-11-23T03:10:00Z",
             "author": {"user": "ana", "name": "ana", "via": "api"}, "message": "more sms"},
            {"revision": 1, "current": false, "at": "2026-11-20T03:10:00Z",
             "author": {"user": null, "name": "first start", "via": "router"}, "message": ""},
        ]);
        let expected = "\
REVISION  WHEN                   BY           MESSAGE
2         03:10 (10m ago)        ana          more sms
1         Nov 20 03:10 (3d ago)  first start";
        assert_eq!(history(&sample::<Vec<_>>(&answer), &view()), expected);
    }
}
