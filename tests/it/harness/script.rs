//! What a fake does instead of answering well: a queue of behaviours, taken one by one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Behaviours in the order in which they are used up.
#[derive(Debug)]
pub struct Script<B>(Arc<Mutex<VecDeque<B>>>);

impl<B> Clone for Script<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B> Default for Script<B> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<B> Script<B> {
    /// Adds behaviours after those that are still waiting.
    pub fn add(&self, behaviours: impl IntoIterator<Item = B>) {
        self.0.lock().unwrap().extend(behaviours);
    }

    /// Takes the next behaviour.
    pub fn take(&self) -> Option<B> {
        self.take_if(|_| true)
    }

    /// Takes the next behaviour if its moment has come.
    pub fn take_if(&self, is_due: impl FnOnce(&B) -> bool) -> Option<B> {
        let mut queue = self.0.lock().unwrap();
        if queue.front().is_some_and(is_due) {
            queue.pop_front()
        } else {
            None
        }
    }
}
