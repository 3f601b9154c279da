//! A page that only says something.

use askama::Template;

use super::style::STYLE;

/// A heading and a sentence.
#[derive(Template)]
#[template(path = "message.html", config = "src/web/askama.toml")]
pub struct Message<'text> {
    style: &'static str,
    heading: &'text str,
    text: &'text str,
}

impl<'text> Message<'text> {
    /// A page with these words.
    pub fn new(heading: &'text str, text: &'text str) -> Self {
        let style = STYLE;
        Self {
            style,
            heading,
            text,
        }
    }
}
