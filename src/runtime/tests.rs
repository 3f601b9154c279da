//! What waits while a flush runs, and for how long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use tokio::sync::mpsc as inbox;

use crate::engine::decision::SendRequest;
use crate::engine::event::Action;
use crate::engine::ids::{AttemptId, ChannelName, PageId};
use crate::engine::input::Input;
use crate::engine::records::{Change, Record};
use crate::engine::time::Duration;
use crate::runtime::commit_loop::{CommitLoop, EffectSink, Observer};
use crate::runtime::cycle::Cycle;
use crate::runtime::driver::tests::{at, driver, events};
use crate::runtime::handle::Handle;
use crate::runtime::monotonic::{MonotonicClock, Reading};
use crate::runtime::room::Room;
use crate::store::{Batch, Clocks, MemoryStore, Partition, Store};

/// Nothing is sent.
struct Nobody;

impl EffectSink for Nobody {
    fn cancel(&self, _: AttemptId) {}
    fn send(&self, _: Arc<SendRequest>) {}
    fn send_last(&self, _: Arc<SendRequest>) {}
    fn probe(&self, _: ChannelName) {}
}

/// Holds each commit until it is let go, and tells what is in it.
struct Held {
    tell: inbox::UnboundedSender<Vec<String>>,
    go_on: mpsc::Receiver<()>,
}

impl Observer for Held {
    fn committed(&mut self, batch: &Batch, _: usize, _: Duration) {
        // The test may have ended.
        let _ended = self.tell.send(told(batch));
        let _ended = self.go_on.recv();
    }
}

/// The page of the second step and the receipts of a batch, in its order.
fn told(batch: &Batch) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for change in &batch.changes {
        let next = match change {
            Change::Put(Record::Page(page)) if page.id == PageId(2) => "second step".to_owned(),
            Change::Receipt(receipt) => receipt.dedup_key.to_string(),
            Change::Put(_) | Change::Drop(_) | Change::Archive(_) | Change::Entry(_) => continue,
        };
        if !told.contains(&next) {
            told.push(next);
        }
    }
    told
}

#[tokio::test]
async fn what_comes_or_is_due_while_a_flush_runs_waits_for_this_flush_only() {
    let passed = Arc::new(AtomicU64::new(0));
    let time = passed.clone();
    let reading = move || {
        let seconds = time.load(Ordering::SeqCst);
        Reading {
            wall: at(seconds).wall,
            monotonic: Duration::seconds(seconds),
        }
    };
    let store = Arc::new(MemoryStore::new());
    let partition = Partition::default();
    let (tell, mut commits) = inbox::unbounded_channel();
    let (let_go, go_on) = mpsc::channel();
    let clocks = Clocks {
        wall: at(0).wall,
        steady: at(0).steady,
    };
    let driver = driver();
    let line = MonotonicClock::resume(clocks, reading(), 7).0;
    let works = CommitLoop {
        handle: Handle::new(store.clone(), partition, driver.rules().clone()),
        cycle: Cycle::new(driver, line, Room::new(1_000), Vec::new()),
        epoch: store.claim(partition).unwrap(),
        store,
        partition,
        clock: Box::new(reading),
        effects: Box::new(Nobody),
        observer: Box::new(Held { tell, go_on }),
    };
    let handle = works.handle.clone();
    let thread = tokio::task::spawn_blocking(move || works.run());
    let post = |key: &'static str| {
        let handle = handle.clone();
        tokio::spawn(async move {
            let posted = events(Action::Trigger, &[key]);
            handle.submit("native".into(), posted).await
        })
    };

    let first = post("first");
    assert_eq!(
        commits.recv().await.unwrap(),
        ["first"],
        "and its flush runs"
    );
    // Meanwhile the second step falls due, and more comes than the flush took with it.
    passed.store(301, Ordering::SeqCst);
    let command = tokio::spawn({
        let handle = handle.clone();
        async move { handle.command(Input::Minute).await }
    });
    let later: Vec<_> = ["a", "b", "c"].map(post).into();
    while handle.events_waiting() < later.len() || handle.commands_waiting() == 0 {
        tokio::task::yield_now().await;
    }
    let_go.send(()).unwrap();
    let next = commits.recv().await.unwrap();
    assert_eq!(next[0], "second step", "{next:?}");
    assert_eq!(
        next[1..],
        ["a", "b", "c"],
        "all of it is in the very next commit"
    );
    let_go.send(()).unwrap();
    assert!(first.await.unwrap().is_ok() && command.await.unwrap().is_ok());
    for answer in later {
        assert!(answer.await.unwrap().is_ok());
    }
    drop(let_go);
    handle.finish();
    assert!(thread.await.unwrap().is_ok());
}
