//! Status pages as readers ask for them: what each address answers, and to whom.

mod exporting;
mod reading;
mod refusing;
mod throttling;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::engine::time::Duration;
use crate::status_page::published::{PublishedPage, PublishedPages};
use crate::status_page::samples::{all, published};

use super::{SiteParts, StatusSite, router};

/// A site whose pages and certainty change under the hands of a test.
struct SiteUnderTest {
    site: Arc<StatusSite>,
    published: watch::Sender<Arc<PublishedPages>>,
    is_certain: watch::Sender<bool>,
    /// In milliseconds.
    clock: Arc<AtomicU64>,
    /// What was told of each answer.
    answers: Arc<Mutex<Vec<String>>>,
}

/// What a reader got.
struct ReadAnswer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl ReadAnswer {
    fn header(&self, name: &header::HeaderName) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default()
    }
}

impl SiteUnderTest {
    fn new(pages: Vec<PublishedPage>) -> Self {
        let (published, published_seen) = watch::channel(all(pages));
        let (is_certain, certain_seen) = watch::channel(true);
        let clock = Arc::new(AtomicU64::new(1));
        let shown = clock.clone();
        let answers = Arc::<Mutex<Vec<String>>>::default();
        let told = answers.clone();
        let parts = SiteParts {
            published: published_seen,
            is_certain: certain_seen,
            client: |extensions| extensions.get::<IpAddr>().copied(),
            monotonic: Arc::new(move || Duration(shown.load(Ordering::SeqCst))),
            on_answer: Arc::new(move |page, form, code| {
                let line = format!("{page} {form} {code}");
                told.lock().unwrap().push(line);
            }),
        };
        Self {
            site: Arc::new(StatusSite::new(parts)),
            published,
            is_certain,
            clock,
            answers,
        }
    }

    fn pass(&self, milliseconds: u64) {
        self.clock.fetch_add(milliseconds, Ordering::SeqCst);
    }

    async fn get(&self, address: &str) -> ReadAnswer {
        self.ask("GET", address, &[]).await
    }

    /// A request whose client is not known, so that nothing of it is counted.
    async fn ask(&self, method: &str, address: &str, headers: &[(&str, &str)]) -> ReadAnswer {
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.answer(request.body(Body::empty()).unwrap()).await
    }

    /// A request of a client with these credentials.
    async fn get_as(&self, client: &str, address: &str, authorization: &str) -> ReadAnswer {
        let mut request = Request::builder().uri(address);
        if !authorization.is_empty() {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let client: IpAddr = client.parse().unwrap();
        request.extensions_mut().insert(client);
        self.answer(request).await
    }

    async fn answer(&self, request: Request<Body>) -> ReadAnswer {
        let router = router(Arc::clone(&self.site));
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        ReadAnswer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}
