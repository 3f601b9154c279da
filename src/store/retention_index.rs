//! What closed records are kept by: the moment from which their age counts, and the rows that
//! find them again.

use crate::engine::alert::Alert;
use crate::engine::ids::{AlertId, IncidentNumber, PageId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::Archived;
use crate::engine::time::Timestamp;

use super::Partition;
use super::keys::{self, Key, Kind};

/// A closed record in history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    Incident(IncidentNumber),
    Page(PageId),
    Alert(AlertId),
}

impl Closed {
    /// The key of the record.
    pub fn key(self, partition: Partition) -> Key {
        match self {
            Self::Incident(number) => Key::closed_incident(partition, number),
            Self::Page(id) => Key::closed_page(partition, id),
            Self::Alert(id) => Key::closed_alert(partition, id),
        }
    }

    /// The row of the index by age.
    pub fn by_age(self, partition: Partition, at: Timestamp) -> Key {
        // The numbers of the kinds are stored.
        let (what, id) = match self {
            Self::Incident(number) => (1, number.0),
            Self::Page(id) => (2, id.0),
            Self::Alert(id) => (3, id.0),
        };
        Key::by_age(partition, at, what, id)
    }
}

/// What a row of the index by age names, and since when it counts.
pub fn read_by_age(key: &[u8]) -> Option<(Timestamp, Closed)> {
    let (at, what, id) = keys::read_by_age(key)?;
    let closed = match what {
        1 => Closed::Incident(IncidentNumber(id)),
        2 => Closed::Page(PageId(id)),
        3 => Closed::Alert(AlertId(id)),
        _ => return None,
    };
    Some((at, closed))
}

/// The record as history names it.
pub fn of(record: &Archived) -> Closed {
    match record {
        Archived::Incident(incident) => Closed::Incident(incident.number),
        Archived::Page(page) => Closed::Page(page.id),
        Archived::Alert(alert) => Closed::Alert(alert.id),
    }
}

/// The rows by which a record of history is found beside its own key.
pub fn index_keys(partition: Partition, record: &Archived) -> Vec<Key> {
    match record {
        Archived::Incident(incident) => {
            let at = incident_closed_at(incident);
            vec![Closed::Incident(incident.number).by_age(partition, at)]
        }
        Archived::Page(page) => page_index_keys(partition, page),
        Archived::Alert(alert) => alert_index_keys(partition, alert),
    }
}

/// A page goes when the last of its incidents does; one without any goes by its own age.
pub fn page_index_keys(partition: Partition, page: &Page) -> Vec<Key> {
    if page.incidents.is_empty() {
        return vec![Closed::Page(page.id).by_age(partition, page.created_at)];
    }
    let of = |number| Key::index(Kind::PageOfIncident, partition, number).number(page.id.0);
    let incidents = page.incidents.iter();
    incidents.map(|incident| of(incident.number)).collect()
}

/// An alert goes when the last of its incidents does; one without any goes by its own age.
pub fn alert_index_keys(partition: Partition, alert: &Alert) -> Vec<Key> {
    if alert.incidents.is_empty() {
        return vec![Closed::Alert(alert.id).by_age(partition, alert_closed_at(alert))];
    }
    let of = |number| Key::index(Kind::AlertOfIncident, partition, number).number(alert.id.0);
    let incidents = alert.incidents.iter();
    incidents.map(|number| of(*number)).collect()
}

/// When an incident was over.
pub fn incident_closed_at(incident: &Incident) -> Timestamp {
    let resolved = incident.resolved.as_ref();
    resolved.map_or(incident.opened_at, |handled| handled.at)
}

/// When an alert was over.
pub fn alert_closed_at(alert: &Alert) -> Timestamp {
    alert.resolved_at.unwrap_or(alert.last_seen)
}
