//! Schedules: their layers and rotations.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::document::{
    Code, Diagnostics, Entry, MapReader, MapSchema, Node, Value, text,
    values::{self, DAY_MINUTES},
};
use crate::engine::calendar::{Layer, Rotation, Schedule, Turn};
use crate::engine::ids::{ScheduleName, UserName};

use super::documents::Section;
use super::limits;
use super::windows::window;
use super::{Context, shares};

const SCHEDULE: MapSchema = MapSchema {
    what: "a schedule",
    keys: &["time_zone", "layers", "gaps"],
    foreign: &[
        (
            "overrides",
            "overrides are made at run time: `reveille override add`",
        ),
        ("timezone", "write `time_zone`"),
        (
            "users",
            "users go in layers: `layers: [{ users: [ana, bo], … }]`",
        ),
    ],
    may_be_empty: false,
};

const LAYER: MapSchema = MapSchema {
    what: "a layer",
    keys: &["users", "rotate", "handoff", "start", "time_zone", "only"],
    foreign: &[
        ("restrictions", "write `only`"),
        ("rotation", "write `rotate`"),
        ("timezone", "write `time_zone`"),
    ],
    may_be_empty: false,
};

const EVERY: MapSchema = MapSchema::new("`rotate`", &["every", "counts"]);

/// The word for a turn that falls to the layer beneath.
const NOBODY: &str = "nobody";

impl Context<'_> {
    pub(super) fn schedules(&mut self) -> BTreeMap<ScheduleName, Schedule> {
        let entries = self.names.entries(Section::Schedules).into_iter();
        entries
            .map(|entry| (entry.key.as_str().into(), self.schedule(entry)))
            .collect()
    }

    fn schedule(&mut self, entry: &Entry) -> Schedule {
        let faults = &mut self.faults;
        let table = MapReader::open(&entry.node, &SCHEDULE, faults);
        let time_zone = table
            .require("time_zone", "Europe/Lisbon", faults)
            .map_or(TimeZone::UTC, |node| {
                self.environment.zones.zone(node, faults)
            });
        let gaps = table.choice("gaps", &["expected"], faults);
        table.require("layers", "[{ users: [ana] }]", faults);
        let items = table.list("layers", limits::LAYERS_PER_SCHEDULE, faults);
        let layers: Vec<Layer> = items
            .unwrap_or_default()
            .iter()
            .map(|item| self.layer(item, &time_zone))
            .collect();
        let is_named = |item: &Node| {
            let users = item.get("users").map_or(&[][..], Node::items);
            users.iter().any(|user| user.as_text() != Some(NOBODY))
        };
        if items.is_some_and(|items| !items.iter().any(is_named)) {
            let message = format!("the schedule {} names nobody", entry.key);
            let help = "add a layer with users";
            self.faults
                .error(Code::ScheduleWithoutAnybody, entry.at, message, help);
        }
        Schedule {
            name: entry.key.as_str().into(),
            layers,
            gaps_expected: gaps.is_some(),
        }
    }

    fn layer(&mut self, node: &Node, schedule_zone: &TimeZone) -> Layer {
        let faults = &mut self.faults;
        let table = MapReader::open(node, &LAYER, faults);
        let time_zone = match table.get("time_zone") {
            Some(node) => self.environment.zones.zone(node, faults),
            None => schedule_zone.clone(),
        };
        table.require("users", "[ana, bo]", faults);
        let items = table.list("users", limits::USERS_PER_LAYER, faults);
        let only = table.list("only", limits::WINDOWS_PER_LAYER, faults);
        let only = only.unwrap_or_default().iter();
        let only = only.map(|item| window(item, faults)).collect();
        let rotation = rotation(&table, items.map_or(0, <[Node]>::len), faults);
        let items = items.unwrap_or_default().iter();
        let layer = Layer {
            time_zone,
            users: items.filter_map(|item| self.turn_of(item)).collect(),
            rotation,
            only,
        };
        if let Some(rotate) = table.get("rotate") {
            shares::check(&layer, rotate.at, &mut self.faults);
        }
        layer
    }

    /// Whose turn it is; the inner `None` is nobody's.
    fn turn_of(&mut self, node: &Node) -> Option<Option<UserName>> {
        let name = text(node, "a user of a layer", &mut self.faults)?;
        if name == NOBODY {
            return Some(None);
        }
        let is_known = self.check_reference(Section::Users, name, node.at);
        is_known.then(|| Some(name.into()))
    }
}

/// The rotation of a layer; one user alone needs none.
fn rotation(table: &MapReader<'_>, users: usize, faults: &mut Diagnostics) -> Option<Rotation> {
    let Some(rotate) = table.get("rotate") else {
        report_needless(table, users, faults);
        return None;
    };
    let turn = turn(rotate, faults);
    let handoff = table.require("handoff", "\"mon 09:00\"", faults);
    let handoff = handoff.and_then(|node| handoff_of(node, turn, faults));
    let start = table.require("start", "2026-01-05", faults);
    let start = start.and_then(|node| date(node, faults));
    let (turn, (turn_day, handoff), start) = (turn?, handoff?, start?);
    let turn = match (turn, turn_day) {
        (Turn::Weeks { every, .. }, Some(weekday)) => Turn::Weeks { every, weekday },
        (turn @ (Turn::Weeks { .. } | Turn::Days(_) | Turn::ActiveDays(_) | Turn::Hours(_)), _) => {
            turn
        }
    };
    Some(Rotation {
        turn,
        handoff,
        start,
    })
}

fn report_needless(table: &MapReader<'_>, users: usize, faults: &mut Diagnostics) {
    if users > 1 {
        let message = format!("{users} users take turns, but there is no `rotate`");
        let help = "add `rotate: weekly`, `handoff: \"mon 09:00\"` and `start: 2026-01-05`";
        faults.error(Code::RotationIncomplete, table.at, message, help);
        return;
    }
    for key in ["handoff", "start"] {
        if let Some(at) = table.key_at(key) {
            let message = format!("`{key}` says when turns change, but there is no `rotate`");
            let help = format!("add `rotate: weekly`, or remove `{key}`: one user is always on");
            faults.error(Code::RotationIncomplete, at, message, help);
        }
    }
}

/// `daily`, `weekly`, `{ every: 12h }`. The weekday of weeks comes from the handoff.
fn turn(node: &Node, faults: &mut Diagnostics) -> Option<Turn> {
    const HELP: &str = "write daily, weekly, { every: 12h }, { every: 3d } or { every: 2w }";
    let weekday = Weekday::Monday;
    match &node.value {
        Value::Text(word) if word == "daily" => Some(Turn::Days(1)),
        Value::Text(word) if word == "weekly" => Some(Turn::Weeks { every: 1, weekday }),
        Value::Map(_) => {
            let table = MapReader::open(node, &EVERY, faults);
            let counts_active = table.choice("counts", &["active"], faults).is_some();
            let every = table.require("every", "3d", faults)?;
            let found = every.as_text().and_then(every_of);
            if found.is_none() {
                let message = format!("`every` cannot be {}", every.value.describe());
                faults.error(Code::BadDuration, every.at, message, HELP);
            }
            match found {
                Some(turn) if counts_active => active_turn(turn, every, faults),
                found => found,
            }
        }
        other => {
            let message = format!("`rotate` cannot be {}", other.describe());
            faults.error(Code::BadChoice, node.at, message, HELP);
            None
        }
    }
}

/// A turn that counts only active days.
fn active_turn(turn: Turn, every: &Node, faults: &mut Diagnostics) -> Option<Turn> {
    match turn {
        Turn::Days(days) | Turn::ActiveDays(days) => Some(Turn::ActiveDays(days)),
        Turn::Weeks { .. } | Turn::Hours(_) => {
            let message = format!(
                "`counts: active` counts days, but `every` is {}",
                every.value.describe()
            );
            let help = "write `every` in days: { every: 1d, counts: active }";
            faults.error(Code::BadChoice, every.at, message, help);
            None
        }
    }
}

/// One number with one unit, at most about ten years.
fn every_of(text: &str) -> Option<Turn> {
    let unit = text.chars().last()?;
    let count: u32 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    let in_range = |most: u32| (1..=most).contains(&count).then_some(count);
    match unit {
        'h' => in_range(8_760).map(Turn::Hours),
        'd' => in_range(3_650).map(Turn::Days),
        'w' => in_range(520).map(|every| Turn::Weeks {
            every,
            weekday: Weekday::Monday,
        }),
        _ => None,
    }
}

/// `"mon 09:00"` for weeks, `"09:00"` for days and hours.
fn handoff_of(
    node: &Node,
    turn: Option<Turn>,
    faults: &mut Diagnostics,
) -> Option<(Option<Weekday>, Time)> {
    let wants_day = matches!(turn, Some(Turn::Weeks { .. }));
    let found = node.as_text().and_then(|text| {
        let (day, time) = match text.split_once(' ') {
            Some((day, time)) => (Some(values::weekday(day)?), time),
            None => (None, text),
        };
        let minute = values::time_of_day(time.trim()).filter(|minute| *minute < DAY_MINUTES)?;
        let hour = i8::try_from(minute / 60).ok()?;
        let time = Time::new(hour, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
        Some((day, time))
    });
    let fits = found.is_some_and(|(day, _)| day.is_some() == wants_day);
    if fits || (turn.is_none() && found.is_some()) {
        return found;
    }
    let message = format!("`handoff` cannot be {}", node.value.describe());
    let help = if wants_day {
        "turns of weeks change on a weekday: \"mon 09:00\""
    } else {
        "turns of days or hours change at a time of day: \"09:00\""
    };
    faults.error(Code::BadHandoff, node.at, message, help);
    None
}

fn date(node: &Node, faults: &mut Diagnostics) -> Option<Date> {
    let found = node.as_text().filter(|text| text.len() == 10);
    let found = found.and_then(|text| text.parse().ok());
    if found.is_none() {
        let message = format!("`start` is a date, not {}", node.value.describe());
        let help = "write year, month and day: 2026-01-05";
        faults.error(Code::BadDate, node.at, message, help);
    }
    found
}
