//! Which form of a page an address means, and its bytes.

use std::collections::BTreeSet;

use crate::status_page::statuspage_api::{self, StatuspageDocument};
use crate::status_page::view::{ComponentNode, StatusPageView};
use crate::status_page::{addresses, badge, calendar, feeds, history, page, time_text};

/// What a form is, as far as its headers depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormKind {
    Html,
    Rss,
    Atom,
    JsonFeed,
    Calendar,
    Badge,
    Api,
}

impl FormKind {
    /// For measurements.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Rss => "rss",
            Self::Atom => "atom",
            Self::JsonFeed => "json_feed",
            Self::Calendar => "calendar",
            Self::Badge => "badge",
            Self::Api => "api",
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::JsonFeed => "application/feed+json; charset=utf-8",
            Self::Calendar => "text/calendar; charset=utf-8",
            Self::Badge => "image/svg+xml; charset=utf-8",
            Self::Api => "application/json; charset=utf-8",
        }
    }

    /// Whether scripts of other sites may read it: what programs read, and no pages.
    pub fn is_for_other_sites(self) -> bool {
        self != Self::Html
    }
}

/// All addresses that have a form.
pub fn addresses(view: &StatusPageView) -> BTreeSet<String> {
    let alone = [
        "",
        addresses::HISTORY,
        addresses::RSS,
        addresses::ATOM,
        addresses::JSON_FEED,
        addresses::CALENDAR,
        addresses::BADGE,
    ];
    let documents = StatuspageDocument::ALL.into_iter();
    let documents = documents.map(|document| document.path().to_owned());
    let mut all: BTreeSet<String> = alone.map(str::to_owned).into_iter().collect();
    all.extend(documents);
    all.insert(addresses::month(&time_text::month(view.as_of)));
    for post in view.open.iter().chain(&view.maintenance).chain(&view.past) {
        all.insert(addresses::post(&post.id));
        all.insert(addresses::month(&time_text::month(post.started_at)));
    }
    for node in &view.components {
        let components = match node {
            ComponentNode::Group(group) => group.components.as_slice(),
            ComponentNode::Component(component) => std::slice::from_ref(component),
        };
        let badges = components.iter();
        all.extend(badges.map(|component| addresses::component_badge(&component.id)));
    }
    all
}

/// The form at an address beneath the page, without a slash at the end. `None` where there is none.
pub fn render(view: &StatusPageView, address: &str) -> Option<(FormKind, Vec<u8>)> {
    let document = StatuspageDocument::ALL.into_iter();
    let document = document
        .into_iter()
        .find(|document| document.path() == address);
    if let Some(document) = document {
        return Some((FormKind::Api, statuspage_api::json(view, document)));
    }
    let (kind, text) = match address {
        "" => (FormKind::Html, page::html(view)),
        addresses::HISTORY => (FormKind::Html, history::month_page(view, None)?),
        addresses::RSS => (FormKind::Rss, feeds::rss(view)),
        addresses::ATOM => (FormKind::Atom, feeds::atom(view)),
        addresses::JSON_FEED => (FormKind::JsonFeed, feeds::json_feed(view)),
        addresses::CALENDAR => (FormKind::Calendar, calendar::calendar(view)),
        addresses::BADGE => (FormKind::Badge, badge::of_page(view)),
        other => of_part(view, other)?,
    };
    Some((kind, text.into_bytes()))
}

/// A form of one month, post or component.
fn of_part(view: &StatusPageView, address: &str) -> Option<(FormKind, String)> {
    let last = address.rsplit('/').next()?;
    if address == addresses::month(last) {
        return Some((FormKind::Html, history::month_page(view, Some(last))?));
    }
    if address == addresses::post(last) {
        return Some((FormKind::Html, history::post_page(view, last)?));
    }
    let id = last.strip_suffix(".svg")?;
    if address == addresses::component_badge(id) {
        return Some((FormKind::Badge, badge::of_component(view, id)?));
    }
    None
}
