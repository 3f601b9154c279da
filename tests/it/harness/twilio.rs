//! Twilio's message API in the test process; delivery reports and replies come when a test says so.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha1::Sha1;
use sha2::Sha256;

use super::http::{Call, FakeHttp, Reply, client};

/// The account that it knows.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// The token of that account.
pub const TOKEN: &str = "twilio-test-token";

/// A key of the account with which webhooks can be signed instead.
pub const SHARED_KEY: &str = "twilio-shared-test-key";

/// With what a request is signed.
#[derive(Clone, Copy)]
pub enum Key {
    AuthToken,
    Shared,
}

/// A person's text message.
#[derive(Clone, Copy)]
pub struct Text<'text> {
    pub from: &'text str,
    pub text: &'text str,
    pub message_id: &'text str,
}

/// The provider.
pub struct FakeTwilio {
    pub http: FakeHttp,
}

/// A text message as it was handed over.
#[derive(Clone, Debug)]
pub struct Sms {
    pub to: String,
    pub from: String,
    pub text: String,
    pub status_callback: Option<String>,
    pub validity_seconds: Option<String>,
}

impl FakeTwilio {
    /// A provider that accepts every message of its account.
    pub async fn start() -> Self {
        let sent = AtomicU64::new(0);
        let good = move |call: &Call| accept(call, &sent);
        let http = FakeHttp::start(good).await;
        Self { http }
    }

    /// The setting `api_url`.
    pub fn api_url(&self) -> String {
        self.http.url()
    }

    /// The next message.
    pub async fn next(&self) -> Sms {
        let call = self.http.next().await;
        let field = |name| call.field(name);
        Sms {
            to: field("To").unwrap_or_default(),
            from: field("From").unwrap_or_default(),
            text: field("Body").unwrap_or_default(),
            status_callback: field("StatusCallback"),
            validity_seconds: field("ValidityPeriod"),
        }
    }

    /// Reports on a message, signed; returns the status of the answer.
    pub async fn report(&self, sms: &Sms, status: &str, error_code: Option<&str>) -> u16 {
        let url = sms.status_callback.as_deref().expect("no StatusCallback");
        let mut fields = vec![
            ("AccountSid", ACCOUNT),
            ("From", &sms.from),
            ("MessageSid", "SM1"),
            ("MessageStatus", status),
            ("To", &sms.to),
        ];
        fields.extend(error_code.map(|code| ("ErrorCode", code)));
        self.post(url, &mut fields).await.0
    }

    /// Hands over a person's reply, signed; returns status and body of the answer.
    pub async fn reply(&self, url: &str, from: &str, text: &str) -> (u16, String) {
        let mut fields = vec![
            ("AccountSid", ACCOUNT),
            ("Body", text),
            ("From", from),
            ("MessageSid", "SM2"),
            ("To", "+15550000000"),
        ];
        self.post(url, &mut fields).await
    }

    /// Hands over a reply to `url`, signed for another form of it and with either key.
    pub async fn reply_signed(
        &self,
        url: &str,
        signed_url: &str,
        key: Key,
        reply: Text<'_>,
    ) -> (u16, String) {
        let mut fields = vec![
            ("AccountSid", ACCOUNT),
            ("Body", reply.text),
            ("From", reply.from),
            ("MessageSid", reply.message_id),
            ("To", "+15550000000"),
        ];
        let mut request = client()
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded");
        request = match key {
            Key::AuthToken => {
                request.header("X-Twilio-Signature", signature(signed_url, &mut fields))
            }
            Key::Shared => {
                let settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256";
                request
                    .header("X-Twilio-Webhooks-Signature-Settings", settings)
                    .header(
                        "X-Twilio-Signature",
                        shared_signature(signed_url, &mut fields),
                    )
            }
        };
        let response = request.body(form(&fields)).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.text().await.unwrap())
    }

    async fn post(&self, url: &str, fields: &mut [(&str, &str)]) -> (u16, String) {
        let request = client()
            .post(url)
            .header("X-Twilio-Signature", signature(url, fields))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(fields));
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.text().await.unwrap())
    }
}

/// What Twilio answers to a message that it does not take.
pub fn refusal(status: u16, code: u32, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({"code": code, "message": message, "status": status}),
    )
}

fn accept(call: &Call, sent: &AtomicU64) -> Reply {
    let login = STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"));
    if call.header("authorization") != format!("Basic {login}") {
        return refusal(401, 20003, "Authenticate");
    }
    let account = format!("/2010-04-01/Accounts/{ACCOUNT}");
    if call.path() == format!("{account}.json") {
        return Reply::json(200, &json!({"sid": ACCOUNT, "status": "active"}));
    }
    if call.path() != format!("{account}/Messages.json") {
        return refusal(404, 20404, "The requested resource was not found");
    }
    let count = sent.fetch_add(1, Ordering::SeqCst) + 1;
    Reply::json(
        201,
        &json!({"sid": format!("SM{count:032}"), "status": "queued", "error_code": null}),
    )
}

/// Base64 of HMAC-SHA1 over the URL and the sorted fields.
fn signature(url: &str, fields: &mut [(&str, &str)]) -> String {
    fields.sort_unstable();
    let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in fields.iter() {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Base64 of HMAC-SHA256 over the same with a shared key.
fn shared_signature(url: &str, fields: &mut [(&str, &str)]) -> String {
    fields.sort_unstable();
    let mut mac = Hmac::<Sha256>::new_from_slice(SHARED_KEY.as_bytes()).unwrap();
    mac.update(url.as_bytes());
    for (name, value) in fields.iter() {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A form body.
pub fn form(fields: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish()
}
