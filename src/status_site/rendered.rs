//! Forms that were rendered, kept as long as their page stays as it is, so that serving is a
//! look-up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;

use crate::engine::ids::StatusPageName;
use crate::status_page::missing;
use crate::status_page::published::{PublishedPage, PublishedPages};
use crate::status_page::view::StatusPageView;
use crate::text::{hash, hex};

use super::form::{FormKind, render};

/// Forms that are kept of one page; those beyond are rendered each time.
const FORMS_MAX: usize = 500;

/// A form as it is served.
#[derive(Debug)]
pub struct RenderedForm {
    pub kind: FormKind,
    pub body: Bytes,
    /// A strong one, with its quotes.
    pub etag: String,
}

/// A page and its forms so far.
pub struct RenderedPage {
    page: Arc<PublishedPage>,
    view: StatusPageView,
    forms: Mutex<BTreeMap<String, Arc<RenderedForm>>>,
}

impl RenderedPage {
    /// A page of which nothing is rendered yet.
    pub fn new(page: &Arc<PublishedPage>, is_certain: bool) -> Self {
        let mut view = page.view.clone();
        view.is_certain = view.is_certain && is_certain;
        Self {
            page: Arc::clone(page),
            view,
            forms: Mutex::default(),
        }
    }

    /// What it shows.
    pub fn view(&self) -> &StatusPageView {
        &self.view
    }

    fn is_of(&self, page: &Arc<PublishedPage>, is_certain: bool) -> bool {
        let shown_as_certain = page.view.is_certain && is_certain;
        Arc::ptr_eq(&self.page, page) && self.view.is_certain == shown_as_certain
    }

    /// What is at an address beneath the page. Addresses with nothing are not kept, so that readers
    /// cannot fill the memory with them.
    pub fn form(&self, address: &str) -> Option<Arc<RenderedForm>> {
        // A panic while rendering leaves the map whole: forms are put in when they are finished.
        let kept = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(form) = kept.get(address) {
            return Some(Arc::clone(form));
        }
        drop(kept);
        let (kind, body) = render(&self.view, address)?;
        let etag = format!("\"{}\"", hex::encode(&hash::sha256(&body)[..16]));
        let form = Arc::new(RenderedForm {
            kind,
            body: body.into(),
            etag,
        });
        let mut kept = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < FORMS_MAX {
            kept.insert(address.to_owned(), Arc::clone(&form));
        }
        Some(form)
    }

    /// The page for addresses with nothing.
    pub fn missing(&self) -> String {
        missing::html(&self.view)
    }
}

/// What is kept of all pages.
#[derive(Default)]
pub struct RenderedPages {
    pages: Mutex<BTreeMap<StatusPageName, Arc<RenderedPage>>>,
}

impl RenderedPages {
    /// The kept forms of `page`, begun anew if it changed. What is no longer published goes then.
    pub fn of(
        &self,
        published: &PublishedPages,
        page: &Arc<PublishedPage>,
        is_certain: bool,
    ) -> Arc<RenderedPage> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let name = &page.rules.name;
        if let Some(rendered) = pages.get(name)
            && rendered.is_of(page, is_certain)
        {
            return Arc::clone(rendered);
        }
        pages.retain(|name, _| published.pages.contains_key(name));
        let rendered = Arc::new(RenderedPage::new(page, is_certain));
        pages.insert(name.clone(), Arc::clone(&rendered));
        rendered
    }
}
