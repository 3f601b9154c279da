//! Our own status pages within the process: where their publisher leaves them, and which requests
//! of which listening address are for them.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower_service::Service;
use tracing::warn;

use super::places::is_served_in_reserve;
use super::publishing;
use crate::api::peer::Peer;
use crate::api::router::NoRoute;
use crate::config::Settings;
use crate::engine::status_page_rules::PagePlace;
use crate::runtime::clock::Clock;
use crate::runtime::handle::Handle;
use crate::runtime::supervise::Supervisor;
use crate::status_page::addresses;
use crate::status_page::published::PublishedPages;
use crate::status_site::export::{self, ExportFault};
use crate::status_site::{SiteParts, StatusSite};
use crate::telemetry::Metrics;

/// How often the driver is asked for a sign of life, and how long it may take to give one.
const SIGN_PAUSE: Duration = Duration::from_secs(5);
const SIGN_LIMIT: Duration = Duration::from_secs(10);

/// The pages of the process and what serves them.
pub struct StatusPages {
    /// Takes what the publisher makes.
    published: watch::Sender<Arc<PublishedPages>>,
    is_certain: watch::Sender<bool>,
    site: Arc<StatusSite>,
    /// Of `public_url`, without its port.
    public_host: Arc<str>,
}

/// Makes them, with no page published yet. While the driver gives no sign of life they say that
/// they are the last that is known.
pub fn start(
    settings: &Settings,
    (handle, supervisor): (&Handle, &Supervisor),
    (clock, metrics): (Clock, Arc<Metrics>),
    background: &mut Vec<JoinHandle<()>>,
) -> Arc<StatusPages> {
    let (published, to_serve) = watch::channel(Arc::default());
    let (is_certain, certainty) = watch::channel(true);
    let meter = metrics.clone();
    let parts = SiteParts {
        published: to_serve,
        is_certain: certainty,
        client: |extensions| extensions.get::<Peer>()?.network_of_client(),
        monotonic: Arc::new(move || clock.monotonic()),
        on_answer: Arc::new(move |page, form, code| meter.status_request(page, form, code)),
    };
    let pages = Arc::new(StatusPages {
        published,
        is_certain,
        site: Arc::new(StatusSite::new(parts)),
        public_host: without_port(addresses::host(&settings.public_url)).into(),
    });
    let (driver, public_url) = (handle.clone(), settings.public_url.clone());
    let publish = pages.clone();
    let keep = move || {
        let (driver, public_url) = (driver.clone(), public_url.clone());
        let publish = publish.clone();
        async move { publishing::run(&driver, &public_url, &publish.published).await }
    };
    background.push(supervisor.keep("publishing of status pages", keep));
    let (handle, told) = (handle.clone(), pages.clone());
    let keep = move || {
        let (handle, told) = (handle.clone(), told.clone());
        async move {
            let sign = async || handle.read(|_| ()).await.is_ok();
            tell_certainty(sign, (SIGN_PAUSE, SIGN_LIMIT), &told.is_certain).await;
        }
    };
    background.push(supervisor.keep("status pages", keep));
    if let Some(folder) = &settings.status_export {
        let export = pages.export(folder.clone(), metrics);
        background.push(supervisor.keep("status export", move || export.clone().keep()));
    }
    pages
}

/// Tells whether the driver gives signs of life, until it is gone.
async fn tell_certainty<S: Future<Output = bool>>(
    sign: impl Fn() -> S,
    (pause, limit): (Duration, Duration),
    certain: &watch::Sender<bool>,
) {
    loop {
        let given = tokio::time::timeout(limit, sign()).await;
        let is_certain = given == Ok(true);
        certain.send_if_modified(|was| std::mem::replace(was, is_certain) != is_certain);
        if given == Ok(false) {
            return;
        }
        tokio::time::sleep(pause).await;
    }
}

/// Writes the public pages as files.
#[derive(Clone)]
struct StatusExport {
    folder: PathBuf,
    published: watch::Receiver<Arc<PublishedPages>>,
    is_certain: watch::Receiver<bool>,
    metrics: Arc<Metrics>,
}

impl StatusExport {
    /// Writes them whenever one changes. What is on disk from before the start stays until the
    /// first pages are published.
    async fn keep(mut self) {
        let mut change = self.published.changed().await;
        while change.is_ok() {
            let pages = self.published.borrow_and_update().clone();
            let is_certain = *self.is_certain.borrow_and_update();
            let folder = self.folder.clone();
            let writing = move || export::write(&folder, &pages, is_certain);
            match tokio::task::spawn_blocking(writing).await {
                Ok(faults) => self.tell(&faults),
                // Whoever watches this task is to hear of it.
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_cancelled) => return,
                },
            }
            change = tokio::select! {
                change = self.published.changed() => change,
                change = self.is_certain.changed() => change,
            };
        }
    }

    fn tell(&self, faults: &[ExportFault]) {
        for fault in faults {
            self.metrics.status_export_failed(&fault.page);
            warn!(
                error = fault as &dyn std::error::Error,
                "a status page was not exported; the next change tries again"
            );
        }
    }
}

fn without_port(host: &str) -> &str {
    host.split_once(':').map_or(host, |(host, _)| host)
}

impl StatusPages {
    fn export(&self, folder: PathBuf, metrics: Arc<Metrics>) -> StatusExport {
        StatusExport {
            folder,
            published: self.published.subscribe(),
            is_certain: self.is_certain.subscribe(),
            metrics,
        }
    }

    /// Nothing but status pages, for an address of their own.
    pub fn alone(&self) -> Served {
        Served::Pages(self.site.clone())
    }

    /// Routes, and status pages where no route is.
    pub fn behind(&self, routes: Router) -> Served {
        Served::RoutesAndPages {
            routes,
            site: self.site.clone(),
            public_host: self.public_host.clone(),
        }
    }
}

/// What a listening address serves.
#[derive(Clone)]
pub enum Served {
    Routes(Router),
    RoutesAndPages {
        routes: Router,
        site: Arc<StatusSite>,
        public_host: Arc<str>,
    },
    Pages(Arc<StatusSite>),
}

impl Served {
    /// The answer to one request.
    pub async fn answer(self, request: Request) -> Response {
        let (mut routes, site, public_host) = match self {
            Self::Routes(mut routes) => return call(&mut routes, request).await,
            Self::Pages(site) => return site.answer(&request),
            Self::RoutesAndPages {
                routes,
                site,
                public_host,
            } => (routes, site, public_host),
        };
        let Some(place) = site.place_of(&request) else {
            return call(&mut routes, request).await;
        };
        if is_for_pages_alone(&request, &place, &public_host) {
            return site.answer(&request);
        }
        let asked = without_body(&request);
        let response = call(&mut routes, request).await;
        if response.extensions().get::<NoRoute>().is_some() {
            return site.answer(&asked);
        }
        response
    }
}

async fn call(routes: &mut Router, request: Request) -> Response {
    let Ok(response) = routes.call(request).await;
    response
}

/// At a name of its own a page is read as it is, whatever paths we have routes for. Whatever is
/// posted there goes to the routes all the same: it may be an event.
fn is_for_pages_alone(request: &Request, place: &PagePlace, public_host: &str) -> bool {
    let PagePlace::Host(host) = place else {
        return false;
    };
    let is_reading = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    let is_ours = host.eq_ignore_ascii_case(public_host);
    is_reading && !is_ours && !is_served_in_reserve(request.uri().path())
}

fn without_body(request: &Request) -> Request {
    let mut asked = Request::default();
    request.method().clone_into(asked.method_mut());
    request.uri().clone_into(asked.uri_mut());
    request.headers().clone_into(asked.headers_mut());
    request.extensions().clone_into(asked.extensions_mut());
    asked
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use axum::{Extension, Router};

    use super::*;
    use crate::engine::status_page_rules::PageAccess;
    use crate::status_page::samples;

    const PUBLIC_HOST: &str = "reveille.example";
    const OWN_HOST: &str = "status.example";

    /// What is served at an address where these pages are published.
    fn behind(places: &[PagePlace]) -> (Served, Served) {
        let unknown = async || (StatusCode::NOT_FOUND, Extension(NoRoute), "no route");
        let gone = async || (StatusCode::NOT_FOUND, "no such incident").into_response();
        let routes = Router::new()
            .route("/", get(async || "home").post(async || "posted"))
            .route("/healthz", get(async || "healthy"))
            .route("/a/token", get(async || "link"))
            .route("/v1/incidents/7", get(gone))
            .fallback(unknown);
        let pages = places.iter().enumerate().map(|(number, place)| {
            let mut view = samples::quiet();
            view.name = format!("page-{number}").into();
            samples::published(place.clone(), PageAccess::PUBLIC, view)
        });
        let (_, published) = watch::channel(samples::all(pages.collect()));
        let (_, is_certain) = watch::channel(true);
        let site = Arc::new(StatusSite::new(SiteParts {
            published,
            is_certain,
            client: |_| None,
            monotonic: Arc::new(crate::engine::time::Duration::default),
            on_answer: Arc::new(|_, _, _| {}),
        }));
        let main = Served::RoutesAndPages {
            routes,
            site: site.clone(),
            public_host: PUBLIC_HOST.into(),
        };
        (main, Served::Pages(site))
    }

    async fn ask(served: &Served, method: Method, host: &str, path: &str) -> String {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("host", host).body(Body::empty()).unwrap();
        let response = served.clone().answer(request).await;
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        if text.contains("Acme Cloud") {
            return "page".to_owned();
        }
        text.trim().to_owned()
    }

    #[tokio::test]
    async fn a_page_with_a_path_is_where_no_route_is() {
        let (main, own) = behind(&[PagePlace::Path("/status".into())]);
        for (path, expected, alone) in [
            ("/status", "page", "page"),
            ("/status/history", "page", "page"),
            ("/", "home", "there is no page here"),
            ("/healthz", "healthy", "there is no page here"),
            (
                "/v1/incidents/7",
                "no such incident",
                "there is no page here",
            ),
            ("/nowhere", "no route", "there is no page here"),
        ] {
            let answer = ask(&main, Method::GET, PUBLIC_HOST, path).await;
            assert_eq!(answer, expected, "{path}");
            let answer = ask(&own, Method::GET, PUBLIC_HOST, path).await;
            assert_eq!(answer, alone, "{path}");
        }
    }

    #[tokio::test]
    async fn the_routes_win_over_a_page_whose_path_is_one_of_theirs() {
        let (main, _) = behind(&[PagePlace::Path("/v1".into()), PagePlace::Path("/".into())]);
        let cases = [
            ("/", "home"),
            ("/v1/incidents/7", "no such incident"),
            ("/history", "page"),
        ];
        for (path, expected) in cases {
            let answer = ask(&main, Method::GET, PUBLIC_HOST, path).await;
            assert_eq!(answer, expected, "{path}");
        }
    }

    #[tokio::test]
    async fn at_a_host_of_its_own_a_page_is_read_and_everything_else_goes_on() {
        let (main, _) = behind(&[PagePlace::Host(OWN_HOST.into())]);
        let cases = [
            (Method::GET, OWN_HOST, "/", "page"),
            (Method::GET, "STATUS.example:8080", "/", "page"),
            (Method::GET, OWN_HOST, "/v1/incidents/7", "page"),
            (Method::GET, OWN_HOST, "/healthz", "healthy"),
            (Method::GET, OWN_HOST, "/a/token", "link"),
            (Method::POST, OWN_HOST, "/", "posted"),
            (Method::GET, PUBLIC_HOST, "/", "home"),
            (Method::GET, PUBLIC_HOST, "/history", "no route"),
        ];
        for (method, host, path, expected) in cases {
            let answer = ask(&main, method.clone(), host, path).await;
            assert_eq!(answer, expected, "{method} {host} {path}");
        }
    }

    #[tokio::test]
    async fn at_our_own_host_the_routes_win_over_a_page() {
        let (main, _) = behind(&[PagePlace::Host(PUBLIC_HOST.into())]);
        let cases = [
            ("/", "home"),
            ("/v1/incidents/7", "no such incident"),
            ("/history", "page"),
        ];
        for (path, expected) in cases {
            let answer = ask(&main, Method::GET, PUBLIC_HOST, path).await;
            assert_eq!(answer, expected, "{path}");
        }
    }

    #[tokio::test]
    async fn pages_are_uncertain_while_the_driver_is_silent_and_when_it_is_gone() {
        let (certain, mut seen) = watch::channel(true);
        let (command, commands) = watch::channel("silence");
        let driver = move || {
            let mut commands = commands.clone();
            async move {
                let said = commands.wait_for(|said| *said != "silence").await;
                said.is_ok_and(|said| *said == "answer")
            }
        };
        let at_once = (Duration::ZERO, Duration::ZERO);
        let telling = tokio::spawn(async move { tell_certainty(driver, at_once, &certain).await });
        assert!(seen.wait_for(|is_certain| !is_certain).await.is_ok());
        command.send_replace("answer");
        assert!(seen.wait_for(|is_certain| *is_certain).await.is_ok());
        command.send_replace("gone");
        assert!(seen.wait_for(|is_certain| !is_certain).await.is_ok());
        assert!(telling.await.is_ok(), "it ends with the driver");
    }

    #[tokio::test]
    async fn pages_are_exported_when_they_are_published_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old");
        std::fs::create_dir(&old).unwrap();
        std::fs::write(old.join(".reveille-files"), "index.html\n").unwrap();
        std::fs::write(old.join("index.html"), "before the start").unwrap();
        let (publish, published) = watch::channel(Arc::default());
        let (certain, is_certain) = watch::channel(true);
        let metrics = Arc::new(Metrics::new());
        let export = StatusExport {
            folder: folder.path().to_owned(),
            published,
            is_certain,
            metrics: metrics.clone(),
        };
        let mut keeping = std::pin::pin!(export.keep());
        tokio::select! {
            biased;
            () = &mut keeping => panic!("it ended"),
            () = tokio::task::yield_now() => {}
        }
        assert!(old.join("index.html").exists(), "nothing is published yet");

        let place = PagePlace::Path("/status".into());
        let page = samples::published(place, PageAccess::PUBLIC, samples::quiet());
        publish.send_replace(samples::all(vec![page]));
        drop((publish, certain));
        keeping.await;
        assert!(folder.path().join("public/index.html").exists());
        assert!(!old.exists());
        let text = metrics.render();
        assert!(!text.contains("status_export_failures_total{"), "{text}");
    }

    #[tokio::test]
    async fn an_export_that_fails_is_counted_and_the_next_change_tries_again() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("public");
        std::fs::write(&blocked, "a file where a folder must be").unwrap();
        let (publish, published) = watch::channel(Arc::default());
        let (certain, is_certain) = watch::channel(true);
        let metrics = Arc::new(Metrics::new());
        let export = StatusExport {
            folder: folder.path().to_owned(),
            published,
            is_certain,
            metrics: metrics.clone(),
        };
        let place = PagePlace::Path("/status".into());
        let page = samples::published(place, PageAccess::PUBLIC, samples::quiet());
        publish.send_replace(samples::all(vec![page]));
        let keeping = tokio::spawn(export.keep());
        let failed = "reveille_status_export_failures_total{page=\"public\"} 1";
        while !metrics.render().contains(failed) {
            tokio::task::yield_now().await;
        }
        std::fs::remove_file(&blocked).unwrap();
        certain.send_replace(false);
        drop(certain);
        keeping.await.unwrap();
        assert!(blocked.join("index.html").exists());
    }
}
