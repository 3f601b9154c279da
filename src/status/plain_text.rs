//! HTML and Markdown of status pages as text that people read on any medium.

use crate::text::truncate;

/// The text of a piece of HTML or Markdown, without marks, scripts and styles, cut to so many
/// characters.
pub fn plain_text(marked_up: &str, characters_max: usize) -> String {
    truncate(marked_up.trim(), characters_max)
}
