//! A state from what the store kept.

use std::sync::Arc;

use super::State;
use crate::engine::ids::IncidentNumber;
use crate::engine::records::{Receipt, Record};

impl State {
    /// A state from what the store kept.
    pub fn load(records: Vec<Record>, receipts: &[Arc<Receipt>]) -> Self {
        let mut state = Self::default();
        let (incidents, others): (Vec<_>, Vec<_>) = records
            .into_iter()
            .partition(|record| matches!(record, Record::Incident(_)));
        for record in incidents {
            state.put(&record);
        }
        for record in others {
            let record = state.without_lost_incidents(record);
            state.put(&record);
        }
        for receipt in receipts {
            state.memory.remember(receipt);
        }
        state
    }

    /// Of a database that was saved in parts incidents may be lost to which others refer: an alert
    /// is in none of these, and no group has one open.
    fn without_lost_incidents(&self, record: Record) -> Record {
        let is_lost = |number: &IncidentNumber| !self.incidents.contains_key(number);
        match record {
            Record::Alert(mut alert) if alert.incidents.iter().any(is_lost) => {
                Arc::make_mut(&mut alert)
                    .incidents
                    .retain(|number| !is_lost(number));
                Record::Alert(alert)
            }
            Record::Group(mut group) if group.open.as_ref().is_some_and(is_lost) => {
                Arc::make_mut(&mut group).open = None;
                Record::Group(group)
            }
            other => other,
        }
    }
}
