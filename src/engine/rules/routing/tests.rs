//! The walk by tables, the index against the walk, and how much the index looks at.

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::engine::matcher::Operator;

/// Names and values.
type Labels<'case> = &'case [(&'case str, &'case str)];

/// The routes found by walking every node: the reference for the index.
fn routes_by_walk(tree: &Tree, fields: &dyn Fields) -> Vec<Arc<Route>> {
    let mut found = Vec::new();
    if let Some((root, _)) = tree.root.as_deref() {
        walk(root, fields, &mut found);
    }
    found
}

fn walk(node: &Node, fields: &dyn Fields, found: &mut Vec<Arc<Route>>) {
    let before = found.len();
    for child in &node.children {
        if child.matches(fields) {
            walk(child, fields, found);
            if !child.go_on {
                break;
            }
        }
    }
    if found.len() == before {
        found.push(node.route.clone());
    }
}

/// Fields that count how often they are asked.
#[derive(Debug, Default)]
struct Event {
    labels: BTreeMap<String, String>,
    lookups: Cell<usize>,
}

impl Event {
    fn new(labels: Labels) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            labels: labels.iter().map(owned).collect(),
            lookups: Cell::new(0),
        }
    }
}

impl Fields for Event {
    fn field(&self, name: &str) -> &str {
        self.lookups.set(self.lookups.get() + 1);
        self.labels.get(name).map_or("", String::as_str)
    }
}

fn node(name: &str, matchers: &[&str], children: Vec<Node>) -> Node {
    let route = Route {
        name: name.into(),
        policy: None,
        service: None,
        urgency: UrgencyRule::High,
        group_by: GroupBy::EachAlert,
        group_wait: Duration::ZERO,
        resolve_after: None,
        join_interval: Duration::ZERO,
        copy_to: Vec::new(),
        dependencies: None,
        page: true,
    };
    Node {
        route: Arc::new(route),
        matchers: matchers
            .iter()
            .map(|text| Matcher::parse(text).expect("a matcher"))
            .collect(),
        go_on: false,
        children,
    }
}

fn go_on(node: Node) -> Node {
    Node {
        go_on: true,
        ..node
    }
}

fn names(routes: &[Arc<Route>]) -> Vec<&str> {
    routes.iter().map(|route| route.name.as_str()).collect()
}

#[test]
fn the_first_matching_child_wins_unless_it_says_continue() {
    let tree = Tree::new(node(
        "root",
        &[],
        vec![
            go_on(node("audit", &["env=prod"], vec![])),
            node(
                "payments",
                &["team=payments", "severity=~critical|error"],
                vec![
                    node("eu", &["cluster=~eu.*"], vec![]),
                    node("quiet", &["cluster="], vec![]),
                ],
            ),
            node("search", &["team=~search|index"], vec![]),
            node("late", &["team=payments"], vec![]),
            node("not-prod", &["env!=prod"], vec![]),
        ],
    ));
    let cases: [(Labels, &[&str]); 8] = [
        (&[("env", "prod")], &["audit"]),
        (&[], &["not-prod"]),
        (&[("team", "payments"), ("severity", "error")], &["quiet"]),
        (
            &[
                ("team", "payments"),
                ("severity", "error"),
                ("cluster", "eu-1"),
            ],
            &["eu"],
        ),
        (
            &[
                ("team", "payments"),
                ("severity", "error"),
                ("cluster", "us"),
            ],
            &["payments"],
        ),
        (&[("team", "payments"), ("env", "prod")], &["audit", "late"]),
        (&[("team", "index"), ("env", "prod")], &["audit", "search"]),
        (&[("team", "other"), ("env", "prod")], &["audit"]),
    ];
    for (labels, expected) in cases {
        let event = Event::new(labels);
        assert_eq!(names(&tree.routes(&event)), expected, "{labels:?}");
        assert_eq!(
            names(&routes_by_walk(&tree, &event)),
            expected,
            "{labels:?}"
        );
    }
}

#[test]
fn a_tree_without_root_routes_nothing() {
    let tree = Tree::default();
    assert!(tree.routes(&Event::default()).is_empty());
    assert!(tree.root().is_none() && tree.all().is_empty());
}

#[test]
fn many_sibling_routes_cost_no_more_than_a_few() {
    let lookups = |siblings: usize| {
        let child = |number: usize| {
            let service = format!("service=s{number}");
            // A label that all share must not be the one that is indexed.
            node(&format!("r{number}"), &["env=prod", &service], vec![])
        };
        let mut children: Vec<Node> = (0..siblings).map(child).collect();
        children.push(node("patterns", &["service=~x.*"], vec![]));
        let tree = Tree::new(node("root", &[], children));
        let last = format!("s{}", siblings - 1);
        let event = Event::new(&[("env", "prod"), ("service", &last)]);
        assert_eq!(names(&tree.routes(&event)), [format!("r{}", siblings - 1)]);
        event.lookups.get()
    };
    assert_eq!(lookups(3), 3);
    assert_eq!(lookups(10_000), 3);
    assert_eq!(lookups(100_000), 3);
}

#[test]
fn groups_have_the_same_key_exactly_if_they_are_the_same() {
    let by = |labels: &[&str]| GroupBy::Labels(labels.iter().map(|name| (*name).into()).collect());
    let event = Event::new(&[
        ("alertname", "Disk \"full\""),
        ("cluster", "eu"),
        ("empty", ""),
    ]);
    let cases = [
        (by(&[]), "payments", "payments{}"),
        (by(&["cluster"]), "payments", "payments{cluster=\"eu\"}"),
        (
            by(&["cluster", "empty", "none"]),
            "payments",
            "payments{cluster=\"eu\"}",
        ),
        (
            by(&["alertname", "cluster"]),
            "payments/eu",
            r#"payments/eu{alertname="Disk \"full\"",cluster="eu"}"#,
        ),
        (by(&[]), "a{", r#""a{"{}"#),
        (
            GroupBy::EachAlert,
            "payments",
            r#"payments["prometheus/abc"]"#,
        ),
    ];
    for (group_by, route, expected) in cases {
        let (key, _) = group_by.key(&route.into(), &event, "prometheus/abc");
        assert_eq!(&*key, expected);
    }
    let (_, labels) = by(&["cluster", "none"]).key(&"payments".into(), &event, "");
    assert_eq!(labels, [("cluster", "eu")].into_iter().collect());
}

fn any_matcher() -> impl Strategy<Value = Matcher> {
    let operator = prop::sample::select(vec![
        Operator::Equal,
        Operator::Equal,
        Operator::NotEqual,
        Operator::Match,
        Operator::NotMatch,
    ]);
    ("[abc]", operator, r"[xyz]{0,1}(\|[xyz]){0,2}|[xy]\*|\.\+").prop_map(
        |(name, operator, value)| Matcher::new(&name, operator, &value).expect("a matcher"),
    )
}

fn any_node() -> impl Strategy<Value = Node> {
    let matchers = || prop::collection::vec(any_matcher(), 0..4);
    let made = |(matchers, go_on, children)| Node {
        matchers,
        go_on,
        ..node("", &[], children)
    };
    (matchers(), any::<bool>(), Just(Vec::new()))
        .prop_map(made)
        .prop_recursive(3, 40, 8, move |inner| {
            let children = prop::collection::vec(inner, 0..8);
            (matchers(), any::<bool>(), children).prop_map(made)
        })
}

/// Labels whose names and values could be taken for the signs of a key.
fn any_labels() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(r#"[ab"=,]{1,2}"#, r#"[ab"=,\\]{1,2}"#, 0..3)
}

/// Gives every route its position as its name.
fn name_all(node: &mut Node, next: &mut usize) {
    let mut route = Route::clone(&node.route);
    route.name = next.to_string().into();
    *next += 1;
    node.route = Arc::new(route);
    for child in &mut node.children {
        name_all(child, next);
    }
}

proptest! {
    #[test]
    fn the_index_says_the_same_as_the_walk(
        children in prop::collection::vec(any_node(), 0..12),
        labels in prop::collection::btree_map("[abc]", "[xyz]{0,1}", 0..4),
    ) {
        let mut root = node("", &[], children);
        name_all(&mut root, &mut 0);
        let tree = Tree::new(root);
        let event = Event { labels, lookups: Cell::new(0) };
        let (indexed, walked) = (tree.routes(&event), routes_by_walk(&tree, &event));
        prop_assert_eq!(names(&indexed), names(&walked));
    }

    #[test]
    fn different_groups_never_share_a_key(
        routes in prop::collection::vec(r#"[ab"{}=,\[\]]{0,3}"#, 2),
        labels in prop::collection::vec(any_labels(), 2),
        identities in prop::collection::vec(r#"[ab"\]]{0,2}"#, 2),
        each_alert in any::<[bool; 2]>(),
    ) {
        let group = |side: usize| {
            let event = Event { labels: labels[side].clone(), lookups: Cell::new(0) };
            let by = if each_alert[side] {
                GroupBy::EachAlert
            } else {
                GroupBy::Labels(labels[side].keys().map(|name| name.as_str().into()).collect())
            };
            by.key(&routes[side].as_str().into(), &event, &identities[side]).0
        };
        let same = routes[0] == routes[1] && each_alert[0] == each_alert[1] && if each_alert[0] {
            identities[0] == identities[1]
        } else {
            labels[0] == labels[1]
        };
        prop_assert_eq!(group(0) == group(1), same);
    }
}
