//! The map of the rooms names every file of the product, and no other; a module with a folder has
//! its file inside it.

use crate::source::{Line, Source};
use crate::tree::Tree;
use crate::{Break, Rule};

/// Where the map stands.
const MAP: &str = "docs/architecture.md";

pub const RULES: &[Rule] = &[
    Rule {
        name: "what the architecture page names exists",
        help: "write the path as the code has it: its module or type, `::`, and its name",
        find: unknown_paths,
        planted: &[(MAP, "`grouping::no_such_thing` does it.\n")],
    },
    Rule {
        name: "the map is complete",
        help: "give each file of src/ one line in docs/architecture.md, and no line to others",
        find: differences,
        planted: &[(MAP, "# Map\n\n| `src/engine/gone.rs` | Was here once. |\n")],
    },
    Rule {
        name: "a module with a folder lives in its mod.rs",
        help: "move it: `git mv src/ROOM/NAME.rs src/ROOM/NAME/mod.rs`",
        find: beside_folders,
        planted: &[("src/cli/a.rs", "//! A.\nmod b;\n")],
    },
];

/// Files that declare modules, which stand in a folder beside them.
fn beside_folders(tree: &Tree) -> Vec<Break> {
    let is_root = |source: &&Source| {
        let ends = ["/mod.rs", "src/lib.rs", "src/main.rs"];
        ends.iter().any(|end| source.path.ends_with(end))
    };
    let declares = |line: &&Line| {
        let code = line.code.trim().strip_suffix(';');
        code.and_then(|code| code.rsplit_once("mod ")).is_some()
    };
    let others = tree.product().filter(|source| !is_root(source));
    others
        .filter_map(|source| {
            let line = source.lines.iter().find(declares)?;
            Some(Break::new(source, line.number, line.code.trim()))
        })
        .collect()
}

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

/// Paths such as `grouping::open_with` whose last name is not declared where they say.
fn unknown_paths(tree: &Tree) -> Vec<Break> {
    let Some((_, page)) = tree.texts.iter().find(|(path, _)| path == MAP) else {
        return Vec::new();
    };
    let lines = (1..).zip(page.lines());
    let named = lines.flat_map(|(number, line)| {
        let quoted = line.split('`').skip(1).step_by(2);
        quoted.filter_map(move |path| Some((number, path, path.rsplit_once("::")?)))
    });
    let is_path = |path: &str| {
        let is_letter = |letter: char| letter.is_alphanumeric() || "_:".contains(letter);
        path.chars().all(is_letter) && !path.starts_with("super")
    };
    named
        .filter(|(_, path, _)| is_path(path))
        .filter(|(_, _, (place, name))| !is_declared(tree, place, name))
        .map(|(line, path, _)| broken(line, format!("there is no {path}")))
        .collect()
}

/// Whether a name is declared in a module of this name, or in a file that knows the type.
fn is_declared(tree: &Tree, place: &str, name: &str) -> bool {
    let place = place.rsplit("::").next().unwrap_or(place);
    let is_type = place.starts_with(|first: char| first.is_uppercase());
    let declares = |source: &&Source| {
        let path = source.path.trim_end_matches(".rs");
        let is_module = path.split('/').any(|part| part == place);
        let words = ["fn", "struct", "enum", "trait", "mod", "type", "const"];
        let is_here = |line: &Line| {
            let code = line.code.as_str();
            let mut parts = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            let is_variant = is_type && code.trim().split(['(', ',', ' ']).next() == Some(name);
            let is_item = words
                .iter()
                .any(|word| code.contains(&format!("{word} {name}")));
            parts.any(|part| part == name) && (is_variant || is_item)
        };
        let knows = || source.lines.iter().any(|line| line.code.contains(place));
        (is_module || is_type && knows()) && source.lines.iter().any(is_here)
    };
    let is_file = |source: &Source| {
        let path = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        path.ends_with(&format!("{place}/{name}"))
    };
    tree.product().any(is_file) || tree.product().filter(declares).count() > 0
}

fn broken(line: usize, what: String) -> Break {
    Break {
        path: MAP.to_owned(),
        line,
        what,
    }
}
