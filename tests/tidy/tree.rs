//! All files of the repository that the rules look at.

use std::fs;
use std::path::{Path, PathBuf};

use crate::source::Source;

/// The repository.
#[derive(Debug, Default)]
pub struct Tree {
    pub sources: Vec<Source>,
    /// Every text file with its path, the Rust files among them.
    pub texts: Vec<(String, String)>,
}

/// Folders that are not part of the project, wherever they are.
const SKIPPED: [&str; 3] = ["target", ".git", "node_modules"];

/// Where the router keeps its store when it is started here.
const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data");

/// How the names of text files end.
const TEXT_ENDS: [&str; 12] = [
    ".rs", ".md", ".toml", ".yaml", ".yml", ".json", ".html", ".css", ".txt", ".j2", "justfile",
    ".ci/run",
];

impl Tree {
    /// The repository of this package.
    pub fn load() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut texts = Vec::new();
        for path in files(root) {
            let name = path.strip_prefix(root).expect("it was found beneath");
            let name = name.to_string_lossy().replace('\\', "/");
            if TEXT_ENDS.iter().any(|end| name.ends_with(end)) {
                let bytes = fs::read(&path).expect("a file of the repository");
                // Fixtures may hold what is no UTF-8.
                texts.push((name, String::from_utf8_lossy(&bytes).into_owned()));
            }
        }
        texts.sort();
        let texts: Vec<(&str, &str)> = texts.iter().map(|(a, b)| (&**a, &**b)).collect();
        Self::of(&texts)
    }

    /// A tree of given files.
    pub fn of(texts: &[(&str, &str)]) -> Self {
        let is_rust = |path: &str| path.ends_with(".rs");
        let mut sources: Vec<Source> = texts
            .iter()
            .filter(|(path, _)| is_rust(path))
            .map(|(path, text)| Source::new(path, text))
            .collect();
        let test_modules: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
        for source in &mut sources {
            let is_under = |module: &String| {
                source
                    .path
                    .strip_prefix(&**module)
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            if test_modules.iter().any(is_under) {
                source.lines.iter_mut().for_each(|line| line.is_test = true);
            }
        }
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Self {
            sources,
            texts: texts.iter().map(owned).collect(),
        }
    }

    /// The files of the product.
    pub fn product(&self) -> impl Iterator<Item = &Source> {
        self.sources
            .iter()
            .filter(|source| source.in_src().is_some())
    }

    /// The outside crates of `Cargo.toml` with their lines, as code names them.
    pub fn dependencies(&self) -> Vec<(String, usize)> {
        let manifest = self.texts.iter().find(|(path, _)| path == "Cargo.toml");
        let text = manifest.map_or("", |(_, text)| text);
        (1..)
            .zip(text.lines())
            .skip_while(|(_, line)| *line != "[dependencies]")
            .skip(1)
            .take_while(|(_, line)| !line.starts_with('['))
            .filter_map(|(number, line)| {
                let (name, _) = line.split_once([' ', '='])?;
                Some((name.replace('-', "_"), number))
            })
            .collect()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the repository");
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry of the folder").path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let is_skipped = name.is_some_and(|name| SKIPPED.contains(&&*name));
        if is_skipped || path == Path::new(STORE) {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
