//! Clients that act at the same time until they are not answered any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::dice::Dice;
use super::ledger::{Act, Ledger};
use crate::harness::http::client;
use crate::process::server::{ONE_PERSON, Server};

const CLIENTS: usize = 4;

/// The ledgers of new clients.
pub fn ledgers() -> Vec<Ledger> {
    let names = (0..CLIENTS).map(|at| (format!("c{at}"), at == 0));
    names
        .map(|(name, changes_rules)| Ledger::new(&name, changes_rules))
        .collect()
}

/// The rules of all these tests, with a name in them.
pub fn rules(name: &str) -> String {
    ONE_PERSON.replace("Ana Silva", name)
}

pub fn matcher(reason: &str) -> String {
    format!("quiet=\"{reason}\"")
}

/// The way to a router.
#[derive(Clone)]
pub struct Api {
    client: reqwest::Client,
    url: String,
    token: String,
    key: String,
}

impl Api {
    pub fn of(server: &Server) -> Self {
        Self {
            client: client(),
            url: server.url.clone(),
            token: server.token.clone(),
            key: server.key.clone(),
        }
    }

    /// The answer; an error if there was none. A refusal fails the test.
    async fn ask(&self, method: Method, path: &str, body: &Value) -> reqwest::Result<Value> {
        let is_event = path == "/v1/events";
        let secret = if is_event { &self.key } else { &self.token };
        let url = format!("{}{path}", self.url);
        let request = self.client.request(method.clone(), url).bearer_auth(secret);
        let request = match method {
            Method::GET | Method::DELETE => request,
            _ => request.json(body),
        };
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        assert!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, &Value::Null).await.unwrap()
    }

    /// A whole list.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut answer = self.get(&format!("{path}?limit=500{cursor}")).await;
            items.append(answer["items"].as_array_mut().unwrap());
            match &answer["next"] {
                Value::Null => return items,
                Value::String(next) => cursor = format!("&cursor={next}"),
                next => cursor = format!("&cursor={next}"),
            }
        }
    }

    async fn perform(&self, act: &Act) -> reqwest::Result<Value> {
        let event = |action: &str, key: &str| {
            json!({"action": action, "summary": key, "dedup_key": key, "severity": "critical",
                "details": {"text": "x".repeat(key.len() * 100)}})
        };
        let (method, path, body) = match act {
            Act::Trigger(keys) => {
                let events = keys.iter().map(|key| event("trigger", key));
                (Method::POST, "/v1/events".to_owned(), events.collect())
            }
            Act::Repeat(key) => (Method::POST, "/v1/events".into(), event("trigger", key)),
            Act::Resolve(key, _) => (Method::POST, "/v1/events".into(), event("resolve", key)),
            Act::Acknowledge(number) => {
                let path = format!("/v1/incidents/{number}/acknowledge");
                (Method::POST, path, json!({}))
            }
            Act::Silence(reason) => {
                let body = json!({"matchers": [matcher(reason)], "for": "5h", "reason": reason});
                (Method::POST, "/v1/silences".into(), body)
            }
            Act::EndSilence(id) => (Method::DELETE, format!("/v1/silences/{id}"), Value::Null),
            Act::Rules(name) => {
                let body = json!({"files": [{"path": "all.yaml", "text": rules(name)}]});
                (Method::PUT, "/v1/rules".into(), body)
            }
        };
        self.ask(method, &path, &body).await
    }
}

/// Counts answers down, and tells when there were enough.
struct Countdown {
    left: AtomicU64,
    reached: Notify,
}

impl Countdown {
    fn answered(&self) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.reached.notify_one();
        }
    }
}

async fn work(mut ledger: Ledger, api: Api, mut dice: Dice, countdown: Arc<Countdown>) -> Ledger {
    loop {
        let act = ledger.choose(&mut dice);
        ledger.under_way = Some(act.clone());
        let Ok(answer) = api.perform(&act).await else {
            return ledger;
        };
        ledger.under_way = None;
        ledger.note(act, &answer);
        countdown.answered();
    }
}

/// Lets all clients act until so many requests were answered, and ends the router by a kill while
/// they go on.
pub async fn act_until_killed(
    server: Server,
    ledgers: Vec<Ledger>,
    answers: u64,
    dice: &mut Dice,
) -> Vec<Ledger> {
    let countdown = Arc::new(Countdown {
        left: AtomicU64::new(answers),
        reached: Notify::new(),
    });
    let api = Api::of(&server);
    let mut working = JoinSet::new();
    for ledger in ledgers {
        let (api, countdown) = (api.clone(), Arc::clone(&countdown));
        working.spawn(work(ledger, api, dice.fork(), countdown));
    }
    tokio::select! {
        () = countdown.reached.notified() => server.kill(),
        ended = working.join_next() => {
            panic!("not answered before the kill: {:?}", ended.unwrap().unwrap().under_way)
        }
    }
    let mut ledgers = working.join_all().await;
    ledgers.sort_by(|one, other| one.name.cmp(&other.name));
    ledgers
}
