//! Answers as people read them. Pure: a shape of the wire and a view in, text out.
//!
//! Text of others is cleaned, because it ends up on a terminal.

pub mod admin;
pub mod checks;
pub mod incident;
pub mod people;
pub mod providers;
pub mod rules;
pub mod status;
pub mod table;
pub mod time_format;
pub mod timeline;
mod view;

use crate::api::wire::actor::Actor;
use crate::engine::time::Timestamp;
use crate::text::clean::blanked;

pub use view::View;

/// A text of the wire as one clean line; empty where it is not given.
pub fn clean<'text>(text: impl Into<Option<&'text String>>) -> String {
    text.into().map_or_else(String::new, |text| blanked(text))
}

/// A text, or another where it is empty.
pub fn or(text: String, other: &str) -> String {
    if text.is_empty() {
        other.to_owned()
    } else {
        text
    }
}

/// The words that are not empty, with two spaces between them.
pub fn spaced(words: impl IntoIterator<Item = String>) -> String {
    let mut words: Vec<String> = words.into_iter().collect();
    words.retain(|word| !word.is_empty());
    words.join("  ")
}

/// A line for each value that is not empty, behind its name in a column of that width.
pub fn rows<'name>(
    width: usize,
    pairs: impl IntoIterator<Item = (&'name str, String)>,
) -> impl Iterator<Item = String> {
    let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    pairs.map(move |(name, value)| format!("{name:<width$}  {value}"))
}

/// The name of whoever acted; empty for nobody.
pub fn name(actor: &Option<Actor>) -> String {
    clean(actor.as_ref().map(|actor| &actor.name))
}

/// A time of the wire.
pub fn moment<'text>(text: impl Into<Option<&'text String>>) -> Option<Timestamp> {
    let timestamp: jiff::Timestamp = text.into()?.parse().ok()?;
    Some(timestamp.into())
}

/// A time of the wire on the local clock; empty where it is not given.
pub fn local<'text>(text: impl Into<Option<&'text String>>, view: &View) -> String {
    moment(text).map_or_else(String::new, |at| time_format::local(at, view))
}

/// A time of the wire with its distance from now; empty where it is not given.
pub fn both<'text>(text: impl Into<Option<&'text String>>, view: &View) -> String {
    moment(text).map_or_else(String::new, |at| time_format::both(at, view))
}

/// Texts with commas between them.
pub fn joined(texts: &[String]) -> String {
    let texts = texts.iter().map(|text| blanked(text));
    texts.collect::<Vec<_>>().join(", ")
}

/// Numbers of incidents, such as `#1, #2`.
pub fn hashed(numbers: &[u64]) -> String {
    let numbers = numbers.iter().map(|number| format!("#{number}"));
    numbers.collect::<Vec<_>>().join(", ")
}
