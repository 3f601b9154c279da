//! The driver's thread: take, turn, commit, answer, release. It and its fsync run on a thread of
//! their own.
//!
//! After a commit, in this order: withdrawn attempts are marked, waiters are answered, sends are
//! handed out. So no attempt that asks starts after its acknowledgment was answered.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::{error, warn};

use crate::engine::cause::Cause;
use crate::engine::decision::{Answer, SendRequest};
use crate::engine::ids::{AttemptId, ChannelName, IntegrationName, Revision, TaskId};
use crate::engine::incident::SelfIncident;
use crate::engine::input::Input;
use crate::engine::records::Receipt;
use crate::engine::time::{Duration, Now};
use crate::runtime::driver::Driver;
use crate::runtime::handle::{ApplyError, Handle, Intake, Unavailable, View};
use crate::runtime::monotonic::{ClockJump, MonotonicClock, Reading};
use crate::runtime::queue::{Control, Read, Request, Taken};
use crate::runtime::room::Room;
use crate::runtime::turn::{Done, Job, Turn, WentOn};
use crate::runtime::watch::little_space;
use crate::store::{Epoch, Partition, Store};

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
    /// The batch of a turn was made durable in this time.
    fn committed(&mut self, turn: &Turn, took: Duration);
    /// These receipts were given.
    fn received(&self, receipts: &[Arc<Receipt>]);
}

/// All that the thread works with.
pub struct CommitLoop {
    pub driver: Driver,
    pub handle: Handle,
    pub store: Arc<dyn Store>,
    pub partition: Partition,
    pub epoch: Epoch,
    /// The space that events may use; everything else goes on without it.
    pub room: Room,
    pub line: MonotonicClock,
    pub clock: Box<dyn Fn() -> Reading + Send>,
    pub effects: Box<dyn EffectSink>,
    pub observer: Box<dyn Observer>,
    /// What the turn before had no room for.
    pub backlog: Backlog,
    /// Whoever waits for the end of a task.
    pub promised: Promises,
}

/// Who is answered when a task ends, by the task.
#[derive(Default)]
pub struct Promises(BTreeMap<TaskId, Promise>);

/// Whoever waits for the end of a task, and what is known so far.
struct Promise {
    waiter: Waiter,
    receipts: Vec<Arc<Receipt>>,
}

/// Jobs that wait for the next turn, and who waits for them.
#[derive(Default)]
pub struct Backlog {
    controls: Vec<Job>,
    waiters: Vec<Waiter>,
}

impl Backlog {
    /// Takes out what a turn left, and of all waiters those who wait for that.
    fn of(left: Vec<Job>, waiters: &mut Vec<Waiter>) -> Self {
        let done = waiters.len() - left.len();
        Self {
            controls: left,
            waiters: waiters.split_off(done),
        }
    }

    /// Tells all who wait that nothing of theirs is done.
    fn refuse(&mut self, why: &Unavailable) {
        for waiter in std::mem::take(self).waiters {
            match waiter {
                Waiter::Input(Some(waiter)) => give(waiter, Err(why.clone())),
                Waiter::Input(None) => {}
                Waiter::Rules(waiter) => give(waiter, Err(why.clone().into())),
                Waiter::Documents(waiter) => give(waiter, Err(why.clone())),
                Waiter::Request(waiter) => give(waiter, Err(why.clone())),
            }
        }
    }
}

/// Who waits for which part of a turn.
enum Waiter {
    Input(Option<oneshot::Sender<Result<Answer, Unavailable>>>),
    Rules(oneshot::Sender<Result<Revision, ApplyError>>),
    Documents(oneshot::Sender<Result<(), Unavailable>>),
    Request(oneshot::Sender<Result<Vec<Arc<Receipt>>, Unavailable>>),
}

impl CommitLoop {
    /// Runs until the handle says stop and everything that waited is done, or the store fails.
    pub fn run(mut self, first: Vec<Input>) -> Result<(), crate::store::Error> {
        let first = first.into_iter().map(|input| Control::Input {
            input,
            waiter: None,
        });
        let mut taken = Taken {
            controls: first.collect(),
            ..Taken::default()
        };
        let mut jumps = Vec::new();
        loop {
            if let Err(error) = self.turn(taken, jumps) {
                error!(%error, "the store failed; nothing more is accepted");
                // Who waited for this commit was dropped with it, and is told nothing.
                let why = Unavailable::StoreFailed(error.to_string());
                self.handle.end(&why);
                self.backlog.refuse(&why);
                self.say_last_words(&error);
                return Err(error);
            }
            if self.backlog.controls.is_empty() && self.handle.end_if_drained() {
                return Ok(());
            }
            let patience;
            (patience, jumps) = self.patience();
            taken = if self.backlog.controls.is_empty() {
                self.handle.take(patience)
            } else {
                // What waits longest goes first; acts and outcomes go before events all the same.
                self.handle.take_controls()
            };
        }
    }

    /// One turn. What the clock did goes before everything: no timer may act on a jump that the
    /// engine has not heard of.
    fn turn(&mut self, taken: Taken, jumps: Vec<Input>) -> Result<(), crate::store::Error> {
        let (now, jump) = self.line.advance((self.clock)());
        let jumps = jumps.into_iter().chain(jump.map(jump_input));
        let mut controls: Vec<Job> = jumps.map(Job::Input).collect();
        let mut waiters: Vec<Waiter> = controls.iter().map(|_| Waiter::Input(None)).collect();
        let backlog = std::mem::take(&mut self.backlog);
        controls.extend(backlog.controls);
        waiters.extend(backlog.waiters);
        for control in taken.controls {
            let (job, waiter) = split(control);
            controls.push(job);
            waiters.push(waiter);
        }
        let requests = self.affordable(taken.requests, now, (&mut controls, &mut waiters));
        if self.handle.is_stopping() {
            self.driver.hold_sending();
        }
        let (events, request_waiters) = split_requests(requests);
        let mut turn = self.driver.turn(controls, events, now);
        let left = std::mem::take(&mut turn.left);
        self.backlog = Backlog::of(left.controls, &mut waiters);
        waiters.extend(self.requeue(left.events, request_waiters));
        for text in &turn.quarantined {
            error!(input.text = %text, "a decision panicked; its input is set aside");
        }
        self.commit(&turn)?;
        self.release(turn, waiters);
        self.read(taken.reads, now);
        Ok(())
    }

    /// What a turn had no room for waits in the queue again, so that other integrations have their
    /// turns before it. The answer is who waits for the rest.
    fn requeue(
        &self,
        left: Vec<Job>,
        mut waiters: Vec<(IntegrationName, Waiter)>,
    ) -> impl Iterator<Item = Waiter> + use<> {
        let left_waiters = waiters.split_off(waiters.len() - left.len());
        let requests = left.into_iter().zip(left_waiters);
        let requests = requests.map(|pair| match pair {
            (
                Job::Input(Input::Events {
                    integration,
                    events,
                }),
                (_, Waiter::Request(waiter)),
            ) => Request {
                integration,
                events,
                waiter,
                is_admitted: true,
            },
            _ => panic!("of events only requests are left"),
        });
        let last = waiters.last().map(|(integration, _)| integration);
        self.handle.requeue(requests.collect(), last);
        waiters.into_iter().map(|(_, waiter)| waiter)
    }

    /// The requests for which the disk has room. The space is looked at before each commit that
    /// takes events: what fills a disk does so within seconds.
    fn affordable(
        &mut self,
        requests: Vec<Request>,
        now: Now,
        (controls, waiters): (&mut Vec<Job>, &mut Vec<Waiter>),
    ) -> Vec<Request> {
        if requests.is_empty() {
            return requests;
        }
        let Some(free) = self.store.free_bytes() else {
            return requests;
        };
        let (mut admitted, requests): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .partition(|request| request.is_admitted);
        let admission = self.room.admit(requests, free, now.steady);
        if admission.is_shut {
            // The watch opens the intake again when there is room.
            self.handle.set_intake(Intake::DiskLow);
        }
        for request in admission.refused {
            give(request.waiter, Err(Unavailable::DiskLow));
        }
        if admission.is_told {
            warn!(
                disk.free_bytes = free,
                "too little space is left on disk; events are refused"
            );
            controls.push(Job::Input(little_space(free)));
            waiters.push(Waiter::Input(None));
        }
        admitted.extend(admission.taken);
        admitted
    }

    /// The one page that leaves unrecorded: the watch hears that the store failed.
    fn say_last_words(&mut self, error: &crate::store::Error) {
        let (now, _) = self.line.advance((self.clock)());
        let trouble = SelfIncident {
            cause: Cause::StoreFailed,
            subject: "".into(),
        };
        let text =
            format!("the store failed; nothing is accepted and the process exits: {error}").into();
        if let Some(order) = self.driver.last_words(trouble, text, now) {
            self.effects.send_last(order);
        }
    }

    fn commit(&mut self, turn: &Turn) -> Result<(), crate::store::Error> {
        if turn.is_empty() {
            return Ok(());
        }
        let before = (self.clock)().monotonic;
        self.store.commit(self.partition, self.epoch, &turn.batch)?;
        let took = Duration((self.clock)().monotonic.0.saturating_sub(before.0));
        self.observer.committed(turn, took);
        Ok(())
    }

    fn release(&mut self, turn: Turn, waiters: Vec<Waiter>) {
        for attempt in turn.cancels {
            self.effects.cancel(attempt);
        }
        if !Arc::ptr_eq(&self.handle.rules(), self.driver.rules()) {
            // Whoever learns of a revision must find its rules in force.
            self.handle.publish(self.driver.rules().clone());
        }
        let mut done = turn.done.into_iter();
        for waiter in waiters {
            self.answer(waiter, &mut done);
        }
        for went_on in turn.went_on {
            self.keep_promise(went_on);
        }
        self.handle
            .set_undecided(self.driver.state().tasks().events());
        for order in turn.sends {
            self.effects.send(order);
        }
        for channel in turn.probes {
            self.effects.probe(channel);
        }
    }

    /// Answers one waiter with its part of what was done.
    fn answer(&mut self, waiter: Waiter, done: &mut impl Iterator<Item = Done>) {
        let done = done.next();
        if let Some(
            Done::Answer(Answer::Receipts(receipts)) | Done::Later(Answer::Receipts(receipts), _),
        ) = &done
        {
            self.observer.received(receipts);
        }
        if let Some(Done::Later(answer, task)) = done {
            let receipts = receipts_of(answer);
            let promise = Promise { waiter, receipts };
            self.promised.0.insert(task, promise);
            return;
        }
        match waiter {
            Waiter::Request(waiter) => give(
                waiter,
                match done {
                    Some(Done::Answer(answer)) => Ok(receipts_of(answer)),
                    _ => Err(Unavailable::Quarantined),
                },
            ),
            Waiter::Input(waiter) => {
                let result = match done {
                    Some(Done::Answer(answer)) => Ok(answer),
                    Some(Done::Quarantined) => Err(Unavailable::Quarantined),
                    Some(Done::Later(..) | Done::Rules(_) | Done::Documents) | None => {
                        Ok(Answer::None)
                    }
                };
                if let Some(waiter) = waiter {
                    give(waiter, result);
                }
            }
            Waiter::Rules(waiter) => {
                if let Some(Done::Rules(result)) = done {
                    give(waiter, result);
                }
            }
            Waiter::Documents(waiter) => give(waiter, Ok(())),
        }
    }

    /// Keeps what a step of a task said for whoever waits for it, and answers when it is over.
    /// After a restart nobody waits.
    fn keep_promise(&mut self, went_on: WentOn) {
        let WentOn {
            task,
            answer,
            is_over,
        } = went_on;
        if let Some(Answer::Receipts(receipts)) = &answer {
            self.observer.received(receipts);
        }
        let Some(mut promise) = self.promised.0.remove(&task) else {
            return;
        };
        let result = answer.ok_or(Unavailable::Quarantined);
        let result = match promise.waiter {
            Waiter::Request(_) => result.map(|answer| {
                promise.receipts.extend(receipts_of(answer));
                Answer::None
            }),
            Waiter::Input(_) | Waiter::Rules(_) | Waiter::Documents(_) => result,
        };
        if !is_over {
            self.promised.0.insert(task, promise);
            return;
        }
        match promise.waiter {
            Waiter::Request(waiter) => give(waiter, result.map(|_| promise.receipts)),
            Waiter::Input(Some(waiter)) => give(waiter, result),
            Waiter::Input(None) | Waiter::Rules(_) | Waiter::Documents(_) => {}
        }
    }

    fn read(&self, reads: Vec<Read>, now: Now) {
        let view = View {
            state: self.driver.state(),
            rules: self.driver.rules(),
            now,
        };
        for read in reads {
            read(view);
        }
    }

    /// How long the thread may sleep: until the next timer. Also what the clock did meanwhile.
    fn patience(&mut self) -> (std::time::Duration, Vec<Input>) {
        let (now, jump) = self.line.advance((self.clock)());
        if jump.is_some() || self.driver.is_due(now) {
            let jumps = jump.map(jump_input).into_iter().collect();
            return (std::time::Duration::ZERO, jumps);
        }
        let patience = self.driver.wait(now).map_or(PATIENCE_MAX, |wait| {
            std::time::Duration::from_millis(wait.0).min(PATIENCE_MAX)
        });
        (patience, Vec::new())
    }
}

fn jump_input(jump: ClockJump) -> Input {
    match jump {
        ClockJump::Ahead(lost) => {
            warn!(clock.jump = %lost, "the clock jumped ahead; overdue steps are collapsed");
            Input::Suspended { lost }
        }
        ClockJump::Back(by) => {
            warn!(clock.jump = %by, "the wall clock was set back; running waits are unchanged");
            Input::ClockBack { by }
        }
    }
}

/// What a start begins with: what the wall clock did since the last commit, and the recovery.
pub fn first_inputs(jump: Option<ClockJump>) -> Vec<Input> {
    match jump {
        Some(ClockJump::Ahead(by)) => {
            let what = "the wall clock is far ahead of the last commit; nothing is purged for an \
                hour";
            warn!(clock.jump = %by, "{what}");
            vec![Input::ClockAhead { by }, Input::Start]
        }
        Some(ClockJump::Back(by)) => {
            warn!(
                clock.jump = %by,
                "the wall clock is behind the last commit; running waits are unchanged"
            );
            vec![Input::Start, Input::ClockBack { by }]
        }
        None => vec![Input::Start],
    }
}

/// The driver's part of requests, and who waits for each.
fn split_requests(requests: Vec<Request>) -> (Vec<Job>, Vec<(IntegrationName, Waiter)>) {
    let pairs = requests.into_iter().map(|request| {
        let Request {
            integration,
            events,
            waiter,
            ..
        } = request;
        let name = integration.clone();
        let job = Job::Input(Input::Events {
            integration,
            events,
        });
        (job, (name, Waiter::Request(waiter)))
    });
    pairs.unzip()
}

/// The driver's part of a control, and who waits for it.
fn split(control: Control) -> (Job, Waiter) {
    match control {
        Control::Input { input, waiter } => (Job::Input(input), Waiter::Input(waiter)),
        Control::Recorded {
            input,
            record,
            waiter,
        } => (Job::Recorded(input, record), Waiter::Input(Some(waiter))),
        Control::Rules { new, waiter } => (Job::Rules(new), Waiter::Rules(waiter)),
        Control::Documents { writes, waiter } => {
            (Job::Documents(writes), Waiter::Documents(waiter))
        }
    }
}

fn receipts_of(answer: Answer) -> Vec<Arc<Receipt>> {
    match answer {
        Answer::Receipts(receipts) => receipts,
        _ => Vec::new(),
    }
}

/// Answers a waiter, who may have gone away meanwhile.
fn give<T>(waiter: oneshot::Sender<T>, answer: T) {
    let _gone = waiter.send(answer);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    use crate::engine::State;
    use crate::engine::event::Action;
    use crate::engine::records::Disposition;
    use crate::runtime::driver::not_started;
    use crate::runtime::driver::tests::{at, driver, events, fragile_driver, request};
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
        fn committed(&mut self, _: &Turn, _: Duration) {}
        fn received(&self, _: &[Arc<Receipt>]) {}
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
            driver: Driver::new(State::default(), Arc::default()),
            handle: Handle::new(store.clone(), partition, Arc::default()),
            epoch: store.claim(partition).unwrap(),
            room: Room::new(1_000),
            store,
            partition,
            line: MonotonicClock::resume(Clocks::default(), reading, 7).0,
            clock: Box::new(move || reading),
            effects: Box::new(Nobody),
            observer: Box::new(Nobody),
            backlog: Backlog::default(),
            promised: Promises::default(),
        }
    }

    #[tokio::test]
    async fn a_stop_takes_no_events_but_outcomes_until_it_is_told_to_finish() {
        let works = works();
        let handle = works.handle.clone();
        let driver = tokio::task::spawn_blocking(move || works.run(vec![Input::Start]));
        handle.set_intake(Intake::Stopping);
        let refused = handle.submit("native".into(), Vec::new()).await;
        assert_eq!(refused, Err(Unavailable::Stopping));
        for attempt in 1..=3 {
            let outcome = Input::Outcome(not_started(AttemptId(attempt)));
            let taken = handle.control(outcome).await;
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
        let driver = tokio::task::spawn_blocking(move || works.run(vec![Input::Start]));
        let post = |key| handle.submit("native".into(), events(Action::Trigger, &[key]));
        store.set_free_bytes(Some(10 << 20));
        assert!(post("first").await.is_ok());
        // As much as `disk_min` is still there, and the commit would use some of it.
        store.set_free_bytes(Some(1_001));
        assert_eq!(post("second").await, Err(Unavailable::DiskLow));
        let goes_on = handle.control(Input::Minute).await;
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
        let driver = tokio::task::spawn_blocking(move || works.run(vec![Input::Start]));
        let before = handle.control(Input::Minute).await;
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
        let (events, control, documents, read, ()) = tokio::join!(
            handle.submit("native".into(), posted),
            handle.control(Input::Minute),
            handle.write_documents(Vec::new()),
            handle.read(|_| ()),
            async { handle.end(&why) },
        );
        assert_eq!(events, Err(why.clone()));
        assert_eq!(control.map(|_| ()), Err(why.clone()));
        assert_eq!(documents, Err(why.clone()));
        assert_eq!(read, Err(why));
    }

    #[tokio::test]
    async fn of_a_request_that_panics_all_is_stored_but_the_event_at_which_it_does() {
        let store = Arc::new(MemoryStore::new());
        let works = CommitLoop {
            driver: fragile_driver(),
            ..works_with(&store)
        };
        let handle = works.handle.clone();
        let driver = tokio::task::spawn_blocking(move || works.run(vec![Input::Start]));
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
            driver,
            line: MonotonicClock::resume(clocks, reading, 7).0,
            clock: Box::new(move || reading),
            effects: Box::new(effects.clone()),
            ..works_with(&store)
        };
        store.fail_next_commit(CommitFault::Lost);
        assert!(works.run(Vec::new()).is_err());

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
