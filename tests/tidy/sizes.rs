//! How large files, functions, parameter lists and lines may be.

use crate::source::{Line, Source};
use crate::tree::Tree;
use crate::{Break, Rule};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const PARAMETERS_MAX: usize = 6;
const COLUMNS_MAX: usize = 100;
/// Per 10,000 lines of the product.
const EXPECTS_MAX: usize = 15;

pub const RULES: &[Rule] = &[
    Rule {
        name: "a file has at most 500 lines beside its tests",
        help: "give one of its nouns a file of its own",
        find: long_files,
        planted: &[("src/cli/a.rs", concat!("//! A.\n", lines!(lines!("//\n"))))],
    },
    Rule {
        name: "a function has at most 70 lines",
        help: "keep the branches here and move loops and arithmetic into functions beneath",
        find: long_functions,
        planted: &[(
            "src/cli/a.rs",
            concat!(
                "//! A.\nfn f(\n) {\n",
                lines!("    a();\n    a();\n    a();\n"),
                "}\n"
            ),
        )],
    },
    Rule {
        name: "a function has at most 6 parameters",
        help: "put those that belong together into a struct",
        find: many_parameters,
        planted: &[(
            "src/cli/a.rs",
            "//! A.\nfn f<F: Fn(u8, u8) -> u8>(\n    a: F,\n    b: [u8; 2],\n    c: (u8, u8),\n    \
             d: A<u8, u8>,\n    e: u8,\n    f: u8,\n    g: u8,\n) -> [u8; 2] {\n    h()\n}\n",
        )],
    },
    Rule {
        name: "a line has at most 100 columns",
        help: "break it, strings with a `\\` at the end of the line",
        find: long_lines,
        planted: &[("tests/it/a.rs", concat!("//! A.\n// ", lines!("12345")))],
    },
    Rule {
        name: "every file begins with a module doc",
        help: "say in `//!` what the file decides, and what it does not",
        find: undocumented_files,
        planted: &[
            ("src/cli/a.rs", "fn f() {}\n"),
            ("tests/it/a.rs", "// A.\n"),
        ],
    },
    Rule {
        name: "at most 1.5 `expect` per 1,000 lines",
        help: "make the failure impossible by its type, or return it",
        find: expects,
        planted: &[(
            "src/cli/a.rs",
            "//! A.\nfn f() {\n    g().expect(\"why\");\n}\n",
        )],
    },
];

/// Repeats a text 26 times, for planted files.
macro_rules! lines {
    ($text:expr) => {
        concat!(
            $text, $text, $text, $text, $text, $text, $text, $text, $text, $text, $text, $text,
            $text, $text, $text, $text, $text, $text, $text, $text, $text, $text, $text, $text,
            $text, $text
        )
    };
}
use lines;

/// A function of the product.
struct Function<'source> {
    source: &'source Source,
    line: usize,
    name: String,
    /// From its head to its closing brace.
    lines: usize,
    parameters: usize,
}

fn long_files(tree: &Tree) -> Vec<Break> {
    tree.product()
        .map(|source| (source, source.product().count()))
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(source, lines)| Break::new(source, 1, format!("{lines} lines")))
        .collect()
}

fn long_functions(tree: &Tree) -> Vec<Break> {
    functions(tree)
        .filter(|function| function.lines > FUNCTION_LINES_MAX)
        .map(|function| function.is_broken(&format!("{} lines", function.lines)))
        .collect()
}

fn many_parameters(tree: &Tree) -> Vec<Break> {
    functions(tree)
        .filter(|function| function.parameters > PARAMETERS_MAX)
        .map(|function| function.is_broken(&format!("{} parameters", function.parameters)))
        .collect()
}

/// Lines of raw and of longer literals are left out: they cannot be broken, or stand as they are
/// read.
fn long_lines(tree: &Tree) -> Vec<Break> {
    let is_literal = |line: &Line| {
        let is_comment = line.raw.trim_start().starts_with("//");
        let is_raw = line.raw.contains("r#\"") && !line.code.contains('"');
        is_raw || (line.code.trim().is_empty() && !is_comment)
    };
    let mut breaks = Vec::new();
    for source in &tree.sources {
        for line in source.lines.iter().filter(|line| !is_literal(line)) {
            let columns = line.raw.chars().count();
            if columns > COLUMNS_MAX {
                breaks.push(Break::new(
                    source,
                    line.number,
                    format!("{columns} columns"),
                ));
            }
        }
    }
    breaks
}

fn undocumented_files(tree: &Tree) -> Vec<Break> {
    let begins_with_doc = |source: &&Source| {
        let first = source.lines.first();
        first.is_some_and(|line| line.raw.starts_with("//! "))
    };
    tree.sources
        .iter()
        .filter(|source| !begins_with_doc(source))
        .map(|source| Break::new(source, 1, "no module doc"))
        .collect()
}

/// All of them, when there are more than the product is large enough for.
fn expects(tree: &Tree) -> Vec<Break> {
    let lines: usize = tree.product().map(|source| source.product().count()).sum();
    let breaks: Vec<Break> = tree
        .product()
        .flat_map(|source| source.product().map(move |line| (source, line)))
        .filter(|(_, line)| line.code.contains(".expect("))
        .map(|(source, line)| Break::new(source, line.number, line.raw.trim()))
        .collect();
    if breaks.len() * 10_000 > EXPECTS_MAX * lines {
        breaks
    } else {
        Vec::new()
    }
}

impl Function<'_> {
    fn is_broken(&self, what: &str) -> Break {
        Break::new(self.source, self.line, format!("{}: {what}", self.name))
    }
}

fn functions(tree: &Tree) -> impl Iterator<Item = Function<'_>> {
    tree.product().flat_map(|source| {
        let code = source.product_code();
        let mut found = Vec::new();
        let mut at = 0;
        for (number, line) in (1..).zip(code.split_inclusive('\n')) {
            if let Some(name) = function_name(line) {
                let head = &code[at + line.find(&name).unwrap_or(0)..];
                found.extend(measured(source, number, name, head));
            }
            at += line.len();
        }
        found
    })
}

/// The name of the function whose head begins on this line.
fn function_name(line: &str) -> Option<String> {
    let line = line.trim_start();
    let (before, after) = line.split_once("fn ")?;
    let is_modifier = |word: &str| {
        ["pub", "const", "async", "unsafe", "extern", "default"].contains(&word)
            || word.starts_with("pub(")
            || ["super)", "crate)"].contains(&word)
            || word.starts_with("crate::")
    };
    let name: String = after
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (before.split_whitespace().all(is_modifier) && !name.is_empty()).then_some(name)
}

/// Measures the function whose text begins with its name; `None` without a body.
fn measured<'source>(
    source: &'source Source,
    line: usize,
    name: String,
    text: &str,
) -> Option<Function<'source>> {
    let mut depth = 0_usize;
    let mut body_depth = None;
    let mut previous = ' ';
    let mut parameters = None;
    for (at, character) in text.char_indices() {
        match character {
            '(' if parameters.is_none() && depth == 0 => {
                parameters = Some(count_parameters(&text[at + 1..]));
                depth += 1;
            }
            '{' if depth == 0 && body_depth.is_none() => {
                body_depth = Some(depth);
                depth += 1;
            }
            '(' | '[' | '{' => depth += 1,
            '<' if parameters.is_none() => depth += 1,
            '>' if parameters.is_none() && previous != '-' => depth = depth.saturating_sub(1),
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => return None,
            _ => {}
        }
        if character == '}' && body_depth == Some(depth) {
            return Some(Function {
                source,
                line,
                name,
                lines: 1 + text[..at].matches('\n').count(),
                parameters: parameters.unwrap_or(0),
            });
        }
        previous = character;
    }
    None
}

/// How many parameters stand before the closing bracket, `self` among them.
fn count_parameters(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut previous = ' ';
    let mut parameters = vec![String::new()];
    for character in text.chars() {
        match character {
            ')' if depth == 0 => break,
            '(' | '[' | '{' | '<' => depth += 1,
            '>' if previous == '-' => {}
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (character, parameters.last_mut()) {
            (',', _) if depth == 0 => parameters.push(String::new()),
            (other, Some(parameter)) => parameter.push(other),
            (_, None) => {}
        }
        previous = character;
    }
    let is_given = |parameter: &&String| !parameter.trim().is_empty();
    parameters.iter().filter(is_given).count()
}

/// Sizes beside their targets, which are aims and not limits.
pub fn summary(tree: &Tree) -> String {
    let files = tree.product().map(|source| source.product().count());
    let files: Vec<usize> = files.filter(|lines| *lines > 0).collect();
    let (lengths, parameters): (Vec<usize>, Vec<usize>) = functions(tree)
        .map(|function| (function.lines, function.parameters))
        .unzip();
    let total: usize = files.iter().sum();
    [
        format!(
            "{} files, {total} lines beside tests, {} functions",
            files.len(),
            lengths.len()
        ),
        aims("lines of a file", files, 130, 300),
        aims("lines of a function", lengths, 10, 35),
        aims("parameters", parameters, 2, 4),
    ]
    .join("\n")
}

fn aims(what: &str, mut sizes: Vec<usize>, median: usize, ninetieth: usize) -> String {
    sizes.sort_unstable();
    let at = |percent: usize| sizes.get(sizes.len() * percent / 100).copied().unwrap_or(0);
    format!(
        "{what}: median {} (aim {median}), 90th percentile {} (aim {ninetieth}), largest {}",
        at(50),
        at(90),
        sizes.last().copied().unwrap_or(0)
    )
}
