//! The shapes of the wire. Each engine type that is shown has one conversion function here; times
//! are RFC 3339, and times of the engine's steady clock are put on the wall clock.

pub mod actor;
pub mod alert;
pub mod alertmanager;
pub mod audit;
pub mod channel;
pub mod check;
pub mod entry;
pub mod incident;
pub mod key;
pub mod oncall;
pub mod page;
pub mod preview;
pub mod process;
pub mod provider;
pub mod receipt;
pub mod rules;
pub mod sentence;
pub mod silence;
pub mod status;
pub mod token;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Items of one answer, and of one look at the state.
pub const ITEMS_MAX: usize = 500;

/// A part of a list, and where it goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Give it back as `cursor`; `null` at the end.
    pub next: Option<String>,
}

impl<T> List<T> {
    /// A list that is given whole.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// Those of the first `ITEMS_MAX` records, newest first, that `choose` takes.
    pub fn chosen<R>(
        records: impl Iterator<Item = R>,
        limit: usize,
        position: impl Fn(&R) -> u64,
        choose: impl Fn(&R) -> Option<T>,
    ) -> Self {
        let mut items = Vec::new();
        for (looked, record) in records.enumerate() {
            if items.len() >= limit || looked >= ITEMS_MAX {
                // This one was not looked at: the list goes on just above it.
                let next = Some((position(&record) + 1).to_string());
                return Self { items, next };
            }
            items.extend(choose(&record));
        }
        Self::whole(items)
    }

    /// A list read with `limit`: when it is full it may go on after its last item.
    pub fn page(items: Vec<T>, limit: usize, position: impl FnOnce(&T) -> u64) -> Self {
        let last = items.last().filter(|_| items.len() >= limit);
        let next = last.map(|last| position(last).to_string());
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_says_where_it_goes_on_and_a_short_one_ends() {
        let full = List::page(vec![9_u64, 8], 2, |item| *item);
        assert_eq!(full.next.as_deref(), Some("8"));
        assert_eq!(List::page(vec![9_u64], 2, |item| *item).next, None);
        assert_eq!(List::page(Vec::<u64>::new(), 2, |item| *item).next, None);
    }
}
