//! The `[[channel]]` tables of the settings: what all kinds have in common.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{KINDS, Kind, Provider, console};
use crate::document::section::Section;
use crate::document::{MapSchema, Node, Value, units};
use crate::engine::dependency::Dependency;
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::ChannelInfo;

/// A configured provider.
#[derive(Clone, Debug)]
pub struct Configured {
    /// Unique; letters a-z, digits and `-`.
    pub name: ChannelName,
    /// The word of the settings.
    pub kind: &'static str,
    /// Attempts under way at once.
    pub concurrency: usize,
    /// Providers whose status pages speak of it.
    pub depends_on: Vec<Dependency>,
    pub provider: Arc<dyn Provider>,
}

impl Configured {
    /// The channel that prints pages on the terminal, alone.
    pub fn console() -> Self {
        Self::console_beside(&[], None)
    }

    fn console_beside(others: &[Self], concurrency: Option<usize>) -> Self {
        Self {
            name: ChannelName::CONSOLE.into(),
            kind: console::KIND.name,
            concurrency: concurrency.unwrap_or(console::KIND.concurrency),
            depends_on: Vec::new(),
            provider: Arc::new(match others {
                [] => console::Role::Only,
                [..] => console::Role::Beside,
            }),
        }
    }

    /// What the engine and the rules must know of it.
    pub fn info(&self) -> ChannelInfo {
        ChannelInfo {
            concurrency: self.concurrency,
            depends_on: self.depends_on.clone(),
            ..self.provider.info()
        }
    }
}

/// The keys of a channel whose kind there is not.
const UNKNOWN: MapSchema =
    MapSchema::new("a channel", &["name", "kind", "concurrency", "depends_on"]);

/// Reads all channels; the console is added where it is missing and stands last.
pub fn read_all(root: &mut Section<'_, '_>) -> Vec<Configured> {
    let mut names = BTreeSet::new();
    let mut channels = Vec::new();
    for (node, number) in root.tables("channel").into_iter().zip(1..) {
        let name = node.get("name").and_then(Node::as_text);
        let shown = name.map_or_else(|| number.to_string(), str::to_owned);
        let word = node.get("kind").and_then(Node::as_text);
        let kind = KINDS.iter().find(|kind| Some(kind.name) == word);
        let schema = kind.map_or(&UNKNOWN, |kind| &kind.schema);
        let mut section = root.table(node, &format!("channel {shown}"), schema);
        let channel = read(&mut section, kind);
        if let Some(channel) = &channel
            && !names.insert(channel.name.clone())
        {
            section.refuse(
                &format!("the name {} is used twice", channel.name),
                "give each channel a unique name",
            );
        }
        channels.extend(channel);
    }
    let is_console = |channel: &Configured| channel.kind == console::KIND.name;
    let (consoles, mut channels): (Vec<_>, Vec<_>) = channels.into_iter().partition(is_console);
    let concurrency = consoles.first().map(|console| console.concurrency);
    channels.push(Configured::console_beside(&channels, concurrency));
    channels
}

fn read(section: &mut Section<'_, '_>, kind: Option<&Kind>) -> Option<Configured> {
    let kinds = kinds();
    let name = section.require("name", "write name = \"mail\"", name);
    let word = section.require("kind", &format!("one of {kinds}"), units::text);
    let concurrency = section.read("concurrency", concurrency);
    let depends_on = section.read("depends_on", dependencies);
    let Some(kind) = kind else {
        section.refuse(&format!("kind = {:?}", word?), &format!("must be {kinds}"));
        return None;
    };
    let written = ChannelName::from(name.as_deref().unwrap_or_default());
    let provider = (kind.read)(written.clone(), section);
    let (_, provider) = (name?, provider?);
    if (written.as_str() == ChannelName::CONSOLE) != (kind.name == console::KIND.name) {
        let console = console::KIND.name;
        section.refuse(
            &format!("the name {console} is reserved for the channel of kind {console}"),
            "rename this one",
        );
    }
    Some(Configured {
        name: written,
        kind: kind.name,
        concurrency: concurrency.unwrap_or(kind.concurrency),
        depends_on: depends_on.unwrap_or_default(),
        provider,
    })
}

/// All kinds, as a sentence names them.
fn kinds() -> String {
    let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
    match names.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

fn name(value: &Value) -> Result<String, String> {
    let name = units::text(value)?;
    let is_good = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_good {
        Ok(name)
    } else {
        Err("use only the letters a-z, digits and -".to_owned())
    }
}

/// `["provider/slack"]`
fn dependencies(value: &Value) -> Result<Vec<Dependency>, String> {
    let Value::List(items) = value else {
        return Err("must be a list such as [\"provider/slack\"]".to_owned());
    };
    let read = items.iter().map(|item| {
        let dependency = item.as_text().and_then(Dependency::parse);
        dependency.ok_or_else(|| "write each as \"provider/NAME\"".to_owned())
    });
    read.collect()
}

fn concurrency(value: &Value) -> Result<usize, String> {
    units::count(value)
        .ok()
        .filter(|count| *count <= 1_024)
        .ok_or_else(|| "must be a whole number from 1 to 1024".to_owned())
}
