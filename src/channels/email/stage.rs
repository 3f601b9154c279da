//! How far a conversation with a relay had come.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A step of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Connecting, TLS, greeting.
    Connect,
    Login,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`, and the permission to send the text.
    Recipient,
    /// The text is on its way: from here on a silence may mean that it was sent.
    Content,
}

impl Stage {
    /// All stages in their order.
    pub const ALL: [Self; 5] = [
        Self::Connect,
        Self::Login,
        Self::Sender,
        Self::Recipient,
        Self::Content,
    ];

    /// As the timeline says where it stopped.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "at connect",
            Self::Login => "at login",
            Self::Sender => "at MAIL FROM",
            Self::Recipient => "at RCPT TO",
            Self::Content => "after the message text",
        }
    }
}

/// How far an attempt has come, for whoever gives it up.
#[derive(Default)]
pub struct Progress(AtomicUsize);

impl Progress {
    /// Notes that this stage begins.
    pub fn reach(&self, stage: Stage) {
        let at = Stage::ALL.iter().position(|known| *known == stage);
        self.0.store(at.unwrap_or(0), Ordering::Relaxed);
    }

    /// The stage that was reached.
    pub fn stage(&self) -> Stage {
        Stage::ALL[self.0.load(Ordering::Relaxed)]
    }
}
