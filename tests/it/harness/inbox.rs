//! What a fake got, in order, and the one bounded wait of all tests.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

/// Long enough for a busy machine; a test that is right never waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Things that arrived and that the test has not looked at yet.
#[derive(Debug)]
pub struct Inbox<T> {
    inner: Arc<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    things: Mutex<VecDeque<T>>,
    arrived: Notify,
}

impl<T> Clone for Inbox<T> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self {
            inner: Arc::new(Inner {
                things: Mutex::default(),
                arrived: Notify::new(),
            }),
        }
    }
}

impl<T: Debug> Inbox<T> {
    /// Records what arrived.
    pub fn put(&self, thing: T) {
        self.inner.things.lock().unwrap().push_back(thing);
        self.inner.arrived.notify_one();
    }

    /// The next thing, waited for if it is not there yet; panics when nothing comes.
    pub async fn next(&self, what: &str) -> T {
        let waiting = async {
            loop {
                if let Some(thing) = self.take() {
                    return thing;
                }
                self.inner.arrived.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("no {what} came within {PATIENCE:?}"))
    }

    /// Fails if something is here that no test has looked at.
    #[track_caller]
    pub fn expect_empty(&self, what: &str) {
        let things = self.inner.things.lock().unwrap();
        assert!(things.is_empty(), "unexpected {what}: {things:#?}");
    }

    fn take(&self) -> Option<T> {
        let mut things = self.inner.things.lock().unwrap();
        let thing = things.pop_front();
        if !things.is_empty() {
            // Another waiter may be asleep: one permit is stored however many things came.
            self.inner.arrived.notify_one();
        }
        thing
    }
}
