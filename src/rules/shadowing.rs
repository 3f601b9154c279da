//! Which routes nothing can reach because an earlier sibling takes everything they match.
//!
//! A sibling takes everything of a later one if it goes on to no other and its matchers are among
//! the later one's. That is certain; what only regular expressions could tell is not looked at.

use std::collections::BTreeMap;

use crate::document::{Code, Node};
use crate::engine::routing::Node as Branch;
use crate::text::truncate::quoted;

use super::Context;

/// Up to so many matchers all their subsets are looked up; beyond, the set itself and its parts
/// of one.
const SUBSET_MATCHERS_MAX: usize = 8;

/// What matters of a sibling.
#[derive(Debug)]
struct Sibling {
    /// The matchers as text, sorted, each once.
    matchers: Vec<String>,
    go_on: bool,
}

impl Sibling {
    /// Of a branch of the tree.
    fn of(branch: &Branch) -> Self {
        let texts = branch.matchers.iter().map(ToString::to_string);
        Self::new(texts.collect(), branch.go_on)
    }

    fn new(mut matchers: Vec<String>, go_on: bool) -> Self {
        matchers.sort_unstable();
        matchers.dedup();
        Self { matchers, go_on }
    }
}

impl Context<'_> {
    /// Reports routes that an earlier sibling leaves nothing. Where a matcher could not be read,
    /// nothing is known.
    pub(super) fn check_reach(&mut self, nodes: &[&Node], branches: &[Branch]) {
        let is_whole = |(node, branch): (&&Node, &Branch)| {
            let written = node.get("matchers").map_or(0, |list| list.items().len());
            written == branch.matchers.len()
        };
        if !nodes.iter().zip(branches).all(is_whole) {
            return;
        }
        let siblings: Vec<Sibling> = branches.iter().map(Sibling::of).collect();
        for (index, earlier) in shadowed(&siblings) {
            let (route, first) = (&branches[index].route.name, &branches[earlier].route.name);
            let message = format!(
                "no alert reaches the route {}: {} before it matches all of them",
                quoted(route.as_str()),
                quoted(first.as_str())
            );
            let help = "put it first, narrow the other's matchers, or add `continue: true` to the \
                other";
            self.faults
                .error(Code::UnreachableRoute, nodes[index].at, message, help);
        }
    }
}

/// The indexes of siblings that nothing reaches, each with the index of the one that takes all.
fn shadowed(siblings: &[Sibling]) -> Vec<(usize, usize)> {
    let mut takers: BTreeMap<Vec<&str>, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (index, sibling) in siblings.iter().enumerate() {
        let matchers: Vec<&str> = sibling.matchers.iter().map(String::as_str).collect();
        let taker = subsets(&matchers)
            .filter_map(|subset| takers.get(&subset))
            .min();
        if let Some(taker) = taker {
            found.push((index, *taker));
        } else if !sibling.go_on {
            takers.insert(matchers, index);
        }
    }
    found
}

/// The subsets of a few words, from the empty one on.
fn subsets<'word>(words: &'word [&'word str]) -> Box<dyn Iterator<Item = Vec<&'word str>> + 'word> {
    if words.len() > SUBSET_MATCHERS_MAX {
        let single = words.iter().map(|word| vec![*word]);
        return Box::new([Vec::new(), words.to_vec()].into_iter().chain(single));
    }
    let picks = 0_u32..1 << words.len();
    Box::new(picks.map(|pick| {
        let chosen = words.iter().enumerate();
        let chosen = chosen.filter(|(index, _)| pick & (1 << index) != 0);
        chosen.map(|(_, word)| *word).collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_unreachable_when_an_earlier_one_takes_all_it_matches() {
        // Siblings as "matcher matcher", with `+` for `continue: true`.
        let many = "a b c d e f g h i j";
        type Shadowed = &'static [(usize, usize)];
        let cases: [(&[&str], Shadowed); 9] = [
            (&["a", "b"], &[]),
            (&["a", "a"], &[(1, 0)]),
            (&["a", "b a"], &[(1, 0)]),
            (&["b a", "a"], &[]),
            (&["a +", "a"], &[]),
            (&["", "a", "b"], &[(1, 0), (2, 0)]),
            (&["a", ""], &[]),
            (&["b", "a b", "a"], &[(1, 0)]),
            (&["b", many], &[(1, 0)]),
        ];
        for (routes, expected) in cases {
            let siblings: Vec<Sibling> = routes
                .iter()
                .map(|route| {
                    let words = route.split_whitespace().filter(|word| *word != "+");
                    Sibling::new(words.map(str::to_owned).collect(), route.contains('+'))
                })
                .collect();
            assert_eq!(shadowed(&siblings), expected, "{routes:?}");
        }
    }
}
