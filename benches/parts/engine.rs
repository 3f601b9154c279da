//! One step of the engine on one event, with few and with many routes.

use std::hint::black_box;
use std::ops::Range;

use criterion::{BatchSize, BenchmarkId, Criterion};
use reveille::engine::event::{Action, Content, Event, EventTime, Labels};
use reveille::engine::input::Input;
use reveille::engine::records::Change;
use reveille::engine::ruleset::RuleSet;
use reveille::engine::time::{MonotonicTime, Now, Timestamp};
use reveille::engine::{State, step};

use crate::rules::with_routes;

const ROUTES: [u64; 3] = [1, 10_000, 100_000];

/// So many alerts fire already.
const OPEN_ALERTS: u64 = 1_000;

/// So many names of alerts: with `group_by: [alertname]` as many groups of each route.
const NAMES: u64 = 200;

/// A step that only decides, for each kind of event, and one whose changes are made as well.
pub fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine step");
    for routes in ROUTES {
        let rules = with_routes(routes);
        let state = filled(&rules, routes);
        let known = OPEN_ALERTS / 2;
        let kinds = [
            ("new alert", Action::Trigger, OPEN_ALERTS),
            ("repeated alert", Action::Trigger, known),
            ("resolved alert", Action::Resolve, known),
        ];
        for (name, action, number) in kinds {
            let input = request(action, number, routes);
            group.bench_function(BenchmarkId::new(name, routes), |bencher| {
                let decide = |input| step(&state, &rules, black_box(input), NOW);
                bencher.iter_batched(|| input.clone(), decide, BatchSize::SmallInput);
            });
        }
        let input = request(Action::Trigger, OPEN_ALERTS, routes);
        let name = BenchmarkId::new("new alert, and its changes made", routes);
        group.bench_function(name, |bencher| {
            let decide = |(mut state, input): (State, Input)| {
                let decision = step(&state, &rules, input, NOW);
                state.apply(&decision.changes);
                (state, decision)
            };
            let copied = || (state.clone(), input.clone());
            bencher.iter_batched(copied, decide, BatchSize::LargeInput);
        });
    }
    group.finish();
}

/// When everything happens.
pub const NOW: Now = Now {
    wall: Timestamp(1_795_435_200_000),
    steady: MonotonicTime(1_000_000),
    seed: 7,
};

/// A state with open alerts.
fn filled(rules: &RuleSet, routes: u64) -> State {
    let mut state = State::default();
    for number in 0..OPEN_ALERTS {
        let input = request(Action::Trigger, number, routes);
        state.apply(&step(&state, rules, input, NOW).changes);
    }
    assert_eq!(state.alerts().count() as u64, OPEN_ALERTS, "open alerts");
    state
}

/// A request with the alert of this number; alerts take all routes in turn.
pub fn request(action: Action, number: u64, routes: u64) -> Input {
    Input::Events {
        integration: "monitor".into(),
        events: vec![event(action, number, routes)],
    }
}

/// Decides on new alerts of these numbers, each in a request of its own, and makes the changes;
/// they are those of one commit.
pub fn new_alerts(state: &mut State, rules: &RuleSet, numbers: Range<u64>) -> Vec<Change> {
    let mut all = Vec::new();
    for number in numbers {
        let changes = step(state, rules, request(Action::Trigger, number, 1), NOW).changes;
        state.apply(&changes);
        all.extend(changes);
    }
    all
}

fn event(action: Action, number: u64, routes: u64) -> Event {
    let labels = [
        ("alertname", format!("DiskFull{:03}", number % NAMES)),
        ("instance", format!("host-{number:08}")),
        ("job", "node".to_owned()),
        ("severity", "critical".to_owned()),
        ("team", format!("team-{:05}", number % routes)),
    ];
    let content = Content {
        summary: "disk 97 percent full".into(),
        severity: "critical".into(),
        labels: labels.into_iter().collect::<Labels>(),
        ..Content::default()
    };
    let key = format!("host-{number:08}");
    Event::new(action, key, EventTime::OccurredAt(None), content)
}
