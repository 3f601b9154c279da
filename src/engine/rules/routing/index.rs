//! The index over the children of each node.
//!
//! A child with an equality matcher can only match where the label has one of its values, so it is
//! filed under label and value; the others are tried always. Candidates come out in the order of
//! the tree, so that the walk over them says the same as the walk over all.

use std::collections::BTreeMap;

use super::Node;
use crate::engine::event::Text;
use crate::engine::matcher::{Fields, Matcher};

/// Positions among the children of a node, ascending.
type Positions = Vec<usize>;

/// The index of one node and of all beneath it.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Label, value, children that demand this value.
    by_label: BTreeMap<Text, BTreeMap<Text, Positions>>,
    /// Children without a matcher that lists its values.
    others: Positions,
    /// One for each child.
    pub children: Vec<Index>,
}

impl Index {
    pub fn new(node: &Node) -> Self {
        let demand = demand(&node.children);
        let mut index = Self::default();
        for (position, child) in node.children.iter().enumerate() {
            match most_selective(child, &demand) {
                Some((matcher, values)) => {
                    let by_value = index.by_label.entry(matcher.name.clone()).or_default();
                    for value in values {
                        by_value.entry(value.clone()).or_default().push(position);
                    }
                }
                None => index.others.push(position),
            }
            index.children.push(Self::new(child));
        }
        index
    }

    /// The children that may match, in the order of the tree.
    pub fn candidates<'index>(&'index self, fields: &dyn Fields) -> Candidates<'index> {
        let filed = self
            .by_label
            .iter()
            .filter_map(|(label, by_value)| by_value.get(fields.field(label)));
        Candidates {
            lists: filed.chain([&self.others]).map(Vec::as_slice).collect(),
        }
    }
}

/// How many children demand each value of each label.
type Demand<'tree> = BTreeMap<(&'tree str, &'tree str), usize>;

fn demand(children: &[Node]) -> Demand<'_> {
    let mut demand = Demand::new();
    for (matcher, values) in children.iter().flat_map(listing) {
        for value in values {
            *demand.entry((&matcher.name, value)).or_default() += 1;
        }
    }
    demand
}

/// The matcher of a child whose values the fewest siblings share; the first of equal ones.
fn most_selective<'tree>(
    child: &'tree Node,
    demand: &Demand<'tree>,
) -> Option<(&'tree Matcher, &'tree [Text])> {
    let shared = |(matcher, values): &(&'tree Matcher, &'tree [Text])| -> usize {
        let key = |value: &'tree Text| (&*matcher.name, &**value);
        values
            .iter()
            .filter_map(|value| demand.get(&key(value)))
            .sum()
    };
    listing(child).min_by_key(shared)
}

/// The matchers of a node that list their values.
fn listing(node: &Node) -> impl Iterator<Item = (&Matcher, &[Text])> {
    node.matchers
        .iter()
        .filter_map(|matcher| Some((matcher, matcher.values()?)))
}

/// Some ascending lists of positions as one. A position stands in one list only.
pub(super) struct Candidates<'index> {
    lists: Vec<&'index [usize]>,
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let list = self
            .lists
            .iter_mut()
            .filter(|list| !list.is_empty())
            .min_by_key(|list| list[0])?;
        let (first, rest) = list.split_first()?;
        *list = rest;
        Some(*first)
    }
}
