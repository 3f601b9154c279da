//! What is remembered of accepted events for an hour: their ids, and resolves that came before
//! their trigger. It is rebuilt from receipts on start.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::engine::alert::RESOLVES_FOR;
use crate::engine::event::{Action, Text};
use crate::engine::ids::{IncidentNumber, IntegrationName, RouteName};
use crate::engine::reason::Reason;
use crate::engine::records::Receipt;
use crate::engine::time::{Duration, Timestamp};

/// Ids remembered of one integration.
pub const IDS_MAX: usize = 100_000;
/// How long an id is remembered.
pub const IDS_FOR: Duration = Duration::hours(1);
/// Resolves of unknown alerts remembered of one integration.
pub const RESOLVES_MAX: usize = 10_000;
/// Bytes of what is remembered of one integration, about; of ids and of resolves each.
pub const BYTES_MAX: usize = 64 << 20;
/// What a receipt takes in memory beside its texts, about.
const RECEIPT_BYTES: usize = 512;

/// Receipts to which a later event may refer.
#[derive(Clone, Debug, Default)]
pub struct RecentEvents {
    ids: BTreeMap<IntegrationName, RecentEvent>,
    resolves: BTreeMap<IntegrationName, RecentEvent>,
}

/// The latest receipts under some key, in order of arrival.
#[derive(Clone, Debug, Default)]
struct RecentEvent {
    by_key: BTreeMap<Text, Arc<Receipt>>,
    order: VecDeque<RememberedKey>,
    /// Of all in `order`.
    bytes: usize,
}

#[derive(Clone, Debug)]
struct RememberedKey {
    at: Timestamp,
    key: Text,
    bytes: usize,
}

impl RecentEvents {
    /// Takes note of a receipt if a later event may refer to it.
    pub fn remember(&mut self, receipt: &Arc<Receipt>) {
        if let Some(id) = &receipt.event_id
            && receipt.reason != Reason::DuplicateId
        {
            let recent = self.ids.entry(receipt.integration.clone()).or_default();
            recent.insert(id.clone(), receipt, IDS_FOR, IDS_MAX);
        }
        if receipt.action == Action::Resolve && receipt.reason == Reason::UnknownAlert {
            let recent = self
                .resolves
                .entry(receipt.integration.clone())
                .or_default();
            recent.insert(
                receipt.dedup_key.clone(),
                receipt,
                RESOLVES_FOR,
                RESOLVES_MAX,
            );
        }
    }

    /// The receipt of an event with this id, accepted within the hour.
    pub fn by_id(
        &self,
        integration: &IntegrationName,
        id: &str,
        now: Timestamp,
    ) -> Option<&Receipt> {
        self.ids.get(integration)?.get(id, now, IDS_FOR)
    }

    /// A resolve that came within ten minutes for an alert that was not known.
    pub fn unknown_resolve(
        &self,
        integration: &IntegrationName,
        dedup_key: &str,
        now: Timestamp,
    ) -> Option<&Receipt> {
        self.resolves
            .get(integration)?
            .get(dedup_key, now, RESOLVES_FOR)
    }
}

impl RecentEvent {
    fn get(&self, key: &str, now: Timestamp, keep: Duration) -> Option<&Receipt> {
        self.by_key
            .get(key)
            .map(|receipt| &**receipt)
            .filter(|r| now.since(r.at) <= keep)
    }

    fn insert(&mut self, key: Text, receipt: &Arc<Receipt>, keep: Duration, most: usize) {
        let (at, bytes) = (receipt.at, bytes_of(receipt));
        self.bytes += bytes;
        self.order.push_back(RememberedKey {
            at,
            key: key.clone(),
            bytes,
        });
        self.by_key.insert(key, outcome(receipt));
        while let Some(first) = self.order.front() {
            let fits = self.order.len() <= most && self.bytes <= BYTES_MAX;
            if fits && at.since(first.at) <= keep {
                break;
            }
            // A later receipt under the same key stays.
            let known = self.by_key.get(&first.key);
            if known.is_some_and(|known| known.at == first.at) {
                self.by_key.remove(&first.key);
            }
            self.bytes -= first.bytes;
            self.order.pop_front();
        }
    }
}

/// What a later event is answered with; what was sent, which may be long, is not needed for it.
pub fn outcome(receipt: &Arc<Receipt>) -> Arc<Receipt> {
    if receipt.content.is_none() && receipt.faults.is_empty() {
        return receipt.clone();
    }
    Arc::new(Receipt {
        content: None,
        faults: Vec::new(),
        ..Receipt::clone(receipt)
    })
}

/// What it takes in memory, about.
pub fn bytes_of(receipt: &Receipt) -> usize {
    let key = receipt.event_id.as_ref().map_or(0, |id| id.len());
    let incidents = receipt.incidents.len() * size_of::<IncidentNumber>();
    let routes = receipt.routes.len() * size_of::<RouteName>();
    RECEIPT_BYTES + key + receipt.dedup_key.len() + incidents + routes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::samples;

    #[test]
    fn what_is_remembered_is_bounded_in_bytes_and_holds_nothing_of_what_was_sent() {
        let mut memory = RecentEvents::default();
        let integration: IntegrationName = "prometheus".into();
        let long = "x".repeat(64 << 10);
        let id = |number: u64| format!("{number} {long}");
        for number in 0..2_000 {
            let receipt = Receipt {
                event_id: Some(id(number).into()),
                ..samples::receipt(number, samples::START)
            };
            memory.remember(&Arc::new(receipt));
        }
        let known = |number| memory.by_id(&integration, &id(number), samples::START);
        assert!(known(0).is_none(), "the oldest are forgotten");
        let last = known(1_999).expect("the newest is remembered");
        assert_eq!((&last.content, last.faults.len()), (&None, 0));
        let kept = (0..2_000).filter(|number| known(*number).is_some()).count();
        assert_eq!(
            kept,
            BYTES_MAX / (long.len() + RECEIPT_BYTES + 16 + 5 + 9 + 8)
        );
    }
}
