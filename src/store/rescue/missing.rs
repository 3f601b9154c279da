//! What must have been in a database and is not: numbers that were met and that were spoken of.

use std::collections::BTreeSet;

use crate::engine::counters::Counters;
use crate::engine::ids::{IncidentNumber, ReceiptId, Revision};
use crate::engine::records::{Change, Record};
use crate::store::DocumentKind;
use crate::store::record::Progress;

/// As many of one kind are named.
const NAMED_MAX: usize = 20;

pub fn lost_changes(count: u64) -> Option<String> {
    let changes = || format!("{count} changes: it is lost to which records they belong");
    (count > 0).then(changes)
}

pub fn lost_commits(progress: Option<Progress>, acknowledged: Option<u64>) -> Option<String> {
    let acknowledged = acknowledged?;
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
    incidents: BTreeSet<IncidentNumber>,
    spoken_of: BTreeSet<IncidentNumber>,
    revisions: BTreeSet<u64>,
    /// The highest revision by which an incident was opened.
    revision_used: Revision,
    has_secrets: bool,
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
                self.spoken_of.insert(entry.incident);
            }
            Change::Archive(record) | Change::Put(record) => self.note_record(record),
            Change::Drop(_) => {}
        }
    }

    fn note_record(&mut self, record: &Record) {
        match record {
            Record::Incident(incident) => {
                self.incidents.insert(incident.number);
                self.revision_used = self.revision_used.max(incident.revision);
            }
            Record::Alert(alert) => self.spoken_of.extend(&alert.incidents),
            Record::Page(page) => {
                let incidents = page.incidents.iter();
                self.spoken_of.extend(incidents.map(|known| known.number));
            }
            Record::Counters(counters) => self.counters = Some(*counters),
            Record::Group(_)
            | Record::Person(_)
            | Record::Channel(_)
            | Record::Sender(_)
            | Record::Silence(_)
            | Record::Override(_)
            | Record::Pinned(_)
            | Record::Jump(_)
            | Record::Task(_) => {}
        }
    }

    pub fn note_document(&mut self, kind: DocumentKind, name: &str) {
        match kind {
            DocumentKind::Rules => self.revisions.extend(name.parse::<u64>()),
            DocumentKind::Secret => self.has_secrets = true,
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

    fn incidents(&self) -> Option<String> {
        let unknown = self.spoken_of.difference(&self.incidents);
        let unknown: Vec<String> = unknown.map(|number| format!("#{number}")).collect();
        let named = first_of(&unknown)?;
        let count = unknown.len();
        Some(format!("{count} incidents that others speak of: {named}"))
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
        let is_lost = !self.has_secrets && self.was_used();
        let told = "the secrets: links of earlier pages no longer work, and the first admin token \
                    is made anew";
        is_lost.then(|| told.to_owned())
    }
}

fn first_of(names: &[String]) -> Option<String> {
    let named = names[..names.len().min(NAMED_MAX)].join(", ");
    (!names.is_empty()).then_some(named)
}
