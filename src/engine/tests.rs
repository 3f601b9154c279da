//! Steps when there is very much: after a storm a step looks at a few records for each incident,
//! never at each of them for every other, and what is remembered has an end.

use std::sync::Arc;

use super::State;
use super::archive::GROUPS_REMEMBERED_MAX;
use super::decision::{Decision, Effect};
use super::event::{Action, Content};
use super::ids::{IncidentNumber, PageId, SilenceId};
use super::input::{Act, ActOn, Actor, Input, Report, SilenceRequest, Verb, Via};
use super::matcher::Matcher;
use super::outcome::Outcome;
use super::page::PageKind;
use super::records::{Group, Record};
use super::ruleset::{Capabilities, ChannelInfo, Medium, RuleSet};
use super::samples;
use super::slots::picks;
use super::step::{decide, step};
use super::task::Stride;
use super::time::{Duration, MonotonicTime, Now, Timestamp};
use super::transaction::StepTransaction;
use crate::rules::{Environment, SourceFile, check};

/// Records that a step may ask for on behalf of one incident or page.
const LOOKS_EACH_MAX: usize = 60;
const INCIDENTS: usize = 5_000;

const RULES: &str = r#"
users:
  ana:
    full_name: Ana Silva
    time_zone: UTC
    contacts:
      phone: { sms: "+351900000001" }
policies:
  team:
    steps:
      - { targets: [user/ana], wait: 1h }
      - { targets: [user/ana], wait: 1h }
integrations:
  native: { format: native }
route:
  policy: team
  group_by: ["..."]
"#;

/// Many incidents of one alert each, all for one person.
struct Storm {
    state: State,
    rules: RuleSet,
    now: Now,
    /// Whether the channel answers, or leaves every attempt in flight.
    answers: bool,
}

impl Storm {
    fn new(answers: bool) -> Self {
        let channel = ChannelInfo::new("twilio".into(), Medium::Sms, Capabilities::default());
        let environment = Environment {
            channels: vec![channel],
            ..Environment::default()
        };
        let file = SourceFile {
            path: "rules.yaml".to_owned(),
            text: RULES.to_owned(),
        };
        let (_, compiled) = check(&[file], &environment);
        let now = Now {
            wall: Timestamp(1_772_000_000_000),
            steady: MonotonicTime(1_000_000),
            seed: 7,
        };
        Self {
            state: State::default(),
            rules: compiled.rules.expect("rules without faults"),
            now,
            answers,
        }
    }

    /// Opens as many incidents, and lets the bundled pages about them leave.
    fn broken(incidents: usize, answers: bool) -> Self {
        let mut storm = Self::new(answers);
        for number in 0..incidents {
            storm.give(trigger(number));
        }
        storm.pass(Duration::seconds(20));
        storm
    }

    fn give(&mut self, input: Input) {
        self.step(input);
        self.go_on();
        self.give_slots();
    }

    /// One step; the answer is what it cost.
    fn step(&mut self, input: Input) -> u64 {
        let decision = step(&self.state, &self.rules, input, self.now);
        let work = decision.work;
        self.take(decision);
        work
    }

    /// Does what earlier steps left to tasks; the answer is what the most expensive step cost.
    fn go_on(&mut self) -> u64 {
        let nothing = std::collections::BTreeSet::new();
        let mut most = 0;
        while let Some((_, task)) = self.state.tasks().next_after(None, &nothing) {
            let stride = Stride::Full;
            most = most.max(self.step(Input::GoOn { task, stride }));
        }
        most
    }

    /// Gives the free slots.
    fn give_slots(&mut self) {
        loop {
            let none = std::collections::BTreeSet::new();
            let picks = picks(&self.state, &self.rules, self.now.steady, &none);
            if picks.now.is_empty() {
                return;
            }
            for pick in picks.now {
                let decision = step(&self.state, &self.rules, Input::SlotFree(pick), self.now);
                self.take(decision);
            }
        }
    }

    fn take(&mut self, decision: Decision) {
        self.state.apply(&decision.changes);
        for effect in decision.effects {
            let Effect::Send(order) = effect else {
                continue;
            };
            if self.answers {
                self.give(Input::Outcome(Report {
                    attempt: order.attempt,
                    outcome: Outcome::Accepted,
                    latency_ms: 100,
                    provider_message: None,
                    reference: None,
                    was_started: true,
                }));
            }
        }
    }

    /// Lets so much time pass and does what falls due in it.
    fn pass(&mut self, time: Duration) {
        self.skip(time);
        let nothing = std::collections::BTreeSet::new();
        while let Some(key) = self.state.due(self.now.steady, self.now.wall, &nothing) {
            self.give(Input::Due(key));
        }
    }

    /// Lets so much time pass in which nothing is done, as while the process is down.
    fn skip(&mut self, time: Duration) {
        self.now.steady = self.now.steady + time;
        self.now.wall = self.now.wall + time;
    }

    /// Gives an input, and how many records it was necessary to ask for, tasks included.
    fn looks(&mut self, input: Input) -> usize {
        let nothing = std::collections::BTreeSet::new();
        let (mut looks, mut next) = (0, Some(input));
        while let Some(input) = next {
            let mut tx = StepTransaction::new(&self.state, &self.rules, self.now);
            decide(&mut tx, input);
            looks += tx.effort.looks.get();
            let decision = tx.finish(Vec::new());
            self.take(decision);
            let task = self.state.tasks().next_after(None, &nothing);
            next = task.map(|(_, task)| Input::GoOn {
                task,
                stride: Stride::Full,
            });
        }
        usize::try_from(looks).expect("few looks")
    }

    #[track_caller]
    fn expect_proportion(&mut self, input: Input, to: usize) {
        let looks = self.looks(input);
        assert!(
            (to..=to * LOOKS_EACH_MAX).contains(&looks),
            "{looks} records were asked for on behalf of {to}"
        );
    }

    fn bundle(&self) -> Vec<PageId> {
        let pages = self.state.pages();
        let bundles = pages.filter(|page| page.kind == PageKind::Bundle);
        bundles.map(|page| page.id).collect()
    }
}

fn trigger(number: usize) -> Input {
    event(number, Action::Trigger)
}

fn event(number: usize, action: Action) -> Input {
    let content = Content {
        summary: "it broke".into(),
        severity: "critical".into(),
        ..Content::default()
    };
    Input::Events {
        integration: "native".into(),
        events: vec![samples::event(action, &format!("a{number}"), content)],
    }
}

fn actor() -> Actor {
    Actor {
        name: "ana".into(),
        user: Some("ana".into()),
        via: Via::Api,
    }
}

fn silence(storm: &Storm) -> Input {
    Input::Silence(SilenceRequest {
        actor: actor(),
        matchers: vec![Matcher::parse("severity=critical").expect("a matcher")],
        everything: false,
        from: None,
        until: storm.now.wall + Duration::hours(1),
        reason: "maintenance".into(),
        replaces: None,
    })
}

#[test]
fn a_silence_over_a_storm_looks_at_each_incident_a_few_times() {
    for answers in [true, false] {
        let mut storm = Storm::broken(INCIDENTS, answers);
        let input = silence(&storm);
        storm.expect_proportion(input, INCIDENTS);
        assert!(storm.state.incidents().all(|known| known.is_silenced));
        let input = Input::ExpireSilence(SilenceId(1));
        storm.expect_proportion(input, INCIDENTS);
        assert!(storm.state.incidents().all(|known| !known.is_silenced));
    }
}

#[test]
fn a_start_after_a_storm_looks_at_each_incident_a_few_times() {
    for answers in [true, false] {
        let mut storm = Storm::broken(INCIDENTS, answers);
        storm.skip(Duration::hours(1));
        storm.expect_proportion(Input::Start, INCIDENTS);
    }
}

#[test]
fn acts_on_a_bundled_page_look_at_each_of_its_incidents_a_few_times() {
    for verb in [Verb::Acknowledge, Verb::Resolve] {
        for answers in [true, false] {
            let mut storm = Storm::broken(1_010, answers);
            let page = storm.bundle()[0];
            let act = Act {
                actor: actor(),
                on: ActOn::Page(page),
                verb: verb.clone(),
            };
            storm.expect_proportion(Input::Act(act), 1_000);
            let open = storm.state.incidents().filter(|known| {
                known.is_open() && known.status == super::incident::Status::Triggered
            });
            assert_eq!(open.count(), 10);
        }
    }
}

/// A group that closed, the lower its number the earlier, and is to be remembered for long.
fn closed(number: usize) -> Record {
    let forget = MonotonicTime(10_000_000_000 + number as u64);
    Record::Group(Arc::new(Group {
        key: format!("g{number}").into(),
        generation: 1,
        forget: Some(forget),
        ..Group::default()
    }))
}

#[test]
fn of_too_many_closed_groups_those_that_closed_first_are_forgotten() {
    let mut storm = Storm::new(true);
    let records = (0..GROUPS_REMEMBERED_MAX).map(closed);
    storm.state = State::load(records.collect(), &[]);
    storm.now.steady = MonotonicTime(10_000_000_000 - Duration::days(1).0);
    let is_known = |storm: &Storm, key: &str| storm.state.group(key).is_some();

    storm.give(trigger(1));
    storm.give(Input::Minute);
    let open = storm.state.incidents().next().expect("an incident");
    let open = open.group_key.clone();
    assert!(is_known(&storm, "g0"), "an open one is not among those");

    storm.give(event(1, Action::Resolve));
    storm.give(Input::Minute);
    assert!(!is_known(&storm, "g0") && is_known(&storm, "g1"));
    assert!(is_known(&storm, &open), "it closed last");

    let surplus = GROUPS_REMEMBERED_MAX..GROUPS_REMEMBERED_MAX + 2_500;
    let records = (1..GROUPS_REMEMBERED_MAX).chain(surplus).map(closed);
    storm.state = State::load(records.collect(), &[]);
    for _ in 0..4 {
        storm.give(Input::Minute);
    }
    assert!(!is_known(&storm, "g2499") && is_known(&storm, "g2500"));
    assert_eq!(storm.state.closed_groups().count(), GROUPS_REMEMBERED_MAX);
}

#[test]
fn closed_groups_with_long_keys_are_forgotten_before_they_are_too_many() {
    let mut storm = Storm::new(true);
    let long = "x".repeat(1 << 20);
    let records = (0..70).map(|number| {
        let Record::Group(group) = closed(number) else {
            unreachable!("it is a group");
        };
        let key = format!("{number} {long}").into();
        Record::Group(Arc::new(Group {
            key,
            ..Group::clone(&group)
        }))
    });
    storm.state = State::load(records.collect(), &[]);
    storm.now.steady = MonotonicTime(10_000_000_000 - Duration::days(1).0);
    storm.give(Input::Minute);
    assert_eq!(storm.state.closed_groups().count(), 63);
    let first = storm.state.closed_groups().next().expect("a group");
    assert!(first.starts_with("7 x"), "the first seven are forgotten");
}

/// A database that was saved in parts may lack incidents to which other records refer.
#[test]
fn what_refers_to_an_incident_that_is_lost_lets_go_of_it_on_load() {
    let alert = super::alert::Alert {
        incidents: vec![IncidentNumber(1), IncidentNumber(2)],
        ..samples::alert(5)
    };
    let group = Group {
        open: Some(IncidentNumber(1)),
        ..samples::group()
    };
    let key = group.key.clone();
    let records = vec![
        Record::Alert(Arc::new(alert)),
        Record::Group(Arc::new(group)),
        Record::Incident(Arc::new(samples::incident(2))),
    ];
    let state = State::load(records, &[]);
    let alert = state.alerts().next().unwrap();
    assert_eq!(alert.incidents, [IncidentNumber(2)]);
    assert_eq!(state.group(&key).unwrap().open, None);
}
