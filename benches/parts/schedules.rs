//! The look at who is on call: by the name of a schedule among few and many, and in a schedule
//! with layers, restrictions and overrides.

use std::fmt::Write;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use reveille::engine::actor::{Actor, Via};
use reveille::engine::calendar::{Override, Schedule};
use reveille::engine::ids::{OverrideId, ScheduleName};
use reveille::engine::ruleset::RuleSet;
use reveille::engine::time::Duration;

use crate::engine::NOW;
use crate::rules::{TEAM, compiled};

const SCHEDULES: [usize; 3] = [1, 100, 10_000];

/// Of one schedule, spread over the last and the next weeks; one of them holds now.
const OVERRIDES: u64 = 20;

const PEOPLE: &str = r#"
users:
  ana: { full_name: Ana Silva, time_zone: UTC, contacts: { phone: { sms: "+351900000001" } } }
  bob: { full_name: Bob Stone, time_zone: UTC, contacts: { phone: { sms: "+351900000002" } } }
  cyd: { full_name: Cyd Nunes, time_zone: UTC, contacts: { phone: { sms: "+351900000003" } } }
route: { policy: team }
"#;

/// A rotation at all times, one for the days of the week above it, and two more for nights.
const LAYERED: &str = r#"
  layered:
    time_zone: Europe/Lisbon
    layers:
      - { users: [ana, bob, cyd], rotate: weekly, handoff: "mon 09:00", start: 2026-01-05 }
      - users: [bob, cyd]
        rotate: daily
        handoff: "09:00"
        start: 2026-01-05
        only: [{ days: [mon, tue, wed, thu, fri], from: "09:00", to: "18:00" }]
      - { users: [cyd], time_zone: Asia/Singapore, only: [{ from: "09:00", to: "17:00" }] }
      - users: [ana, nobody, cyd]
        rotate: { every: 12h }
        handoff: "08:00"
        start: 2026-01-05
        only: [{ days: [sat, sun] }]
"#;

pub fn looks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("on call");
    for schedules in SCHEDULES {
        let rules = with_schedules(schedules);
        let names: Vec<ScheduleName> = rules.schedules.keys().cloned().collect();
        // No step of a power of two: the names are taken in an order that no cache guesses.
        let mut at = 0;
        group.bench_function(BenchmarkId::new("one of", schedules), |bencher| {
            bencher.iter(|| {
                at = (at + 7_919) % names.len();
                let schedule = rules.schedules.get(black_box(&names[at]));
                schedule.and_then(|schedule| schedule.person_at(NOW.wall, &[]))
            });
        });
    }
    let rules = compiled(format!("{TEAM}{PEOPLE}schedules:{LAYERED}"));
    let schedule = &rules.schedules["layered"];
    let overrides = overrides(schedule);
    for (name, overrides) in [("layers", &[][..]), ("layers and overrides", &overrides)] {
        let at = NOW.wall;
        group.bench_function(format!("{name}: who"), |bencher| {
            bencher.iter(|| schedule.person_at(black_box(at), overrides));
        });
        group.bench_function(format!("{name}: who, since and until when"), |bencher| {
            bencher.iter(|| schedule.on_call(black_box(at), overrides));
        });
    }
    group.finish();
}

/// Rules with so many schedules of a weekly rotation.
fn with_schedules(schedules: usize) -> RuleSet {
    let mut text = format!("{TEAM}{PEOPLE}schedules:\n");
    for number in 0..schedules {
        let line = format!(
            "  s{number:05}: {{ time_zone: Europe/Lisbon, layers: [{{ users: [ana, bob, cyd], \
             rotate: weekly, handoff: \"mon 09:00\", start: 2026-01-05 }}] }}"
        );
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{line}");
    }
    compiled(text)
}

fn overrides(schedule: &Schedule) -> Vec<Override> {
    let numbers = 0..OVERRIDES;
    let overrides = numbers.map(|number| {
        let from = NOW.wall.minus(Duration::days(OVERRIDES / 2)) + Duration::days(number);
        Override {
            id: OverrideId(number),
            schedule: schedule.name.clone(),
            user: "bob".into(),
            from,
            until: from + Duration::hours(12),
            reason: "swap".into(),
            created_by: Actor::named("Ana Silva", Via::Api),
            created_at: from,
        }
    });
    let overrides: Vec<Override> = overrides.collect();
    let holding = overrides.iter().filter(|known| known.covers(NOW.wall));
    assert_eq!(holding.count(), 1, "overrides that hold now");
    overrides
}
