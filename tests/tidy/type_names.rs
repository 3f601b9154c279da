//! A type name means one thing: whoever reads it need not first look where they are.

use std::collections::BTreeMap;

use crate::source::Source;
use crate::tree::Tree;
use crate::{Break, Rule};

/// Shapes of the wire carry the names of what they show, and are named behind their module.
const WIRE: &str = "src/api/wire/";

/// Always named behind their module, as the language's own libraries do.
const QUALIFIED: [&str; 1] = ["Error"];

/// Names that still mean several things; the list only may shrink.
const AMBIGUOUS: [&str; 77] = [
    "Alert",
    "Answer",
    "Audit",
    "Auth",
    "Batch",
    "Builder",
    "Caller",
    "Change",
    "Channel",
    "Clock",
    "Closed",
    "Command",
    "Content",
    "Context",
    "Counted",
    "Document",
    "End",
    "Endpoint",
    "Entry",
    "Failure",
    "Fault",
    "Faults",
    "Fields",
    "Head",
    "Index",
    "Inner",
    "Kind",
    "Labels",
    "Link",
    "Links",
    "Loaded",
    "Log",
    "Message",
    "Node",
    "Numbers",
    "Page",
    "Parts",
    "Pending",
    "Place",
    "Plain",
    "Plan",
    "Pointers",
    "Position",
    "Probed",
    "Progress",
    "Queue",
    "Read",
    "Reading",
    "Record",
    "Reference",
    "Refusal",
    "Refused",
    "Reply",
    "Report",
    "Request",
    "Resolved",
    "Route",
    "Section",
    "Sender",
    "Sent",
    "Settings",
    "Source",
    "Span",
    "Stage",
    "Step",
    "Stored",
    "Taken",
    "Target",
    "Tested",
    "Tls",
    "Tree",
    "Turn",
    "Value",
    "Verdict",
    "View",
    "Waiting",
    "Watch",
];

pub const RULES: &[Rule] = &[Rule {
    name: "a type name is declared once",
    help: "say in the name which one it is, or take a name off AMBIGUOUS that is declared once now",
    find: declared_again,
    planted: &[
        (
            "src/cli/a.rs",
            "//! A.\npub struct Planted;\n//// src/store/b.rs\n//! B.\nenum Planted {}\n",
        ),
        (
            "src/cli/a.rs",
            "//! A.\npub(crate) trait Planted {}\n\
             //// src/cli/b.rs\n//! B.\ntype Planted<T> = Vec<T>;\n",
        ),
        (
            "src/engine/a.rs",
            "//! A.\nwords! {\n    pub enum Planted {\n    }\n}\n\
             //// src/cli/b.rs\n//! B.\nenum Planted {}\n",
        ),
    ],
}];

fn declared_again(tree: &Tree) -> Vec<Break> {
    let mut declared: BTreeMap<&str, Vec<(&Source, usize)>> = BTreeMap::new();
    for source in tree
        .product()
        .filter(|source| !source.path.starts_with(WIRE))
    {
        for line in source.product() {
            if let Some(name) = type_name(&line.code) {
                declared
                    .entry(name)
                    .or_default()
                    .push((source, line.number));
            }
        }
    }
    declared.retain(|_, places| places.iter().any(|(file, _)| file.path != places[0].0.path));
    let stale = AMBIGUOUS
        .iter()
        .filter(|name| !declared.contains_key(*name));
    // A planted tree declares nothing of the list.
    let is_whole = tree.product().nth(100).is_some();
    let stale = stale.filter(|_| is_whole).map(|name| Break {
        path: "tests/tidy/type_names.rs".to_owned(),
        line: 1,
        what: format!("{name} is declared once now"),
    });
    let listed = |name: &&str| QUALIFIED.contains(name) || AMBIGUOUS.contains(name);
    let again = declared.iter().filter(|(name, _)| !listed(name));
    let again = again.flat_map(|(name, places)| {
        places
            .iter()
            .map(move |(file, line)| Break::new(file, *line, *name))
    });
    again.chain(stale).collect()
}

/// The name of the type that a line declares, at the margin or in the table of a macro; what is
/// declared deeper has none.
fn type_name(code: &str) -> Option<&str> {
    let is_in_table = code.starts_with("    pub enum ");
    let mut words = code.split_whitespace();
    let mut word = words
        .next()
        .filter(|_| is_in_table || !code.starts_with(' '))?;
    if word.starts_with("pub") {
        word = words.find(|word| !word.ends_with(')'))?;
    }
    let declares = ["struct", "enum", "trait", "type"].contains(&word);
    let name = words.next().filter(|_| declares)?;
    name.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next()
}
