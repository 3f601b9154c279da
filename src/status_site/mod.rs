//! Serves our own status pages over HTTP: which page a request is for, who may read it, and its
//! forms as they are kept.

mod access;
mod answer;
mod form;
mod place;
mod rendered;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use tokio::sync::watch;

use crate::status_page::published::PublishedPages;

use rendered::RenderedPages;

/// What is served, and whether it is sure to be how things are.
pub struct StatusSite {
    published: watch::Receiver<Arc<PublishedPages>>,
    is_certain: watch::Receiver<bool>,
    rendered: RenderedPages,
}

impl StatusSite {
    /// While `is_certain` is false, every form says that it is the last that is known.
    pub fn new(
        published: watch::Receiver<Arc<PublishedPages>>,
        is_certain: watch::Receiver<bool>,
    ) -> Self {
        Self {
            published,
            is_certain,
            rendered: RenderedPages::default(),
        }
    }

    fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
        let published = Arc::clone(&self.published.borrow());
        let Some((page, address)) = place::find(&published, uri, headers) else {
            return answer::no_page();
        };
        if method != Method::GET && method != Method::HEAD {
            return answer::wrong_method();
        }
        let access = &page.rules.access;
        if !access::is_granted(access, uri, headers) {
            return answer::no_access(access.audience);
        }
        let is_certain = *self.is_certain.borrow();
        let rendered = self.rendered.of(&published, page, is_certain);
        let response = match rendered.form(address) {
            Some(form) => answer::form(&form, page, headers),
            None => answer::missing(&rendered, page),
        };
        answer::for_method(method, response)
    }
}

/// Answers every path: beneath the places of pages with their forms, elsewhere with 404.
pub fn router(site: Arc<StatusSite>) -> Router {
    Router::new().fallback(serve).with_state(site)
}

async fn serve(State(site): State<Arc<StatusSite>>, request: Request) -> Response {
    site.answer(request.method(), request.uri(), request.headers())
}
