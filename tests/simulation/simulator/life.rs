//! The life of the process: start, turn, commit, release, death.

use std::sync::Arc;

use reveille::api::wire::sentence::Sentence;
use reveille::engine::State;
use reveille::engine::audit::audit;
use reveille::engine::decision::Answer;
use reveille::engine::ids::Revision;
use reveille::engine::input::Input;
use reveille::engine::page::{Page, PageState};
use reveille::engine::reason::Reason;
use reveille::engine::records::{Archived, Change, Record};
use reveille::engine::ruleset::RuleSet;
use reveille::engine::task::TaskKind;
use reveille::engine::time::Duration;
use reveille::rules::{self, Documents, Environment, Fit};
use reveille::runtime::cycle::{Release, released};
use reveille::runtime::room::report_disk;
use reveille::runtime::turn::{Done, Reply};
use reveille::runtime::watch::report_stuck;
use reveille::store::{
    Batch, CommitFault, DocumentKind, DocumentWrite, Epoch, Partition, Store, revision_name,
};

use super::history::{Asked, Broken, Seen, Turn};
use super::marks::Mark;
use super::process::{Committing, DISK_MIN_BYTES, DISK_WARN_BYTES, Death, Process};
use super::world::{Happening, Within, World};

const HOME: Partition = Partition(0);
/// Turns without progress of time: more than this is a timer that is due again and again.
const TURNS_AT_ONE_MOMENT_MAX: usize = 2_000;

impl World {
    /// What `reveille serve` does with an empty store.
    pub fn put_first_rules(&mut self) {
        let (documents, rules) = self.compiled().expect("the first rules have no faults");
        drop(rules);
        let write = DocumentWrite {
            kind: DocumentKind::Rules,
            name: revision_name(Revision(1)),
            bytes: Some(documents.to_json().into_bytes()),
        };
        let batch = Batch {
            documents: vec![write],
            ..Batch::default()
        };
        let epoch = self.claim();
        let kept = self.store.commit(HOME, epoch, &batch);
        kept.expect("a store in memory takes its first commit");
    }

    fn claim(&self) -> Epoch {
        self.store.claim(HOME).expect("a store in memory is ours")
    }

    /// The team's rules, if they have no faults.
    pub fn compiled(&self) -> Option<(Documents, RuleSet)> {
        let files = [rules::SourceFile {
            path: "rules.yaml".to_owned(),
            text: self.team.yaml(),
        }];
        let (documents, compiled) = rules::check(&files, &self.environment);
        compiled.rules.map(|rules| (documents, rules))
    }

    /// A start over what is durable, as production does it: rules out of the store.
    pub fn start(&mut self) {
        if self.process.is_some() || self.asleep_until.is_some() {
            return;
        }
        let free = self.store.free_bytes();
        self.store = self.store.snapshot_durable();
        self.store.set_free_bytes(free);
        let loaded = self
            .store
            .load(HOME, self.wall())
            .expect("a store in memory can be read");
        let state = State::load(loaded.records, &loaded.receipts);
        let rules = Arc::new(self.stored_rules());
        self.lives += 1;
        let life = self.lives;
        self.note(format_args!("start {life}"));
        self.marks
            .hit_if(state.incidents().count() > 100, Mark::RecoveryInStorm);
        let has_tasks = state.tasks().all().next().is_some();
        self.marks.hit_if(has_tasks, Mark::TasksAtStart);
        self.show(&Seen::Started { state: &state });
        let reading = self.clock.reading(self.passed);
        let process = Process::start(state, rules, loaded.clocks, reading, life);
        self.process = Some(process);
        self.minute_of_disk();
        self.soon_within(Duration::minutes(1), Within::Minute);
    }

    fn stored_rules(&self) -> RuleSet {
        let found = self.store.documents(DocumentKind::Rules, None, 1);
        let (name, bytes) = found
            .expect("a store in memory can be read")
            .pop()
            .expect("there are rules");
        let text = String::from_utf8(bytes).expect("rules are text");
        let documents = Documents::from_json(&text).expect("stored rules can be read");
        let environment = Environment {
            fit: Fit::Stored,
            ..self.environment.clone()
        };
        let compiled = rules::compile(&documents, &environment);
        let revision = Revision(name.parse().expect("a revision is a number"));
        RuleSet {
            revision,
            ..compiled.rules.expect("stored rules always compile")
        }
    }

    /// When the process wakes for a timer, in true time.
    pub fn next_timer(&mut self) -> Option<Duration> {
        if self.asleep_until.is_some() {
            return None;
        }
        let reading = self.clock.reading(self.passed);
        let process = self.process.as_mut()?;
        if process.committing.is_some() {
            return None;
        }
        let wait = process.cycle.wait(reading)?;
        Some(Duration(self.passed.0.saturating_add(wait.0)))
    }

    /// Lets the process do what waits, until it has to wait for its disk.
    pub fn work(&mut self) {
        for _ in 0..TURNS_AT_ONE_MOMENT_MAX {
            if self.is_broken() || self.asleep_until.is_some() {
                return;
            }
            let reading = self.clock.reading(self.passed);
            let Some(process) = self.process.as_mut() else {
                return;
            };
            if process.committing.is_some() {
                return;
            }
            let now = process.cycle.now(reading);
            if process.queue.is_empty() && !process.cycle.is_due(now) {
                return;
            }
            let committing = process.turn(now, self.store.free_bytes());
            self.begin_commit(committing);
        }
        self.breaks(Some(Broken {
            invariant: "T1",
            passed: self.passed,
            what: "a timer is due again and again".to_owned(),
        }));
    }

    fn begin_commit(&mut self, mut committing: Committing) {
        self.turns += 1;
        committing.number = self.turns;
        for order in &committing.turn.sends {
            self.planned.insert(order.attempt, self.turns);
        }
        self.show_turn(&committing);
        if let Some(text) = committing.turn.quarantined.first() {
            let what = format!("a decision panicked: {text}");
            return self.breaks(Some(Broken {
                invariant: "X3",
                passed: self.passed,
                what,
            }));
        }
        if committing.turn.is_empty() {
            return self.release(committing);
        }
        let is_first = self.process.as_ref().is_some_and(|it| it.turns == 1);
        committing.death = self.draw_death(committing.turn.sends.len());
        self.marks.hit_if(
            is_first && committing.death.is_some(),
            Mark::CrashInRecovery,
        );
        let took = self.draw_commit_time();
        if let Some(process) = self.process.as_mut() {
            process.committing = Some(committing);
        }
        self.soon_within(took, Within::Committed);
    }

    fn show_turn(&mut self, committing: &Committing) {
        let reading = self.clock.reading(self.passed);
        let Some(mut process) = self.process.take() else {
            return;
        };
        let now = process.cycle.now(reading);
        let (changes, sends) = (&committing.turn.batch.changes, &committing.turn.sends);
        self.note(format_args!(
            "turn {} of {}: {} changes, {} sends",
            committing.number,
            process.life,
            changes.len(),
            sends.len()
        ));
        for change in changes {
            if let Change::Entry(entry) = change {
                let is_opened = matches!(entry.reason, Reason::Opened | Reason::PagedByHand);
                self.figures.incidents += u64::from(is_opened);
                self.note(format_args!(
                    "  #{} {}: {}",
                    entry.incident,
                    entry.reason,
                    Sentence(entry)
                ));
            }
        }
        self.show(&Seen::Turned {
            turn: &committing.turn,
            state: process.cycle.driver.state(),
            rules: process.cycle.driver.rules(),
            now,
        });
        self.process = Some(process);
    }

    fn draw_death(&mut self, sends: usize) -> Option<Death> {
        if self.is_calm || !self.random.chance(self.plan.crashes) {
            return None;
        }
        let among = self.random.below(sends as u64 + 1) as usize;
        Some(self.random.weighted(&[
            (1, Death::BeforeCommit),
            (1, Death::DuringCommit),
            (1, Death::BeforeAnswers),
            (1, Death::BeforeSends),
            (1, Death::AmongSends(among)),
        ]))
    }

    fn draw_commit_time(&mut self) -> Duration {
        if self.is_calm || !self.random.chance(self.plan.slow_commits) {
            return Duration(self.random.between(1, 6));
        }
        let took = self.random.span(Duration(50), Duration::seconds(60));
        self.marks
            .hit_if(took > Duration::seconds(10), Mark::SlowCommit);
        took
    }

    /// The disk is done with a batch.
    pub fn committed(&mut self) {
        let process = self.process.as_mut();
        let Some(committing) = process.and_then(|process| process.committing.take()) else {
            return;
        };
        if committing.death == Some(Death::BeforeCommit) {
            return self.die(Mark::CrashBeforeCommit);
        }
        let epoch = self.claim();
        if !self.is_calm && self.random.chance(self.plan.failing_commits) {
            let fault = *self.random.pick(&[CommitFault::Lost, CommitFault::Kept]);
            self.store.fail_next_commit(fault);
        }
        let batch = &committing.turn.batch;
        if self.store.commit(HOME, epoch, batch).is_err() {
            // What the product does: it closes its waiters' connections and ends.
            return self.die(Mark::StoreFailed);
        }
        self.figures.commits += 1;
        for page in pages(&committing.turn) {
            let is_unsent = page.attempts.is_empty();
            let is_cancelled = page.state == PageState::Cancelled && page.is_withdrawn;
            self.marks
                .hit_if(is_unsent && is_cancelled, Mark::WithdrawnWaiting);
            let mut sends = committing.turn.sends.iter();
            let is_sent = sends.any(|order| order.page == page.id);
            let is_waiting = !page.queued.is_empty() && is_unsent && !is_sent;
            self.marks.hit_if(is_waiting, Mark::WaitedForPlace);
        }
        self.show(&Seen::Durable {
            turn: &committing.turn,
        });
        match committing.death {
            Some(Death::DuringCommit) => self.die(Mark::CrashDuringCommit),
            Some(Death::BeforeAnswers) => self.die(Mark::CrashBeforeAnswers),
            Some(Death::BeforeCommit | Death::BeforeSends | Death::AmongSends(_)) | None => {
                self.release(committing);
            }
        }
    }

    /// What production does with what a commit releases, in its order.
    fn release(&mut self, committing: Committing) {
        let Committing {
            turn,
            death,
            number,
        } = committing;
        let process = self.process.as_mut().expect("a process that commits");
        let undecided = process.cycle.driver.state().tasks().events();
        process.queue.set_undecided(undecided);
        for task in process.cycle.driver.state().tasks().all() {
            match task.kind {
                TaskKind::Events(_) => self.marks.hit(Mark::DecidedLater),
                TaskKind::BeginSilence(_) => self.marks.hit(Mark::SilencedInSteps),
                _ => {}
            }
        }
        let mut sends = 0;
        for release in released(turn) {
            match (&release, death) {
                (Release::Send(_) | Release::Probe(_), Some(Death::BeforeSends)) => break,
                (Release::Send(_), Some(Death::AmongSends(most))) if sends == most => break,
                (Release::Probe(_), Some(Death::AmongSends(_))) => break,
                _ => {}
            }
            match release {
                Release::Cancel(attempt) => self.withdraw(attempt),
                Release::Rules(_) => {}
                Release::Answer(asked, reply) => self.answer(asked, reply, number),
                Release::Send(order) => {
                    sends += 1;
                    self.send(order);
                }
                Release::Probe(channel) => self.probe(channel),
            }
        }
        match death {
            Some(Death::BeforeSends) => self.die(Mark::CrashBeforeSends),
            Some(Death::AmongSends(_)) => self.die(Mark::CrashAmongSends),
            Some(Death::BeforeCommit | Death::DuringCommit | Death::BeforeAnswers) | None => {}
        }
    }

    fn answer(&mut self, asked: Asked, reply: Reply, number: u64) {
        match (asked, reply) {
            (Asked::Events { request }, Ok(Done::Answer(Answer::Receipts(receipts)))) => {
                self.received(request, &receipts);
            }
            (Asked::Act { user, verb, on, .. }, Ok(Done::Answer(Answer::Acted(acted)))) => {
                self.note(format_args!("{user} {verb:?} {on:?}: {acted:?}"));
                self.show(&Seen::Acted {
                    number,
                    verb: &verb,
                    on: &on,
                    acted: &acted,
                });
            }
            _ => {}
        }
    }

    /// The process is gone; a supervisor starts it again.
    pub fn die(&mut self, mark: Mark) {
        self.note(format_args!("dies: {}", mark.text()));
        self.marks.hit(mark);
        self.process = None;
        self.figures.deaths += 1;
        self.show(&Seen::Died);
        let away = if self.random.chance(100) {
            self.random.span(Duration::minutes(1), Duration::hours(9))
        } else {
            self.random.span(Duration(200), Duration::seconds(20))
        };
        let away = if self.is_calm {
            Duration::seconds(2)
        } else {
            away
        };
        self.soon(away, Happening::Start);
    }

    /// What the watch does each minute.
    pub fn minute(&mut self) {
        self.soon_within(Duration::minutes(1), Within::Minute);
        self.minute_of_disk();
        let reading = self.clock.reading(self.passed);
        let Some(mut process) = self.process.take() else {
            return;
        };
        process.tell(Input::Minute);
        if process.committing.is_none() {
            let now = process.cycle.now(reading);
            let found = audit(
                process.cycle.driver.state(),
                process.cycle.driver.rules(),
                now,
            );
            process.tell(report_stuck(&found));
            self.marks
                .hit_if(found.all_channels_fail, Mark::AllChannelsFailed);
            self.show(&Seen::Minute {
                is_beating: found.is_clean() && !process.is_disk_low,
                state: process.cycle.driver.state(),
                now,
            });
        }
        self.process = Some(process);
    }

    pub fn minute_of_disk(&mut self) {
        let free = self.store.free_bytes();
        let Some(process) = self.process.as_mut() else {
            return;
        };
        // A disk whose space is not known any more has enough again.
        let free = free.unwrap_or(u64::MAX);
        let (is_low, input) = report_disk(free, DISK_WARN_BYTES, DISK_MIN_BYTES);
        process.is_disk_low = is_low;
        process.tell(input);
    }

    /// The machine wakes: what was to happen meanwhile happens now.
    pub fn wakes(&mut self) {
        self.note(format_args!("wakes"));
        self.asleep_until = None;
        if self.process.is_none() {
            self.start();
        }
    }
}

/// The pages that a turn leaves changed.
fn pages(turn: &Turn) -> impl Iterator<Item = &Page> {
    turn.batch.changes.iter().filter_map(|change| match change {
        Change::Put(Record::Page(page)) | Change::Archive(Archived::Page(page)) => Some(&**page),
        _ => None,
    })
}
