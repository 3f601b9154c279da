//! Sending what waits and what `send` was given, and saying what became of it.
//!
//! What waits goes first, oldest first. Nothing about the spool keeps the event at hand from being
//! sent: where it cannot be kept, read or cleared away, that is a warning.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::remote::{Call, Remote, StatusCode, read};
use super::render::hashed;
use super::report::{Failure, Report};
use super::spool::{self, QueuedEvent, Spool, SpoolEntry};
use crate::api::wire::receipt::{Accepted, AcceptedBatch};
use crate::engine::time::Timestamp;
use crate::text::clean::blanked;

/// Why there is no spool.
pub const NO_HOME: &str = "no HOME to save events in";

/// Events that are named where several wait.
const NAMED_MAX: usize = 5;

/// Under which key what waits is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Under {
    /// Under the one it was made under, or one that followed it.
    OwnKey,
    /// Under the present one, whatever it was made under.
    PresentKey,
}

/// Why a pass ended early.
enum Stopped {
    /// The server is away or cannot take anything now; later it may.
    Away(String),
    /// It takes nothing under this key.
    KeyRefused(String),
}

/// What became of one event.
enum PostResult {
    /// Taken, or refused for good.
    Settled,
    /// It was made under a key of another integration, or one that the server does not know.
    OtherKey(String),
    Stopped(Stopped),
}

/// The events to send and what became of them.
pub struct Outbox {
    remote: Remote,
    spool: Option<Spool>,
    /// Of the present key.
    fingerprint: String,
    pub under: Under,
    /// Whether only what waits is sent.
    is_flush: bool,
    /// The event at hand, until it is settled.
    own: Option<QueuedEvent>,
    receipts: Vec<Accepted>,
    lines: Vec<String>,
    refused: Vec<String>,
    warnings: Vec<String>,
    /// Files that are settled, also where they could not be removed.
    settled: BTreeSet<PathBuf>,
    /// Why events made under a key stay, by its fingerprint.
    other_keys: BTreeMap<String, String>,
    stopped: Option<Stopped>,
}

impl Outbox {
    /// Nothing is sent yet.
    pub fn new(remote: Remote, spool: Option<Spool>, fingerprint: String) -> Self {
        Self {
            remote,
            spool,
            fingerprint,
            under: Under::OwnKey,
            is_flush: true,
            own: None,
            receipts: Vec::new(),
            lines: Vec::new(),
            refused: Vec::new(),
            warnings: Vec::new(),
            settled: BTreeSet::new(),
            other_keys: BTreeMap::new(),
            stopped: None,
        }
    }

    /// Takes the event at hand, and keeps it if that is possible.
    pub fn take_in(&mut self, server: String, event: Value, (id, now): (&str, Timestamp)) {
        let entry = SpoolEntry {
            server,
            key_sha256: self.fingerprint.clone(),
            event,
        };
        let kept = match &self.spool {
            Some(spool) => spool
                .keep(&entry, id, now)
                .map_err(|error| error.to_string()),
            None => Err(NO_HOME.to_owned()),
        };
        if let Err(why) = &kept {
            self.warn(&format!(
                "this event is sent without being saved first: {why}; choose a directory with \
                 --spool DIR"
            ));
        }
        let path = kept.ok();
        self.is_flush = false;
        self.own = Some(QueuedEvent { path, entry });
    }

    /// Sends what waits, then the event at hand, until the server takes no more.
    pub async fn pass(&mut self) {
        self.stopped = None;
        for waiting in self.waiting() {
            if self.other_keys.contains_key(&waiting.entry.key_sha256) {
                continue;
            }
            match self.post(&waiting).await {
                PostResult::Settled => {}
                PostResult::OtherKey(why) => {
                    self.other_keys.insert(waiting.entry.key_sha256, why);
                }
                PostResult::Stopped(stopped) => {
                    self.stopped = Some(stopped);
                    break;
                }
            }
        }
        // An earlier event that the server cannot take now must not keep back this one.
        let Some(own) = self.own.clone() else { return };
        match self.post(&own).await {
            PostResult::Settled => self.own = None,
            PostResult::OtherKey(why) => self.stopped = Some(Stopped::KeyRefused(why)),
            PostResult::Stopped(stopped) => self.stopped = Some(stopped),
        }
    }

    /// Whether the server may take later what it did not take now.
    pub fn is_worth_another_pass(&self) -> bool {
        matches!(self.stopped, Some(Stopped::Away(_)))
    }

    /// What waits beside the event at hand, oldest first.
    fn waiting(&mut self) -> Vec<QueuedEvent> {
        let found = self.spool.as_ref().map(Spool::look).unwrap_or_default();
        for unreadable in found.unreadable {
            self.warn(&format!("failed to read queued events in {unreadable}"));
        }
        let own = self.own.as_ref().and_then(|own| own.path.clone());
        let is_other = |waiting: &QueuedEvent| {
            waiting.path != own
                && waiting
                    .path
                    .as_ref()
                    .is_none_or(|path| !self.settled.contains(path))
        };
        found.waiting.into_iter().filter(is_other).collect()
    }

    async fn post(&mut self, waiting: &QueuedEvent) -> PostResult {
        let made_under = match self.under {
            Under::OwnKey if waiting.entry.key_sha256 != self.fingerprint => {
                Some(waiting.entry.key_sha256.as_str())
            }
            Under::OwnKey | Under::PresentKey => None,
        };
        let call = Call::post(&["v1", "events"], &waiting.entry.event).made_under_key(made_under);
        let answer = match self.remote.try_call(call).await {
            Ok(answer) => answer,
            Err(Failure::Server(why)) => return PostResult::Stopped(Stopped::Away(why)),
            Err(failure @ (Failure::Usage(_) | Failure::NotSo(_))) => {
                return PostResult::Stopped(Stopped::KeyRefused(failure.to_string()));
            }
        };
        if answer.status.is_success() {
            // What does not answer with receipts may be no server of ours, and has taken nothing.
            let batch = match read(&answer.value) {
                Ok(batch) => batch,
                Err(failure) => return PostResult::Stopped(Stopped::Away(failure.to_string())),
            };
            self.taken(batch);
            self.clear_away(waiting);
            return PostResult::Settled;
        }
        let why = self.remote.refusal(&answer).to_string();
        match answer.status {
            // The event itself is not acceptable.
            StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNPROCESSABLE_ENTITY => {
                self.refuse(waiting, &why);
                PostResult::Settled
            }
            StatusCode::CONFLICT => PostResult::OtherKey(why),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                PostResult::Stopped(Stopped::KeyRefused(why))
            }
            _ => PostResult::Stopped(Stopped::Away(why)),
        }
    }

    fn taken(&mut self, batch: AcceptedBatch) {
        for receipt in batch.receipts {
            let incidents = hashed(&receipt.incidents);
            let incidents = if incidents.is_empty() {
                String::new()
            } else {
                format!(" {incidents}")
            };
            self.lines.push(format!(
                "{}{incidents}, dedup key {}, receipt {}",
                blanked(&receipt.disposition),
                blanked(&receipt.dedup_key),
                blanked(&receipt.id)
            ));
            self.receipts.push(receipt);
        }
    }

    fn clear_away(&mut self, waiting: &QueuedEvent) {
        let Some(path) = &waiting.path else { return };
        self.settled.insert(path.clone());
        if let Err(error) = spool::remove(path) {
            self.warn(&format!(
                "the event was sent, but {} cannot be removed: {error}; remove it, or it will be \
                 sent again",
                path.display()
            ));
        }
    }

    /// Sets aside what the server will never take.
    fn refuse(&mut self, waiting: &QueuedEvent, why: &str) {
        let place = match (&waiting.path, &self.spool) {
            (Some(path), Some(spool)) => {
                self.settled.insert(path.clone());
                match spool.set_aside(path) {
                    Ok(aside) => format!("the event is saved in {}", aside.display()),
                    Err(error) => format!("the event stays in {}: {error}", path.display()),
                }
            }
            (None, _) | (_, None) => "the event is not saved anywhere".to_owned(),
        };
        self.refused.push(format!("{why}\n  {place}"));
    }

    fn warn(&mut self, warning: &str) {
        let warning = format!("warning: {warning}");
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// What is said at the end. Whoever sends an event succeeds when that one is taken; whoever
    /// sends what waits succeeds when nothing is left.
    pub fn report(mut self) -> Result<Report, Failure> {
        let mut left = self.waiting();
        left.extend(self.own.clone().filter(|own| own.path.is_some()));
        let mut said = std::mem::take(&mut self.refused);
        let was_refused = !said.is_empty();
        match self.stopped.take() {
            None => {}
            Some(Stopped::Away(why)) => {
                said.push(why);
                said.extend(self.queued(&left));
            }
            Some(Stopped::KeyRefused(why)) => {
                said.push(why);
                said.extend(self.waiting_for_a_key(&left));
            }
        }
        said.extend(self.made_under_other_keys(&left));
        let is_done = match (&self.own, self.is_flush) {
            (Some(own), _) => {
                if own.path.is_none() {
                    said.push("nothing was saved: send this event again".to_owned());
                }
                false
            }
            (None, true) => said.is_empty(),
            (None, false) => !was_refused,
        };
        if !is_done {
            let parts = [self.lines, said, self.warnings].concat();
            return Err(Failure::Server(parts.join("\n")));
        }
        let text = match self.lines.is_empty() {
            true => "nothing queued".to_owned(),
            false => self.lines.join("\n"),
        };
        let report = Report::new(json!({ "receipts": self.receipts }), text);
        Ok(report.remarks(self.warnings).remarks(said))
    }

    /// What goes as soon as the server is back. Only what was made under the present key is
    /// promised: about other keys the server has not been asked.
    fn queued(&self, left: &[QueuedEvent]) -> Vec<String> {
        let left = left
            .iter()
            .filter(|waiting| !self.other_keys.contains_key(&waiting.entry.key_sha256));
        let (own, others): (Vec<&QueuedEvent>, Vec<&QueuedEvent>) =
            left.partition(|waiting| waiting.entry.key_sha256 == self.fingerprint);
        let mut said = Vec::new();
        if let [first, rest @ ..] = own.as_slice() {
            let it = if rest.is_empty() { "it" } else { "them" };
            said.push(format!(
                "{} queued in {}; the next `reveille send` delivers {it} first",
                counted(own.len()),
                folder(first)
            ));
        }
        if let Some(first) = others.first() {
            said.push(format!(
                "{} made with another key in {}: {}; a `reveille send` with a key of the same \
                 integration delivers what belongs to it",
                counted(others.len()),
                folder(first),
                named(&others)
            ));
        }
        said
    }

    /// What waits while the key opens nothing.
    fn waiting_for_a_key(&self, left: &[QueuedEvent]) -> Option<String> {
        let left: Vec<&QueuedEvent> = left.iter().collect();
        let first = left.first()?;
        let it = if left.len() == 1 { "it" } else { "them" };
        Some(format!(
            "{} kept in {}: {}\nset REVEILLE_KEY to a key of the integration, then \
             `reveille send --flush --with-this-key` delivers {it}",
            counted(left.len()),
            folder(first),
            named(&left)
        ))
    }

    /// What was made under keys that do not go with the present one, and why it stays.
    fn made_under_other_keys(&self, left: &[QueuedEvent]) -> Vec<String> {
        let said = self.other_keys.iter().filter_map(|(key, why)| {
            let theirs: Vec<&QueuedEvent> = left
                .iter()
                .filter(|waiting| waiting.entry.key_sha256 == *key)
                .collect();
            let first = theirs.first()?;
            let it = if theirs.len() == 1 { "it" } else { "them" };
            Some(format!(
                "{} kept in {}: {}\n  {why}\n  to deliver {it} with the current key anyway: \
                 `reveille send --flush --with-this-key`",
                counted(theirs.len()),
                folder(first),
                named(&theirs)
            ))
        });
        said.collect()
    }
}

fn counted(count: usize) -> String {
    let word = if count == 1 { "event" } else { "events" };
    format!("{count} {word}")
}

fn folder(waiting: &QueuedEvent) -> String {
    let folder = waiting.path.as_ref().and_then(|path| path.parent());
    folder.map_or(String::new(), |folder| folder.display().to_string())
}

/// The summaries or dedup keys of events.
fn named(events: &[&QueuedEvent]) -> String {
    let name = |waiting: &&QueuedEvent| {
        let event = &waiting.entry.event;
        let name = ["summary", "dedup_key", "id"]
            .into_iter()
            .find_map(|field| event.get(field)?.as_str());
        format!("{:?}", name.unwrap_or_default())
    };
    let mut names: Vec<String> = events.iter().take(NAMED_MAX).map(name).collect();
    if let more @ 1.. = events.len().saturating_sub(NAMED_MAX) {
        names.push(format!("and {more} more"));
    }
    names.join(", ")
}
