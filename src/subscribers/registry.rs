//! The records of subscribers as the process shares them: each change is durable before it counts.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::book::{BookChange, SubscriberBook};
use super::journal::{Journal, JournalError};

/// Where the journal is in the data directory.
pub const FOLDER: &str = "subscribers";

/// Changes in one line of a journal that is written anew.
const CHANGES_PER_LINE: usize = 500;

/// The journal is written anew when it has so many bytes, and is so many times as long as it was
/// then.
const REWRITE_BYTES_MIN: u64 = 1024 * 1024;
const REWRITE_GROWTH: u64 = 4;

/// Who is subscribed, and what is still to be told. Calls that change something block.
pub struct SubscriberRegistry {
    records: Mutex<RecordedBook>,
    changed: Notify,
}

struct RecordedBook {
    book: SubscriberBook,
    journal: Journal,
    /// Bytes of the journal when it was last written anew.
    rewritten: u64,
}

impl SubscriberRegistry {
    /// Reads what is known from the data directory.
    pub fn open(data: &Path) -> Result<Self, JournalError> {
        let (journal, lines) = Journal::open::<Vec<BookChange>>(&data.join(FOLDER))?;
        let mut book = SubscriberBook::default();
        for change in lines.into_iter().flatten() {
            book.apply(change);
        }
        let mut records = RecordedBook {
            book,
            journal,
            rewritten: 0,
        };
        records.rewrite()?;
        Ok(Self {
            records: Mutex::new(records),
            changed: Notify::new(),
        })
    }

    /// Looks at the records.
    pub fn read<T>(&self, look: impl FnOnce(&SubscriberBook) -> T) -> T {
        look(&self.records().book)
    }

    /// Decides by the records, and makes durable what was decided. After an error nothing of it
    /// counts.
    pub fn change<T>(
        &self,
        decide: impl FnOnce(&SubscriberBook) -> (Vec<BookChange>, T),
    ) -> Result<T, JournalError> {
        let mut records = self.records();
        let (changes, decided) = decide(&records.book);
        if changes.is_empty() {
            return Ok(decided);
        }
        records.journal.append(&changes)?;
        for change in changes {
            records.book.apply(change);
        }
        let length = records.journal.length();
        if length >= REWRITE_BYTES_MIN && length / REWRITE_GROWTH >= records.rewritten {
            records.rewrite()?;
        }
        drop(records);
        self.changed.notify_one();
        Ok(decided)
    }

    /// Waits until something changed since the last wait ended.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn records(&self) -> MutexGuard<'_, RecordedBook> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RecordedBook {
    fn rewrite(&mut self) -> Result<(), JournalError> {
        let changes = self.book.snapshot();
        let lines: Vec<&[BookChange]> = changes.chunks(CHANGES_PER_LINE).collect();
        self.journal.rewrite(&lines)?;
        self.rewritten = self.journal.length();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Timestamp;
    use crate::subscribers::sign_up::add;
    use crate::subscribers::subscriber::SubscriberAddress;

    #[test]
    fn a_journal_that_grew_is_written_anew_and_says_the_same() {
        let data = tempfile::tempdir().unwrap();
        let registry = SubscriberRegistry::open(data.path()).unwrap();
        let address = |number: u64| SubscriberAddress::Email(format!("a{number}@example.com"));
        let added = registry
            .change(|book| add(book, &"public".into(), address(1), Vec::new(), Timestamp(1)));
        let id = added.unwrap().unwrap();
        let mut longest = 0;
        for number in 0..8_000 {
            let changed = registry.change(|book| {
                let mut subscriber = book.subscriber(id).expect("it was added").clone();
                subscriber.failing_since = Some(Timestamp(number));
                (vec![BookChange::Subscriber(subscriber)], ())
            });
            changed.unwrap();
            longest = longest.max(registry.records().journal.length());
        }
        assert!(longest < REWRITE_BYTES_MIN + 1_000, "{longest}");
        drop(registry);
        let registry = SubscriberRegistry::open(data.path()).unwrap();
        let since = registry.read(|book| book.subscriber(id).map(|known| known.failing_since));
        assert_eq!(since, Some(Some(Timestamp(7_999))));
    }
}
