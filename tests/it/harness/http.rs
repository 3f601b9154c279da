//! An HTTP server in the test process: records every request, answers by its script, else well.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::inbox::Inbox;
use super::script::Script;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// A header as text; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The body as a form, in the order of its fields.
    pub fn form(&self) -> Vec<(String, String)> {
        fields(self.text())
    }

    /// A field of the form or, without one, of the query.
    pub fn field(&self, name: &str) -> Option<String> {
        let query = fields(self.uri.query().unwrap_or_default());
        let all = self.form().into_iter().chain(query);
        all.into_iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }
}

fn fields(encoded: &str) -> Vec<(String, String)> {
    let Ok(uri) = format!("/?{encoded}").parse::<Uri>() else {
        return Vec::new();
    };
    Query::try_from_uri(&uri).map_or_else(|_| Vec::new(), |Query(fields)| fields)
}

/// An answer of the server.
#[derive(Clone, Debug)]
pub enum Answer {
    Full {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// No answer, and the connection stays open.
    Silence,
}

impl Answer {
    /// A JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, &body.to_string()).with("content-type", "application/json")
    }

    /// An answer with this body.
    pub fn text(status: u16, body: &str) -> Self {
        Self::Full {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self::text(status, "")
    }

    /// 429 with the number of seconds or the date to wait for.
    pub fn too_many(retry_after: &str) -> Self {
        Self::status(429).with("retry-after", retry_after)
    }

    /// The same with one more header.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Self::Full { headers, .. } = &mut self {
            headers.push((name, value.to_owned()));
        }
        self
    }
}

/// What a server answers when its script is empty.
pub type Good = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// The server.
pub struct FakeHttp {
    pub address: SocketAddr,
    inbox: Inbox<Request>,
    script: Script<Answer>,
    _tasks: JoinSet<()>,
}

#[derive(Clone)]
struct Shared {
    inbox: Inbox<Request>,
    script: Script<Answer>,
    good: Good,
}

impl FakeHttp {
    /// A server with these good answers.
    pub async fn start(good: Good) -> Self {
        super::install_tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Shared {
            inbox: Inbox::default(),
            script: Script::default(),
            good,
        };
        let (inbox, script) = (shared.inbox.clone(), shared.script.clone());
        let router = Router::new().fallback(answer).with_state(shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            inbox,
            script,
            _tasks: tasks,
        }
    }

    /// Its address as a URL without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it answers from now on, one answer after the other.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.add(answers);
    }

    /// The next request.
    pub async fn next(&self) -> Request {
        self.inbox.next("request").await
    }

    /// Fails if a request came that no test has looked at.
    #[track_caller]
    pub fn expect_nothing_more(&self) {
        self.inbox.expect_empty("request");
    }
}

async fn answer(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let request = Request {
        method,
        uri,
        headers,
        body,
    };
    let answer = shared.script.take();
    let answer = answer.unwrap_or_else(|| (shared.good)(&request));
    shared.inbox.put(request);
    match answer {
        Answer::Silence => pending().await,
        Answer::Full {
            status,
            headers,
            body,
        } => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
    }
}

/// A client for what tests send themselves.
pub fn client() -> reqwest::Client {
    super::install_tls();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
