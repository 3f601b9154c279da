//! What is remembered of accepted events for an hour: their ids, and resolves that came before
//! their trigger. It is rebuilt from receipts on start.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::engine::alert::RESOLVES_FOR;
use crate::engine::event::{Action, Text};
use crate::engine::ids::IntegrationName;
use crate::engine::reason::Reason;
use crate::engine::records::Receipt;
use crate::engine::time::{Duration, Timestamp};

/// Ids remembered of one integration.
pub const IDS_MAX: usize = 100_000;
/// How long an id is remembered.
pub const IDS_FOR: Duration = Duration::hours(1);
/// Resolves of unknown alerts remembered of one integration.
pub const RESOLVES_MAX: usize = 10_000;

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
    order: VecDeque<(Timestamp, Text)>,
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
        self.order.push_back((receipt.at, key.clone()));
        self.by_key.insert(key, receipt.clone());
        while let Some((at, key)) = self.order.front() {
            if self.order.len() <= most && receipt.at.since(*at) <= keep {
                break;
            }
            // A later receipt under the same key stays.
            if self.by_key.get(key).is_some_and(|known| known.at == *at) {
                self.by_key.remove(key);
            }
            self.order.pop_front();
        }
    }
}
