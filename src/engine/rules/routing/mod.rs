//! The routing tree and its index: which routes an alert lands on.
//!
//! The walk is Alertmanager's: the first matching child wins unless it says `continue`, children
//! inherit. The index makes 10,000 equality routes cost no more than a few.

mod group;
mod index;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::dependency::DependencyRules;
use crate::engine::event::Text;
use crate::engine::ids::{PolicyName, RouteName};
use crate::engine::matcher::{Fields, Matcher};
use crate::engine::policy::ChannelTarget;
use crate::engine::time::Duration;
use crate::engine::urgency::UrgencyRule;
pub use group::GroupBy;
use index::Index;

/// A node with everything it inherits filled in.
#[derive(Clone, Debug)]
pub struct Route {
    pub name: RouteName,
    /// `None` is `policy: none`: nobody is expected to acknowledge.
    pub policy: Option<PolicyName>,
    /// The incident's service; without one the label `service`.
    pub service: Option<Text>,
    pub urgency: UrgencyRule,
    pub group_by: GroupBy,
    pub group_wait: Duration,
    /// `None`: its integration has the say.
    pub resolve_after: Option<ResolveAfter>,
    pub join_interval: Duration,
    /// Own and inherited targets that get one message per incident, kept updated.
    pub copy_to: Vec<ChannelTarget>,
    /// On what it depends, by its own word or that of a route above.
    pub dependencies: Option<Arc<DependencyRules>>,
    /// `page: false`: kept and shown, pages nobody.
    pub page: bool,
}

/// What a route says of alerts that are not reported any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveAfter {
    Never,
    After(Duration),
}

/// A node as the documents give it, before the index is made.
#[derive(Clone, Debug)]
pub struct Node {
    pub route: Arc<Route>,
    pub matchers: Vec<Matcher>,
    /// Go on to the next sibling after this one matched.
    pub go_on: bool,
    pub children: Vec<Node>,
}

/// The compiled tree. The default one has no root and routes nothing.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    root: Option<Box<(Node, Index)>>,
    by_name: BTreeMap<RouteName, Arc<Route>>,
    has_resolve_after: bool,
}

impl Tree {
    /// Compiles the index over a tree whose root has no matchers.
    pub fn new(root: Node) -> Self {
        let index = Index::new(&root);
        let mut tree = Self {
            root: Some(Box::new((root, index))),
            ..Self::default()
        };
        let routes: Vec<_> = tree.all().into_iter().map(|it| it.route.clone()).collect();
        for route in routes {
            tree.has_resolve_after |= route.resolve_after.is_some();
            tree.by_name.insert(route.name.clone(), route);
        }
        tree
    }

    /// Whether any route has a word about alerts that are not reported any more.
    pub fn has_resolve_after(&self) -> bool {
        self.has_resolve_after
    }

    /// The route of this name, if the rules still have it.
    pub fn route(&self, name: &RouteName) -> Option<&Arc<Route>> {
        self.by_name.get(name)
    }

    /// The root route, from which self-incidents take their policy.
    pub fn root(&self) -> Option<&Arc<Route>> {
        self.root.as_deref().map(|(node, _)| &node.route)
    }

    /// The routes on which these fields land, in the order of the tree; by the index.
    pub fn routes(&self, fields: &dyn Fields) -> Vec<Arc<Route>> {
        let mut found = Vec::new();
        if let Some((root, index)) = self.root.as_deref() {
            walk_index(root, index, fields, &mut found);
        }
        found
    }

    /// All nodes from the root on, in the order of the tree.
    pub fn all(&self) -> Vec<&Node> {
        fn collect<'tree>(node: &'tree Node, all: &mut Vec<&'tree Node>) {
            all.push(node);
            for child in &node.children {
                collect(child, all);
            }
        }
        let mut all = Vec::new();
        if let Some((root, _)) = self.root.as_deref() {
            collect(root, &mut all);
        }
        all
    }
}

impl Node {
    fn matches(&self, fields: &dyn Fields) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches(fields))
    }
}

/// Adds what matches beneath `node`, or `node` itself when nothing beneath it does.
/// Looks only at children that the index names.
fn walk_index(node: &Node, index: &Index, fields: &dyn Fields, found: &mut Vec<Arc<Route>>) {
    let before = found.len();
    for position in index.candidates(fields) {
        let child = &node.children[position];
        if child.matches(fields) {
            walk_index(child, &index.children[position], fields, found);
            if !child.go_on {
                break;
            }
        }
    }
    if found.len() == before {
        found.push(node.route.clone());
    }
}
