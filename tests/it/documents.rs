//! Pages of the documentation that repeat the code's own tables: they have to be complete.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use regex::Regex;
use reveille::engine::cause::Cause;
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
        "docs/reasons.md differs from src/engine/model/reason.rs"
    );
}

#[test]
fn every_cause_of_trouble_stands_on_its_page() {
    let page = read("docs/self-incidents.md");
    for cause in Cause::ALL {
        assert!(
            page.contains(&format!("| `{cause}` |")),
            "docs/self-incidents.md: {cause} is missing"
        );
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All pages of a folder and of those in it, from the root on.
fn pages_in(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("{folder}/{name}");
        if root().join(&path).is_dir() {
            found.extend(pages_in(&path));
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
    found
}

/// A page without its fenced blocks and code, in which nothing is a link or a heading.
fn prose(text: &str) -> String {
    let blocks = text.split("```").step_by(2);
    let code = Regex::new("`[^`\n]*`").unwrap();
    blocks
        .collect::<Vec<_>>()
        .join("\n")
        .lines()
        .fold(String::new(), |prose, line| {
            let is_heading = line.starts_with('#');
            let line = if is_heading {
                line.into()
            } else {
                code.replace_all(line, "code")
            };
            prose + &line + "\n"
        })
}

/// The targets of the links of a page, but those to other sites.
fn links(page: &str) -> Vec<String> {
    let link = Regex::new(r"\]\(([^)\s]+)\)").unwrap();
    let text = prose(&read(page));
    let targets = link.captures_iter(&text).map(|found| found[1].to_owned());
    targets.filter(|target| !target.contains("://")).collect()
}

/// Where a link of a page leads: a path from the root on, and the anchor.
fn target(page: &str, link: &str) -> (String, Option<String>) {
    let (path, anchor) = match link.split_once('#') {
        Some((path, anchor)) => (path, Some(anchor.to_owned())),
        None => (link, None),
    };
    if path.is_empty() {
        return (page.to_owned(), anchor);
    }
    let mut whole = PathBuf::new();
    for part in Path::new(page).parent().unwrap().join(path).components() {
        match part {
            Component::ParentDir => assert!(whole.pop(), "{page}: {link} leaves the project"),
            part => whole.push(part),
        }
    }
    (whole.display().to_string(), anchor)
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let text = prose(&read(page));
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|sign| sign.is_alphanumeric() || " -_".contains(*sign));
            let anchor: String = kept.collect::<String>().replace(' ', "-");
            let count = seen.entry(anchor.clone()).or_insert(0);
            *count += 1;
            match *count {
                1 => anchor,
                more => format!("{anchor}-{}", more - 1),
            }
        })
        .collect()
}

/// The pages that links lead to from this one on, itself among them.
fn reachable_from(page: &str) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![page.to_owned()];
    while let Some(page) = waiting.pop() {
        if page.ends_with(".md") && root().join(&page).is_file() && reached.insert(page.clone()) {
            waiting.extend(links(&page).iter().map(|link| target(&page, link).0));
        }
    }
    reached
}

#[test]
fn every_page_is_reached_by_links_from_both_entrances() {
    let pages = pages_in("docs");
    assert!(pages.len() > 30, "{pages:?}");
    for entrance in ["README.md", "docs/README.md"] {
        let reached = reachable_from(entrance);
        let lost: Vec<_> = pages
            .iter()
            .filter(|page| !reached.contains(*page))
            .collect();
        assert!(lost.is_empty(), "no link leads from {entrance} to {lost:?}");
    }
    // The table of contents names every page that no folder of its own lists.
    let named: BTreeSet<_> = links("docs/README.md").into_iter().collect();
    for page in pages.iter().filter_map(|page| page.strip_prefix("docs/")) {
        let is_own = page.contains('/') || page == "README.md";
        assert!(
            is_own || named.contains(page),
            "docs/README.md does not name {page}"
        );
    }
}

#[test]
fn no_link_of_a_page_is_broken() {
    let mut pages = pages_in("docs");
    pages.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(String::from));
    let mut broken = Vec::new();
    for page in &pages {
        for link in links(page) {
            let (path, anchor) = target(page, &link);
            let is_there = root().join(&path).exists();
            let has_anchor =
                |anchor: &String| path.ends_with(".md") && anchors(&path).contains(anchor);
            if !is_there || !anchor.as_ref().is_none_or(has_anchor) {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
