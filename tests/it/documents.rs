//! Pages of the documentation that repeat the code's own tables: they have to be complete.

use std::fs;
use std::path::Path;

use reveille::engine::reason::Reason;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn every_reason_stands_on_its_page_with_its_meaning() {
    let page = read("docs/reasons.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let expected: Vec<String> = Reason::ALL
        .iter()
        .map(|reason| format!("| `{}` | {} |", reason.as_str(), reason.meaning()))
        .collect();
    assert_eq!(
        rows, expected,
        "docs/reasons.md differs from src/engine/reason.rs"
    );
}

#[test]
fn every_cause_of_trouble_stands_on_its_page() {
    let page = read("docs/troubles.md");
    let code = read("src/engine/trouble.rs");
    let (_, words) = code.split_once("pub fn as_str").unwrap();
    let (words, _) = words.split_once("pub fn").unwrap();
    let words: Vec<&str> = words
        .lines()
        .filter(|line| line.contains("=> \""))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(
        words.contains(&"channel_credential"),
        "no causes were found"
    );
    for word in words {
        assert!(
            page.contains(&format!("| `{word}` |")),
            "docs/troubles.md: {word} is missing"
        );
    }
}
