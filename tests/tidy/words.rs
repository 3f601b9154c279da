//! What is not written here, and where instead.

use crate::source::{Line, Source};
use crate::tree::Tree;
use crate::{Break, Rule};

/// Rooms that compute and do nothing else.
pub const PURE: [&str; 8] = [
    "engine",
    "document",
    "rules",
    "inbound",
    "status",
    "status_page",
    "signing",
    "text",
];

/// The only reader of time.
const CLOCK: &str = "src/runtime/clock.rs";

/// Words that announce unfinished work; in two parts, so that they do not stand here.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
];

/// Places outside the project of which it does not speak.
const ELSEWHERE: [&str; 2] = [concat!("shared", "/"), concat!("/wo", "rk/")];

/// What a merge leaves where two sides differ.
const MERGING: [&str; 2] = [concat!("<<<<", "<<< "), concat!(">>>>", ">>> ")];

pub const RULES: &[Rule] = &[
    Rule {
        name: "no unwrap outside tests",
        help: "handle the error, or `expect(\"why it cannot fail\")`",
        find: |tree| in_product(tree, |_| true, &[".unwrap()"]),
        planted: &[("src/cli/a.rs", "//! A.\nfn f() {\n    g().unwrap();\n}\n")],
    },
    Rule {
        name: "pure rooms do nothing but compute",
        help: "take time, seed and text as arguments; return what is to be done",
        find: |tree| {
            let words = [
                "async",
                ".await",
                "std::time",
                "std::net",
                "std::fs",
                "std::thread",
                "std::env",
                "std::process",
                "std::io",
                "rand::",
                "println!",
                "print!",
                "eprintln!",
                "eprint!",
            ];
            in_product(tree, is_pure, &words)
        },
        planted: &[
            ("src/engine/a.rs", "//! A.\nasync fn f() {}\n"),
            ("src/rules/a.rs", "//! A.\nuse std::fs;\n"),
            ("src/inbound/a.rs", "//! A.\nfn f() {\n    println!();\n}\n"),
            ("src/signing/mod.rs", "//! A.\nuse std::time::Duration;\n"),
        ],
    },
    Rule {
        name: "pure rooms have no hash order",
        help: "use BTreeMap or BTreeSet, so that the same input always gives the same output",
        find: |tree| in_product(tree, is_pure, &["HashMap", "HashSet"]),
        planted: &[(
            "src/engine/a.rs",
            "//! A.\nuse std::collections::HashMap;\n",
        )],
    },
    Rule {
        name: "one file reads the clock",
        help: "take the time as an argument; src/runtime/clock.rs gives it",
        find: |tree| {
            let words = [
                "SystemTime::now",
                "Instant::now",
                "Timestamp::now",
                "ZonedDateTime::now",
                ".elapsed()",
            ];
            let elsewhere = |source: &Source| source.in_src().is_some() && source.path != CLOCK;
            in_code(tree, elsewhere, |_| true, &words)
        },
        planted: &[
            (
                "src/app/mod.rs",
                "//! A.\nfn f() {\n    Instant::now();\n}\n",
            ),
            (
                "src/app/mod.rs",
                "//! A.\n#[cfg(test)]\nmod tests {\n    fn f() {\n        \
                 Timestamp::now();\n    }\n}\n",
            ),
        ],
    },
    Rule {
        name: "no sleep in tests",
        help: "move the time of the harness, or wait for the thing itself",
        find: |tree| {
            in_code(
                tree,
                |_| true,
                |line| line.is_test,
                &["sleep(", "sleep_until("],
            )
        },
        planted: &[
            (
                "tests/it/a.rs",
                "//! A.\nfn f() {\n    std::thread::sleep(x);\n}\n",
            ),
            (
                "src/cli/a.rs",
                "//! A.\n#[cfg(test)]\nmod tests {\n    fn f() { sleep(x) }\n}\n",
            ),
        ],
    },
    Rule {
        name: "no test is ignored",
        help: "assert the wrong behaviour and say so, or mend it",
        find: |tree| in_code(tree, |_| true, |_| true, &["#[ignore"]),
        planted: &[("tests/it/a.rs", "//! A.\n#[ignore]\n#[test]\nfn f() {}\n")],
    },
    Rule {
        name: "no lint is allowed away",
        help: "use #[expect(lint, reason = \"...\")]",
        find: |tree| in_code(tree, |_| true, |_| true, &["#[allow", "#![allow"]),
        planted: &[
            ("src/cli/a.rs", "//! A.\n#[allow(dead_code)]\nfn f() {}\n"),
            ("tests/it/a.rs", "//! A.\n#![allow(dead_code)]\n"),
        ],
    },
    Rule {
        name: "nothing is left for later",
        help: "finish it, or say plainly what is not done and why",
        find: |tree| in_raw(tree, &UNFINISHED),
        planted: &[
            ("src/cli/a.rs", concat!("//! A.\n// TO", "DO: more\n")),
            (
                "src/cli/a.rs",
                concat!("//! A.\nfn f() {\n    to", "do!()\n}\n"),
            ),
        ],
    },
    Rule {
        name: "no merge is left half done",
        help: "choose one side, or write what both mean",
        find: |tree| in_texts(tree, &MERGING),
        planted: &[("README.md", concat!("a\n<<<<", "<<< HEAD\n"))],
    },
    Rule {
        name: "the project speaks of itself alone",
        help: "name only what is in this repository",
        find: |tree| in_texts(tree, &ELSEWHERE),
        planted: &[
            ("README.md", concat!("See shared", "/notes.md\n")),
            ("src/cli/a.rs", concat!("//! A, see /wo", "rk/notes.\n")),
        ],
    },
];

fn is_pure(source: &Source) -> bool {
    source.room().is_some_and(|room| PURE.contains(&room))
}

/// Breaks in the product's code.
fn in_product(tree: &Tree, of: fn(&Source) -> bool, words: &[&str]) -> Vec<Break> {
    let product = |source: &Source| source.in_src().is_some() && of(source);
    in_code(tree, product, |line| !line.is_test, words)
}

/// Breaks in code, on certain lines of certain files.
fn in_code(
    tree: &Tree,
    of: impl Fn(&Source) -> bool,
    on: fn(&Line) -> bool,
    words: &[&str],
) -> Vec<Break> {
    let mut breaks = Vec::new();
    for source in tree.sources.iter().filter(|source| of(source)) {
        for line in source.lines.iter().filter(|line| on(line)) {
            if let Some(word) = words.iter().find(|word| has_word(&line.code, word)) {
                breaks.push(Break::new(source, line.number, *word));
            }
        }
    }
    breaks
}

/// Breaks anywhere in Rust files, in comments and literals too.
fn in_raw(tree: &Tree, words: &[&str]) -> Vec<Break> {
    let mut breaks = Vec::new();
    for source in &tree.sources {
        for line in &source.lines {
            if let Some(word) = words.iter().find(|word| has_word(&line.raw, word)) {
                breaks.push(Break::new(source, line.number, *word));
            }
        }
    }
    breaks
}

/// Breaks anywhere in text files.
fn in_texts(tree: &Tree, words: &[&str]) -> Vec<Break> {
    let mut breaks = Vec::new();
    for (path, text) in &tree.texts {
        for (number, line) in (1..).zip(text.lines()) {
            if let Some(word) = words.iter().find(|word| has_word(line, word)) {
                breaks.push(Break {
                    path: path.clone(),
                    line: number,
                    what: (*word).to_owned(),
                });
            }
        }
    }
    breaks
}

/// Whether a text holds a word that is not part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let glued_before = word.starts_with(is_letter) && text[..at].ends_with(is_letter);
        let after = &text[at + word.len()..];
        let glued_after = word.ends_with(is_letter) && after.starts_with(is_letter);
        !glued_before && !glued_after
    })
}
