//! Words that were given up for the field's own, and where the better one is: names in the code,
//! phrases in everything that people read.

use crate::tree::Tree;
use crate::{Break, Rule};

/// Names of types, each with the one to write.
const NAMES: [(&str, &str); 29] = [
    ("AlertBrief", "AlertSummary"),
    ("Book", "RulesService"),
    ("Brief", "IncidentSummary"),
    ("Did", "ActionResult"),
    ("Door", "Endpoint"),
    ("Doors", "Listener"),
    ("Draft", "StepTransaction"),
    ("Looks", "StepTransaction"),
    ("Manner", "ResponseStyle"),
    ("Matter", "ContactNeeds"),
    ("Millis", "Duration"),
    ("News", "UpdateKind"),
    ("Order", "SendRequest"),
    ("Outlet", "EffectSink"),
    ("Params", "Query"),
    ("Patience", "Timeouts"),
    ("Payload", "Json"),
    ("Pinned", "PolicySnapshot"),
    ("PinnedPolicy", "PolicyRef"),
    ("Seat", "ConnectionPermit"),
    ("Shelf", "RevisionStore"),
    ("Slot", "PendingRecord"),
    ("Spoken", "EventTime"),
    ("Steady", "MonotonicTime"),
    ("Track", "ChannelWorker"),
    ("Untold", "Unreachable"),
    ("Wall", "Timestamp"),
    ("Wish", "PostedAction"),
    ("Works", "CommitLoop"),
];

/// Phrases, each with what to write. A word that is common elsewhere is retired by its phrase only.
const PHRASES: [(&str, &str); 14] = [
    (concat!("Beside ", "others"), "Comparison"),
    (
        concat!("cannot be ", "asked"),
        "cannot be checked without sending",
    ),
    (concat!("folded ", "page"), "bundled page"),
    (concat!("further rounds ", "follow"), "more rounds follow"),
    (
        concat!("has had enough ", "pages"),
        "is over the page limit",
    ),
    (concat!("has it and sleeps ", "on it"), "is snoozed until"),
    (
        concat!("is there with another ", "text"),
        "exists with different content",
    ),
    (
        concat!("lands elsewhere ", "now"),
        "is now routed elsewhere",
    ),
    (concat!("opens nothing any ", "more"), "is revoked"),
    (concat!("stands already ", "in"), "is already defined in"),
    (concat!("the cure of ", "each"), "the help of each"),
    (concat!("tells ", "nobody"), "reaches nobody"),
    (concat!("trouble ", "desk"), "self-incidents"),
    (concat!("would tell ", "nobody"), "would reach nobody"),
];

pub const RULES: &[Rule] = &[
    Rule {
        name: "names are the field's own",
        help: "write the name behind the arrow",
        find: names,
        planted: &[("src/cli/a.rs", "//! A.\nstruct Draft;\n")],
    },
    Rule {
        name: "what people read is plain English",
        help: "write the phrase behind the arrow",
        find: phrases,
        planted: &[
            ("README.md", concat!("The trouble ", "desk.\n")),
            ("src/cli/a.rs", concat!("//! A: it tells ", "nobody.\n")),
        ],
    },
];

fn names(tree: &Tree) -> Vec<Break> {
    let mut breaks = Vec::new();
    for source in &tree.sources {
        for line in &source.lines {
            let is_letter = |letter: char| !letter.is_alphanumeric() && letter != '_';
            for word in line.code.split(is_letter) {
                if let Some((_, better)) = NAMES.iter().find(|(name, _)| *name == word) {
                    let what = format!("{word} -> {better}");
                    breaks.push(Break::new(source, line.number, what));
                }
            }
        }
    }
    breaks
}

fn phrases(tree: &Tree) -> Vec<Break> {
    let mut breaks = Vec::new();
    for (path, text) in tree.texts.iter().filter(|(path, _)| is_read(path)) {
        for (number, line) in (1..).zip(text.lines()) {
            if let Some((phrase, better)) = PHRASES.iter().find(|(phrase, _)| line.contains(phrase))
            {
                breaks.push(Break {
                    path: path.clone(),
                    line: number,
                    what: format!("{phrase} -> {better}"),
                });
            }
        }
    }
    breaks
}

/// What people read now. Decisions and the change log tell of what was.
fn is_read(path: &str) -> bool {
    let is_past = path.starts_with("docs/decisions/") || path == "CHANGELOG.md";
    let is_ours = ["src/", "docs/", "rules/", "packaging/"]
        .iter()
        .any(|folder| path.starts_with(folder));
    !is_past && (is_ours || path == "README.md" || path == "CONTRIBUTING.md")
}
