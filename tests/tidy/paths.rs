//! Which paths a file names: those from the root of the package, and those of outside crates.

use std::collections::BTreeSet;

use crate::source::Source;

/// A path with the line on which it begins, such as `["store", "sled", "open"]`.
pub struct Named {
    pub line: usize,
    pub path: Vec<String>,
}

/// Every path from the root of the package that the product's code of a file names, whether as
/// `crate::`, by enough `super::`, or by the package's own name in `main.rs`.
pub fn from_root(source: &Source) -> Vec<Named> {
    own(source, &source.product_code(), Begin::Root)
}

/// Every path into the package that the product's code of a file names, from the root: also those
/// that begin at its own module, at one above it or at one that it declares.
pub fn within(source: &Source) -> Vec<Named> {
    let code = source.product_code();
    let children: BTreeSet<String> = declared_modules(&code).collect();
    let mut named = Vec::new();
    for (at, word) in words(&code) {
        let Some(after) = code[at + word.len()..].strip_prefix("::") else {
            continue;
        };
        let mut base = module(source);
        let path = match word {
            "crate" => {
                base.clear();
                after
            }
            "self" => after,
            "super" => {
                base.pop();
                let mut rest = after;
                while let Some(higher) = rest.strip_prefix("super::") {
                    base.pop();
                    rest = higher;
                }
                rest
            }
            child if children.contains(child) => &code[at..],
            _ => continue,
        };
        named.extend(expanded(&code, at, path).into_iter().map(|deeper| Named {
            path: [base.clone(), deeper.path].concat(),
            ..deeper
        }));
    }
    named
}

/// The path of a file's module from the root.
pub fn module(source: &Source) -> Vec<String> {
    let path = source.in_src().unwrap_or(&source.path);
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').map(str::to_owned).collect()
}

/// Every use of one of these outside crates. A module or import of the same name is none.
pub fn outside(source: &Source, crates: &[&str]) -> Vec<Named> {
    let code = source.product_code();
    let mut shadows: Vec<String> = [Begin::Root, Begin::Here]
        .into_iter()
        .flat_map(|begin| own(source, &code, begin))
        .flat_map(|named| named.path)
        .collect();
    shadows.extend(declared_modules(&code));
    let mut named = Vec::new();
    for (at, word) in words(&code).filter(|(_, word)| crates.contains(word)) {
        let (before, after) = (code[..at].trim_end(), &code[at + word.len()..]);
        let is_imported = before.ends_with("use") && after.trim_start().starts_with([';', 'a']);
        let is_named = after.starts_with("::") || is_imported;
        if is_named && !shadows.iter().any(|shadow| shadow == word) {
            named.push(Named {
                line: line_of(&code, at),
                path: vec![word.to_owned()],
            });
        }
    }
    named
}

/// Where a path of the package begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// At its root.
    Root,
    /// At this module or one above it.
    Here,
}

/// The paths into the package itself.
fn own(source: &Source, code: &str, wanted: Begin) -> Vec<Named> {
    let mut named = Vec::new();
    for (at, word) in words(code) {
        let Some(after) = code[at + word.len()..].strip_prefix("::") else {
            continue;
        };
        let (begin, path) = match word {
            "crate" => (Begin::Root, after),
            "reveille" if source.path == "src/main.rs" => (Begin::Root, after),
            "super" => climbed(source, after),
            "self" => (Begin::Here, after),
            _ => continue,
        };
        if begin == wanted {
            named.extend(expanded(code, at, path));
        }
    }
    named
}

/// Where a path begins whose first `super::` is read, and what stands after the others.
fn climbed<'code>(source: &Source, after: &'code str) -> (Begin, &'code str) {
    let path = source.in_src().unwrap_or(&source.path);
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    let mut climbs = 1;
    let mut rest = after;
    while let Some(higher) = rest.strip_prefix("super::") {
        climbs += 1;
        rest = higher;
    }
    if climbs < path.split('/').count() {
        (Begin::Here, rest)
    } else {
        (Begin::Root, rest)
    }
}

fn declared_modules(code: &str) -> impl Iterator<Item = String> {
    code.lines().filter_map(|line| {
        let declared = line.trim().strip_suffix([';', '{'])?;
        let (_, name) = declared.rsplit_once("mod ")?;
        Some(name.trim().to_owned())
    })
}

/// Names that begin a path, with their places.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = 0;
    std::iter::from_fn(move || {
        loop {
            let at = rest + code[rest..].find(is_letter)?;
            let length = code[at..]
                .find(|c| !is_letter(c))
                .unwrap_or(code.len() - at);
            rest = at + length;
            if !code[..at].ends_with([':', '.', '$', '\'']) {
                return Some((at, &code[at..rest]));
            }
        }
    })
}

fn line_of(code: &str, at: usize) -> usize {
    1 + code[..at].matches('\n').count()
}

/// All paths of a use tree or of a single path.
fn expanded(code: &str, at: usize, text: &str) -> Vec<Named> {
    let mut paths = Vec::new();
    expand(text, &[], &mut paths);
    let line = line_of(code, at);
    let named = |path| Named { line, path };
    paths.into_iter().map(named).collect()
}

/// Reads one branch of a use tree; returns what stands behind it.
fn expand<'code>(text: &'code str, prefix: &[String], paths: &mut Vec<Vec<String>>) -> &'code str {
    let text = text.trim_start();
    if let Some(mut group) = text.strip_prefix('{') {
        loop {
            group = group.trim_start().trim_start_matches(',').trim_start();
            match group.strip_prefix('}') {
                Some(rest) => return rest,
                None if group.is_empty() => return group,
                None => group = past_alias(expand(group, prefix, paths)),
            }
        }
    }
    let is_end = |c: char| !(c.is_alphanumeric() || c == '_');
    let end = text
        .find(is_end)
        .unwrap_or(text.len())
        .max(usize::from(text.starts_with('*')));
    let path = [prefix, &[text[..end].to_owned()]].concat();
    let rest = &text[end..];
    match rest
        .strip_prefix("::")
        .filter(|deeper| !deeper.starts_with('<') && end > 0)
    {
        Some(deeper) => expand(deeper, &path, paths),
        None => {
            paths.push(path);
            rest
        }
    }
}

/// Leaves out `as name`, and anything unknown, up to the end of the branch.
fn past_alias(text: &str) -> &str {
    &text[text.find([',', '}']).unwrap_or(text.len())..]
}
