//! Files that name each other in a circle: nobody can read one of them without all the others.

use std::collections::{BTreeMap, BTreeSet};

use crate::paths::{module, within};
use crate::source::Source;
use crate::tree::Tree;
use crate::{Break, Rule};

/// How many files of a room may form a circle: where it is two, each knows only the other.
const ROOMS: [(&str, usize); 6] = [
    ("api", 1),
    ("app", 1),
    ("cli", 1),
    ("engine", 2),
    ("runtime", 1),
    ("web", 1),
];

pub const RULES: &[Rule] = &[Rule {
    name: "no files of a room name each other in a circle",
    help: "move what both need to a lower file, or let the lower one return what is to be done",
    find: circles,
    planted: &[(
        "src/engine/flow/jump.rs",
        "//! A.\nuse super::tasks;\nfn a() {}\n//// src/engine/flow/tasks.rs\n//! B.\nuse \
         super::recovery;\nfn b() {}\n//// src/engine/flow/recovery.rs\n//! C.\nuse super::jump;\nfn c() \
         {}\n",
    )],
}];

fn circles(tree: &Tree) -> Vec<Break> {
    let mut breaks = Vec::new();
    for (room, most) in ROOMS {
        let graph = Graph::of(tree, room);
        for circle in graph.circles().filter(|circle| circle.len() > most) {
            let paths: Vec<&str> = circle.iter().map(|at| &*graph.files[*at].path).collect();
            let what = format!("{} files: {}", circle.len(), paths.join(", "));
            breaks.push(Break::new(graph.files[circle[0]], 1, what));
        }
    }
    breaks
}

/// Which file of a room names which.
struct Graph<'tree> {
    files: Vec<&'tree Source>,
    names: Vec<BTreeSet<usize>>,
}

impl<'tree> Graph<'tree> {
    fn of(tree: &'tree Tree, room: &str) -> Self {
        let is_inside = |source: &&Source| source.room() == Some(room);
        let files: Vec<&Source> = tree.product().filter(is_inside).collect();
        let modules: BTreeMap<Vec<String>, usize> = (0..)
            .zip(&files)
            .map(|(at, file)| (module(file), at))
            .collect();
        let named: Vec<Vec<Vec<String>>> = files
            .iter()
            .map(|file| within(file).into_iter().map(|named| named.path).collect())
            .collect();
        let places = Places { modules, named };
        let names = (0..files.len()).map(|at| {
            let named = places.named[at].iter();
            let named = named.filter_map(|path| places.file(path, 4));
            named
                .filter(|other| *other != at && !is_list(files[*other]))
                .collect()
        });
        Self {
            names: names.collect(),
            files,
        }
    }

    /// Groups of more than one file in which each leads to each.
    fn circles(&self) -> impl Iterator<Item = Vec<usize>> {
        let reached: Vec<BTreeSet<usize>> = (0..self.files.len())
            .map(|file| self.reached(file))
            .collect();
        let circle = move |file: usize| {
            let leads_back = |other: &usize| reached[*other].contains(&file);
            reached[file]
                .iter()
                .copied()
                .filter(leads_back)
                .collect::<Vec<_>>()
        };
        // Each is found once, at its first file.
        let all = (0..self.files.len()).map(move |file| (file, circle(file)));
        all.filter(|(file, circle)| circle.len() > 1 && circle[0] == *file)
            .map(|(_, circle)| circle)
    }

    fn reached(&self, from: usize) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut next = vec![from];
        while let Some(file) = next.pop() {
            let new = self.names[file]
                .iter()
                .filter(|other| reached.insert(**other));
            next.extend(new.copied().collect::<Vec<_>>());
        }
        reached
    }
}

/// Whether a file only lists modules and shows what they have.
fn is_list(source: &Source) -> bool {
    let code = source.product_code();
    let mut words = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    !words.any(|word| ["fn", "struct", "enum", "trait", "const", "impl"].contains(&word))
}

/// Which file is which module, and what each names.
struct Places {
    modules: BTreeMap<Vec<String>, usize>,
    named: Vec<Vec<Vec<String>>>,
}

impl Places {
    /// The file that a path leads into, past so many files that only show what another one has.
    fn file(&self, path: &[String], depth: usize) -> Option<usize> {
        let ends = (1..=path.len()).rev();
        let (end, file) = ends
            .filter_map(|end| Some((end, *self.modules.get(&path[..end])?)))
            .next()?;
        let (Some(name), true) = (path.get(end), depth > 0) else {
            return Some(file);
        };
        let mut shown = self.named[file].iter();
        let shown = shown.find(|shown| shown.last() == Some(name) && shown[..] != path[..=end]);
        let deeper = shown.and_then(|shown| self.file(shown, depth - 1));
        deeper.or(Some(file))
    }
}
