//! The look of all pages.

/// The one style sheet, inline so that a page is a single answer on a bad line.
pub const STYLE: &str = include_str!("templates/style.css");
