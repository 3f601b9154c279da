//! Messages of which nobody knows whether they arrived: a repetition says the very same, so that a
//! reader or a provider who has it already sees one message.
//!
//! Kept in memory alone: after a restart a repetition is written anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::decision::SendRequest;
use crate::engine::ids::PageId;

/// Messages remembered for one channel; beyond it the oldest pages are forgotten.
const MESSAGES_MAX: usize = 1_000;

/// The unsure messages of one channel.
#[derive(Debug, Default)]
pub struct Unsure(BTreeMap<PageId, Arc<SendRequest>>);

impl Unsure {
    /// Keeps what was sent without an answer.
    pub fn remember(&mut self, order: Arc<SendRequest>) {
        self.0.insert(order.page, order);
        if self.0.len() > MESSAGES_MAX {
            self.0.pop_first();
        }
    }

    /// The request with what was said before, if that may have arrived.
    pub fn repeated(&mut self, order: &SendRequest) -> Option<SendRequest> {
        let before = self.0.remove(&order.page)?;
        Some(SendRequest {
            attempt: order.attempt,
            deadline: order.deadline,
            ..SendRequest::clone(&before)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample;
    use crate::engine::ids::AttemptId;
    use crate::engine::ruleset::Medium;

    fn order(page: u64) -> Arc<SendRequest> {
        Arc::new(SendRequest {
            page: PageId(page),
            ..sample::order(Medium::Sms)
        })
    }

    #[test]
    fn a_repetition_says_the_very_same_once_and_under_its_own_attempt() {
        let mut unsure = Unsure::default();
        let first = order(1);
        unsure.remember(first.clone());
        let mut again = SendRequest::clone(&first);
        again.attempt = AttemptId(2);
        again.message.incidents_total = 7;
        again.plain_text_only = true;
        let said = unsure.repeated(&again).expect("it is remembered");
        assert_eq!(said.attempt, AttemptId(2));
        assert_eq!(
            (said.message, said.plain_text_only),
            (first.message.clone(), false)
        );
        assert_eq!(unsure.repeated(&again), None);
    }

    #[test]
    fn no_more_are_remembered_than_may_be() {
        let mut unsure = Unsure::default();
        for number in 0..=MESSAGES_MAX as u64 {
            unsure.remember(order(number));
        }
        assert_eq!(unsure.0.len(), MESSAGES_MAX);
        assert_eq!(unsure.repeated(&order(0)), None);
    }
}
