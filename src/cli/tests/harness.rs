//! A server that answers from a script and remembers what it was asked, and a way to run commands
//! against it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::cli::arguments::Arguments;
use crate::cli::context::{Context, Look};
use crate::cli::report::{Failure, Report};
use crate::cli::{execute, parsing};

/// What the server was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// `GET /v1/incidents?status=open`
    pub line: String,
    pub bearer: Option<String>,
    pub if_match: Option<String>,
    /// The fingerprint of the key under which an event was made.
    pub made_under: Option<String>,
    pub body: Value,
}

/// An answer of the script, for all requests whose line begins so.
struct Scripted {
    line: String,
    /// Only for an event that was made under this key.
    made_under: Option<String>,
    status: StatusCode,
    body: Value,
}

#[derive(Default)]
struct Script {
    answers: Vec<Scripted>,
    asked: Vec<Asked>,
}

/// A server on loopback; it ends with the test's runtime.
pub struct Server {
    pub url: String,
    script: Arc<Mutex<Script>>,
}

impl Server {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let script = Arc::new(Mutex::new(Script::default()));
        let router = Router::new().fallback(answer).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}"),
            script,
        }
    }

    /// The last answer given for a line wins.
    pub fn answers(&self, line: &str, status: u16, body: Value) -> &Self {
        self.script(line, None, status, body)
    }

    /// The same for events that were made under another key than the one presented.
    pub fn answers_made_under(&self, key: &str, status: u16, body: Value) -> &Self {
        self.script("POST /v1/events", Some(key.to_owned()), status, body)
    }

    fn script(&self, line: &str, made_under: Option<String>, status: u16, body: Value) -> &Self {
        self.script
            .lock()
            .expect("no test panicked with it")
            .answers
            .insert(
                0,
                Scripted {
                    line: line.to_owned(),
                    made_under,
                    status: StatusCode::from_u16(status).expect("a status"),
                    body,
                },
            );
        self
    }

    /// All that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.script
            .lock()
            .expect("no test panicked with it")
            .asked
            .clone()
    }

    /// The lines of what was asked so far.
    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let line = format!("{} {}", head.method, head.uri);
    let text = |name: header::HeaderName| {
        let value = head.headers.get(name)?;
        let text = value.to_str().expect("headers of tests are text");
        Some(text.to_owned())
    };
    let bearer = text(header::AUTHORIZATION).map(|value| value.replace("Bearer ", ""));
    let if_match = text(header::IF_MATCH);
    let made_under = text(header::HeaderName::from_static("x-reveille-made-under-key"));
    let body = axum::body::to_bytes(body, 1 << 20)
        .await
        .expect("a small body");
    let mut script = script.lock().expect("no test panicked with it");
    script.asked.push(Asked {
        line: line.clone(),
        bearer,
        if_match,
        made_under: made_under.clone(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let mut answers: Vec<&Scripted> = script.answers.iter().collect();
    // What is said of a key goes before what is said of all.
    answers.sort_by_key(|answer| answer.made_under.is_none());
    let fits = |answer: &&Scripted| {
        let fits_key = answer.made_under.is_none() || answer.made_under == made_under;
        line.starts_with(&answer.line) && fits_key
    };
    match answers.into_iter().find(fits) {
        Some(Scripted { status, body, .. }) if status.is_redirection() => {
            let target = body.as_str().expect("a redirect names its target");
            (*status, [(header::LOCATION, target.to_owned())]).into_response()
        }
        Some(Scripted { status, body, .. }) => (*status, body.to_string()).into_response(),
        None => panic!("nobody expected {line}"),
    }
}

/// An address on which nobody listens.
pub async fn nobody() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = listener.local_addr().expect("it has an address");
    format!("http://{address}")
}

/// A context without a terminal: Monday, 2026-11-23 03:20 UTC.
pub fn context(arguments: &Arguments, environment: &[(&str, &str)]) -> Context {
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let now: jiff::Timestamp = "2026-11-23T03:20:00Z".parse().expect("a timestamp");
    let environment: BTreeMap<String, String> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Context {
        global: arguments.global.clone(),
        environment,
        now: now.into(),
        zone: TimeZone::UTC,
        look: Look::PLAIN,
        ask: None,
    }
}

/// Parses the words of a command.
pub fn parse(words: &[&str]) -> Result<Arguments, clap::Error> {
    let words = [&["reveille"], words].concat();
    parsing::parse(words.into_iter().map(Into::into)).map(|parsed| parsed.arguments)
}

/// Runs a command with a terminal on which every question is answered so.
pub async fn run_asked(
    words: &[&str],
    environment: &[(&str, &str)],
    ask: Option<fn(&str) -> bool>,
) -> Result<Report, Failure> {
    let arguments = parse(words).unwrap_or_else(|error| panic!("{error}"));
    let context = Context {
        ask,
        ..context(&arguments, environment)
    };
    execute(arguments.command, &context).await
}

/// Runs a command against a server, with the token `secret`.
pub async fn run(words: &[&str], server: &Server) -> Result<Report, Failure> {
    let environment = [
        ("REVEILLE_URL", server.url.as_str()),
        ("REVEILLE_TOKEN", "secret"),
    ];
    run_asked(words, &environment, None).await
}
