//! Turns that keep the local clock: the times of day of their handoffs, all year.

use super::*;

const ZONES: [&str; 5] = [
    "Europe/Lisbon",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "UTC",
];

fn any_turns() -> impl Strategy<Value = (&'static str, u32, Time, usize)> {
    let hours = prop::sample::select(vec![2, 3, 4, 6, 8, 12, 24, 48, 72]);
    let zone = prop::sample::select(ZONES.to_vec());
    (zone, hours, 0..48_i8, 2..6_usize).prop_map(|(zone, hours, half_hour, users)| {
        let handoff = time(half_hour / 2, half_hour % 2 * 30, 0, 0);
        (zone, hours, handoff, users)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn handoffs_of_turns_that_divide_a_day_keep_their_local_times_all_year(
        (zone_name, hours, handoff, users) in any_turns()
    ) {
        let people = ["ana", "bo", "cy", "dee", "eve"][..users].join(" ");
        let start = date(2026, 1, 1);
        let rotation = rotation(Turn::Hours(hours), handoff, start);
        let on_the_clock = schedule(vec![layer(zone_name, &people, rotation.clone())]);
        let never_set = schedule(vec![layer("UTC", &people, rotation)]);
        let first = zone(zone_name).to_timestamp(start.to_datetime(handoff)).expect("a moment");
        let year = Duration::days(365);

        let turns = on_the_clock.stretches(first.into(), Timestamp::from(first) + year, &[]);
        let expected_first = at("2026-01-01T00:00Z") + Duration::minutes(
            u64::from(handoff.hour().unsigned_abs()) * 60
                + u64::from(handoff.minute().unsigned_abs()),
        );
        let expected = never_set.stretches(expected_first, expected_first + year, &[]);

        // No turn is lost or doubled, and nobody's turn comes out of order.
        prop_assert!(turns.len().abs_diff(expected.len()) <= 1);
        for (number, (turn, expected)) in turns.iter().zip(&expected).enumerate() {
            prop_assert_eq!(&turn.user, &expected.user, "turn {}", number);
        }
        // No gap and no overlap.
        for pair in turns.windows(2) {
            prop_assert_eq!(pair[0].until, pair[1].from);
        }
        // The local clock shows the same times as a clock that is never set, except in an hour
        // that is skipped, where the handoff is that much later.
        let local = zone(zone_name);
        for (turn, expected) in turns.iter().zip(&expected) {
            let shows = local.to_datetime(turn.from.timestamp());
            let wanted = TimeZone::UTC.to_datetime(expected.from.timestamp());
            let is_skipped = matches!(
                local.to_ambiguous_timestamp(wanted).offset(),
                jiff::tz::AmbiguousOffset::Gap { .. }
            );
            prop_assert!(shows == wanted || is_skipped, "{} and not {}", shows, wanted);
        }
    }
}

#[test]
fn a_turn_of_twelve_hours_is_eleven_or_thirteen_long_when_the_clock_is_set() {
    let twelve = rotation(Turn::Hours(12), time(8, 0, 0, 0), date(2026, 1, 1));
    let schedule = schedule(vec![layer("Europe/Lisbon", "ana bo", twelve)]);
    // Of the night in which the clock is set, and of a day in summer and in winter.
    let cases = [
        (
            "2026-03-29T01:00Z",
            "2026-03-28T20:00Z",
            "2026-03-29T07:00Z",
        ),
        (
            "2026-10-25T01:00Z",
            "2026-10-24T19:00Z",
            "2026-10-25T08:00Z",
        ),
        (
            "2026-07-01T12:00Z",
            "2026-07-01T07:00Z",
            "2026-07-01T19:00Z",
        ),
        (
            "2026-12-01T12:00Z",
            "2026-12-01T08:00Z",
            "2026-12-01T20:00Z",
        ),
    ];
    for (moment, from, until) in cases {
        let on_call = schedule.on_call(at(moment), &[]);
        assert_eq!(on_call.from, Some(at(from)), "{moment}");
        assert_eq!(on_call.until, Some(at(until)), "{moment}");
    }
}

#[test]
fn turns_of_active_days_go_on_after_the_days_that_do_not_count() {
    // 2026-01-05 is a Monday.
    let daily = |days| rotation(Turn::ActiveDays(days), time(9, 0, 0, 0), date(2026, 1, 3));
    let weekdays = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
    ];
    let working = |days| {
        let mut layer = layer("Europe/Lisbon", "ana bo cy", daily(days));
        layer.only = vec![Window {
            days: weekdays.to_vec(),
            from_minute: 0,
            to_minute: 1_440,
        }];
        schedule(vec![layer])
    };
    check(
        &working(1),
        &[],
        &[
            ("2026-01-04T12:00Z", "-"),
            ("2026-01-05T12:00Z", "ana"),
            ("2026-01-06T12:00Z", "bo"),
            ("2026-01-09T12:00Z", "bo"),
            ("2026-01-10T12:00Z", "-"),
            // Friday's turn lasts until the handoff on Monday.
            ("2026-01-12T08:59Z", "bo"),
            ("2026-01-12T09:00Z", "cy"),
            ("2026-01-13T12:00Z", "ana"),
            // In summer too, at nine on the local clock.
            ("2026-03-30T07:59Z", "cy"),
            ("2026-03-30T08:00Z", "ana"),
        ],
    );
    check(
        &working(2),
        &[],
        &[
            ("2026-01-06T12:00Z", "ana"),
            ("2026-01-07T12:00Z", "bo"),
            ("2026-01-09T12:00Z", "cy"),
            ("2026-01-12T12:00Z", "cy"),
            ("2026-01-13T12:00Z", "ana"),
        ],
    );
}
