//! Status pages as readers ask for them: what each address answers, and to whom.

mod reading;
mod refusing;

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::engine::status_page_rules::{
    PageAccess, PagePlace, PostTexts, PublishRules, StatusPageRules, SubscriberRules,
};
use crate::status_page::published::{PublishedPage, PublishedPages};
use crate::status_page::view::StatusPageView;

use super::{StatusSite, router};

/// A site whose pages and certainty change under the hands of a test.
struct SiteUnderTest {
    site: Arc<StatusSite>,
    published: watch::Sender<Arc<PublishedPages>>,
    is_certain: watch::Sender<bool>,
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
        Self {
            site: Arc::new(StatusSite::new(published_seen, certain_seen)),
            published,
            is_certain,
        }
    }

    async fn get(&self, address: &str) -> ReadAnswer {
        self.ask("GET", address, &[]).await
    }

    async fn ask(&self, method: &str, address: &str, headers: &[(&str, &str)]) -> ReadAnswer {
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
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

fn all(pages: Vec<PublishedPage>) -> Arc<PublishedPages> {
    let pages = pages.into_iter();
    let pages = pages
        .map(|page| (page.rules.name.clone(), Arc::new(page)))
        .collect();
    Arc::new(PublishedPages { pages })
}

fn published(place: PagePlace, access: PageAccess, view: StatusPageView) -> PublishedPage {
    let text = || "text".into();
    let rules = StatusPageRules {
        name: (&*view.name).into(),
        title: view.title.clone(),
        place,
        components: Vec::new(),
        publish: PublishRules::default(),
        texts: PostTexts {
            title: text(),
            investigating: text(),
            changed: text(),
            monitoring: text(),
            resolved: text(),
            reopened: text(),
            in_progress: text(),
            completed: text(),
        },
        access,
        languages: vec!["en".into()],
        subscribers: SubscriberRules::default(),
    };
    PublishedPage {
        rules: Arc::new(rules),
        view,
    }
}
