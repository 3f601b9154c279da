//! What must have been in a database and is not: numbers that were met and that were spoken of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::engine::counters::Counters;
use crate::engine::ids::{IncidentNumber, ReceiptId, Revision};
use crate::engine::records::{Archived, Change, Record};
use crate::engine::time::Timestamp;
use crate::store::record::Progress;
use crate::store::retention_index;
use crate::store::{DocumentKind, LINKS_SECRET};

/// As many of one kind are named.
const NAMED_MAX: usize = 20;

pub fn lost_changes(count: u64) -> Option<String> {
    let changes = || format!("{count} changes: it is lost to which records they belong");
    (count > 0).then(changes)
}

/// Without that count lost commits leave no trace.
pub fn lost_marker(acknowledged: Option<u64>, marker: &Path) -> Option<String> {
    let marker = marker.display();
    let told = || format!("how many commits were acknowledged ({marker} cannot be read)");
    acknowledged.is_none().then(told)
}

/// Each commit has the clocks.
pub fn lost_clocks(progress: Option<Progress>, has_clocks: bool) -> Option<String> {
    let is_new = progress.is_some_and(|progress| progress.commits == 0);
    (!has_clocks && !is_new).then(|| "the clocks of the last commit".to_owned())
}

pub fn lost_commits(progress: Option<Progress>, acknowledged: Option<u64>) -> Option<String> {
    let acknowledged = acknowledged.unwrap_or(0);
    match progress.map(|progress| progress.commits) {
        Some(commits) if commits >= acknowledged => None,
        Some(commits) => Some(format!(
            "{acknowledged} commits were acknowledged and only {commits} are in the database"
        )),
        None => Some("the record of how many commits there were".to_owned()),
    }
}

/// Which numbers were met, and which were spoken of.
#[derive(Default)]
pub struct Seen {
    counters: Option<Counters>,
    receipts: u64,
    first_receipt: Option<ReceiptId>,
    last_receipt: Option<ReceiptId>,
    /// With the moments at which they were opened.
    incidents: BTreeMap<IncidentNumber, Timestamp>,
    /// When the first of those in history was over.
    oldest_closed: Option<Timestamp>,
    /// Their timelines are there, which go with them.
    with_entries: BTreeSet<IncidentNumber>,
    /// Pages and alerts name them, of which some outlive them.
    named: BTreeSet<IncidentNumber>,
    /// What closed pages and alerts name of which nothing was met yet; they go with the last.
    alone: Vec<Vec<IncidentNumber>>,
    revisions: BTreeSet<u64>,
    /// The highest revision by which an incident was opened.
    revision_used: Revision,
    secrets: BTreeSet<String>,
}

impl Seen {
    pub fn note(&mut self, change: &Change) {
        match change {
            Change::Receipt(receipt) => {
                self.receipts += 1;
                self.first_receipt.get_or_insert(receipt.id);
                self.last_receipt = self.last_receipt.max(Some(receipt.id));
            }
            Change::Entry(entry) => {
                self.with_entries.insert(entry.incident);
            }
            Change::Archive(record) => {
                self.note_closed(record);
                self.note_record(&record.record());
            }
            Change::Put(record) => self.note_record(record),
            Change::Drop(_) => {}
        }
    }

    fn note_closed(&mut self, record: &Archived) {
        if let Archived::Incident(incident) = record {
            let at = retention_index::incident_closed_at(incident);
            self.oldest_closed = Some(self.oldest_closed.map_or(at, |oldest| oldest.min(at)));
        }
        let named = named_by(&record.record());
        let is_met = |number: &IncidentNumber| self.incidents.contains_key(number);
        if !named.is_empty() && !named.iter().any(is_met) {
            self.alone.push(named);
        }
    }

    fn note_record(&mut self, record: &Record) {
        self.named.extend(named_by(record));
        match record {
            Record::Incident(incident) => {
                self.incidents.insert(incident.number, incident.opened_at);
                self.revision_used = self.revision_used.max(incident.revision);
            }
            Record::Counters(counters) => self.counters = Some(*counters),
            Record::Alert(_)
            | Record::Page(_)
            | Record::Group(_)
            | Record::Person(_)
            | Record::Channel(_)
            | Record::Sender(_)
            | Record::Provider(_)
            | Record::Dependent(_)
            | Record::StatusComponent(_)
            | Record::StatusPost(_)
            | Record::ServiceAlert(_)
            | Record::Silence(_)
            | Record::Override(_)
            | Record::PolicySnapshot(_)
            | Record::Jump(_)
            | Record::Task(_) => {}
        }
    }

    /// Whether a closed incident was met under this number; those come first.
    pub fn is_met(&self, number: IncidentNumber) -> bool {
        self.incidents.contains_key(&number)
    }

    pub fn note_document(&mut self, kind: DocumentKind, name: &str) {
        match kind {
            DocumentKind::Rules => self.revisions.extend(name.parse::<u64>()),
            DocumentKind::Secret => {
                self.secrets.insert(name.to_owned());
            }
            // Nothing else speaks of these.
            DocumentKind::Token
            | DocumentKind::Key
            | DocumentKind::Audit
            | DocumentKind::KeyFingerprint => {}
        }
    }

    /// In words, each with what to do where something can be done.
    pub fn missing(&self) -> Vec<String> {
        let found = [
            self.incidents(),
            self.receipts(),
            self.counters(),
            self.rules(),
            self.secrets(),
        ];
        found.into_iter().flatten().collect()
    }

    /// Whether a router ever worked with it.
    fn was_used(&self) -> bool {
        !self.incidents.is_empty() || self.receipts > 0
    }

    /// History goes by age, so that a page or an alert may name incidents that were purged.
    fn incidents(&self) -> Option<String> {
        let is_lost = |number: &&IncidentNumber| !self.incidents.contains_key(number);
        let mut lost: BTreeSet<IncidentNumber> = BTreeSet::new();
        lost.extend(self.with_entries.iter().filter(is_lost));
        for named in &self.alone {
            if named.iter().all(|number| is_lost(&number)) {
                lost.extend(named);
            }
        }
        if let Some(first) = self.first_kept() {
            lost.extend(self.named.range(first..).filter(is_lost));
        }
        let lost: Vec<String> = lost.iter().map(|number| format!("#{number}")).collect();
        let named = first_of(&lost)?;
        let count = lost.len();
        Some(format!(
            "{count} incidents that other records refer to: {named}"
        ))
    }

    /// From this number on none can have been purged: what was purged was over no later than what
    /// is left, and this one was opened after that.
    fn first_kept(&self) -> Option<IncidentNumber> {
        let oldest_closed = self.oldest_closed?;
        let mut incidents = self.incidents.iter();
        let first = incidents.find(|(_, opened_at)| **opened_at > oldest_closed);
        first.map(|(number, _)| *number)
    }

    fn receipts(&self) -> Option<String> {
        let next = self.counters.map(|counters| counters.receipt.0);
        let next = next.or(self.last_receipt.map(|last| last.0 + 1))?;
        let first = self.first_receipt?;
        let lost = next.saturating_sub(first.0).saturating_sub(self.receipts);
        (lost > 0).then(|| format!("{lost} receipts from r{first} on"))
    }

    fn counters(&self) -> Option<String> {
        let is_lost = self.counters.is_none() && self.was_used();
        is_lost.then(|| "the numbers that were given last".to_owned())
    }

    /// Revisions are numbered from 1 on, and all are kept.
    fn rules(&self) -> Option<String> {
        let last = self.revisions.last().copied().unwrap_or(0);
        let last = last.max(self.revision_used.0);
        let lost = (1..=last).filter(|revision| !self.revisions.contains(revision));
        let lost: Vec<String> = lost.take(NAMED_MAX).map(|it| it.to_string()).collect();
        let named = first_of(&lost)?;
        let newest = if self.revisions.contains(&last) {
            ""
        } else {
            ", the newest among them: apply the rules again"
        };
        let count = last - self.revisions.range(1..=last).count() as u64;
        Some(format!("{count} revisions of the rules: {named}{newest}"))
    }

    fn secrets(&self) -> Option<String> {
        if !self.was_used() || self.secrets.contains(LINKS_SECRET) {
            return None;
        }
        let told = if self.secrets.is_empty() {
            "the secrets: links in earlier pages no longer work, and a new first admin token is \
             created"
        } else {
            "the secret of links: links in earlier pages no longer work"
        };
        Some(told.to_owned())
    }
}

/// Which incidents a page or an alert names.
fn named_by(record: &Record) -> Vec<IncidentNumber> {
    match record {
        Record::Alert(alert) => alert.incidents.clone(),
        Record::Page(page) => page.incidents.iter().map(|known| known.number).collect(),
        Record::Dependent(dependent) => vec![dependent.incident],
        Record::Incident(_)
        | Record::Counters(_)
        | Record::Group(_)
        | Record::Person(_)
        | Record::Channel(_)
        | Record::Sender(_)
        | Record::Provider(_)
        | Record::StatusComponent(_)
        | Record::StatusPost(_)
        | Record::ServiceAlert(_)
        | Record::Silence(_)
        | Record::Override(_)
        | Record::PolicySnapshot(_)
        | Record::Jump(_)
        | Record::Task(_) => Vec::new(),
    }
}

fn first_of(names: &[String]) -> Option<String> {
    let named = names[..names.len().min(NAMED_MAX)].join(", ");
    (!names.is_empty()).then_some(named)
}
