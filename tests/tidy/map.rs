//! The map of the rooms names every file of the product, and no other.

use crate::tree::Tree;
use crate::{Break, Rule};

/// Where the map stands.
const MAP: &str = "docs/architecture.md";

pub const RULES: &[Rule] = &[Rule {
    name: "the map is complete",
    cure: "give each file of src/ one line in docs/architecture.md, and no line to others",
    find: differences,
    planted: &[(MAP, "# Map\n\n| `src/engine/gone.rs` | Was here once. |\n")],
}];

/// Files without a line, and lines without a file. Without a map there is nothing to compare.
fn differences(tree: &Tree) -> Vec<Break> {
    let Some((_, map)) = tree.texts.iter().find(|(path, _)| path == MAP) else {
        return Vec::new();
    };
    let named: Vec<(usize, &str)> = (1..)
        .zip(map.lines())
        .filter_map(|(number, line)| {
            let (path, _) = line.strip_prefix("| `src/")?.split_once('`')?;
            Some((number, path))
        })
        .collect();
    let is_file = |path: &str| tree.product().any(|source| source.in_src() == Some(path));
    let gone = named.iter().filter(|(_, path)| !is_file(path));
    let gone = gone.map(|(line, path)| broken(*line, format!("there is no src/{path}")));
    let files = tree.product().filter_map(|source| source.in_src());
    let unnamed = files.filter(|file| named.iter().all(|(_, path)| path != file));
    let unnamed = unnamed.map(|file| broken(1, format!("src/{file} has no line")));
    gone.chain(unnamed).collect()
}

fn broken(line: usize, what: String) -> Break {
    Break {
        path: MAP.to_owned(),
        line,
        what,
    }
}
