//! Rows that are durable in the write-ahead log and not in the database yet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::Error;
use super::keys::Key;

/// Rows in their order; `None` where one was removed.
pub type RowsAhead<V> = BTreeMap<Key, Option<V>>;

/// What the database is behind by.
pub struct Ahead<V> {
    /// Since the database last began to take over.
    fresh: RowsAhead<V>,
    /// What it is taking over.
    settling: Arc<RowsAhead<V>>,
}

impl<V> Default for Ahead<V> {
    fn default() -> Self {
        Self {
            fresh: BTreeMap::new(),
            settling: Arc::default(),
        }
    }
}

impl<V: Clone> Ahead<V> {
    /// Adds a row, or that it was removed.
    pub fn add(&mut self, key: Key, value: Option<V>) {
        self.fresh.insert(key, value);
    }

    /// Whether the database has all but what it is taking over.
    pub fn has_nothing_fresh(&self) -> bool {
        self.fresh.is_empty()
    }

    /// What the database is to take over now; it must have taken over what came before.
    pub fn begin_settling(&mut self) -> Arc<RowsAhead<V>> {
        assert!(self.settling.is_empty(), "the database is taking over");
        self.settling = Arc::new(std::mem::take(&mut self.fresh));
        self.settling.clone()
    }

    /// The database has taken over what it was to, which is given back.
    pub fn end_settling(&mut self) -> Arc<RowsAhead<V>> {
        std::mem::take(&mut self.settling)
    }

    /// What is known of a row: `None` if only the database can tell.
    pub fn get(&self, key: &Key) -> Option<Option<V>> {
        let known = self.fresh.get(key).or_else(|| self.settling.get(key));
        known.cloned()
    }

    /// All that is known of a range, in order.
    pub fn range(&self, from: &Key, to: &Key) -> VecDeque<(Key, Option<V>)> {
        if from >= to {
            return VecDeque::new();
        }
        let copy = |(key, value): (&Key, &Option<V>)| (key.clone(), value.clone());
        let mut rows: RowsAhead<V> = self.settling.range(from..to).map(copy).collect();
        rows.extend(self.fresh.range(from..to).map(copy));
        rows.into_iter().collect()
    }
}

/// The rows of the database with those ahead of it, from either end.
pub struct Merged<V, I: Iterator> {
    ahead: VecDeque<(Key, Option<V>)>,
    database: I,
    /// What was read of the database at either end and not given yet.
    front: Option<I::Item>,
    back: Option<I::Item>,
}

/// A row, or why it could not be read.
type StoredRow<V> = Result<(V, V), Error>;

impl<V, I> Merged<V, I>
where
    V: AsRef<[u8]> + for<'key> From<&'key [u8]>,
    I: DoubleEndedIterator<Item = StoredRow<V>>,
{
    pub fn new(ahead: VecDeque<(Key, Option<V>)>, database: I) -> Self {
        Self {
            ahead,
            database,
            front: None,
            back: None,
        }
    }

    /// Which of the two comes first from an end: `order` is how their keys compare from there.
    fn choose(
        stored: Option<StoredRow<V>>,
        ahead: Option<&Key>,
        is_before: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Choice<V> {
        match (stored, ahead) {
            (None, None) => Choice::End,
            (Some(Err(error)), _) => Choice::Stored(Err(error)),
            (Some(row), None) => Choice::Stored(row),
            (None, Some(_)) => Choice::Ahead(None),
            (Some(Ok(row)), Some(key)) => {
                if row.0.as_ref() == key.as_ref() {
                    Choice::Ahead(None)
                } else if is_before(row.0.as_ref(), key.as_ref()) {
                    Choice::Stored(Ok(row))
                } else {
                    Choice::Ahead(Some(Ok(row)))
                }
            }
        }
    }
}

enum Choice<V> {
    End,
    Stored(StoredRow<V>),
    /// The row ahead; what was read of the database is still to be given.
    Ahead(Option<StoredRow<V>>),
}

impl<V, I> Iterator for Merged<V, I>
where
    V: AsRef<[u8]> + for<'key> From<&'key [u8]>,
    I: DoubleEndedIterator<Item = StoredRow<V>>,
{
    type Item = StoredRow<V>;

    fn next(&mut self) -> Option<StoredRow<V>> {
        loop {
            let stored = self.front.take().or_else(|| self.database.next());
            let stored = stored.or_else(|| self.back.take());
            let ahead = self.ahead.front().map(|(key, _)| key);
            match Self::choose(stored, ahead, |stored, ahead| stored < ahead) {
                Choice::End => return None,
                Choice::Stored(row) => return Some(row),
                Choice::Ahead(left) => {
                    self.front = left;
                    if let Some((key, Some(value))) = self.ahead.pop_front() {
                        return Some(Ok((V::from(key.as_ref()), value)));
                    }
                }
            }
        }
    }
}

impl<V, I> DoubleEndedIterator for Merged<V, I>
where
    V: AsRef<[u8]> + for<'key> From<&'key [u8]>,
    I: DoubleEndedIterator<Item = StoredRow<V>>,
{
    fn next_back(&mut self) -> Option<StoredRow<V>> {
        loop {
            let stored = self.back.take().or_else(|| self.database.next_back());
            let stored = stored.or_else(|| self.front.take());
            let ahead = self.ahead.back().map(|(key, _)| key);
            match Self::choose(stored, ahead, |stored, ahead| stored > ahead) {
                Choice::End => return None,
                Choice::Stored(row) => return Some(row),
                Choice::Ahead(left) => {
                    self.back = left;
                    if let Some((key, Some(value))) = self.ahead.pop_back() {
                        return Some(Ok((V::from(key.as_ref()), value)));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key::read(&[byte])
    }

    #[test]
    fn rows_ahead_replace_add_and_remove_those_of_the_database_from_either_end() {
        let mut ahead: Ahead<Vec<u8>> = Ahead::default();
        for (at, value) in [(1, Some(b"settling")), (3, None), (5, Some(b"settling"))] {
            ahead.add(key(at), value.map(|it: &[u8; 8]| it.to_vec()));
        }
        ahead.begin_settling();
        for (at, value) in [
            (5, Some(&b"fresh"[..])),
            (6, None),
            (9, Some(&b"fresh"[..])),
        ] {
            ahead.add(key(at), value.map(<[u8]>::to_vec));
        }
        assert_eq!(ahead.get(&key(3)), Some(None));
        assert_eq!(ahead.get(&key(5)), Some(Some(b"fresh".to_vec())));
        assert_eq!(ahead.get(&key(2)), None);
        let stored = [2_u8, 3, 4, 5, 6, 7].map(|at| (vec![at], b"stored".to_vec()));
        let expected = [
            (1, "settling"),
            (2, "stored"),
            (4, "stored"),
            (5, "fresh"),
            (7, "stored"),
            (9, "fresh"),
        ];
        // However the two ends take turns.
        for turns in 0..1_u32 << expected.len() {
            let rows = ahead.range(&key(0), &key(20));
            let stored: Vec<StoredRow<Vec<u8>>> = stored.iter().cloned().map(Ok).collect();
            let mut merged = Merged::new(rows, stored.into_iter());
            let (mut front, mut back) = (Vec::new(), Vec::new());
            for turn in 0..expected.len() {
                if turns >> turn & 1 == 0 {
                    front.push(merged.next().unwrap().unwrap());
                } else {
                    back.push(merged.next_back().unwrap().unwrap());
                }
            }
            assert!(merged.next().is_none() && merged.next_back().is_none());
            back.reverse();
            front.extend(back);
            let found = front.iter().map(|(key, value)| (key[0], &value[..]));
            let expected = expected.map(|(key, value)| (key, value.as_bytes()));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{turns:b}");
        }
    }
}
