//! `audit verify`: whether an entry of the audit was changed, removed or inserted.
//!
//! The hashes are computed here from what the server lists, so that it need not be trusted. An old
//! hash that is still in the chain shows that nothing up to it was rewritten, not even all of it.

use std::cmp::Ordering;

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::remote::Call;
use super::report::{Failure, Report};
use super::values;
use crate::api::wire::audit::{ANCHOR, AuditEntry};
use crate::api::wire::{ITEMS_MAX, List};
use crate::text::clean::blanked;

/// As many breaks are told apart.
const BREAKS_MAX: usize = 20;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no entry of the audit was changed, removed or inserted
    Verify {
        /// A hash that an earlier run printed; fails unless an entry still has it
        #[arg(long, value_name = "HASH", value_parser = values::hash)]
        expect: Option<String>,
    },
}

/// Verifies the chain.
pub async fn run(command: AuditCommand, context: &Context) -> Result<Report, Failure> {
    let AuditCommand::Verify { expect } = command;
    let remote = context.remote()?;
    let mut walk = Walk::new(expect);
    let mut cursor: Option<String> = None;
    loop {
        let call = Call::get(&["v1", "audit"])
            .query("limit", Some(ITEMS_MAX))
            .query("cursor", cursor);
        let (list, _): (List<AuditEntry>, _) = remote.fetch(call).await?;
        for entry in list.items {
            walk.back_to(entry);
        }
        cursor = list.next;
        if cursor.is_none() {
            return Ok(walk.finish().report());
        }
    }
}

/// The chain as far as it was followed: from its end, as the list goes, one entry at a time.
struct Walk {
    verified: Verified,
    /// The entry that was looked at last.
    newer: Option<AuditEntry>,
}

/// What was found.
#[derive(Debug, Default, PartialEq)]
struct Verified {
    entries: u64,
    /// When the first and the last act were.
    first_at: Option<String>,
    last_at: Option<String>,
    /// That of the last entry.
    last_hash: Option<String>,
    /// Newest first.
    breaks: Vec<Break>,
    /// Breaks that are not among them, all newer.
    more_breaks: usize,
    expected: Option<Expected>,
}

/// A hash that somebody noted.
#[derive(Debug, PartialEq)]
struct Expected {
    hash: String,
    /// The entry that has it.
    id: Option<u64>,
}

/// Where the chain does not hold.
#[derive(Clone, Debug, PartialEq)]
struct Break {
    /// The entry at which it is noticed, from the oldest on.
    id: u64,
    problem: String,
}

impl Walk {
    fn new(expected: Option<String>) -> Self {
        let expected = expected.map(|hash| Expected { hash, id: None });
        let verified = Verified {
            expected,
            ..Verified::default()
        };
        Self {
            verified,
            newer: None,
        }
    }

    /// Takes in the next older entry.
    fn back_to(&mut self, entry: AuditEntry) {
        let hash = entry.computed_hash();
        match &self.newer {
            Some(newer) => {
                let problem = link_problem(&entry, newer);
                self.note(newer.id, problem);
            }
            None => {
                self.verified.last_at = Some(entry.at.clone());
                self.verified.last_hash = Some(hash.clone());
            }
        }
        if hash != entry.hash {
            let problem = format!("entry {} was changed", entry.id);
            self.note(entry.id, Some(problem));
        }
        if let Some(expected) = &mut self.verified.expected
            && expected.hash == hash
        {
            expected.id = Some(entry.id);
        }
        self.verified.entries += 1;
        self.newer = Some(entry);
    }

    /// The list is at its end: the entry looked at last must be the first one.
    fn finish(mut self) -> Verified {
        if let Some(first) = &self.newer {
            self.verified.first_at = Some(first.at.clone());
            let problem = match (first.id, &*first.previous) {
                (1, ANCHOR) => None,
                (1, _) => Some("entry 1 is not the one with which the chain began".to_owned()),
                (id, _) => Some(missing(1, id)),
            };
            self.note(first.id, problem);
        }
        self.verified
    }

    fn note(&mut self, id: u64, problem: Option<String>) {
        let breaks = &mut self.verified.breaks;
        let Some(problem) = problem else { return };
        // The oldest ones are kept: they come last.
        if breaks.len() == BREAKS_MAX {
            breaks.remove(0);
            self.verified.more_breaks += 1;
        }
        breaks.push(Break { id, problem });
    }
}

impl Verified {
    fn is_whole(&self) -> bool {
        let is_expected = |expected: &Expected| expected.id.is_some();
        self.breaks.is_empty() && self.expected.as_ref().is_none_or(is_expected)
    }

    fn report(self) -> Report {
        let mut lines: Vec<String> = (self.breaks.iter().rev())
            .map(|it| it.problem.clone())
            .collect();
        if self.more_breaks > 0 {
            lines.push(format!("{} more breaks after these", self.more_breaks));
        }
        if self.breaks.is_empty() {
            lines.extend(self.range());
        }
        lines.extend(self.expected.as_ref().map(Expected::told));
        let breaks = self.breaks.iter().rev();
        let breaks = breaks.map(|it| json!({ "id": it.id, "problem": it.problem }));
        let expected = self.expected.as_ref();
        let value = json!({
            "breaks": breaks.collect::<Vec<_>>(),
            "breaks_total": self.breaks.len() + self.more_breaks,
            "entries": self.entries,
            "expected": expected.map(|it| json!({ "hash": it.hash, "id": it.id })),
            "first_at": self.first_at,
            "last_at": self.last_at,
            "last_hash": self.last_hash,
            "whole": self.is_whole(),
        });
        Report::new(value, lines.join("\n")).so(self.is_whole())
    }

    /// How much is chained, and the hash to note.
    fn range(&self) -> Vec<String> {
        let (Some(first), Some(last), Some(hash)) =
            (&self.first_at, &self.last_at, &self.last_hash)
        else {
            return vec!["the audit has no entries".to_owned()];
        };
        let (first, last) = (blanked(first), blanked(last));
        let range = match self.entries {
            1 => format!("1 entry, of {first}, is chained"),
            entries => format!("{entries} entries from {first} to {last} are chained"),
        };
        vec![range, format!("last hash: {hash}")]
    }
}

impl Expected {
    fn told(&self) -> String {
        match self.id {
            Some(id) => format!("entry {id} has the expected hash"),
            None => format!(
                "no entry has the expected hash {}: the audit was rewritten or cut since it was \
                noted, or it was noted of another server",
                self.hash
            ),
        }
    }
}

/// Why an entry does not follow the one that is listed as older.
fn link_problem(older: &AuditEntry, newer: &AuditEntry) -> Option<String> {
    let next = older.id.saturating_add(1);
    match newer.id.cmp(&next) {
        Ordering::Equal if newer.previous == older.hash => None,
        Ordering::Equal => Some(format!(
            "entry {} does not name the hash of entry {}: one of them was changed or replaced",
            newer.id, older.id
        )),
        Ordering::Greater => Some(missing(next, newer.id)),
        Ordering::Less => Some(format!(
            "entry {} is listed after entry {}: one of them was inserted or moved",
            newer.id, older.id
        )),
    }
}

/// Entries from one on, up to another.
fn missing(from: u64, until: u64) -> String {
    let words = "missing or cannot be read; of the latter the server's log tells";
    match until.saturating_sub(1) {
        last if last <= from => format!("entry {from} is {words}"),
        last => format!("entries {from} to {last} are {words}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::api::wire::actor::Actor;
    use crate::api::wire::audit::Action;
    use crate::cli::report::Verdict;
    use crate::cli::tests::harness::{self, Server};

    /// A chain of acts, oldest first.
    fn chain(acts: u64) -> Vec<AuditEntry> {
        let mut entries: Vec<AuditEntry> = Vec::new();
        for id in 1..=acts {
            let before = entries.last();
            let previous = before.map_or(ANCHOR, |before| &before.hash).to_owned();
            entries.push(entry(id, &previous));
        }
        entries
    }

    fn entry(id: u64, previous: &str) -> AuditEntry {
        let entry = AuditEntry {
            id,
            at: format!("2026-11-23T03:10:{id:02}Z"),
            actor: Actor {
                user: Some("ana".to_owned()),
                name: "Ana Silva".to_owned(),
                via: "api".to_owned(),
            },
            token: Some("t1".to_owned()),
            action: Action::SilenceSet,
            subject: format!("silence {id}"),
            detail: "works".to_owned(),
            previous: previous.to_owned(),
            hash: String::new(),
        };
        entry.sealed()
    }

    fn verified(entries: &[AuditEntry], expect: Option<&str>) -> Report {
        let mut walk = Walk::new(expect.map(str::to_owned));
        for entry in entries.iter().rev() {
            walk.back_to(entry.clone());
        }
        walk.finish().report()
    }

    /// The first line about a chain in which something is not so.
    fn problem(entries: &[AuditEntry]) -> String {
        let report = verified(entries, None);
        assert_eq!(report.verdict, Verdict::NotSo, "{}", report.text);
        report.text.lines().next().unwrap_or_default().to_owned()
    }

    #[test]
    fn an_untouched_chain_is_said_to_be_whole_with_its_range_and_last_hash() {
        let entries = chain(5);
        let report = verified(&entries, None);
        assert_eq!(report.verdict, Verdict::Done);
        let hash = &entries[4].hash;
        let expected = format!(
            "5 entries from 2026-11-23T03:10:01Z to 2026-11-23T03:10:05Z are chained\nlast \
             hash: {hash}"
        );
        assert_eq!(report.text, expected);
        assert_eq!(report.value["last_hash"], **hash);
        assert_eq!(report.value["whole"], true);
        assert_eq!(report.value["expected"], Value::Null);
    }

    #[tokio::test]
    async fn the_chain_is_followed_over_several_answers() {
        let server = Server::start().await;
        let mut newest_first = chain(5);
        newest_first.reverse();
        let answer = |items: &[AuditEntry], next| json!({ "items": items, "next": next });
        let (first, rest) = newest_first.split_at(2);
        server
            .answers("GET /v1/audit?limit=500", 200, answer(first, Some("4")))
            .answers("GET /v1/audit?limit=500&cursor=4", 200, answer(rest, None));
        let words = ["audit", "verify", "--expect", &newest_first[4].hash];
        let report = harness::run(&words, &server).await.unwrap();
        assert_eq!(report.verdict, Verdict::Done, "{}", report.text);
        assert_eq!(report.value["entries"], 5);
        assert_eq!(report.value["last_hash"], *newest_first[0].hash);
        assert!(report.text.ends_with("entry 1 has the expected hash"));
    }

    #[test]
    fn a_server_on_which_nothing_was_done_yet_has_an_empty_chain() {
        let report = verified(&[], None);
        assert_eq!(report.verdict, Verdict::Done);
        assert_eq!(report.text, "the audit has no entries");
        assert_eq!(verified(&[], Some(ANCHOR)).verdict, Verdict::NotSo);
    }

    #[test]
    fn a_change_of_any_field_is_noticed_at_its_entry() {
        let changes: [fn(&mut AuditEntry); 8] = [
            |entry| entry.at.replace_range(3..4, "7"),
            |entry| entry.actor.user = None,
            |entry| entry.actor.name.push('a'),
            |entry| entry.token = Some("t2".to_owned()),
            |entry| entry.action = Action::SilenceEnded,
            |entry| entry.subject.push('1'),
            |entry| entry.detail.clear(),
            |entry| entry.hash = ANCHOR.to_owned(),
        ];
        for change in changes {
            for at in 0..5 {
                let mut entries = chain(5);
                change(&mut entries[at]);
                assert_eq!(problem(&entries), format!("entry {} was changed", at + 1));
            }
        }
    }

    #[test]
    fn a_changed_entry_with_a_hash_that_fits_it_is_noticed_at_the_next_one() {
        let mut entries = chain(5);
        entries[2].detail.clear();
        entries[2] = entries[2].clone().sealed();
        let expected = "entry 4 does not name the hash of entry 3";
        assert!(problem(&entries).starts_with(expected));
    }

    #[test]
    fn removed_entries_are_named_wherever_they_were() {
        let without = |ids: std::ops::RangeInclusive<u64>| {
            let mut entries = chain(6);
            entries.retain(|entry| !ids.contains(&entry.id));
            problem(&entries)
        };
        assert!(without(3..=3).starts_with("entry 3 is missing"));
        assert!(without(2..=4).starts_with("entries 2 to 4 are missing"));
        assert!(without(1..=1).starts_with("entry 1 is missing"));
    }

    #[test]
    fn removed_entries_are_noticed_also_if_those_after_them_are_numbered_again() {
        let mut entries = chain(5);
        entries.remove(2);
        for (id, entry) in (1..).zip(&mut entries) {
            entry.id = id;
            *entry = entry.clone().sealed();
        }
        assert!(problem(&entries).starts_with("entry 3 does not name the hash of entry 2"));
    }

    #[test]
    fn swapped_entries_are_noticed() {
        let mut entries = chain(5);
        entries.swap(1, 2);
        assert!(problem(&entries).starts_with("entry 2 is missing"));
        // With each other's number they stand in their order, and are other entries.
        let mut entries = chain(5);
        entries.swap(1, 2);
        (entries[1].id, entries[2].id) = (2, 3);
        let expected = "entry 2 does not name the hash of entry 1";
        assert!(problem(&entries).starts_with(expected));
    }

    #[test]
    fn an_inserted_entry_is_noticed() {
        let mut entries = chain(5);
        let inserted = entry(3, &entries[1].hash);
        entries.insert(3, inserted);
        let expected = "entry 3 is listed after entry 3: one of them was inserted";
        assert!(problem(&entries).starts_with(expected));
        let mut entries = chain(5);
        entries.push(entry(6, ANCHOR));
        assert!(problem(&entries).starts_with("entry 6 does not name the hash of entry 5"));
        let mut entries = chain(5);
        entries[0] = entry(1, &entries[3].hash);
        assert!(problem(&entries).starts_with("entry 1 is not the one with which"));
    }

    #[test]
    fn a_noted_hash_is_found_as_long_as_nothing_up_to_it_was_rewritten() {
        let entries = chain(5);
        let noted = &entries[2].hash;
        let report = verified(&entries, Some(noted));
        assert_eq!(report.verdict, Verdict::Done);
        assert!(report.text.ends_with("\nentry 3 has the expected hash"));
        assert_eq!(report.value["expected"]["id"], 3);

        let truncated = verified(&entries[..2], Some(noted));
        assert_eq!(truncated.verdict, Verdict::NotSo);
        assert!(truncated.text.contains("no entry has the expected hash"));
        assert_eq!(truncated.value["breaks_total"], 0);
        assert_eq!(truncated.value["whole"], false);

        let mut rewritten = entries.clone();
        rewritten[0].detail = "nothing".to_owned();
        let mut previous = ANCHOR.to_owned();
        for entry in &mut rewritten {
            entry.previous.clone_from(&previous);
            *entry = entry.clone().sealed();
            previous.clone_from(&entry.hash);
        }
        assert_eq!(verified(&rewritten, None).verdict, Verdict::Done);
        assert_eq!(verified(&rewritten, Some(noted)).verdict, Verdict::NotSo);
    }

    #[test]
    fn of_many_breaks_the_oldest_are_told_and_all_are_counted() {
        let mut entries = chain(50);
        for entry in &mut entries {
            entry.detail.clear();
        }
        let report = verified(&entries, None);
        assert!(
            report
                .text
                .starts_with("entry 1 was changed\nentry 2 was changed\n")
        );
        assert!(report.text.ends_with("\n30 more breaks after these"));
        assert_eq!(report.value["breaks_total"], 50);
        assert_eq!(report.value["breaks"][0]["id"], 1);
    }
}
