//! Tables for the days on which clocks are set, and a scan of every minute as the reference.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time, Weekday, date, time};
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::engine::input::Via;

mod local_clock;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone of the bundled database")
}

/// An instant given in UTC, or on the clock of an offset (`2026-03-29T02:00+01:00`).
fn at(text: &str) -> Timestamp {
    text.parse::<jiff::Timestamp>().expect("an instant").into()
}

fn names(names: &str) -> Vec<Option<UserName>> {
    let user = |name| (name != "nobody").then(|| UserName::from(name));
    names.split(' ').map(user).collect()
}

fn rotation(turn: Turn, handoff: Time, start: Date) -> Option<Rotation> {
    Some(Rotation {
        turn,
        handoff,
        start,
    })
}

fn layer(zone_name: &str, users: &str, rotation: Option<Rotation>) -> Layer {
    Layer {
        time_zone: zone(zone_name),
        users: names(users),
        rotation,
        only: Vec::new(),
    }
}

fn schedule(layers: Vec<Layer>) -> Schedule {
    Schedule {
        name: "primary".into(),
        layers,
        gaps_expected: false,
    }
}

fn instead(id: u64, user: &str, from: Timestamp, until: Timestamp) -> Override {
    Override {
        id: OverrideId(id),
        schedule: "primary".into(),
        user: user.into(),
        from,
        until,
        reason: "holiday".into(),
        created_by: Actor::named("ana", Via::Api),
        created_at: Timestamp(0),
    }
}

/// Each case: an instant and who is on call then (`-` is nobody).
fn check(schedule: &Schedule, overrides: &[Override], cases: &[(&str, &str)]) {
    for (instant, expected) in cases {
        let user = schedule.person_at(at(instant), overrides);
        let user = user.as_ref().map_or("-", UserName::as_str);
        assert_eq!(user, *expected, "at {instant}");
    }
}

#[test]
fn the_first_turn_begins_at_the_first_handoff_on_or_after_the_start() {
    // 2026-01-05 is a Monday.
    let weekly = |start| {
        let weeks = Turn::Weeks {
            every: 1,
            weekday: Weekday::Monday,
        };
        schedule(vec![layer(
            "Europe/Lisbon",
            "ana bo",
            rotation(weeks, time(9, 0, 0, 0), start),
        )])
    };
    let cases = [
        ("2026-01-05T08:59:59.999Z", "-"),
        ("2026-01-05T09:00Z", "ana"),
        ("2026-01-12T08:59:59.999Z", "ana"),
        ("2026-01-12T09:00Z", "bo"),
        ("2026-01-19T09:00Z", "ana"),
        // By the summer clock the handoff is an hour earlier in UTC.
        ("2026-03-30T07:59Z", "bo"),
        ("2026-03-30T08:00Z", "ana"),
    ];
    check(&weekly(date(2026, 1, 5)), &[], &cases);
    check(&weekly(date(2025, 12, 30)), &[], &cases);
    check(&schedule(Vec::new()), &[], &[("2026-01-05T09:00Z", "-")]);
}

#[test]
fn turns_are_counted_on_the_calendar_and_hours_that_divide_no_day_as_they_pass() {
    let start = date(2026, 3, 27);
    let of = |turn| {
        let rotation = rotation(turn, time(9, 0, 0, 0), start);
        schedule(vec![layer("Europe/Lisbon", "ana bo cy", rotation)])
    };
    // The clock is set forward in the night to the 29th, a Sunday.
    check(
        &of(Turn::Days(1)),
        &[],
        &[
            ("2026-03-28T09:00Z", "bo"),
            ("2026-03-29T07:59Z", "bo"),
            ("2026-03-29T08:00Z", "cy"),
        ],
    );
    check(
        &of(Turn::Days(3)),
        &[],
        &[("2026-03-30T07:59Z", "ana"), ("2026-03-30T08:00Z", "bo")],
    );
    check(
        &of(Turn::Hours(12)),
        &[],
        &[
            ("2026-03-28T21:00Z", "ana"),
            ("2026-03-29T07:59Z", "ana"),
            ("2026-03-29T08:00Z", "bo"),
        ],
    );
    check(
        &of(Turn::Hours(16)),
        &[],
        &[
            ("2026-03-28T17:00Z", "cy"),
            ("2026-03-29T08:59Z", "cy"),
            ("2026-03-29T09:00Z", "ana"),
        ],
    );
    let fortnight = Turn::Weeks {
        every: 2,
        weekday: Weekday::Friday,
    };
    check(
        &of(fortnight),
        &[],
        &[("2026-04-10T07:59Z", "ana"), ("2026-04-10T08:00Z", "bo")],
    );
}

#[test]
fn a_handoff_in_a_missing_hour_is_that_much_later_and_in_a_doubled_hour_at_the_first() {
    // Zone, time of day of the handoff, date before the change, instant of the handoff.
    let cases = [
        // The clock goes from 01:00 to 02:00.
        (
            "Europe/Lisbon",
            (1, 30),
            date(2026, 3, 28),
            "2026-03-29T01:30Z",
        ),
        // From 02:00 to 03:00: 02:30 becomes 03:30, 01:30 is as ever.
        (
            "America/New_York",
            (2, 30),
            date(2026, 3, 7),
            "2026-03-08T03:30-04:00",
        ),
        (
            "America/New_York",
            (1, 30),
            date(2026, 3, 7),
            "2026-03-08T01:30-05:00",
        ),
        // From 02:00 back to 01:00: 01:30 comes twice, 02:30 once.
        (
            "America/New_York",
            (1, 30),
            date(2026, 10, 31),
            "2026-11-01T01:30-04:00",
        ),
        (
            "America/New_York",
            (2, 30),
            date(2026, 10, 31),
            "2026-11-01T02:30-05:00",
        ),
        // From 02:00 to 02:30 and back by half an hour.
        (
            "Australia/Lord_Howe",
            (2, 15),
            date(2026, 10, 3),
            "2026-10-04T02:45+11:00",
        ),
        (
            "Australia/Lord_Howe",
            (1, 45),
            date(2026, 4, 4),
            "2026-04-05T01:45+11:00",
        ),
        // From 00:00 to 00:15.
        (
            "Asia/Kathmandu",
            (0, 10),
            date(1985, 12, 31),
            "1986-01-01T00:25+05:45",
        ),
        // From 03:00 back to 02:00 as Ramadan begins, and forward at its end.
        (
            "Africa/Casablanca",
            (2, 30),
            date(2026, 2, 14),
            "2026-02-15T02:30+01:00",
        ),
        (
            "Africa/Casablanca",
            (2, 30),
            date(2026, 3, 21),
            "2026-03-22T03:30+01:00",
        ),
    ];
    for (name, (hour, minute), start, handoff) in cases {
        let daily = rotation(Turn::Days(1), time(hour, minute, 0, 0), start);
        let schedule = schedule(vec![layer(name, "ana bo", daily)]);
        let handoff = at(handoff);
        let before = schedule.person_at(handoff.minus(Duration(1)), &[]);
        let after = schedule.on_call(handoff, &[]);
        assert_eq!(before, Some("ana".into()), "{name} {hour}:{minute}");
        assert_eq!(after.user, Some("bo".into()), "{name} {hour}:{minute}");
        assert_eq!(after.from, Some(handoff), "{name} {hour}:{minute}");
    }
}

#[test]
fn the_turn_of_a_date_that_a_zone_skipped_is_passed_over() {
    // Samoa had no 30 December 2011.
    let daily = rotation(Turn::Days(1), time(9, 0, 0, 0), date(2011, 12, 29));
    let schedule = schedule(vec![layer("Pacific/Apia", "ana bo cy", daily)]);
    check(
        &schedule,
        &[],
        &[
            ("2011-12-29T09:00-10:00", "ana"),
            ("2011-12-31T08:59+14:00", "ana"),
            ("2011-12-31T09:00+14:00", "cy"),
        ],
    );
}

#[test]
fn windows_are_read_on_the_local_clock_and_belong_to_the_day_on_which_they_begin() {
    let restricted = |days: &[Weekday], from_minute, to_minute| {
        let mut night = layer("Europe/Lisbon", "ana", None);
        night.only = vec![Window {
            days: days.to_vec(),
            from_minute,
            to_minute,
        }];
        schedule(vec![night])
    };
    // 2026-01-09 is a Friday.
    check(
        &restricted(&[Weekday::Friday], 22 * 60, 6 * 60),
        &[],
        &[
            ("2026-01-09T05:00Z", "-"),
            ("2026-01-09T22:00Z", "ana"),
            ("2026-01-10T05:59:59.999Z", "ana"),
            ("2026-01-10T06:00Z", "-"),
            ("2026-01-10T22:00Z", "-"),
        ],
    );
    check(
        &restricted(&[Weekday::Saturday, Weekday::Sunday], 0, 1440),
        &[],
        &[
            ("2026-01-09T23:59:59.999Z", "-"),
            ("2026-01-10T00:00Z", "ana"),
            ("2026-01-11T23:59:59.999Z", "ana"),
            ("2026-01-12T00:00Z", "-"),
        ],
    );
    // A window in the doubled hour is open twice; one in the missing hour not at all.
    check(
        &restricted(&[], 60, 90),
        &[],
        &[
            ("2026-10-25T00:29Z", "ana"),
            ("2026-10-25T00:30Z", "-"),
            ("2026-10-25T01:00Z", "ana"),
            ("2026-10-25T01:30Z", "-"),
            ("2026-03-29T01:00Z", "-"),
        ],
    );
}

#[test]
fn a_later_layer_wins_where_it_is_active_and_nobody_falls_to_the_layer_beneath() {
    let base = layer("UTC", "ana", None);
    let daily = rotation(Turn::Days(1), time(0, 0, 0, 0), date(2026, 1, 5));
    let mut upper = layer("UTC", "bo nobody", daily);
    upper.only = vec![Window {
        days: Vec::new(),
        from_minute: 9 * 60,
        to_minute: 17 * 60,
    }];
    let schedule = schedule(vec![base, upper]);
    check(
        &schedule,
        &[],
        &[
            ("2026-01-04T12:00Z", "ana"),
            ("2026-01-05T08:59Z", "ana"),
            ("2026-01-05T09:00Z", "bo"),
            ("2026-01-05T17:00Z", "ana"),
            ("2026-01-06T12:00Z", "ana"),
        ],
    );
    // The turn of nobody and the closed windows around it do not cut ana's stretch.
    let expected = OnCall {
        user: Some("ana".into()),
        reason: OnCallReason::Rotation,
        layer: Some(0),
        from: Some(at("2026-01-05T17:00Z")),
        until: Some(at("2026-01-07T09:00Z")),
    };
    assert_eq!(schedule.on_call(at("2026-01-06T12:00Z"), &[]), expected);
}

#[test]
fn an_override_wins_for_exactly_its_time_and_the_last_created_of_several() {
    let schedule = schedule(vec![layer("UTC", "ana", None)]);
    let day = |hour| at("2026-01-05T00:00Z") + Duration::hours(hour);
    let overrides = [
        instead(2, "cy", day(10), day(12)),
        instead(1, "bo", day(8), day(14)),
        Override {
            schedule: "secondary".into(),
            ..instead(3, "bo", day(0), day(24))
        },
    ];
    check(
        &schedule,
        &overrides,
        &[
            ("2026-01-05T07:59:59.999Z", "ana"),
            ("2026-01-05T08:00Z", "bo"),
            ("2026-01-05T10:00Z", "cy"),
            ("2026-01-05T12:00Z", "bo"),
            ("2026-01-05T14:00Z", "ana"),
        ],
    );
    let on_call = schedule.on_call(day(11), &overrides);
    assert_eq!(on_call.reason, OnCallReason::Override);
    assert_eq!(
        (on_call.from, on_call.until),
        (Some(day(10)), Some(day(12)))
    );
}

#[test]
fn a_stretch_that_goes_on_further_than_is_looked_has_no_end() {
    let mut office = layer("Europe/Lisbon", "ana", None);
    office.only = vec![Window {
        days: Vec::new(),
        from_minute: 0,
        to_minute: 720,
    }];
    let schedule = schedule(vec![layer("UTC", "ana", None), office]);
    for moment in [
        at("2026-01-05T00:00Z"),
        Timestamp(i64::MAX),
        Timestamp(i64::MIN),
    ] {
        let on_call = schedule.on_call(moment, &[]);
        assert_eq!((on_call.from, on_call.until), (None, None));
    }
}

#[test]
fn stretches_are_bounded_in_time_and_number() {
    let hourly = rotation(Turn::Hours(1), time(0, 0, 0, 0), date(2026, 1, 1));
    let schedule = schedule(vec![layer("UTC", "ana bo", hourly)]);
    let from = at("2026-01-01T00:00Z");
    let year = schedule.stretches(from, from + Duration::days(365), &[]);
    assert_eq!(year.len(), 365 * 24);
    let longer = schedule.stretches(from, from + Duration::days(4_000), &[]);
    let covered = longer.last().map(|stretch| stretch.until);
    assert_eq!(covered, Some(from + STRETCHES_SPAN_MAX));
    assert_eq!(schedule.stretches(from, from, &[]), []);
}

#[test]
fn far_ends_of_the_calendar_are_answered() {
    let turns = [
        Turn::Days(1),
        Turn::Days(u32::MAX),
        Turn::ActiveDays(u32::MAX),
        Turn::Hours(1),
        Turn::Hours(5),
        Turn::Hours(u32::MAX),
    ];
    for turn in turns {
        let rotation = rotation(turn, time(2, 30, 0, 0), date(2026, 1, 1));
        let schedule = schedule(vec![layer("America/New_York", "ana bo", rotation)]);
        for moment in [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX] {
            let on_call = schedule.on_call(Timestamp(moment), &[]);
            assert_eq!(on_call.user.is_some(), moment > 0, "{turn:?} at {moment}");
        }
    }
}

/// Zones and dates shortly before their clocks are set in odd ways.
const CHANGES: [(&str, Date); 14] = [
    ("Europe/Lisbon", date(2026, 3, 1)),
    ("Europe/Lisbon", date(2026, 10, 1)),
    ("America/New_York", date(2026, 3, 1)),
    ("America/New_York", date(2026, 10, 1)),
    ("Australia/Lord_Howe", date(2026, 3, 1)),
    ("Australia/Lord_Howe", date(2026, 9, 1)),
    ("Asia/Kathmandu", date(1985, 12, 1)),
    ("Pacific/Apia", date(2011, 12, 1)),
    ("Africa/Casablanca", date(2026, 2, 1)),
    ("Africa/Casablanca", date(2026, 3, 1)),
    // At 00:01, so that the doubled hour lies on two dates.
    ("America/St_Johns", date(2010, 10, 1)),
    // At midnight, so that a day begins at 01:00.
    ("America/Havana", date(2026, 3, 1)),
    // A date skipped, and a date repeated.
    ("Pacific/Kwajalein", date(1993, 8, 1)),
    ("Pacific/Kwajalein", date(1969, 9, 1)),
];

/// The instant of the first change of the clock after a date.
fn change(zone: &TimeZone, after: Date) -> jiff::Timestamp {
    let after = after.to_zoned_datetime(TimeZone::UTC).expect("in range");
    let change = zone.following(after.timestamp()).next();
    change.expect("the zone has a change").timestamp()
}

fn any_turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        (1..4_u32).prop_map(Turn::Days),
        (1..3_u32, 0..7_i8).prop_map(|(every, day)| Turn::Weeks {
            every,
            weekday: Weekday::from_monday_zero_offset(day).expect("0 to 6"),
        }),
        (1..30_u32).prop_map(Turn::Hours),
        (1..4_u32).prop_map(Turn::ActiveDays),
        prop::sample::select(vec![1, 2, 3, 4, 6, 8, 12, 24, 48]).prop_map(Turn::Hours),
    ]
}

fn any_window() -> impl Strategy<Value = Window> {
    let days = prop::collection::vec(0..7_i8, 0..5);
    (days, 0..96_u16, 1..=96_u16).prop_map(|(days, from, to)| Window {
        days: days
            .into_iter()
            .map(|day| Weekday::from_monday_zero_offset(day).expect("0 to 6"))
            .collect(),
        from_minute: from * 15,
        to_minute: if from == to { 1440 } else { to * 15 },
    })
}

/// A layer in a zone whose first turn begins up to 40 days before `near`, or shortly after it.
fn any_layer(zone: TimeZone, near: Date) -> impl Strategy<Value = Layer> {
    let users = prop::collection::vec(prop::sample::select(names("ana bo cy nobody")), 1..4);
    let rotation =
        (any_turn(), 0..96_i8, -2..40_i64).prop_map(move |(turn, quarter, days)| Rotation {
            turn,
            handoff: time(quarter / 4, quarter % 4 * 15, 0, 0),
            start: near.saturating_sub(Span::new().days(days)),
        });
    let only = prop::collection::vec(any_window(), 0..3);
    (users, prop::option::weighted(0.9, rotation), only).prop_map(move |(users, rotation, only)| {
        Layer {
            time_zone: zone.clone(),
            users,
            rotation,
            only,
        }
    })
}

fn any_override(near: Timestamp) -> impl Strategy<Value = Override> {
    let user = prop::sample::select(vec!["ana", "bo", "cy"]);
    (0..9_u64, user, 0..3_000_u64, 0..900_u64).prop_map(move |(id, user, from, length)| {
        let from = near.minus(Duration::days(1)) + Duration::minutes(from);
        instead(id, user, from, from + Duration::minutes(length))
    })
}

fn any_case() -> impl Strategy<Value = (Schedule, Vec<Override>, Timestamp)> {
    prop::sample::select(CHANGES.to_vec()).prop_flat_map(|(name, after)| {
        let zone = zone(name);
        let change = change(&zone, after);
        let near = zone.to_datetime(change).date();
        let layers = prop::collection::vec(any_layer(zone, near), 1..4).prop_map(schedule);
        // Ids may repeat in the strategy but not in the product: the position breaks the tie.
        let overrides =
            prop::collection::vec(any_override(change.into()), 0..3).prop_map(|mut overrides| {
                for (position, other) in (0..).zip(&mut overrides) {
                    other.id.0 = other.id.0 * 10 + position;
                }
                overrides
            });
        (layers, overrides, Just(Timestamp::from(change)))
    })
}

/// All handoffs of a layer up to `until`, one after the other from the first.
fn handoffs(layer: &Layer, until: Timestamp) -> Vec<Timestamp> {
    let Some(rotation) = &layer.rotation else {
        return Vec::new();
    };
    let on_clock = |date: Date| {
        let local = layer
            .time_zone
            .to_ambiguous_timestamp(date.to_datetime(rotation.handoff));
        Timestamp::from(local.compatible().expect("in range"))
    };
    let mut date = rotation.start;
    let mut all = vec![on_clock(date)];
    let days = match rotation.turn {
        Turn::Hours(hours) if hours % 24 == 0 => hours / 24,
        Turn::Hours(hours) if 24 % hours == 0 => {
            let mut local = date.to_datetime(rotation.handoff);
            while all[all.len() - 1] <= until + Duration::days(2) {
                local += Span::new().hours(i64::from(hours));
                let instant = layer.time_zone.to_ambiguous_timestamp(local).compatible();
                all.push(instant.expect("in range").into());
            }
            return all;
        }
        Turn::Hours(hours) => {
            while all[all.len() - 1] <= until {
                all.push(all[all.len() - 1] + Duration::hours(u64::from(hours)));
            }
            return all;
        }
        Turn::Days(days) => days,
        Turn::ActiveDays(days) => return active_handoffs(layer, rotation, days, until),
        Turn::Weeks { every, weekday } => {
            while date.weekday() != weekday {
                date = date.tomorrow().expect("in range");
            }
            all = vec![on_clock(date)];
            7 * every
        }
    };
    while all[all.len() - 1] <= until {
        for _ in 0..days {
            date = date.tomorrow().expect("in range");
        }
        all.push(on_clock(date));
    }
    all
}

/// All handoffs of turns that count only days on which a window begins.
fn active_handoffs(
    layer: &Layer,
    rotation: &Rotation,
    days: u32,
    until: Timestamp,
) -> Vec<Timestamp> {
    let is_active = |date: &Date| {
        let mut only = layer.only.iter();
        let begins =
            |window: &Window| window.days.is_empty() || window.days.contains(&date.weekday());
        layer.only.is_empty() || only.any(begins)
    };
    let mut all = Vec::new();
    let mut counted = 0;
    let mut date = rotation.start;
    while all.last().is_none_or(|last| *last <= until) {
        if is_active(&date) {
            if counted % days == 0 {
                let local = date.to_datetime(rotation.handoff);
                let instant = layer.time_zone.to_ambiguous_timestamp(local).compatible();
                all.push(instant.expect("in range").into());
            }
            counted += 1;
        }
        date = date.tomorrow().expect("in range");
    }
    all
}

/// Whether a window holds the time on the clock, as a span of the day before, or of the day.
fn holds(window: &Window, local: DateTime) -> bool {
    [local.date().yesterday().expect("in range"), local.date()]
        .into_iter()
        .filter(|day| window.days.is_empty() || window.days.contains(&day.weekday()))
        .any(|day| {
            let midnight = day.to_datetime(Time::midnight());
            let length =
                (i64::from(window.to_minute) - i64::from(window.from_minute)).rem_euclid(1440);
            let length = if length == 0 { 1440 } else { length };
            let from = midnight + Span::new().minutes(i64::from(window.from_minute));
            from <= local && local < from + Span::new().minutes(length)
        })
}

/// The reference: the answer for one minute from first principles.
fn scan(
    schedule: &Schedule,
    handoffs: &[Vec<Timestamp>],
    overrides: &[Override],
    at: Timestamp,
) -> (Option<UserName>, OnCallReason) {
    let mut standing: Vec<&Override> = overrides
        .iter()
        .filter(|other| other.from <= at && at < other.until)
        .collect();
    standing.sort_by_key(|other| other.id);
    if let Some(last) = standing.last() {
        return (Some(last.user.clone()), OnCallReason::Override);
    }
    for (layer, handoffs) in schedule.layers.iter().zip(handoffs).rev() {
        let local = layer.time_zone.to_datetime(at.timestamp());
        let open = layer.only.is_empty() || layer.only.iter().any(|window| holds(window, local));
        let turn = match layer.rotation {
            // Where more of the clock is skipped than a turn is long, the later one holds.
            Some(_) if at < handoffs[0] => 0,
            Some(_) => {
                let last = handoffs.iter().rposition(|handoff| *handoff <= at);
                last.map_or(0, |last| last + 1)
            }
            None => 1,
        };
        if open
            && turn > 0
            && let Some(user) = &layer.users[(turn - 1) % layer.users.len()]
        {
            return (Some(user.clone()), OnCallReason::Rotation);
        }
    }
    (None, OnCallReason::Nobody)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn walking_from_change_to_change_says_the_same_as_scanning_every_minute(
        (schedule, overrides, change) in any_case()
    ) {
        let (from, until) = (change.minus(Duration::hours(40)), change + Duration::hours(56));
        let handoffs: Vec<_> = schedule.layers.iter().map(|layer| handoffs(layer, until)).collect();
        let stretches = schedule.stretches(from, until, &overrides);
        let mut at = from;
        for stretch in &stretches {
            prop_assert_eq!(stretch.from, at);
            let expected = (stretch.user.clone(), stretch.reason);
            while at < stretch.until {
                prop_assert_eq!(&scan(&schedule, &handoffs, &overrides, at), &expected, "{}", at);
                at = at + Duration::minutes(1);
            }
            prop_assert_eq!(at, stretch.until, "an end between two minutes");
        }
        prop_assert_eq!(at, until);
        for pair in stretches.windows(2) {
            prop_assert_ne!(
                (&pair[0].user, pair[0].reason),
                (&pair[1].user, pair[1].reason),
                "a stretch ends where nothing changes"
            );
        }
    }

    #[test]
    fn the_stretch_around_an_instant_is_one_of_the_stretches(
        (schedule, overrides, change) in any_case(),
        minute in 0..5_000_u64,
    ) {
        let (from, until) = (change.minus(Duration::days(95)), change + Duration::days(95));
        let at = change.minus(Duration::minutes(2_500)) + Duration::minutes(minute);
        let on_call = schedule.on_call(at, &overrides);
        prop_assert_eq!(&schedule.person_at(at, &overrides), &on_call.user);
        let stretch = schedule
            .stretches(from, until, &overrides)
            .into_iter()
            .find(|stretch| stretch.from <= at && at < stretch.until)
            .expect("stretches leave no hole");
        prop_assert_eq!((&stretch.user, stretch.reason), (&on_call.user, on_call.reason));
        let near = |edge: Timestamp| edge.since(at) <= LOOK_AHEAD && at.since(edge) <= LOOK_AHEAD;
        prop_assert_eq!(on_call.from, Some(stretch.from).filter(|edge| near(*edge)));
        prop_assert_eq!(on_call.until, Some(stretch.until).filter(|edge| near(*edge)));
    }
}
