//! Fetching public documents: conditional, decompressed, with redirects followed through the guard.

use std::sync::Arc;
use std::time;

use reqwest::header::{
    ACCEPT, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
    RETRY_AFTER,
};

use super::fault::Stage;
use super::guard::Guard;
use super::setup::{Clock, GuardedResolver, HttpOptions, SetupError, build, builder};
use super::{Fault, check_literal, check_url, fault};
use crate::channels::retry_after;
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;

/// Redirects that are followed for one document.
const REDIRECTS_MAX: usize = 5;

/// Kinds of documents that are asked for.
const ACCEPTED: &str =
    "application/json, application/feed+json, application/atom+xml, application/rss+xml, */*;q=0.5";

/// What makes a request conditional: what the last answer said of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// What came back for a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub status: u16,
    /// Decompressed.
    pub body: Vec<u8>,
    /// Whether the body is complete: neither larger than allowed nor cut off.
    pub is_whole: bool,
    pub validators: Validators,
    /// What `Retry-After` asks for, if it is there.
    pub retry_after: Option<Duration>,
    /// Where a permanent redirect led, if there was one.
    pub moved_to: Option<String>,
}

/// Fetches documents from public addresses. One for the process; shared.
pub struct Fetcher {
    client: reqwest::Client,
    guard: Arc<Guard>,
    clock: Clock,
}

impl Fetcher {
    /// A fetcher that names itself so to whoever it asks.
    pub fn new(options: HttpOptions, user_agent: &str) -> Result<Self, SetupError> {
        super::install_crypto_provider();
        let guard = Arc::new(Guard::new(options.allow_networks));
        let resolver = GuardedResolver(Arc::clone(&guard));
        let client = || {
            let builder = builder().no_proxy().dns_resolver(resolver.clone());
            // A document is asked for so rarely that no connection would live until the next time.
            builder
                .pool_max_idle_per_host(0)
                .gzip(true)
                .user_agent(user_agent)
        };
        Ok(Self {
            client: build(client, &options.extra_roots)?,
            guard,
            clock: options.clock,
        })
    }

    /// Fetches a document of at most so many bytes. An answer with any status is an answer.
    pub async fn fetch(
        &self,
        url: &str,
        validators: &Validators,
        bytes_max: usize,
        deadline: Duration,
    ) -> Result<Fetched, Fault> {
        let limit = time::Duration::from_millis(deadline.0);
        let exchange = self.follow(url, validators, bytes_max);
        let ended = tokio::time::timeout(limit, exchange).await;
        ended.unwrap_or_else(|_| {
            let seconds = limit.as_secs_f32();
            let words = format!("no answer within {seconds} s");
            Err(Fault::new(Outcome::Unknown, words))
        })
    }

    async fn follow(
        &self,
        url: &str,
        validators: &Validators,
        bytes_max: usize,
    ) -> Result<Fetched, Fault> {
        let mut url = check_url(url)?;
        let mut moved_to = None;
        for _ in 0..=REDIRECTS_MAX {
            check_literal(&self.guard, &url)?;
            let request = self.client.get(url.clone()).header(ACCEPT, ACCEPTED);
            let conditions = [
                (IF_NONE_MATCH, &validators.etag),
                (IF_MODIFIED_SINCE, &validators.last_modified),
            ];
            let request =
                conditions
                    .into_iter()
                    .fold(request, |request, (name, value)| match value {
                        Some(value) => request.header(name, value),
                        None => request,
                    });
            let response = request.send().await.map_err(fault)?;
            let status = response.status();
            let target = text(response.headers(), LOCATION);
            let Some(target) = target.filter(|_| status.is_redirection()) else {
                return self.read(response, bytes_max, moved_to).await;
            };
            let next = url.join(&target).map_err(|_| {
                Fault::of_address("it redirects to something that is no address".to_owned())
            })?;
            url = check_url(next.as_str())?;
            if matches!(status.as_u16(), 301 | 308) {
                moved_to = Some(url.to_string());
            }
        }
        let words = format!("it redirects more than {REDIRECTS_MAX} times");
        Err(Fault::new(Outcome::RefusedTarget, words))
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        bytes_max: usize,
        moved_to: Option<String>,
    ) -> Result<Fetched, Fault> {
        let headers = response.headers();
        let validators = Validators {
            etag: text(headers, ETAG),
            last_modified: text(headers, LAST_MODIFIED),
        };
        let retry_after = text(headers, RETRY_AFTER);
        let retry_after = retry_after.map(|header| retry_after::wait(&header, (self.clock)()));
        let mut fetched = Fetched {
            status: response.status().as_u16(),
            body: Vec::new(),
            is_whole: true,
            validators,
            retry_after,
            moved_to,
        };
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk.map_err(|error| Fault::of(Stage::Connected, &error.without_url()))?;
            let Some(chunk) = chunk else {
                return Ok(fetched);
            };
            if fetched.body.len() + chunk.len() > bytes_max {
                fetched.is_whole = false;
                return Ok(fetched);
            }
            fetched.body.extend_from_slice(&chunk);
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Timestamp;
    use crate::test_server::{Reply, Server};

    /// `{"page": {}}`, compressed.
    const GZIPPED: [u8; 32] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 171, 86, 42, 72, 76, 79, 85, 178, 82, 168, 174, 173, 5,
        0, 179, 41, 74, 163, 12, 0, 0, 0,
    ];

    fn fetcher(allow: &[&str]) -> Fetcher {
        let networks = allow.iter().map(|text| text.parse().expect("a network"));
        let options = HttpOptions {
            clock: Arc::new(|| Timestamp(0)),
            allow_networks: networks.collect(),
            proxy: None,
            extra_roots: Vec::new(),
        };
        Fetcher::new(options, "a test").expect("a fetcher")
    }

    async fn fetch(url: &str, validators: &Validators) -> Result<Fetched, String> {
        let fetcher = fetcher(&["127.0.0.1/32"]);
        let fetched = fetcher.fetch(url, validators, 1_000, Duration::seconds(10));
        fetched.await.map_err(|fault| fault.to_string())
    }

    #[tokio::test]
    async fn a_document_is_asked_for_on_conditions_and_decompressed() {
        let mut gzipped = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\netag: \"v1\"\r\n\
            last-modified: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 32\r\n\r\n"
            .to_vec();
        gzipped.extend(GZIPPED);
        let unchanged = Reply::with_header(304, "etag: \"v1\"", "");
        let server = Server::start([Reply::Raw(gzipped), unchanged]).await;
        let none = Validators::default();
        let first = fetch(&server.url(), &none).await.expect("an answer");
        assert_eq!(first.body, b"{\"page\": {}}");
        let second = fetch(&server.url(), &first.validators).await;
        assert_eq!(second.map(|second| second.status), Ok(304));
        let calls = server.calls();
        assert_eq!(calls[0].header("user-agent"), "a test");
        assert_eq!(calls[0].header("if-none-match"), "");
        assert!(calls[0].header("accept-encoding").contains("gzip"));
        assert_eq!(calls[1].header("if-none-match"), "\"v1\"");
        let since = calls[1].header("if-modified-since");
        assert_eq!(since, "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[tokio::test]
    async fn redirects_are_followed_through_the_guard_and_not_for_ever() {
        let end = Server::start([Reply::new(200, "here")]).await;
        let location = format!("location: {}/a", end.url());
        let start = Server::start([Reply::with_header(301, &location, "")]).await;
        let fetched = fetch(&start.url(), &Validators::default()).await;
        let fetched = fetched.expect("an answer");
        assert_eq!(fetched.body, b"here");
        assert_eq!(fetched.moved_to, Some(format!("{}/a", end.url())));
        assert_eq!(end.calls()[0].line, "GET /a");

        for (location, problem) in [
            (
                "location: http://127.0.0.2/",
                "127.0.0.2 is a loopback address",
            ),
            (
                "location: http://10.0.0.1/x",
                "10.0.0.1 is a private address",
            ),
            (
                "location: file:///etc/passwd",
                "starts with neither http:// nor https://",
            ),
        ] {
            let start = Server::start([Reply::with_header(302, location, "")]).await;
            let fault = fetch(&start.url(), &Validators::default()).await;
            let fault = fault.expect_err("it is refused");
            assert!(fault.contains(problem), "{fault}");
        }

        let round = (0..=REDIRECTS_MAX + 1).map(|_| Reply::with_header(307, "location: /", ""));
        let round = Server::start(round).await;
        let fault = fetch(&round.url(), &Validators::default()).await;
        let fault = fault.expect_err("it goes round");
        assert!(fault.contains("redirects more than 5 times"), "{fault}");
        assert_eq!(round.calls().len(), REDIRECTS_MAX + 1);
    }

    #[tokio::test]
    async fn what_is_too_large_or_asks_to_wait_is_told() {
        let large = Reply::new(200, &"x".repeat(1_001));
        let limited = Reply::with_header(429, "retry-after: 120", "");
        let server = Server::start([large, limited]).await;
        let none = Validators::default();
        let fetched = fetch(&server.url(), &none).await.expect("an answer");
        assert!(!fetched.is_whole);
        let fetched = fetch(&server.url(), &none).await.expect("an answer");
        assert_eq!(fetched.retry_after, Some(Duration::minutes(2)));
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_no_document() {
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"page\"".to_vec();
        let server = Server::start([Reply::Raw(cut)]).await;
        let fetched = fetch(&server.url(), &Validators::default()).await;
        assert!(fetched.is_err(), "{fetched:?}");
    }
}
