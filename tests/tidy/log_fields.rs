//! Fields of log lines have the names that the operations page lists, so that one search finds all
//! lines about a thing.

use std::collections::BTreeSet;

use crate::source::Source;
use crate::tree::Tree;
use crate::{Break, Rule};

/// Where the list is.
const PAGE: &str = "docs/operations.md";
const HEADING: &str = "### Fields of log lines";

const LEVELS: [&str; 5] = ["error!(", "warn!(", "info!(", "debug!(", "trace!("];

pub const RULES: &[Rule] = &[Rule {
    name: "log lines have the listed fields",
    help: "use a field of the list in docs/operations.md, or add it there; remove what nobody uses",
    find: differences,
    planted: &[
        (
            "src/runtime/a.rs",
            "//! A.\nfn f() {\n    tracing::info!(incident = 7, \"x\");\n}\n",
        ),
        (
            "src/runtime/a.rs",
            "//! A.\nfn f() {\n    tracing::warn!(\n        %number,\n        \"x\"\n    );\n}\n",
        ),
        (
            PAGE,
            "### Fields of log lines\n\n| `gone.name` | Nobody says it. |\n",
        ),
    ],
}];

fn differences(tree: &Tree) -> Vec<Break> {
    let page = tree.texts.iter().find(|(path, _)| path == PAGE);
    let listed = page.map_or_else(Vec::new, |(_, page)| listed(page));
    let used: Vec<(&Source, usize, String)> = tree
        .product()
        .flat_map(|source| fields(source).map(move |(line, field)| (source, line, field)))
        .collect();
    let is_listed = |field: &str| listed.iter().any(|(_, listed)| *listed == field);
    let foreign = used.iter().filter(|(_, _, field)| !is_listed(field));
    let foreign = foreign.map(|(source, line, field)| Break::new(source, *line, field));
    let names: BTreeSet<&str> = used.iter().map(|(_, _, field)| &**field).collect();
    let unused = listed.iter().filter(|(_, field)| !names.contains(field));
    let unused = unused.map(|(line, field)| Break {
        path: PAGE.to_owned(),
        line: *line,
        what: format!("no log line has {field}"),
    });
    foreign.chain(unused).collect()
}

/// The fields of the page with their lines.
fn listed(page: &str) -> Vec<(usize, &str)> {
    (1..)
        .zip(page.lines())
        .skip_while(|(_, line)| *line != HEADING)
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('#'))
        .filter_map(|(number, line)| Some((number, line.strip_prefix("| `")?.split_once('`')?.0)))
        .collect()
}

/// The fields that calls of a file give, with the lines of the calls.
fn fields(source: &Source) -> impl Iterator<Item = (usize, String)> {
    let code = source.product_code();
    let mut found = Vec::new();
    for (at, level) in LEVELS.iter().flat_map(|level| code.match_indices(level)) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        for argument in arguments(&code[at + level.len()..]) {
            let (name, _) = argument.split_once('=').unwrap_or((argument, ""));
            let name = name.trim().trim_start_matches(['%', '?']);
            // A message is a literal, of which the code has nothing.
            if !name.is_empty() {
                found.push((line, name.to_owned()));
            }
        }
    }
    found.into_iter()
}

/// The arguments up to the parenthesis that closes them.
fn arguments(code: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0, 0);
    let mut found = Vec::new();
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth > 0 => depth -= 1,
            ',' | ')' if depth == 0 => {
                found.push(&code[start..at]);
                start = at + 1;
                if c == ')' {
                    break;
                }
            }
            _ => {}
        }
    }
    found
}
