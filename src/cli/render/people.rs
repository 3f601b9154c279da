//! Who is on call, who stands in, and what is silenced.

use serde_json::Value;

use super::table::Table;
use super::{View, actor, items, joined, list, moment, text, time_format};

/// Who is on call, schedule by schedule; only those of `user` when one is given.
pub fn on_call(answer: &Value, user: Option<&str>, view: &View) -> String {
    let mut table = Table::new(&["SCHEDULE", "WHO", "SINCE", "UNTIL", "WHY"], 0);
    for schedule in list(answer, "schedules") {
        let who = text(schedule, "user");
        table.row([
            text(schedule, "name"),
            if who.is_empty() {
                "nobody".to_owned()
            } else {
                who
            },
            time(schedule, "from", view),
            time(schedule, "until", view),
            [vec![why(schedule)], passed_over(schedule)]
                .concat()
                .into_iter()
                .filter(|said| !said.is_empty())
                .collect::<Vec<_>>()
                .join("; "),
        ]);
    }
    let nothing = user.map_or_else(
        || "no schedules".to_owned(),
        |user| match user {
            "me" => "you are not on call".to_owned(),
            user => format!("{user} is not on call"),
        },
    );
    table.render(view.look, &nothing)
}

fn why(schedule: &Value) -> String {
    let layer = text(schedule, "layer");
    match text(schedule, "reason").as_str() {
        "rotation" if !layer.is_empty() => format!("layer {layer}"),
        "nobody" => String::new(),
        reason => reason.to_owned(),
    }
}

/// Overrides of people who are gone.
fn passed_over(schedule: &Value) -> Vec<String> {
    let gone = list(schedule, "passed_over").iter();
    gone.map(|known| {
        let (id, user) = (text(known, "id"), text(known, "user"));
        format!("override {id} names {user}, who is not in the rules")
    })
    .collect()
}

fn time(value: &Value, field: &str, view: &View) -> String {
    moment(value, field).map_or_else(String::new, |at| time_format::local(at, view))
}

/// Overrides that are set.
pub fn overrides(overrides: &[Value], view: &View) -> String {
    let mut table = Table::new(
        &["ID", "SCHEDULE", "WHO", "FROM", "UNTIL", "REASON", "BY"],
        5,
    );
    for known in overrides {
        table.row([
            text(known, "id"),
            text(known, "schedule"),
            text(known, "user"),
            time(known, "from", view),
            time(known, "until", view),
            text(known, "reason"),
            actor(known, "created_by"),
        ]);
    }
    table.render(view.look, "no overrides")
}

/// Silences that are set.
pub fn silences(answer: &Value, view: &View) -> String {
    let header = ["ID", "STATE", "MATCHERS", "UNTIL", "HELD", "BY", "REASON"];
    let mut table = Table::new(&header, 6);
    for silence in items(answer) {
        table.row([
            text(silence, "id"),
            state(silence, view).to_owned(),
            matchers(silence),
            time(silence, "until", view),
            text(silence, "held_pages"),
            actor(silence, "created_by"),
            text(silence, "reason"),
        ]);
    }
    table.render(view.look, "no silences")
}

fn matchers(silence: &Value) -> String {
    match joined(silence, "matchers") {
        none if none.is_empty() => "(everything)".to_owned(),
        matchers => matchers,
    }
}

fn state(silence: &Value, view: &View) -> &'static str {
    if silence.get("active").and_then(Value::as_bool) == Some(true) {
        return "active";
    }
    match moment(silence, "from") {
        Some(from) if from > view.now => "waiting",
        Some(_) | None => "over",
    }
}

/// What a new silence does.
pub fn silence_set(answer: &Value, until: &str) -> String {
    let covers = answer.get("covers").and_then(Value::as_u64);
    let covered = match covers {
        Some(1) => "; it covers 1 open incident".to_owned(),
        Some(count) => format!("; it covers {count} open incidents"),
        None => String::new(),
    };
    format!("silence {} until {until}{covered}", text(answer, "id"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::view;
    use super::*;

    #[test]
    fn the_on_call_table_names_people_turns_and_nobody() {
        let answer = json!({"at": "2026-11-23T03:20:00Z", "schedules": [
            {"name": "night", "user": "ana", "layer": 1, "reason": "rotation",
             "from": "2026-11-23T00:00:00Z", "until": "2026-11-23T09:00:00Z"},
            {"name": "second", "user": "bo", "layer": null, "reason": "override",
             "from": "2026-11-22T09:00:00Z", "until": null},
            {"name": "empty", "user": null, "layer": null, "reason": "nobody",
             "passed_over": [{"id": 4, "user": "cy"}]},
        ]});
        let expected = "\
SCHEDULE  WHO     SINCE         UNTIL  WHY
night     ana     00:00         09:00  layer 1
second    bo      Nov 22 09:00         override
empty     nobody                       override 4 names cy, who is not in the rules";
        assert_eq!(on_call(&answer, None, &view()), expected);
        let nowhere = json!({ "schedules": [] });
        assert_eq!(on_call(&nowhere, Some("cy"), &view()), "cy is not on call");
        assert_eq!(
            on_call(&nowhere, Some("me"), &view()),
            "you are not on call"
        );
    }

    #[test]
    fn silences_say_what_they_hold() {
        let answer = json!({"items": [
            {"id": 3, "matchers": ["team=\"payments\"", "env=\"test\""], "active": true,
             "from": "2026-11-23T03:00:00Z", "until": "2026-11-23T05:00:00Z", "held_pages": 2,
             "created_by": {"user": null, "name": "ana", "via": "api"}, "reason": "maintenance"},
            {"id": 4, "matchers": ["a=\"b\""], "active": false,
             "from": "2026-11-23T04:00:00Z", "until": "2026-11-23T05:00:00Z", "held_pages": 0,
             "created_by": {"user": null, "name": "bo", "via": "api"}, "reason": "later"},
        ]});
        let expected = "\
ID  STATE    MATCHERS                     UNTIL  HELD  BY   REASON
3   active   team=\"payments\", env=\"test\"  05:00  2     ana  maintenance
4   waiting  a=\"b\"                        05:00  0     bo   later";
        assert_eq!(silences(&answer, &view()), expected);
    }

    #[test]
    fn a_new_silence_says_how_many_open_incidents_it_covers() {
        let cases = [
            (
                json!({"id": 3, "covers": 0}),
                "silence 3 until 05:00; it covers 0 open incidents",
            ),
            (
                json!({"id": 3, "covers": 1}),
                "silence 3 until 05:00; it covers 1 open incident",
            ),
            (json!({"id": 3}), "silence 3 until 05:00"),
        ];
        for (answer, expected) in cases {
            assert_eq!(silence_set(&answer, "05:00"), expected);
        }
    }
}
