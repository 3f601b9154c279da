//! The words that all media share: one place, so that a page reads the same everywhere.

use crate::engine::decision::{Brief, Message};

/// `HIGH #1042 disk full on db1`: urgency and number, then the title.
pub fn headline(brief: &Brief) -> String {
    format!(
        "{} #{} {}",
        brief.urgency.as_str().to_uppercase(),
        brief.incident.number,
        brief.title
    )
}

/// Why the reader is paged: `route payments → policy payments, step 1 → schedule night`.
pub fn why(message: &Message) -> String {
    message.why.to_string()
}
