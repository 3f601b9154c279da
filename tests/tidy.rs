//! The house rules as a test: sizes, who may name whom, and what is not written here.
//!
//! All breaks are printed at once, each with its place, the rule and the help. To change a rule,
//! change its table in a commit of its own that says why. `cargo test --test tidy -- --nocapture`
//! also shows the sizes beside their targets.

#[path = "tidy/circles.rs"]
mod circles;
#[path = "tidy/floors.rs"]
mod floors;
#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/log_fields.rs"]
mod log_fields;
#[path = "tidy/map.rs"]
mod map;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/retired.rs"]
mod retired;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/type_names.rs"]
mod type_names;
#[path = "tidy/words.rs"]
mod words;

use source::Source;
use tree::Tree;

/// One rule of the house.
struct Rule {
    name: &'static str,
    help: &'static str,
    find: fn(&Tree) -> Vec<Break>,
    /// Files that break exactly this rule, with their paths: proof that it looks at something. What
    /// takes a second file has it behind a line with `//// ` and its path.
    planted: &'static [(&'static str, &'static str)],
}

/// One place where a rule is broken.
#[derive(Debug)]
struct Break {
    path: String,
    line: usize,
    what: String,
}

impl Break {
    fn new(source: &Source, line: usize, what: impl Into<String>) -> Self {
        Self {
            path: source.path.clone(),
            line,
            what: what.into(),
        }
    }
}

fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        words::RULES,
        sizes::RULES,
        imports::RULES,
        map::RULES,
        log_fields::RULES,
        circles::RULES,
        type_names::RULES,
        floors::RULES,
        retired::RULES,
    ]
    .into_iter()
    .flatten()
}

#[test]
fn the_house_is_tidy() {
    let tree = Tree::load();
    println!("{}", sizes::summary(&tree));
    let mut count = 0;
    for rule in rules() {
        let breaks = (rule.find)(&tree);
        if breaks.is_empty() {
            continue;
        }
        count += breaks.len();
        println!("\n{} - {}", rule.name, rule.help);
        for found in breaks {
            println!("  {}:{}: {}", found.path, found.line, found.what);
        }
    }
    assert_eq!(count, 0, "breaks of the house rules, listed above");
}

#[test]
fn every_rule_finds_what_is_planted_and_nothing_else_does() {
    for rule in rules() {
        assert!(!rule.planted.is_empty(), "{}: nothing planted", rule.name);
        for (path, text) in rule.planted {
            let mut files = text.split("\n//// ").map(|part| {
                let named = part
                    .split_once('\n')
                    .filter(|(name, _)| name.ends_with(".rs"));
                named.unwrap_or((path, part))
            });
            let tree = Tree::of(&files.by_ref().collect::<Vec<_>>());
            let broken: Vec<&str> = rules()
                .filter(|other| !(other.find)(&tree).is_empty())
                .map(|other| other.name)
                .collect();
            assert_eq!(broken, [rule.name], "planted in {path}:\n{text}");
        }
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    let allowed = [
        (
            "src/engine/a.rs",
            "//! A.\n// unwrap() in words, \"async\" too.\nuse jiff::Span;\n",
        ),
        (
            "src/engine/b.rs",
            "//! B.\nconst TEXT: &str = \"x.unwrap() crate::store println!(\";\n",
        ),
        (
            "src/engine/c.rs",
            "//! C.\n#[cfg(test)]\nmod tests {\n    use crate::store::memory;\n    fn f() {\n\
             a.unwrap()\n    }\n}\n",
        ),
        (
            "src/engine/d.rs",
            "//! D.\nfn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }\n",
        ),
        (
            "src/runtime/clock.rs",
            "//! C.\nfn now() { SystemTime::now(); }\n",
        ),
        (
            "src/store/mod.rs",
            "//! S.\npub mod sled;\nfn f() { sled::open() }\n",
        ),
        (
            "src/api/mod.rs",
            "//! A.\nuse crate::{engine::ids, runtime::{Handle, handle}};\n",
        ),
        (
            "src/app/mod.rs",
            "//! A.\nuse crate::store::{memory::Memory, sled::Sled};\n",
        ),
        ("src/cli/remote.rs", "//! R.\nuse reqwest::Client;\n"),
        (
            "src/main.rs",
            "//! M.\nfn main() { reveille::cli::run() }\n",
        ),
        ("tests/it/main.rs", "//! I.\nfn f() { a.unwrap(); }\n"),
    ];
    let tree = Tree::of(&allowed);
    for rule in rules() {
        assert!(
            (rule.find)(&tree).is_empty(),
            "{}: {:?}",
            rule.name,
            (rule.find)(&tree)
        );
    }
}
