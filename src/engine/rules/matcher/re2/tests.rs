//! What RE2 takes and matches: a table made by running Alertmanager's own tool.

use serde::Deserialize;

use crate::engine::matcher::pattern::Pattern;
use crate::engine::matcher::{Matcher, Operator};

/// Made by `amtool config routes test` 0.25 (Go 1.19), one route with `v=~"EXPRESSION"` each;
/// `tests/it/process/amtool.rs` runs it again. No list of values: the expression is refused.
const TABLE: &str = include_str!("../../../../../tests/fixtures/matchers/expressions.json");

#[derive(Deserialize)]
struct Table {
    values: Vec<String>,
    expressions: Vec<(String, Option<Vec<String>>)>,
}

#[test]
fn regular_expressions_match_what_they_match_in_alertmanager_and_nothing_else() {
    let table: Table = serde_json::from_str(TABLE).unwrap();
    let mut differences = Vec::new();
    for (expression, expected) in &table.expressions {
        let matcher = Matcher::new("v", Operator::Match, expression);
        let ours = matcher.map(|matcher| {
            let values = table.values.iter();
            let matched = values.filter(|value| matcher.pattern.matches(value));
            matched.cloned().collect::<Vec<_>>()
        });
        if ours.as_ref().ok() != expected.as_ref() {
            differences.push(format!("{expression}: {ours:?} and not {expected:?}"));
        }
    }
    assert!(table.expressions.len() > 100);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn what_the_manual_lists_as_refused_is_refused_although_alertmanager_takes_it() {
    let manual = include_str!("../../../../../docs/rules.md");
    let listed = manual
        .lines()
        .find(|line| line.starts_with("Refused, although"));
    let listed = listed.expect("the list");
    let refused = ["a)|(b", "a(?i)*", r"a*\Q\E*", r"\x{d800}", r"\p{Cs}"];
    for expression in refused {
        assert!(listed.contains(&format!("`{expression}`")), "{expression}");
        Pattern::new(Operator::Match, expression).expect_err(expression);
    }
    assert!(listed.contains("nested deeper than 240 levels"));
    let nested = |levels| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    Pattern::new(Operator::Match, &nested(240)).expect("not deeper");
    Pattern::new(Operator::Match, &nested(260)).expect_err("deeper");
}

#[test]
fn what_later_versions_of_go_added_is_read_and_what_is_refused_says_why() {
    let read = [r"(?<name>a)", r"\p{greek}|a", r"\p{Letter}", r"a|\p{Thai}"];
    for expression in read {
        let pattern = Pattern::new(Operator::Match, expression).expect(expression);
        assert!(pattern.matches("a"), "{expression}");
    }
    let refused = [
        (
            r"a\Z",
            r"`\Z` is not an RE2 escape; write the end of the text as `\z`",
        ),
        (
            r"\u0061",
            r"`\u` is not an RE2 escape; write a character by its number as `\x{263a}`",
        ),
        (
            r"\C",
            r"`\C` is not an RE2 escape; a single byte cannot be matched",
        ),
        (r"\Qa.b", r"a `\Q` needs its `\E`"),
        (
            "(?x)a",
            "`(?x)` is not an RE2 group; its flags are i, m, s and U",
        ),
        (
            "a**",
            "`*` repeats a repetition; put parentheses around what it repeats",
        ),
        (
            "a|*",
            "nothing precedes `*`; write a literal `*` with a backslash before it",
        ),
        // RE2 would repeat what stands before the flags, and join what is outside the brackets.
        (
            "a(?i)*",
            "`*` follows flags; put the flags before what it repeats",
        ),
        ("a)|(b", r"unopened group; write a literal one as `\)`"),
        (
            "(?:a{100}){11}",
            "nested counts repeat a part 1100 times; the limit is 1000",
        ),
        (
            r"\p{Grek}",
            r"`\p{Grek}` is unknown; it takes a category such as `Lu` or a script such as `Greek`",
        ),
        ("[b-a]", "the range `b-a` is in the wrong order"),
        (r"\x{d800}", r"`\x{d800}` is not a character"),
    ];
    for (expression, cause) in refused {
        let said = Pattern::new(Operator::Match, expression).expect_err(expression);
        let expected = format!("the regular expression does not parse: {cause}");
        assert_eq!(said, expected, "{expression}");
    }
}

#[test]
fn a_letter_of_several_bytes_at_any_place_is_read_or_refused() {
    // One expression of every part of the grammar, cut off at each place and followed by letters.
    let whole = r"(?i-s:a|(?P<n>b)c*?)[^a-z[:alpha:]\d]{2,3}?\p{Greek}\pL\Q.*\E\x41\x{1F600}\012$";
    for (at, _) in whole.char_indices() {
        for letter in ["¡", "é", "ⓙ", "𞋿"] {
            let before = format!("{}{letter}", &whole[..at]);
            let within = format!("{before}{}", &whole[at..]);
            for expression in [before, within] {
                // What matters is that it answers.
                let read = Matcher::new("v", Operator::Match, &expression);
                assert!(read.is_ok() || !read.unwrap_err().to_string().is_empty());
            }
        }
    }
}
