//! Serves our own status pages over HTTP: which page a request is for, who may read it, and its
//! forms as they are kept.

mod access;
mod answer;
pub mod export;
mod form;
mod place;
mod rendered;
#[cfg(test)]
mod tests;
mod throttle;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Extensions, Method};
use axum::response::Response;
use tokio::sync::watch;

use crate::engine::status_page_rules::{PageAccess, PageAudience, PagePlace};
use crate::engine::time::Duration;
use crate::status_page::published::{PublishedPage, PublishedPages};

use rendered::RenderedPages;
use throttle::Throttle;

/// Requests of one client: 20 in a second, and 100 at once.
const REQUEST_PAUSE: Duration = Duration(50);
const REQUESTS_AT_ONCE: u64 = 100;
/// Wrong passwords and tokens of one client: one in half a minute, and 20 at once.
const WRONG_KEY_PAUSE: Duration = Duration::seconds(30);
const WRONG_KEYS_AT_ONCE: u64 = 20;

/// Told of each answer: the page, the form or `none`, and the class of the status such as `2xx`.
pub type OnAnswer = Arc<dyn Fn(&str, &'static str, &'static str) + Send + Sync>;

/// The form of answers that hold none.
const NO_FORM: &str = "none";

/// What a site is told from outside.
pub struct SiteParts {
    pub published: watch::Receiver<Arc<PublishedPages>>,
    /// While it is false, every form says that it is the last that is known.
    pub is_certain: watch::Receiver<bool>,
    /// Who counts as one client, by what the server put into the extensions of a request. `None`
    /// for whoever stands for many: nothing is counted then.
    pub client: fn(&Extensions) -> Option<IpAddr>,
    /// Time on a clock that only moves forward.
    pub monotonic: Arc<dyn Fn() -> Duration + Send + Sync>,
    pub on_answer: OnAnswer,
}

/// Answers requests for pages.
pub struct StatusSite {
    parts: SiteParts,
    rendered: RenderedPages,
    requests: Throttle,
    wrong_keys: Throttle,
}

impl StatusSite {
    /// A site that has served nothing yet.
    pub fn new(parts: SiteParts) -> Self {
        Self {
            parts,
            rendered: RenderedPages::default(),
            requests: Throttle::new(REQUEST_PAUSE, REQUESTS_AT_ONCE),
            wrong_keys: Throttle::new(WRONG_KEY_PAUSE, WRONG_KEYS_AT_ONCE),
        }
    }

    /// Where the page is that a request is for.
    pub fn place_of(&self, request: &Request) -> Option<PagePlace> {
        let published = self.parts.published.borrow();
        let (page, _) = place::find(&published, request.uri(), request.headers())?;
        Some(page.rules.place.clone())
    }

    /// The answer to any request; its body is not read.
    pub fn answer(&self, request: &Request) -> Response {
        let published = Arc::clone(&self.parts.published.borrow());
        let place = place::find(&published, request.uri(), request.headers());
        let Some((page, address)) = place else {
            return answer::no_page();
        };
        let (form, response) = self.answer_of(&published, (page, address), request);
        let class = answer::class(response.status());
        (self.parts.on_answer)(page.rules.name.as_str(), form, class);
        answer::for_method(request.method(), response)
    }

    /// The answer of a page, and the form that it holds.
    fn answer_of(
        &self,
        published: &PublishedPages,
        (page, address): (&Arc<PublishedPage>, &str),
        request: &Request,
    ) -> (&'static str, Response) {
        let client = (self.parts.client)(request.extensions());
        let now = (self.parts.monotonic)();
        if let Some(client) = client
            && let Err(wait) = self.requests.take(client, now)
        {
            return (NO_FORM, answer::too_often(wait));
        }
        let method = request.method();
        let access = &page.rules.access;
        let is_preflight = method == Method::OPTIONS && access.audience == PageAudience::Public;
        if method != Method::GET && method != Method::HEAD && !is_preflight {
            return (NO_FORM, answer::wrong_method());
        }
        if let Some(refusal) = self.refusal(access, request, (client, now)) {
            return (NO_FORM, refusal);
        }
        let is_certain = *self.parts.is_certain.borrow();
        let rendered = self.rendered.of(published, page, is_certain);
        match rendered.form(address) {
            Some(form) if is_preflight && form.kind.is_for_other_sites() => {
                (form.kind.as_str(), answer::preflight())
            }
            _ if is_preflight => (NO_FORM, answer::wrong_method()),
            Some(form) => {
                let response = answer::form(&form, page, request.headers());
                (form.kind.as_str(), response)
            }
            None => (NO_FORM, answer::missing(&rendered, page)),
        }
    }

    /// What whoever may not read the page is answered. After too many wrong keys further ones are
    /// not even looked at: passwords are short, and whoever tries them must not learn which is
    /// right.
    fn refusal(
        &self,
        access: &PageAccess,
        request: &Request,
        (client, now): (Option<IpAddr>, Duration),
    ) -> Option<Response> {
        if access.audience == PageAudience::Public {
            return None;
        }
        let shown = access::shown(access.audience, request.uri(), request.headers());
        let Some(shown) = shown else {
            return Some(answer::no_access(access.audience));
        };
        if let Some(client) = client
            && let Err(wait) = self.wrong_keys.look(client, now)
        {
            return Some(answer::too_often(wait));
        }
        if access::is_key(access, &shown) {
            return None;
        }
        if let Some(client) = client
            && let Err(wait) = self.wrong_keys.take(client, now)
        {
            // Another request of the same client was wrong meanwhile.
            return Some(answer::too_often(wait));
        }
        Some(answer::no_access(access.audience))
    }
}

/// Answers every path: beneath the places of pages with their forms, elsewhere with 404.
pub fn router(site: Arc<StatusSite>) -> Router {
    Router::new().fallback(serve).with_state(site)
}

async fn serve(State(site): State<Arc<StatusSite>>, request: Request) -> Response {
    site.answer(&request)
}
