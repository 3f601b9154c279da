//! What is wrong with mappings of the generic format: each key's bad input, its place, its help.

use std::fmt::Write as _;

use super::*;
use crate::document::Diagnostic;
use crate::rules::limits;

const BEGIN_WITH_SLASH: &str = "start with a slash and separate names with slashes: /alert/title; \
    inside a name write ~1 for a slash and ~0 for ~";

/// The last line of a mapping that has `source` and `severity` besides, and with `action` before it
/// where a `;` stands; the fault as `line:column: error[code]: message`; the help.
type Case = (&'static str, &'static str, &'static str);

const POINTERS: &[Case] = &[
    (
        "summary: []",
        "7:16: error[empty-value]: `summary` lists no pointer",
        "write `summary: /…`, or remove it",
    ),
    (
        "dedup_key: []",
        "7:18: error[empty-value]: `dedup_key` lists no pointer",
        "write `dedup_key: /…`, or remove it",
    ),
    (
        "summary: [/a, b]",
        "7:21: error[bad-pointer]: a JSON pointer is expected, not the text \"b\"",
        BEGIN_WITH_SLASH,
    ),
    (
        "summary: [/a, [/b]]",
        "7:21: error[bad-pointer]: a JSON pointer is expected, not a list",
        BEGIN_WITH_SLASH,
    ),
    (
        "summary: { first: /a }",
        "7:16: error[bad-pointer]: a JSON pointer is expected, not a map",
        BEGIN_WITH_SLASH,
    ),
    (
        "occurred_at: 5",
        "7:20: error[bad-pointer]: a JSON pointer is expected, not the number 5",
        BEGIN_WITH_SLASH,
    ),
    (
        "each: alerts",
        "7:13: error[bad-pointer]: a JSON pointer is expected, not the text \"alerts\"",
        BEGIN_WITH_SLASH,
    ),
    (
        "each: [/a, /b]",
        "7:13: error[bad-pointer]: a JSON pointer is expected, not a list",
        BEGIN_WITH_SLASH,
    ),
    (
        "labels: { team: [/a, /b] }",
        "7:23: error[bad-pointer]: a JSON pointer is expected, not a list",
        BEGIN_WITH_SLASH,
    ),
    (
        "links: [/a]",
        "7:14: error[not-a-map]: `links` must be a map of names, not a list",
        "write `name: value`, one per line",
    ),
];

const WORDS: &[Case] = &[
    (
        "action: /a; actions: { ok: ignored }",
        "8:22: error[bad-choice]: \"ignored\" is not an action",
        "did you mean `ignore`?",
    ),
    (
        "action: /a; actions: { ok: close }",
        "8:22: error[bad-choice]: \"close\" is not an action",
        "write one of `trigger`, `acknowledge`, `resolve`, `ignore`",
    ),
    (
        "action: /a; actions: { ok: true }",
        "8:22: error[not-text]: an action must be text, not the truth value true",
        "put it in quotes: \"true\"",
    ),
    (
        "action: /a; actions: [resolve]",
        "8:16: error[not-a-map]: `actions` must be a map of names, not a list",
        "write `name: value`, one per line",
    ),
    (
        "action: []; actions: { ok: resolve }",
        "7:15: error[empty-value]: `action` lists no pointer",
        "write `action: /…`, or remove it",
    ),
    (
        "actions: { ok: resolve }",
        "7:7: error[missing-key]: `actions` needs `action`, the pointer to the text it maps",
        "add `action: /…`, or remove `actions`",
    ),
    (
        "unlisted: ignore",
        "7:7: error[missing-key]: `unlisted` needs `action`, the pointer to the text it maps",
        "add `action: /…`, or remove `unlisted`",
    ),
    (
        "action: /a; unlisted: resolve",
        "8:17: error[bad-choice]: `unlisted` cannot be \"resolve\"",
        "it is one of `trigger`, `ignore`, `refuse`",
    ),
    (
        "action: /a; unlisted: [ignore]",
        "8:17: error[not-text]: `unlisted` must be text, not a list",
        "write a single text",
    ),
    (
        "severities: { P1: 1 }",
        "7:25: error[not-text]: a severity must be text, not the number 1",
        "put it in quotes: \"1\"",
    ),
    (
        "severities: [critical]",
        "7:19: error[not-a-map]: `severities` must be a map of names, not a list",
        "write `name: value`, one per line",
    ),
];

/// The faults of a mapping with these lines, each with its help.
fn faults_with(lines: &str) -> Vec<(String, String)> {
    let lines = lines.replace("; ", "\n      ");
    let text = format!(
        "integrations:\n  a:\n    format: generic\n    mapping:\n      source: /host\n      \
         severity: /level\n      {lines}\n"
    );
    let files = [file("base.yaml", BASE), file("case.yaml", &text)];
    let (_, compiled) = check(&files, &environment());
    let shown = |fault: &Diagnostic| (fault.to_string(), fault.help.clone());
    compiled.faults.iter().map(shown).collect()
}

#[test]
fn each_bad_input_of_a_mapping_is_named_with_its_place_and_its_cure() {
    for (lines, fault, help) in POINTERS.iter().chain(WORDS) {
        let expected = (format!("case.yaml:{fault}"), (*help).to_owned());
        assert_eq!(faults_with(lines), [expected], "{lines}");
    }
}

#[test]
fn a_mapping_with_too_many_pointers_or_values_is_told_how_many_it_may_have() {
    let pointers = |count: usize| vec!["/a"; count].join(", ");
    let values = |count: usize| {
        let mut values = String::new();
        for value in 0..count {
            // Writing into a string cannot fail.
            let _ = write!(values, "v{value}: ignore, ");
        }
        values
    };
    let most = limits::FALLBACK_POINTERS;
    let parts = limits::DEDUP_POINTERS;
    let cases = [
        (
            "summary",
            format!("summary: [{}]", pointers(most + 1)),
            most,
        ),
        (
            "dedup_key",
            format!("dedup_key: [{}]", pointers(parts + 1)),
            parts,
        ),
        (
            "actions",
            format!("action: /a; actions: {{ {} }}", values(1_001)),
            1_000,
        ),
        (
            "severities",
            format!("severities: {{ {} }}", values(1_001)),
            1_000,
        ),
    ];
    for (key, lines, most) in cases {
        let [(fault, help)] = &faults_with(&lines)[..] else {
            panic!("{key}: {:?}", faults_with(&lines));
        };
        let count = most + 1;
        let message = format!("error[too-many]: `{key}` has {count} items, more than {most}");
        assert!(fault.ends_with(&message), "{fault}");
        assert_eq!(help, &format!("keep at most {most}"));
    }
    assert_eq!(faults_with(&format!("summary: [{}]", pointers(most))), []);
}
