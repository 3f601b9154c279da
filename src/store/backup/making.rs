//! The rows of a backup: copied in pieces, each followed by what was added meanwhile; and the hash
//! of the state at its end.

use crate::store::checkpoint::Merge;
use crate::store::keys::Key;
use crate::store::rows::Rows;
use crate::store::tap::TappedRows;
use crate::store::{Error, Tree};
use crate::text::hash::Sha256Parts;

use super::format::BackupWriter;

/// Copies all rows, and what comes through the tap, which must be open. What comes after the last
/// piece is left in it. Before each piece `may_go_on` is asked.
pub fn copy_rows(
    tree: &Tree,
    writer: &mut BackupWriter<'_>,
    may_go_on: impl Fn() -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut from, end) = Key::everything();
    loop {
        may_go_on()?;
        let next = add_piece(tree, (&from, &end), writer)?;
        // Nothing of the tree is held while this waits for whoever takes it.
        writer.end_frame()?;
        let tapped = tree
            .drain_tap()
            .map_err(|overrun| Error::backup(&overrun))?;
        write_tapped(tapped, writer)?;
        match next {
            Some(next) => from = next,
            None => return Ok(()),
        }
    }
}

/// Adds about as much as a frame has. Where the next piece begins; `None` at the end.
fn add_piece(
    tree: &Tree,
    (from, end): (&Key, &Key),
    writer: &mut BackupWriter<'_>,
) -> Result<Option<Key>, Error> {
    // A new range for each piece: one that was begun before the tap was last emptied could give
    // what is older than what was in it.
    for row in tree.range(from, end) {
        let (key, value) = row?;
        writer.add(key.as_ref(), Some(value.as_ref()))?;
        if writer.is_full() {
            return Ok(Some(Key::read(key.as_ref()).after()));
        }
    }
    Ok(None)
}

/// Writes what came through the tap.
pub fn write_tapped<V: AsRef<[u8]>>(
    rows: TappedRows<V>,
    writer: &mut BackupWriter<'_>,
) -> Result<(), Error> {
    for (key, value) in rows {
        writer.add(key.as_ref(), value.as_ref().map(AsRef::as_ref))?;
        if writer.is_full() {
            writer.end_frame()?;
        }
    }
    writer.end_frame()
}

/// SHA-256 over all active records and clocks after so many commits, each with its key and its
/// stored form. What the commits changed since the last checkpoint must be there.
pub fn state_hash(rows: &impl Rows, commits: u64) -> Result<String, Error> {
    let mut merge = Merge::begin(rows, commits)?;
    let mut hash = Sha256Parts::default();
    loop {
        let items = merge.next_items(rows)?;
        if items.is_empty() {
            return Ok(hash.to_hex());
        }
        hash.add(items.as_bytes());
    }
}
