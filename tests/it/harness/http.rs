//! An HTTP server in the test process: records every call, answers by its script, else well.

use super::inbox::Inbox;
use super::script::Script;

#[expect(dead_code, reason = "the rest of it is for the unit tests")]
#[path = "../../../src/test_server.rs"]
mod test_server;

pub use test_server::{Call, RefusingAddress, Reply};

/// The server.
pub struct FakeHttp {
    server: test_server::Server,
    inbox: Inbox<Call>,
    script: Script<Reply>,
}

impl FakeHttp {
    /// A server with these good answers, given when its script is empty.
    pub async fn start(good: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        super::install_tls();
        let (inbox, script) = (Inbox::default(), Script::default());
        let (calls, replies) = (Inbox::clone(&inbox), Script::clone(&script));
        let answer = move |call: &Call| {
            let reply = replies.take().unwrap_or_else(|| good(call));
            calls.put(call.clone());
            Some(reply)
        };
        Self {
            server: test_server::Server::answering(answer).await,
            inbox,
            script,
        }
    }

    /// Its address as a URL without a slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What it answers from now on, one answer after the other.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.add(replies);
    }

    /// The next call.
    pub async fn next(&self) -> Call {
        self.inbox.next("call").await
    }

    /// Fails if a call came that no test has looked at.
    #[track_caller]
    pub fn expect_nothing_more(&self) {
        self.inbox.expect_empty("call");
    }
}

/// A client for what tests send themselves.
pub fn client() -> reqwest::Client {
    super::install_tls();
    reqwest::Client::builder().no_proxy().build().unwrap()
}
