//! A server whose words would steer a terminal: whatever it answers to whichever command, what is
//! printed is text on the lines that we wrote.

use serde_json::{Value, json};

use super::harness::{Server, context, parse};
use super::samples::{self, with};
use crate::cli::context::{Context, Look, Output};
use crate::cli::{execute, print};
use crate::rules::starter;
use crate::text::is_unwanted;

/// The word after a line break that is not ours.
const FORGED: &str = "FORGED";
const HOSTILE: &str = "x\n\rFORGED \u{1b}[2J\u{1b}]0;t\u{7}\u{9b}2J\u{7f}\u{2028}FORGED\
                       \u{2029}FORGED\u{202e}\u{2066}\u{61c}\u{200f}y";

/// What the server answers to requests whose line begins so.
type Answers = Vec<(&'static str, u16, Value)>;

fn actor() -> Value {
    samples::actor("ana")
}

fn incident() -> Value {
    let attempt = json!({"id": 1, "channel": "sms", "started_at": "2026-11-23T03:12:05Z",
                         "outcome": "accepted"});
    let alert = json!({
        "source": "web-1", "labels": {HOSTILE: "value"}, "component": "till",
        "details": {"description": "since\n3:00", HOSTILE: ["a", {"b": "c"}]},
        "links": [{"text": "Runbook", "href": "https://wiki.example/till"}]});
    let fields = json!({
        "status": "acknowledged", "service": "pay", "headline": "still down",
        "acknowledged_at": "2026-11-23T03:14:00Z", "acknowledged_by": actor(),
        "resolved_at": "2026-11-23T03:15:00Z", "resolved_by": actor(),
        "next_step_at": "2026-11-23T03:25:00Z", "policy": "p",
        "labels": {HOSTILE: "value"}, "alerts_total": 1, "alerts_firing": 1, "pages_total": 1,
        "alerts": [with(samples::alert("down"), alert)],
        "pages": [with(samples::page("page"), json!({"target": "user/ana",
                                                     "attempts": [attempt]}))],
        "notes": [{"text": "one\ntwo", "by": actor(), "at": "2026-11-23T03:13:00Z"}],
    });
    with(samples::incident(5), fields)
}

fn acted() -> Value {
    with(
        samples::acted(5, "already_so"),
        json!({"acknowledged_by": actor(), "acknowledged_at": "2026-11-23T03:18:00Z",
               "linked": [6]}),
    )
}

fn timeline() -> Value {
    let attempt = json!({"kind": "attempt", "reason": "attempt_ended", "page": 1,
        "text": "sent", "user": "ana", "contact": "phone", "channel": "sms",
        "outcome": "accepted", "latency_ms": 412, "route": "pay", "step": 1,
        "schedule": "night", "provider_message": "queued", "held_until": "2026-11-23T03:25:00Z"});
    let acknowledged = json!({"kind": "person", "reason": "acknowledged",
        "text": "ana acknowledged", "user": "ana"});
    let entries = [attempt, acknowledged].map(samples::entry);
    samples::explained(&entries, &[samples::receipt()])
}

fn differences() -> Value {
    let fault = json!({"code": "odd", "severity": "warning", "path": "a.yaml", "line": 2,
                       "column": 3, "message": "odd", "help": "mend"});
    let moves = json!([{"schedule": "night", "before": "ana", "after": "bo"}]);
    let change = samples::change(&json!(["step 2 waits", "user cy is new"]), &moves);
    with(change, json!({ "warnings": [fault] }))
}

fn faults() -> Value {
    json!({"title": "faults", "faults": [
        {"code": "unknown-user", "severity": "error", "path": "people.yaml", "line": 1,
         "column": 1, "message": "no such user", "help": "add it"},
        {"code": "no-route", "severity": "warning", "path": "", "line": 0, "column": 0,
         "message": "no route", "help": "add one"},
    ]})
}

fn known_override() -> Value {
    json!({"items": [samples::override_(4, "night")]})
}

fn keys() -> Value {
    json!({"items": [samples::key("k1")]})
}

fn check() -> Value {
    json!({"name": "old", "provider": null, "kind": "http", "target": "https://old.example",
        "urgency": "low", "state": "failing", "since": "2026-11-23T03:10:00Z",
        "last_try_at": "2026-11-23T03:19:00Z", "outcome": "failed", "said": "answered 503",
        "latency_ms": 412, "next_try_at": "2026-11-23T03:20:00Z", "integration": "check/old",
        "firing_since": "2026-11-23T03:10:00Z", "numbers": [7]})
}

fn provider() -> Value {
    json!({"name": "helpline", "url": "https://status.example", "kind": "statuspage",
        "page_name": "Helpline", "state": "minor", "problem": "it answered 503",
        "unknown_since": "2026-11-23T03:10:00Z", "first_read_at": "2026-11-23T03:00:00Z",
        "last_look_at": "2026-11-23T03:19:00Z", "next_look_at": "2026-11-23T03:20:00Z",
        "moved_to": "https://elsewhere.example", "bytes_today": 412, "components_total": 1,
        "components": [{"id": "c1", "name": "API", "state": "degraded_performance",
            "since": "2026-11-23T03:10:00Z", "numbers": [7], "not_alerted": "provider_filter"}],
        "incidents": [{"id": "i1", "title": "API is slow", "text": "We look.",
            "url": "https://status.example/i1", "impact": "minor", "page_impact": "minor",
            "page_state": "investigating", "is_maintenance": false, "components": ["c1"],
            "started_at": "2026-11-23T03:10:00Z", "first_seen_at": "2026-11-23T03:10:00Z",
            "numbers": [7], "urgency": "low", "not_alerted": "provider_filter"}],
        "past": [{"id": "i0", "title": "API was slow", "impact": "minor",
            "url": "https://status.example/i0", "started_at": "2026-11-22T03:10:00Z",
            "ended_at": "2026-11-22T04:10:00Z", "is_withdrawn": false}],
        "unknown_words": ["odd"]})
}

/// On-call duty with each way of saying why.
fn on_call() -> Value {
    json!({"at": "2026-11-23T03:20:00Z", "schedules": [
        {"name": "night", "user": "ana", "layer": 1, "reason": "rotation", "passed_over": [],
         "from": "2026-11-23T00:00:00Z", "until": "2026-11-23T09:00:00Z"},
        {"name": "empty", "user": null, "layer": null, "reason": "nobody",
         "passed_over": [samples::override_(4, "night")]},
    ]})
}

/// Every command that asks a server, as one line, with the answers that it gets.
fn looking() -> Vec<(&'static str, Answers)> {
    let channel = json!({"items": [samples::channel("mail", "smtp")]});
    let checked = json!({"name": "mail", "outcome": "refused_credential",
                         "ok": false, "provider_message": "535 no", "warnings": ["odd"]});
    let silences = json!({"items": [
        {"id": 3, "uuid": "u", "matchers": ["team=\"pay\""], "active": true, "reason": "work",
         "created_at": "2026-11-23T03:00:00Z",
         "from": "2026-11-23T03:00:00Z", "until": "2026-11-23T05:00:00Z", "held_pages": 2,
         "created_by": actor()}]});
    let tokens = json!({"items": [
        {"id": "t1", "name": "laptop", "user": "ana", "role": "viewer",
         "created": "2026-11-23T02:00:00Z", "expires": "2027-02-21T02:00:00Z"}]});
    vec![
        (
            "incidents",
            vec![("GET ", 200, json!({"items": [incident()]}))],
        ),
        ("show 5", vec![("GET ", 200, incident())]),
        ("explain 5", vec![("GET ", 200, timeline())]),
        ("explain r12", vec![("GET ", 200, samples::receipt())]),
        ("explain --user ana", vec![("GET ", 200, timeline())]),
        ("oncall", vec![("GET ", 200, on_call())]),
        (
            "health",
            vec![(
                "GET ",
                503,
                json!({"status": "not_ready", "causes": ["late"], "time_zones": "2026a"}),
            )],
        ),
        ("silence list", vec![("GET ", 200, silences)]),
        ("token list", vec![("GET ", 200, tokens)]),
        ("key list", vec![("GET ", 200, keys())]),
        (
            "override list",
            vec![
                ("GET /v1/oncall", 200, on_call()),
                ("GET /v1/schedules", 200, known_override()),
            ],
        ),
        (
            "providers list",
            vec![("GET ", 200, json!({"items": [provider()]}))],
        ),
        ("providers show helpline", vec![("GET ", 200, provider())]),
        (
            "checks list",
            vec![("GET ", 200, json!({"items": [check()]}))],
        ),
        (
            "channels check",
            vec![("GET ", 200, channel), ("POST ", 200, checked)],
        ),
    ]
}

fn acting() -> Vec<(&'static str, Answers)> {
    let one = |answer: Value| vec![("POST ", 200, answer)];
    vec![
        ("ack 5", one(json!({"results": [acted()]}))),
        (
            "ack --mine",
            vec![
                ("POST ", 200, json!({"results": [acted()]})),
                ("GET ", 200, json!({"items": [incident()]})),
            ],
        ),
        ("unack 5", one(acted())),
        ("resolve 5", one(acted())),
        ("snooze 5 90m", one(acted())),
        ("escalate 5", one(acted())),
        ("reassign 5 user/bo", one(acted())),
        ("note 5 hello", one(acted())),
        (
            "checks try old",
            one(
                json!({"name": "old", "outcome": "failed", "said": "answered 503",
                       "latency_ms": 412}),
            ),
        ),
        ("providers look helpline", one(provider())),
        ("providers accept helpline", one(provider())),
        ("page user/ana hello", one(json!({"number": 5}))),
        (
            "silence add --for 1h --reason work team=pay",
            one(json!({"id": 3, "covers": 1, "until": "2026-11-23T05:00:00Z"})),
        ),
        (
            "override add night --user bo --for 1h --reason swap",
            one(samples::override_(3, "night")),
        ),
        (
            "override remove 4",
            vec![
                ("DELETE ", 204, json!({})),
                ("GET /v1/oncall", 200, on_call()),
                ("GET /v1/schedules", 200, known_override()),
            ],
        ),
        (
            "token create --name a --role viewer",
            one(samples::made_token()),
        ),
        ("key create native", one(samples::made_key())),
        (
            "key rotate native",
            vec![
                ("DELETE ", 204, json!({})),
                ("GET ", 200, keys()),
                ("POST ", 200, samples::made_key()),
            ],
        ),
        (
            "send --summary down --retry-for 0s --spool FOLDER/spool",
            one(json!({"receipts": [samples::receipt()]})),
        ),
    ]
}

fn about_rules() -> Vec<(&'static str, Answers)> {
    let route = samples::preview(&json!([
        {"dedup_key": "k", "route": "root", "policy": "default", "service": "pay",
         "urgency": "high", "group_key": "g", "page": true, "reasons": ["it matched"],
         "pages": [{"step": 1, "round": 1, "is_fallback": false, "after": "5m",
                    "user": "ana", "contact": "phone", "channel": "sms"}]}]));
    let history = json!({"items": [{"revision": 3, "at": "2026-11-23T03:00:00Z",
                                    "author": actor(), "message": "more people",
                                    "current": true}]});
    let files = json!([{"path": "people.yaml", "text": "users: {}\n"}]);
    let export = with(
        samples::rules(&files),
        json!({"origin": "written_anew", "hashed_keys": 2}),
    );
    vec![
        ("rules test", vec![("POST ", 200, route)]),
        ("rules history", vec![("GET ", 200, history)]),
        (
            "rules export FOLDER/exported --force",
            vec![("GET ", 200, export)],
        ),
        ("rules diff FOLDER", vec![("POST ", 200, differences())]),
        ("rules diff FOLDER", vec![("POST ", 422, faults())]),
        (
            "rules apply FOLDER --yes",
            vec![("POST ", 200, differences()), ("PUT ", 200, differences())],
        ),
        (
            "rules rollback 2 --yes",
            vec![("POST ", 200, differences())],
        ),
    ]
}

/// Everything that one command prints against one server.
struct Printed {
    line: String,
    out: String,
    beside: String,
}

impl Printed {
    /// Nothing steers, and no line begins with what the server wanted on a line of its own.
    fn assert_is_text(&self, what: &str) {
        self.assert_steers_nothing(what);
        for printed in [&self.out, &self.beside] {
            let forged = printed
                .lines()
                .any(|line| line.trim_start().starts_with(FORGED));
            assert!(!forged, "{}: {what}: {printed}", self.line);
        }
    }

    fn assert_steers_nothing(&self, what: &str) {
        for printed in [&self.out, &self.beside] {
            let steers = |letter: char| letter != '\n' && is_unwanted(letter);
            let line = &self.line;
            assert!(!printed.contains(steers), "{line}: {what}: {printed:?}");
        }
    }

    fn shows_server(&self) -> bool {
        self.out.contains(FORGED) || self.beside.contains(FORGED)
    }
}

async fn run(line: &str, folder: &str, answers: &Answers, output: Output, look: Look) -> Printed {
    let server = Server::start().await;
    for (request, status, value) in answers {
        server.answers(request, *status, value.clone());
    }
    let line = line.replace("FOLDER", folder);
    let words: Vec<&str> = line.split(' ').collect();
    let mut arguments = parse(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
    arguments.global.output = output;
    let environment = [
        ("REVEILLE_URL", server.url.as_str()),
        ("REVEILLE_TOKEN", "secret"),
        ("REVEILLE_KEY", "integration-key"),
    ];
    let context = Context {
        look,
        ..context(&arguments, &environment)
    };
    let ended = execute(arguments.command, &context).await;
    let (mut out, mut beside) = (Vec::new(), Vec::new());
    print(&context, ended, &mut out, &mut beside);
    let text = |bytes| String::from_utf8(bytes).expect("what is printed is text");
    Printed {
        line,
        out: text(out),
        beside: text(beside),
    }
}

/// Where the texts of a value are.
fn texts(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::String(_) => vec![at.to_owned()],
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let found = items.flat_map(|(index, item)| texts(item, &format!("{at}/{index}")));
            found.collect()
        }
        Value::Object(fields) => {
            let fields = fields.iter();
            let found = fields.flat_map(|(name, field)| {
                let name = name.replace('~', "~0").replace('/', "~1");
                texts(field, &format!("{at}/{name}"))
            });
            found.collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for file in starter::files() {
        std::fs::write(folder.path().join(&file.path), &file.text).expect("it is written");
    }
    folder
}

#[tokio::test]
async fn whatever_field_of_whichever_answer_is_hostile_what_is_printed_is_text() {
    let painted = Look {
        columns: Some(100),
        has_colour: true,
    };
    let folder = folder();
    let place = folder.path().display().to_string();
    for (line, answers) in [looking(), acting(), about_rules()].concat() {
        let printed = run(line, &place, &answers, Output::Table, Look::PLAIN).await;
        let is_understood = !printed.beside.contains("not understood");
        assert!(is_understood, "{line}: {}", printed.beside);
        let mut is_shown = false;
        for (index, (request, ..)) in answers.iter().enumerate() {
            for pointer in texts(&answers[index].2, "") {
                let mut hostile = answers.clone();
                let field = hostile[index].2.pointer_mut(&pointer);
                *field.expect("it was found there") = HOSTILE.into();
                let what = format!("{request}{pointer}");
                let printed = run(line, &place, &hostile, Output::Table, Look::PLAIN).await;
                printed.assert_is_text(&what);
                is_shown |= printed.shows_server();
                // Colours are our own, and so are the breaks of long lines.
                let printed = run(line, &place, &hostile, Output::Table, painted).await;
                let plain = Printed {
                    out: without_colours(&printed.out),
                    ..printed
                };
                plain.assert_steers_nothing(&what);
                let printed = run(line, &place, &hostile, Output::Json, Look::PLAIN).await;
                printed.assert_is_text(&what);
                let parsed: Result<Value, _> = serde_json::from_str(&printed.out);
                assert!(printed.out.is_empty() || parsed.is_ok(), "{}", printed.out);
            }
        }
        // What acts on a thing that it names itself may have only numbers to show of an answer.
        let acts = [
            "note 5 hello",
            "override add night --user bo --for 1h --reason swap",
            "override remove 4",
            "page user/ana hello",
            "silence add --for 1h --reason work team=pay",
        ];
        let shows_nothing = acts.contains(&line);
        assert!(is_shown || shows_nothing, "{line} shows none of its fields");
    }
}

fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (colour, rest) = part.split_once('m').unwrap_or(("?", part));
        let is_colour = colour.chars().all(|c| c.is_ascii_digit() || c == ';');
        plain.push_str(if is_colour { rest } else { "\u{1b}" });
    }
    plain
}

#[tokio::test]
async fn whatever_refusal_is_hostile_what_is_printed_is_text() {
    let fault = json!({"path": HOSTILE, "problem": HOSTILE, "message": HOSTILE, "help": HOSTILE,
                       "code": HOSTILE, "severity": HOSTILE, "line": 1, "column": 1});
    let bare = json!({"path": HOSTILE, "problem": HOSTILE});
    let refusals = [
        (422, json!({"title": HOSTILE, "faults": [fault]})),
        (400, json!({"detail": HOSTILE, "faults": [bare]})),
        (401, json!({"detail": HOSTILE})),
        (404, json!({"title": HOSTILE})),
        (503, json!(HOSTILE)),
        (200, json!(HOSTILE)),
        (200, json!({"items": [HOSTILE], "next": null})),
    ];
    let folder = folder();
    let place = folder.path().display().to_string();
    for (line, _) in [looking(), acting(), about_rules()].concat() {
        for (status, value) in &refusals {
            let methods = ["GET ", "POST ", "PUT ", "DELETE "];
            let answers: Answers = methods
                .map(|method| (method, *status, value.clone()))
                .to_vec();
            for output in [Output::Table, Output::Json] {
                let printed = run(line, &place, &answers, output, Look::PLAIN).await;
                printed.assert_is_text(&format!("{status} {value}"));
                let is_refused = *status != 200;
                assert!(
                    !is_refused || printed.shows_server(),
                    "{} hides why: {}{}",
                    printed.line,
                    printed.out,
                    printed.beside
                );
            }
        }
    }
}
