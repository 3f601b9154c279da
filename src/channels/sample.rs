//! What the tests of this room share: a client, links, and how an attempt is made.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::http::{Http, HttpOptions};
use super::links::Links;
use super::{CancelToken, Channel, Sent};
use crate::engine::decision::SendRequest;
use crate::engine::outcome::Outcome;
pub use crate::engine::samples::orders::*;
use crate::engine::time::{Duration, Timestamp};

/// 2026-05-12T02:12:00Z.
pub const NOW: Timestamp = Timestamp(1_778_551_920_000);

/// A client whose guard lets these networks pass and whose clock stands at [`NOW`].
pub fn http(allow_networks: &[&str]) -> Arc<Http> {
    let networks = allow_networks.iter();
    let options = HttpOptions {
        clock: Arc::new(|| NOW),
        allow_networks: networks
            .map(|text| text.parse().expect("a network"))
            .collect(),
        proxy: None,
        extra_roots: Vec::new(),
    };
    Arc::new(Http::new(options).expect("a client"))
}

/// Statuses that no table of outcomes knows.
pub const UNKNOWN_STATUSES: [RangeInclusive<u16>; 2] = [0..=199, 600..=u16::MAX];

/// The outcome of a provider that asks to wait so long.
pub fn throttled(wait: Duration) -> Outcome {
    Outcome::Throttled { wait }
}

/// Makes an attempt that nobody withdraws.
pub async fn send(channel: &dyn Channel, order: &SendRequest) -> Sent {
    let result = channel.send(order, &CancelToken::default()).await;
    result.expect("nobody withdraws it")
}

pub fn links() -> Links {
    Links::new("https://pager.example.com", [7; 32])
}
