//! What is added to the tree while a backup is made: kept in order, and no more than its maker can
//! take.

use super::keys::Key;

/// Rows in the order in which they were added; `None` where one was removed.
pub type TappedRows<V> = Vec<(Key, Option<V>)>;

/// What a row takes in memory beside its key and value, about.
const ROW_BYTES: usize = 64;

/// Rows that nobody has taken yet.
pub struct Tap<V> {
    rows: TappedRows<V>,
    bytes: usize,
    bytes_max: usize,
    is_overrun: bool,
}

/// More was added than is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "over {} MiB were changed while one part of the backup was written: let what takes it be \
     faster, or make it when less is going on; nothing else was disturbed",
    bytes_max >> 20
)]
pub struct Overrun {
    bytes_max: usize,
}

impl<V: AsRef<[u8]> + Clone> Tap<V> {
    /// Keeps so many bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            rows: Vec::new(),
            bytes: 0,
            bytes_max,
            is_overrun: false,
        }
    }

    /// Keeps a row. Whoever adds it is never told that there is no room: it is theirs to go on.
    pub fn add(&mut self, key: &Key, value: Option<&V>) {
        if self.is_overrun {
            return;
        }
        let value_bytes = value.map_or(0, |value| value.as_ref().len());
        self.bytes += key.as_ref().len() + value_bytes + ROW_BYTES;
        if self.bytes > self.bytes_max {
            self.is_overrun = true;
            self.rows = Vec::new();
            return;
        }
        self.rows.push((key.clone(), value.cloned()));
    }

    /// All that was added since the last call.
    pub fn drain(&mut self) -> Result<TappedRows<V>, Overrun> {
        if self.is_overrun {
            let bytes_max = self.bytes_max;
            return Err(Overrun { bytes_max });
        }
        self.bytes = 0;
        Ok(std::mem::take(&mut self.rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_given_once_in_order_until_there_are_too_many() {
        let key = Key::read(b"key");
        let value = vec![b'x'; 20];
        let mut tap = Tap::new(200);
        tap.add(&key, Some(&value));
        tap.add(&key, None);
        let expected = [(key.clone(), Some(value.clone())), (key.clone(), None)];
        assert_eq!(tap.drain().unwrap(), expected);
        assert_eq!(tap.drain().unwrap(), []);
        for _ in 0..3 {
            tap.add(&key, Some(&value));
        }
        let overrun = tap.drain().unwrap_err();
        tap.add(&key, None);
        assert_eq!(tap.drain(), Err(overrun), "what is missing stays missing");
    }
}
