//! The driver's thread: it takes what waits, begins a turn, commits, and releases. It and its
//! fsync run beside everything else.

use std::sync::Arc;

use tracing::error;

use crate::engine::cause::Cause;
use crate::engine::decision::SendRequest;
use crate::engine::ids::{AttemptId, ChannelName};
use crate::engine::incident::SelfIncident;
use crate::engine::time::{Duration, Now};
use crate::runtime::cycle::{Cycle, Release, released};
use crate::runtime::handle::{Handle, Intake, Unavailable, View, Waiter, refuse};
use crate::runtime::monotonic::Reading;
use crate::runtime::queue::{Read, Taken};
use crate::runtime::turn::Turn;
use crate::store::{Batch, Epoch, Error, Partition, Store};

/// The longest that the thread sleeps without looking at the clock: so a suspension is noticed
/// soon.
const PATIENCE_MAX: std::time::Duration = std::time::Duration::from_secs(1);

/// Where effects go. Calls return at once.
pub trait EffectSink: Send {
    /// Withdraws an attempt if its first byte has not left.
    fn cancel(&self, attempt: AttemptId);
    /// Hands an attempt to its lane.
    fn send(&self, order: Arc<SendRequest>);
    /// Sends the one page that says that nothing can be stored any more, past all lanes.
    fn send_last(&self, order: Arc<SendRequest>);
    /// Asks a down channel how it is.
    fn probe(&self, channel: ChannelName);
}

/// Told of each commit, for metrics.
pub trait Observer: Send {
    /// The batch of a turn that took so many inputs was made durable in this time.
    fn committed(&mut self, batch: &Batch, inputs: usize, took: Duration);
}

/// All that the thread works with.
pub struct CommitLoop {
    pub cycle: Cycle<Waiter>,
    pub handle: Handle,
    pub store: Arc<dyn Store>,
    pub partition: Partition,
    pub epoch: Epoch,
    pub clock: Box<dyn Fn() -> Reading + Send>,
    pub effects: Box<dyn EffectSink>,
    pub observer: Box<dyn Observer>,
}

impl CommitLoop {
    /// Runs until the handle says stop and everything that waited is done, or the store fails.
    pub fn run(mut self) -> Result<(), Error> {
        loop {
            let wait = self.cycle.wait((self.clock)());
            let taken = if self.cycle.is_behind() {
                self.handle.take_commands()
            } else {
                let wait = wait.map(|wait| std::time::Duration::from_millis(wait.0));
                self.handle
                    .take(wait.unwrap_or(PATIENCE_MAX).min(PATIENCE_MAX))
            };
            if let Err(error) = self.turn(taken) {
                error!(%error, "the store failed; nothing more is accepted");
                // Who waited for this commit was dropped with it, and whoever waits for the end of
                // a task is with the driver: they are told nothing.
                let why = Unavailable::StoreFailed(error.to_string());
                self.handle.end(&why);
                for waiter in self.cycle.take_waiters() {
                    refuse(waiter, &why);
                }
                self.say_last_words(&error);
                return Err(error);
            }
            if !self.cycle.is_behind() && self.handle.end_if_drained() {
                return Ok(());
            }
        }
    }

    fn turn(&mut self, taken: Taken<Waiter>) -> Result<(), Error> {
        let now = self.cycle.now((self.clock)());
        if self.handle.is_stopping() {
            self.cycle.driver.hold_sending();
        }
        let taken_jobs = (taken.commands, taken.requests);
        let begun = self
            .cycle
            .begin(taken_jobs, now, || self.store.free_bytes());
        if begun.is_shut {
            // The watch opens the intake again when there is room.
            self.handle.set_intake(Intake::DiskLow);
        }
        for waiter in begun.refused {
            refuse(waiter, &Unavailable::DiskLow);
        }
        self.handle.requeue(begun.left);
        self.commit(&begun.turn)?;
        // Before anybody hears that more was accepted.
        let undecided = self.cycle.driver.state().tasks().events();
        self.handle.set_undecided(undecided);
        for release in released(begun.turn) {
            self.release(release);
        }
        self.read(taken.reads, now);
        Ok(())
    }

    fn commit(&mut self, turn: &Turn<Waiter>) -> Result<(), Error> {
        if turn.is_empty() {
            return Ok(());
        }
        let before = (self.clock)().monotonic;
        self.store.commit(self.partition, self.epoch, &turn.batch)?;
        let took = Duration((self.clock)().monotonic.0.saturating_sub(before.0));
        self.observer.committed(&turn.batch, turn.inputs(), took);
        Ok(())
    }

    fn release(&self, release: Release<Waiter>) {
        match release {
            Release::Cancel(attempt) => self.effects.cancel(attempt),
            Release::Rules(rules) => self.handle.publish(rules),
            Release::Answer(waiter, reply) => {
                // Whoever waited may have gone away meanwhile.
                let _gone = waiter.send(reply);
            }
            Release::Send(order) => self.effects.send(order),
            Release::Probe(channel) => self.effects.probe(channel),
        }
    }

    fn read(&self, reads: Vec<Read>, now: Now) {
        let driver = &self.cycle.driver;
        let view = View {
            state: driver.state(),
            rules: driver.rules(),
            now,
        };
        for read in reads {
            read(view);
        }
    }

    /// The one page that leaves unrecorded: the watch hears that the store failed.
    fn say_last_words(&mut self, error: &Error) {
        let now = self.cycle.now((self.clock)());
        let trouble = SelfIncident::new(Cause::StoreFailed, "");
        let text =
            format!("the store failed; nothing is accepted and the process exits: {error}").into();
        if let Some(order) = self.cycle.driver.last_words(trouble, text, now) {
            self.effects.send_last(order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    use crate::engine::State;
    use crate::engine::event::Action;
    use crate::engine::input::Input;
    use crate::engine::records::Disposition;
    use crate::runtime::driver::tests::{at, driver, events, fragile_driver, request};
    use crate::runtime::driver::{Driver, not_started};
    use crate::runtime::monotonic::MonotonicClock;
    use crate::runtime::room::Room;
    use crate::store::{Clocks, CommitFault, MemoryStore};

    /// Nothing is sent in these tests, and nobody counts.
    struct Nobody;

    impl EffectSink for Nobody {
        fn cancel(&self, _: AttemptId) {}
        fn send(&self, _: Arc<SendRequest>) {}
        fn send_last(&self, _: Arc<SendRequest>) {}
        fn probe(&self, _: ChannelName) {}
    }

    impl Observer for Nobody {
        fn committed(&mut self, _: &Batch, _: usize, _: Duration) {}
    }

    /// Keeps the last page.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<Arc<SendRequest>>>>);

    impl EffectSink for Kept {
        fn cancel(&self, _: AttemptId) {}
        fn send(&self, _: Arc<SendRequest>) {}
        fn send_last(&self, order: Arc<SendRequest>) {
            self.0.lock().unwrap().push(order);
        }
        fn probe(&self, _: ChannelName) {}
    }

    fn works() -> CommitLoop {
        works_with(&Arc::new(MemoryStore::new()))
    }

    fn works_with(store: &Arc<MemoryStore>) -> CommitLoop {
        let store = store.clone();
        let partition = Partition::default();
        let reading = Reading {
            wall: crate::engine::time::Timestamp(1_778_551_920_000),
            monotonic: Duration::ZERO,
        };
        CommitLoop {
            cycle: cycle(
                Driver::new(State::default(), Arc::default()),
                Clocks::default(),
                reading,
                vec![Input::Start],
            ),
            handle: Handle::new(store.clone(), partition, Arc::default()),
            epoch: store.claim(partition).unwrap(),
            store,
            partition,
            clock: Box::new(move || reading),
            effects: Box::new(Nobody),
            observer: Box::new(Nobody),
        }
    }

    fn cycle(
        driver: Driver<Waiter>,
        clocks: Clocks,
        reading: Reading,
        first: Vec<Input>,
    ) -> Cycle<Waiter> {
        let clock = MonotonicClock::resume(clocks, reading, 7).0;
        Cycle::new(driver, clock, Room::new(1_000), first)
    }

    #[tokio::test]
    async fn a_stop_takes_no_events_but_outcomes_until_it_is_told_to_finish() {
        let works = works();
        let handle = works.handle.clone();
        let driver = tokio::task::spawn_blocking(move || works.run());
        handle.set_intake(Intake::Stopping);
        let refused = handle.submit("native".into(), Vec::new()).await;
        assert_eq!(refused, Err(Unavailable::Stopping));
        for attempt in 1..=3 {
            let outcome = Input::Outcome(not_started(AttemptId(attempt)));
            let taken = handle.command(outcome).await;
            assert!(taken.is_ok(), "attempt {attempt}: {taken:?}");
        }
        handle.finish();
        assert!(driver.await.unwrap().is_ok());
        assert_eq!(handle.ended(), Some(Unavailable::Stopping));
    }

    #[tokio::test]
    async fn a_disk_that_filled_since_the_last_look_refuses_events_before_their_commit() {
        let store = Arc::new(MemoryStore::new());
        let works = works_with(&store);
        let handle = works.handle.clone();
        let driver = tokio::task::spawn_blocking(move || works.run());
        let post = |key| handle.submit("native".into(), events(Action::Trigger, &[key]));
        store.set_free_bytes(Some(10 << 20));
        assert!(post("first").await.is_ok());
        // As much as `disk_min` is still there, and the commit would use some of it.
        store.set_free_bytes(Some(1_001));
        assert_eq!(post("second").await, Err(Unavailable::DiskLow));
        let goes_on = handle.command(Input::Minute).await;
        assert!(goes_on.is_ok(), "{goes_on:?}");
        let told = handle.read(|view| {
            let known = view.state.incidents();
            let about = known.filter_map(|known| known.about.clone());
            about.map(|about| about.cause).collect::<Vec<_>>()
        });
        assert_eq!(told.await.unwrap(), [Cause::Disk]);
        handle.finish();
        assert!(driver.await.unwrap().is_ok());
        let receipts = store.receipts(Partition::default(), None, 10).unwrap();
        assert_eq!(receipts.len(), 1, "nothing of what was refused");
    }

    #[tokio::test]
    async fn who_waited_for_a_failed_commit_is_told_nothing_and_who_comes_later_is_refused() {
        let store = Arc::new(MemoryStore::new());
        let works = works_with(&store);
        let handle = works.handle.clone();
        let driver = tokio::task::spawn_blocking(move || works.run());
        let before = handle.command(Input::Minute).await;
        assert!(before.is_ok(), "{before:?}");
        store.fail_next_commit(CommitFault::Lost);
        let posted = events(Action::Trigger, &["first"]);
        let waited = handle.submit("native".into(), posted).await;
        assert_eq!(waited, Err(Unavailable::Unsure));
        assert!(driver.await.unwrap().is_err());
        let posted = events(Action::Trigger, &["later"]);
        let later = handle.submit("native".into(), posted).await;
        assert!(
            matches!(later, Err(Unavailable::StoreFailed(_))),
            "{later:?}"
        );
    }

    #[tokio::test]
    async fn who_still_stood_in_the_queue_when_a_commit_failed_is_told_that_nothing_is_stored() {
        let handle = works().handle;
        let posted = events(Action::Trigger, &["waiting"]);
        let why = Unavailable::StoreFailed("disk on fire".to_owned());
        let (events, command, documents, read, ()) = tokio::join!(
            handle.submit("native".into(), posted),
            handle.command(Input::Minute),
            handle.write_documents(Vec::new()),
            handle.read(|_| ()),
            async { handle.end(&why) },
        );
        assert_eq!(events, Err(why.clone()));
        assert_eq!(command.map(|_| ()), Err(why.clone()));
        assert_eq!(documents, Err(why.clone()));
        assert_eq!(read, Err(why));
    }

    #[tokio::test]
    async fn of_a_request_that_panics_all_is_stored_but_the_event_at_which_it_does() {
        let store = Arc::new(MemoryStore::new());
        let mut works = works_with(&store);
        works.cycle.driver = fragile_driver();
        let handle = works.handle.clone();
        let driver = tokio::task::spawn_blocking(move || works.run());
        let posted = events(Action::Trigger, &["good", "poison"]);
        let taken = handle.submit("native".into(), posted).await.unwrap();
        let dispositions: Vec<_> = taken.iter().map(|receipt| receipt.disposition).collect();
        assert_eq!(dispositions, [Disposition::Opened, Disposition::Ignored]);
        handle.finish();
        assert!(driver.await.unwrap().is_ok());

        let partition = Partition::default();
        let receipts = store.receipts(partition, None, 10).unwrap();
        assert_eq!(receipts.len(), 2);
    }

    #[test]
    fn after_a_failed_commit_one_page_leaves_however_many_timers_are_due() {
        let store = Arc::new(MemoryStore::new());
        let effects = Kept::default();
        let mut driver = driver();
        let keys: Vec<String> = (0..600).map(|number| format!("a{number}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        driver.turn(Vec::new(), vec![request(Action::Trigger, &keys)], at(0));
        let driver = Driver::new(driver.state().clone(), driver.rules().clone());
        let later = at(600);
        let reading = Reading {
            wall: later.wall,
            monotonic: Duration::ZERO,
        };
        let clocks = Clocks {
            wall: later.wall,
            steady: later.steady,
        };
        let works = CommitLoop {
            cycle: cycle(driver, clocks, reading, Vec::new()),
            clock: Box::new(move || reading),
            effects: Box::new(effects.clone()),
            ..works_with(&store)
        };
        store.fail_next_commit(CommitFault::Lost);
        assert!(works.run().is_err());

        let sent = effects.0.lock().unwrap();
        let titles: Vec<&str> = sent
            .iter()
            .map(|order| &*order.message.incidents[0].title)
            .collect();
        let [title] = titles[..] else {
            panic!("one page and no more: {titles:#?}");
        };
        assert!(title.contains("the process exits"), "{title}");
    }
}
