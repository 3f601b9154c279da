//! Who is on call, who stands in, and what is silenced.

use super::table::Table;
use super::{View, local, moment};
use crate::api::wire::oncall::{OnCall, Override, ScheduleNow};
use crate::api::wire::silence::{Silence, Silenced};
use crate::text::clean::blanked;

/// Who is on call, schedule by schedule; only those of `user` when one is given.
pub fn on_call(answer: &OnCall, user: Option<&str>, view: &View) -> String {
    let mut table = Table::new("SCHEDULE, WHO, SINCE, UNTIL, WHY", 0);
    for schedule in &answer.schedules {
        table.row([
            blanked(&schedule.name),
            schedule
                .user
                .as_deref()
                .map_or("nobody".to_owned(), blanked),
            local(&schedule.from, view),
            local(&schedule.until, view),
            why(schedule),
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

/// Why, and the overrides of people who are gone.
fn why(schedule: &ScheduleNow) -> String {
    let why = match (schedule.reason.as_str(), schedule.layer) {
        ("rotation", Some(layer)) => Some(format!("layer {layer}")),
        ("nobody", _) => None,
        (reason, _) => Some(blanked(reason)),
    };
    let gone = schedule.passed_over.iter().map(|gone| {
        let user = blanked(&gone.user);
        format!("override {} names {user}, who is not in the rules", gone.id)
    });
    why.into_iter().chain(gone).collect::<Vec<_>>().join("; ")
}

/// Overrides that are set.
pub fn overrides(overrides: &[Override], view: &View) -> String {
    let mut table = Table::new("ID, SCHEDULE, WHO, FROM, UNTIL, REASON, BY", 5);
    for known in overrides {
        table.row([
            known.id.to_string(),
            blanked(&known.schedule),
            blanked(&known.user),
            local(&known.from, view),
            local(&known.until, view),
            blanked(&known.reason),
            blanked(&known.created_by.name),
        ]);
    }
    table.render(view.look, "no overrides")
}

/// Silences that are set.
pub fn silences(silences: &[Silence], view: &View) -> String {
    let mut table = Table::new("ID, STATE, MATCHERS, UNTIL, HELD, BY, REASON", 6);
    for silence in silences {
        let matchers = match silence.matchers.as_slice() {
            [] => "(everything)".to_owned(),
            matchers => blanked(&matchers.join(", ")),
        };
        table.row([
            silence.id.to_string(),
            state(silence, view).to_owned(),
            matchers,
            local(&silence.until, view),
            silence.held_pages.to_string(),
            blanked(&silence.created_by.name),
            blanked(&silence.reason),
        ]);
    }
    table.render(view.look, "no silences")
}

fn state(silence: &Silence, view: &View) -> &'static str {
    match moment(&silence.from) {
        _ if silence.active => "active",
        Some(from) if from > view.now => "waiting",
        Some(_) | None => "over",
    }
}

/// What a new silence does.
pub fn silence_set(silenced: &Silenced, until: &str) -> String {
    let incidents = match silenced.covers {
        1 => "incident",
        _ => "incidents",
    };
    let Silenced { id, covers, .. } = silenced;
    format!("silence {id} until {until}; it covers {covers} open {incidents}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::tests::samples::view;

    #[test]
    fn the_on_call_table_names_people_turns_and_nobody() {
        let gone = json!({
            "id": 4, "user": "cy", "schedule": "empty", "reason": "swap",
            "from": "2026-11-23T00:00:00Z", "until": "2026-11-23T09:00:00Z",
            "created_at": "2026-11-22T00:00:00Z",
            "created_by": {"user": null, "name": "ana", "via": "api"},
        });
        let answer = json!({"at": "2026-11-23T03:20:00Z", "schedules": [
            {"name": "night", "user": "ana", "layer": 1, "reason": "rotation", "passed_over": [],
             "from": "2026-11-23T00:00:00Z", "until": "2026-11-23T09:00:00Z"},
            {"name": "second", "user": "bo", "layer": null, "reason": "override",
             "passed_over": [], "from": "2026-11-22T09:00:00Z", "until": null},
            {"name": "empty", "user": null, "layer": null, "reason": "nobody",
             "passed_over": [gone]},
        ]});
        let expected = "\
SCHEDULE  WHO     SINCE         UNTIL  WHY
night     ana     00:00         09:00  layer 1
second    bo      Nov 22 09:00         override
empty     nobody                       override 4 names cy, who is not in the rules";
        let answer: OnCall = serde_json::from_value(answer).unwrap();
        assert_eq!(on_call(&answer, None, &view()), expected);
        let nowhere = OnCall {
            schedules: Vec::new(),
            ..answer
        };
        assert_eq!(on_call(&nowhere, Some("cy"), &view()), "cy is not on call");
        assert_eq!(
            on_call(&nowhere, Some("me"), &view()),
            "you are not on call"
        );
    }

    #[test]
    fn silences_say_what_they_hold() {
        let silences_ = json!([
            {"id": 3, "uuid": "u", "matchers": ["team=\"payments\"", "env=\"test\""],
             "active": true, "held_pages": 2,
             "from": "2026-11-23T03:00:00Z", "until": "2026-11-23T05:00:00Z",
             "created_by": {"user": null, "name": "ana", "via": "api"}, "reason": "maintenance",
             "created_at": "2026-11-23T03:00:00Z"},
            {"id": 4, "uuid": "u", "matchers": ["a=\"b\""], "active": false,
             "from": "2026-11-23T04:00:00Z", "until": "2026-11-23T05:00:00Z", "held_pages": 0,
             "created_by": {"user": null, "name": "bo", "via": "api"}, "reason": "later",
             "created_at": "2026-11-23T03:00:00Z"},
        ]);
        let expected = "\
ID  STATE    MATCHERS                     UNTIL  HELD  BY   REASON
3   active   team=\"payments\", env=\"test\"  05:00  2     ana  maintenance
4   waiting  a=\"b\"                        05:00  0     bo   later";
        let silences_: Vec<Silence> = serde_json::from_value(silences_).unwrap();
        assert_eq!(silences(&silences_, &view()), expected);
    }

    #[test]
    fn a_new_silence_says_how_many_open_incidents_it_covers() {
        let cases = [
            (0, "silence 3 until 05:00; it covers 0 open incidents"),
            (1, "silence 3 until 05:00; it covers 1 open incident"),
        ];
        for (covers, expected) in cases {
            let until = "2026-11-23T05:00:00Z".to_owned();
            let silenced = Silenced {
                id: 3,
                covers,
                until,
            };
            assert_eq!(silence_set(&silenced, "05:00"), expected);
        }
    }
}
