//! What posts on our own status pages say that nobody wrote, by language, and as the rules change
//! it.

use crate::document::{Code, MapReader, MapSchema, Position};
use crate::engine::event::Text;
use crate::engine::status_page_rules::PostTexts;
use crate::text::truncate::quoted;

use super::Context;

const TEXTS: MapSchema = MapSchema {
    what: "`texts`",
    keys: &[
        "title",
        "investigating",
        "changed",
        "monitoring",
        "resolved",
        "reopened",
        "in_progress",
        "completed",
    ],
    foreign: &[("scheduled", "announce a maintenance with a text of its own")],
    may_be_empty: false,
};

/// Characters of a text.
const CHARACTERS: usize = 2_000;

/// The texts of a language.
fn texts_in(language: Option<&Text>) -> [&'static str; 8] {
    match language.map(|language| &**language) {
        Some("de") => [
            "Störung: {{ component }}",
            "Wir untersuchen eine Störung: {{ component }}.",
            "Betroffen: {{ component }}.",
            "Die Störung ist behoben, wir beobachten weiter: {{ component }}.",
            "Die Störung ist behoben: {{ component }}. Sie dauerte {{ duration }}.",
            "Die Störung ist wieder aufgetreten: {{ component }}.",
            "Die Wartung hat begonnen: {{ component }}.",
            "Die Wartung ist abgeschlossen: {{ component }}.",
        ],
        _ => [
            "Issue with {{ component }}",
            "We are investigating an issue with {{ component }}.",
            "Affected: {{ component }}.",
            "The issue is fixed, and we are watching it: {{ component }}.",
            "This is resolved: {{ component }}. It lasted {{ duration }}.",
            "The issue with {{ component }} has come back.",
            "The maintenance has begun: {{ component }}.",
            "The maintenance is complete: {{ component }}.",
        ],
    }
}

impl Context<'_> {
    pub(super) fn post_texts(
        &mut self,
        table: &MapReader<'_>,
        language: Option<&Text>,
    ) -> PostTexts {
        let node = table.get("texts");
        let written = node.map(|node| MapReader::open(node, &TEXTS, &mut self.faults));
        let mut keys = TEXTS.keys.iter().zip(texts_in(language));
        let mut next = || {
            let (key, default) = keys.next().expect("there are as many texts as keys");
            let text = written
                .as_ref()
                .and_then(|table| self.post_text(table, key));
            text.unwrap_or_else(|| default.into())
        };
        PostTexts {
            title: next(),
            investigating: next(),
            changed: next(),
            monitoring: next(),
            resolved: next(),
            reopened: next(),
            in_progress: next(),
            completed: next(),
        }
    }

    fn post_text(&mut self, table: &MapReader<'_>, key: &str) -> Option<Text> {
        let text = table.text(key, &mut self.faults)?;
        let at = table.get(key).map_or(table.at, |node| node.at);
        let count = text.chars().count();
        if count > CHARACTERS {
            let message = format!("the text {key:?} has {count} characters");
            let help = format!("write {CHARACTERS} at most");
            self.faults.error(Code::TooMany, at, message, help);
        }
        self.check_variables(key, text, at);
        Some(text.into())
    }

    /// A variable that is not known would stand on the page as it is written here, and nobody knows
    /// how long something lasts that goes on.
    fn check_variables(&mut self, key: &str, text: &str, at: Position) {
        let [component, duration] = PostTexts::VARIABLES;
        let known: &[&str] = match key {
            "monitoring" | "resolved" | "completed" => &[component, duration],
            _ => &[component],
        };
        for part in text.split("{{").skip(1) {
            let name = part.split_once("}}").map(|(name, _)| name.trim());
            if name.is_some_and(|name| known.contains(&name)) {
                continue;
            }
            let message = match name {
                Some(name) => format!("the text `{key}` knows no variable {}", quoted(name)),
                None => "a `{{` without `}}`".to_owned(),
            };
            let variables = known.iter().map(|name| format!("{{{{ {name} }}}}"));
            let variables: Vec<String> = variables.collect();
            let help = format!("it knows {}", variables.join(" and "));
            self.faults.error(Code::UnknownKey, at, message, help);
        }
    }
}
