//! What is written reads back: stored form, exported files, and differences between sets.

use proptest::prelude::*;

use crate::document::{Diagnostics, Entry, Node, Position, Value, yaml};
use crate::rules::diff::{Change, diff};
use crate::rules::{Documents, documents, export};

use super::*;

fn documents_of(files: &[SourceFile]) -> Documents {
    let (documents, faults) = documents::read(files);
    assert_eq!(faults, []);
    documents
}

fn node(value: Value) -> Node {
    let at = Position::default();
    Node { at, value }
}

/// Any tree that documents can hold: awkward texts, nested lists and maps, each key once.
fn any_tree() -> impl Strategy<Value = Node> {
    let text = prop_oneof![
        4 => "[a-z][a-z0-9_-]{0,12}",
        2 => ".{0,40}",
        2 => "\\PC{0,20}",
        2 => prop::sample::select(vec![
            "no", "09:00", "+351912345678", "null", "~", "", " ", "- a", "a: b", "#x", "a #b",
            "5m", "2026-01-05", "1e3", "true", "'", "\"", "\\", "y", "key:", "<<", "*a", "&a",
            "!x", "%x", "@x", "`x", "---", "...", "a\nb", "\u{85}", "\u{feff}x", "é", "|", ">",
            "team=\"payments\"", "{a}", "[a]", "a,b", "?", "? a", "user/ana", "channel/slack/#x",
        ]).prop_map(str::to_owned),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Integer),
        text.clone().prop_map(Value::Text),
    ]
    .prop_map(node);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..6);
        let map = prop::collection::btree_map(text.clone(), inner, 0..6);
        prop_oneof![
            list.prop_map(|items| node(Value::List(items))),
            map.prop_map(|entries| {
                let entries = entries.into_iter().map(|(key, node)| Entry {
                    at: Position::default(),
                    key,
                    node,
                });
                node(Value::Map(entries.collect()))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_tree_reads_back_as_it_was_written(tree in any_tree()) {
        let text = export::yaml(&tree);
        let mut faults = Diagnostics::default();
        let read = yaml::parse(&text, 0, &mut faults);
        prop_assert_eq!(faults.finish(&["written.yaml"]), [], "{}", text);
        prop_assert_eq!(read, Some(tree), "{}", text);
    }

    #[test]
    fn any_tree_survives_the_stored_form(tree in any_tree()) {
        let text = serde_json::to_string(&tree).expect("it is JSON");
        let read: Node = serde_json::from_str(&text).expect("it was written so");
        prop_assert_eq!(read, tree);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "(\\PC|[ \n:\\-\\[\\]{}&*!|>'\"%@`#,?~]){0,60}") {
        let (documents, _) = documents::read(&[file("any.yaml", &text)]);
        let _ = crate::rules::compile(&documents, &environment());
    }
}

/// The starter files and the example, which uses everything.
fn sets() -> [Vec<SourceFile>; 2] {
    let example = file("example.yaml", include_str!("example.yaml"));
    [crate::rules::starter::files(), vec![example]]
}

#[test]
fn documents_come_out_of_the_store_and_out_of_an_export_as_they_went_in() {
    for files in sets() {
        let documents = documents_of(&files);
        let stored = Documents::from_json(&documents.to_json()).expect("it was written so");
        assert_eq!(stored, documents);
        assert_eq!(documents_of(&documents.export()), documents);
        let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(stored.paths(), paths);
    }
}

#[test]
fn one_merged_document_means_the_same_as_the_files() {
    for files in sets() {
        let documents = documents_of(&files);
        let merged = documents_of(&[file("merged.yaml", &export::yaml(&documents.merged()))]);
        assert_eq!(diff(&documents, &merged), []);
        let rules = |documents| crate::rules::compile(documents, &environment()).rules;
        let shown = |documents| format!("{:?}", rules(documents).map(|rules| rules.tree));
        assert_eq!(shown(&documents), shown(&merged));
    }
}

#[test]
fn an_export_is_yaml_as_people_write_it() {
    let files = [
        file("base.yaml", BASE),
        file(
            "team.yaml",
            "routes: [{ name: payments, \
             matchers: ['team=\"payments\"', 'severity=~\"critical|error\"'], policy: default, \
             group_by: [\"...\"], copy_to: [\"channel/slack/#payments\"] }]\n",
        ),
    ];
    let exported = documents_of(&files).export();
    assert_eq!(
        exported[0].text,
        "users:
  ana:
    contacts: { mail: { email: ana@example.com } }
  bo:
    contacts: { mail: { email: bo@example.com } }

policies:
  default:
    steps: [{ targets: [user/ana] }]

route:
  policy: default
"
    );
    assert_eq!(
        exported[1].text,
        "routes:
  - name: payments
    matchers: ['team=\"payments\"', 'severity=~\"critical|error\"']
    policy: default
    group_by: [\"...\"]
    copy_to: [\"channel/slack/#payments\"]
"
    );
}

#[test]
fn stored_documents_of_a_newer_format_or_damaged_ones_are_refused() {
    let cases = [
        (
            r#"{"format":2,"files":[]}"#,
            "stored rules have format 2, newer than 1",
        ),
        (r#"{"format":1,"files":["#, "stored rules are damaged"),
    ];
    for (text, expected) in cases {
        let error = Documents::from_json(text).expect_err("it is not good");
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

/// The lines that tell what changed from [`BASE`] beside some text to [`BASE`] beside another.
fn told(old: &str, new: &str) -> Vec<String> {
    let of = |text| documents_of(&[file("base.yaml", BASE), file("more.yaml", text)]);
    let differences = diff(&of(old), &of(new));
    let lines = differences.iter().map(ToString::to_string);
    lines
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn differences_are_told_in_words() {
    let routes = |inner: &str| format!("routes: [{inner}]\n");
    let a = "{ name: a, matchers: ['x=\"1\"'] }";
    let b = "{ name: b, matchers: ['x=\"2\"'], policy: default }";
    let cases: &[(&str, &str, &[&str])] = &[
        ("users: {}\n", "users: { cy: {} }\n", &["user cy: added"]),
        ("users: { cy: {} }\n", "{}\n", &["user cy: removed"]),
        (
            "policies: { p: { steps: [{ targets: [user/ana], wait: 5m }] } }\n",
            "policies: { p: { steps: [{ targets: [user/ana, user/bo], wait: 10m }], \
             repeat: 2 } }\n",
            &[
                "policy p: steps[1].targets: [user/ana] -> [user/ana, user/bo]",
                "policy p: steps[1].wait: 5m -> 10m",
                "policy p: repeat added: 2",
            ],
        ),
        (
            "users: { cy: { contacts: { a: { email: a@b }, b: { email: c@d } } } }\n",
            "users: { cy: { contacts: { b: { email: c@d }, a: { email: a@b } } } }\n",
            &["user cy: order of contacts: a, b -> b, a"],
        ),
        (
            "integrations: { i: { format: native, key: s3cret } }\n",
            "integrations: { i: { format: native, key: [env:KEY] } }\n",
            &["integration i: key: a literal key -> env:KEY"],
        ),
        (
            &routes(&format!("{a}, {b}")),
            &routes(&format!("{b}, {a}")),
            &["route root: order of its routes: a, b -> b, a"],
        ),
        (
            &routes(&format!("{a}, {b}")),
            &routes(
                "{ name: a, matchers: ['x=\"1\"'], routes: [{ name: b, matchers: ['x=\"2\"'] }] }",
            ),
            &[
                "route b: parent: root -> a",
                "route b: policy removed: default",
            ],
        ),
    ];
    for (old, new, expected) in cases {
        assert_eq!(told(old, new), *expected);
    }
}

#[test]
fn moving_things_between_files_is_no_difference() {
    let one = documents_of(&[file("base.yaml", BASE)]);
    let moved = format!("{}route: {{ policy: default }}\n", "");
    let rest = BASE.replace(&moved, "");
    let two = documents_of(&[file("a.yaml", &rest), file("b.yaml", &moved)]);
    assert_ne!(one, two);
    assert_eq!(diff(&one, &two), []);
    let none = documents_of(&[]);
    let added = diff(&none, &two);
    assert!(
        added
            .iter()
            .all(|difference| difference.change == Change::Added)
    );
    assert_eq!(added.len(), 4);
}
