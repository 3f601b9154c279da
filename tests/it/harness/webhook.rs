//! Receivers of webhooks and of messages for an SMS gateway, in the test process.

use serde_json::json;

use super::http::{FakeHttp, Reply};

/// A receiver that answers 204 to everything.
pub async fn start_receiver() -> FakeHttp {
    FakeHttp::start(|_| Reply::new(204, "")).await
}

/// A gateway that answers 200 and an id at `/id`.
pub async fn start_sms_gateway() -> FakeHttp {
    FakeHttp::start(|_| Reply::json(200, &json!({"id": "m-1"}))).await
}
