//! What readers get where a status page has nothing: a number that needs no language, and the way
//! back to the page.

use askama::Template;

use super::page::{PageFrame, rendered};
use super::view::StatusPageView;

#[derive(Template)]
#[template(path = "missing.html", config = "src/status_page/askama.toml")]
struct MissingPage<'view> {
    frame: PageFrame<'view>,
}

/// The page.
pub fn html(view: &StatusPageView) -> String {
    let frame = PageFrame::new(view);
    rendered(&MissingPage { frame })
}
