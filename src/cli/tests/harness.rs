//! A server that answers from a script and remembers what it was asked, and a way to run commands
//! against it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::cli::arguments::Arguments;
use crate::cli::context::{Context, Look};
use crate::cli::report::{Failure, Report};
use crate::cli::{execute, parsing};
use crate::test_server::{self, Call, Reply};

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

impl From<Call> for Asked {
    fn from(call: Call) -> Self {
        let text = |name| Some(call.header(name).to_owned()).filter(|value| !value.is_empty());
        Self {
            bearer: text("authorization").map(|value| value.replace("Bearer ", "")),
            if_match: text("if-match"),
            made_under: text(MADE_UNDER_KEY),
            body: serde_json::from_str(&call.body).unwrap_or(Value::Null),
            line: call.line,
        }
    }
}

const MADE_UNDER_KEY: &str = "x-reveille-made-under-key";

/// An answer of the script, for all requests whose line begins so.
struct Scripted {
    line: String,
    /// Only for an event that was made under this key.
    made_under: Option<String>,
    status: u16,
    body: Value,
}

/// A server on loopback; it ends with the test's runtime.
pub struct Server {
    pub url: String,
    server: test_server::Server,
    script: Arc<Mutex<Vec<Scripted>>>,
}

impl Server {
    /// Listens on a free port.
    pub async fn start() -> Self {
        let script = Arc::default();
        let answers = Arc::clone(&script);
        let server = test_server::Server::answering(move |call| Some(answer(&answers, call))).await;
        Self {
            url: server.url(),
            server,
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
        let scripted = Scripted {
            line: line.to_owned(),
            made_under,
            status,
            body,
        };
        let mut script = self.script.lock().expect("no test panicked with it");
        script.insert(0, scripted);
        self
    }

    /// All that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.server.calls().into_iter().map(Asked::from).collect()
    }

    /// The lines of what was asked so far.
    pub fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

fn answer(script: &Mutex<Vec<Scripted>>, call: &Call) -> Reply {
    let script = script.lock().expect("no test panicked with it");
    let fits = |key: Option<&str>| {
        let mut answers = script.iter();
        answers.find(|answer| {
            answer.made_under.as_deref() == key && call.line.starts_with(&answer.line)
        })
    };
    // What is said of a key goes before what is said of all.
    let answer = fits(Some(call.header(MADE_UNDER_KEY))).or_else(|| fits(None));
    let answer = answer.unwrap_or_else(|| panic!("nobody expected {}", call.line));
    match (answer.status, answer.body.as_str()) {
        (300..400, Some(target)) => {
            Reply::with_header(answer.status, &format!("location: {target}"), "")
        }
        _ => Reply::new(answer.status, &answer.body.to_string()),
    }
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
