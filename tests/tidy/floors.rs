//! The floors of the engine: a lower one never names a higher one, so that what is kept knows
//! nothing of what happens to it.

use crate::paths::from_root;
use crate::source::Source;
use crate::tree::Tree;
use crate::{Break, Rule};

/// From the lowest to the highest, each with its folders and files. Those of one floor may name
/// each other.
const FLOORS: [&[&str]; 5] = [
    &["model", "rules"],
    &["input", "decision", "work", "state", "touched"],
    &["transaction"],
    &["flow"],
    &["step", "preview", "audit"],
];

pub const RULES: &[Rule] = &[Rule {
    name: "no floor of the engine names a higher one",
    help: "move what both need to the lower floor, or let the higher one ask",
    find: upward,
    planted: &[
        (
            "src/engine/model/a.rs",
            "//! A.\nuse crate::engine::flow::b;\n",
        ),
        ("src/engine/flow/a.rs", "//! A.\nuse crate::engine::step;\n"),
    ],
}];

fn upward(tree: &Tree) -> Vec<Break> {
    let mut breaks = Vec::new();
    for source in tree.product() {
        let Some(own) = source.in_src().and_then(floor_of_file) else {
            continue;
        };
        for named in from_root(source) {
            let [room, module, ..] = named.path.as_slice() else {
                continue;
            };
            let floor = floor(module).or_else(|| floor_of_file(path(tree, module)?));
            if room == "engine" && floor.is_some_and(|floor| floor > own) {
                let what = format!("names {}", named.path.join("::"));
                breaks.push(Break::new(source, named.line, what));
            }
        }
    }
    breaks
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|names| names.contains(&name))
}

/// The floor of a file beneath `src/`, if it is one of the engine.
fn floor_of_file(path: &str) -> Option<usize> {
    let inside = path.strip_prefix("engine/")?;
    floor(inside.split(['/', '.']).next()?)
}

/// The file of a module that the engine's root shows as its own.
fn path<'tree>(tree: &'tree Tree, module: &str) -> Option<&'tree str> {
    let is_it = |path: &&str| {
        let inside = path.strip_prefix("engine/");
        let rest = inside.and_then(|inside| inside.split_once('/'));
        rest.is_some_and(|(_, rest)| {
            rest == format!("{module}.rs") || rest == format!("{module}/mod.rs")
        })
    };
    tree.product().filter_map(Source::in_src).find(is_it)
}
