//! Slack's Web API in the test process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit, Mac};
use reveille::engine::time::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use super::http::{Call, FakeHttp, Reply, client};
use super::twilio::form;

/// The token that it knows.
pub const TOKEN: &str = "xoxb-test-token";

/// With what it signs.
pub const SIGNING_SECRET: &str = "slack-signing-secret";

/// A workspace.
pub struct FakeSlack {
    pub http: FakeHttp,
    workspace: Arc<Workspace>,
}

#[derive(Default)]
struct Workspace {
    is_revoked: AtomicBool,
    posted: AtomicU64,
    /// E-mail address to user id.
    users: Mutex<BTreeMap<String, String>>,
}

impl FakeSlack {
    /// A workspace without users.
    pub async fn start() -> Self {
        let workspace = Arc::new(Workspace::default());
        let answering = Arc::clone(&workspace);
        let http = FakeHttp::start(move |call| answering.answer(call)).await;
        Self { http, workspace }
    }

    /// The setting `api_url`.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.http.url())
    }

    /// Adds a user who can be looked up by address.
    pub fn add_user(&self, email: &str, id: &str) {
        let mut users = self.workspace.users.lock().unwrap();
        users.insert(email.to_owned(), id.to_owned());
    }

    /// From now on the token is not accepted.
    pub fn revoke_token(&self) {
        self.workspace.is_revoked.store(true, Ordering::SeqCst);
    }
}

/// A button that somebody presses.
#[derive(Clone, Copy)]
pub struct Press<'press> {
    pub button: &'press Value,
    pub user: &'press str,
    /// The conversation in which the message stands.
    pub place: &'press str,
}

impl Press<'_> {
    /// The body with which Slack tells of it.
    pub fn body(self) -> String {
        let payload = json!({
            "type": "block_actions",
            "user": {"id": self.user},
            "channel": {"id": self.place},
            "actions": [self.button],
        });
        form(&[("payload", &payload.to_string())])
    }
}

/// The headers of a body: its time, and the signature over both.
pub fn signed(body: &str, secret: &str, at: Timestamp) -> [(&'static str, String); 2] {
    let seconds = at.0 / 1_000;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{seconds}:{body}").as_bytes());
    let code = mac.finalize().into_bytes();
    let code: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    [
        ("x-slack-request-timestamp", seconds.to_string()),
        ("x-slack-signature", format!("v0={code}")),
    ]
}

/// Posts a body as Slack posts what was pressed; the answer is the status.
pub async fn post_actions(server: &str, body: &str, headers: &[(&'static str, String)]) -> u16 {
    let request = client().post(format!("{server}/slack/actions"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let headers = headers.iter();
    let request = headers.fold(request, |request, (name, value)| {
        request.header(*name, value)
    });
    let answer = request.body(body.to_owned()).send().await.unwrap();
    answer.status().as_u16()
}

/// What Slack says when it says no: status 200 and `ok: false`.
pub fn refusal(error: &str) -> Reply {
    Reply::json(200, &json!({"ok": false, "error": error}))
}

impl Workspace {
    fn answer(&self, call: &Call) -> Reply {
        if self.is_revoked.load(Ordering::SeqCst) {
            return refusal("token_revoked");
        }
        if call.header("authorization") != format!("Bearer {TOKEN}") {
            return refusal("invalid_auth");
        }
        match call.path() {
            "/api/chat.postMessage" => self.post(call),
            "/api/chat.update" => self.update(call),
            "/api/users.lookupByEmail" => self.look_up(call),
            "/api/users.info" => self.info(call),
            "/api/auth.test" => Reply::json(
                200,
                &json!({"ok": true, "team": "Example", "user": "reveille", "team_id": "T1"}),
            ),
            _ => refusal("unknown_method"),
        }
    }

    fn post(&self, call: &Call) -> Reply {
        let body = call.json();
        let channel = body["channel"].as_str().unwrap_or_default();
        if channel.is_empty() {
            return refusal("channel_not_found");
        }
        let count = self.posted.fetch_add(1, Ordering::SeqCst) + 1;
        // Whoever posts to a user gets the id of the direct conversation back.
        let place = match channel.strip_prefix('U') {
            Some(rest) => format!("D{rest}"),
            None => channel.to_owned(),
        };
        posted(&place, &format!("1503435956.{count:06}"))
    }

    fn update(&self, call: &Call) -> Reply {
        let body = call.json();
        match (&body["channel"], &body["ts"]) {
            (Value::String(channel), Value::String(ts)) => posted(channel, ts),
            _ => refusal("message_not_found"),
        }
    }

    fn info(&self, call: &Call) -> Reply {
        let id = call.field("user").unwrap_or_default();
        let users = self.users.lock().unwrap();
        let email = users.iter().find(|(_, known)| **known == id);
        match email {
            Some((email, _)) => Reply::json(
                200,
                &json!({"ok": true, "user": {"id": id, "profile": {"email": email}}}),
            ),
            None => refusal("user_not_found"),
        }
    }

    fn look_up(&self, call: &Call) -> Reply {
        let email = call.field("email").unwrap_or_default();
        match self.users.lock().unwrap().get(&email) {
            Some(id) => Reply::json(200, &json!({"ok": true, "user": {"id": id}})),
            None => refusal("users_not_found"),
        }
    }
}

fn posted(channel: &str, ts: &str) -> Reply {
    Reply::json(200, &json!({"ok": true, "channel": channel, "ts": ts}))
}
