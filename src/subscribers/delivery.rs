//! A message that a subscriber is still to get, and what follows from an attempt to hand it over.

use serde::{Deserialize, Serialize};

use super::subscriber::SubscriberId;
use crate::engine::event::Text;
use crate::engine::outcome::Outcome;
use crate::engine::time::{Duration, Timestamp};

/// What is not handed over within so long is given up.
pub const PATIENCE: Duration = Duration::hours(24);

/// The wait after the first failure; it doubles with each further one, up to the longest.
const RETRY_FIRST: Duration = Duration::seconds(30);
const RETRY_LONGEST: Duration = Duration::hours(1);

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliverySubject {
    /// Whether the address is that of whoever gave it.
    Confirmation,
    /// A post, by its id.
    Post(Text),
}

/// Which message it is. A newer update of a post takes the place of one that did not leave yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeliveryKey {
    pub subscriber: SubscriberId,
    pub subject: DeliverySubject,
}

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub key: DeliveryKey,
    /// The id of the newest update of the post that it tells; empty for a confirmation.
    pub update: Text,
    pub queued_at: Timestamp,
    pub next_at: Timestamp,
    pub attempts: u32,
    /// An attempt has begun whose outcome is not recorded.
    pub is_begun: bool,
    /// An earlier attempt may have succeeded.
    pub is_uncertain: bool,
}

/// What follows from an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AfterAttempt {
    Sent,
    Retry(Delivery),
    /// The address is no good.
    Bounced,
    /// It is not tried again; the word says why.
    Dropped(&'static str),
}

impl Delivery {
    /// A message that may leave at once.
    pub fn new(key: DeliveryKey, update: Text, now: Timestamp) -> Self {
        Self {
            key,
            update,
            queued_at: now,
            next_at: now,
            attempts: 0,
            is_begun: false,
            is_uncertain: false,
        }
    }

    /// The record that an attempt begins.
    pub fn begun(&self) -> Self {
        Self {
            attempts: self.attempts + 1,
            is_begun: true,
            ..self.clone()
        }
    }

    /// What follows from the outcome of the attempt that was begun. What may have been sent is sent
    /// once more, under the same id, and not a third time.
    pub fn after(&self, outcome: Outcome, now: Timestamp) -> AfterAttempt {
        let is_unsure = match outcome {
            Outcome::Delivered | Outcome::Accepted => return AfterAttempt::Sent,
            Outcome::RefusedTarget => return AfterAttempt::Bounced,
            Outcome::RefusedContent => return AfterAttempt::Dropped("refused_content"),
            Outcome::Unknown if self.is_uncertain => return AfterAttempt::Dropped("unknown"),
            Outcome::Unknown => true,
            Outcome::Throttled { .. }
            | Outcome::Transient
            | Outcome::RefusedCredential
            | Outcome::TlsNameMismatch
            | Outcome::TlsOther
            | Outcome::QuotaExhausted => false,
        };
        if now.since(self.queued_at) >= PATIENCE {
            return AfterAttempt::Dropped("given_up");
        }
        let wait = match outcome {
            Outcome::Throttled { wait } => wait.min(RETRY_LONGEST),
            _ => backoff(RETRY_FIRST, self.attempts, RETRY_LONGEST),
        };
        AfterAttempt::Retry(Self {
            next_at: now + wait,
            is_begun: false,
            is_uncertain: self.is_uncertain || is_unsure,
            ..self.clone()
        })
    }
}

/// The wait after so many failures in a row: it doubles each time, up to the longest.
pub fn backoff(first: Duration, failures: u32, longest: Duration) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    Duration(first.0 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_796_051_040_000);

    fn begun() -> Delivery {
        let key = DeliveryKey {
            subscriber: SubscriberId(1),
            subject: DeliverySubject::Confirmation,
        };
        Delivery::new(key, "".into(), NOW).begun()
    }

    #[test]
    fn every_outcome_has_one_consequence() {
        let wait = Duration::minutes(2);
        let later = |wait: Duration, is_uncertain| {
            AfterAttempt::Retry(Delivery {
                next_at: NOW + wait,
                is_begun: false,
                is_uncertain,
                ..begun()
            })
        };
        let cases = [
            (Outcome::Delivered, AfterAttempt::Sent),
            (Outcome::Accepted, AfterAttempt::Sent),
            (Outcome::RefusedTarget, AfterAttempt::Bounced),
            (
                Outcome::RefusedContent,
                AfterAttempt::Dropped("refused_content"),
            ),
            (Outcome::Throttled { wait }, later(wait, false)),
            (Outcome::Transient, later(RETRY_FIRST, false)),
            (Outcome::RefusedCredential, later(RETRY_FIRST, false)),
            (Outcome::TlsNameMismatch, later(RETRY_FIRST, false)),
            (Outcome::TlsOther, later(RETRY_FIRST, false)),
            (Outcome::QuotaExhausted, later(RETRY_FIRST, false)),
            (Outcome::Unknown, later(RETRY_FIRST, true)),
        ];
        for (outcome, expected) in cases {
            assert_eq!(begun().after(outcome, NOW), expected, "{outcome:?}");
        }
    }

    #[test]
    fn what_may_have_been_sent_is_sent_once_more_and_not_a_third_time() {
        let AfterAttempt::Retry(again) = begun().after(Outcome::Unknown, NOW) else {
            panic!("it is tried again");
        };
        let ended = again.begun().after(Outcome::Unknown, NOW);
        assert_eq!(ended, AfterAttempt::Dropped("unknown"));
    }

    #[test]
    fn after_a_day_it_is_given_up() {
        let ended = begun().after(Outcome::Transient, NOW + PATIENCE);
        assert_eq!(ended, AfterAttempt::Dropped("given_up"));
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = [1, 2, 3, 8, 200]
            .map(|failures| backoff(RETRY_FIRST, failures, RETRY_LONGEST).as_seconds());
        assert_eq!(waits, [30, 60, 120, 3_600, 3_600]);
    }
}
