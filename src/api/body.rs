//! Reading request bodies: bounded in size and time, and never trusted to say their own length.

use std::future::poll_fn;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};

use super::body_budget::{BodyBudget, BodyOf, Reservation};
use super::problem::Problem;

/// What is read and thrown away beyond the limit, so that a sender that does not listen while it
/// writes still sees the answer 413 instead of a reset connection.
const DISCARDED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long a sender may take to hand over its body.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// A body, and its place in the budget: kept until the request is done with it.
pub struct Received {
    bytes: Vec<u8>,
    _reservation: Reservation,
}

impl Deref for Received {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a whole body of at most `limit` bytes.
pub async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    (budget, of): (&Arc<BodyBudget>, BodyOf),
) -> Result<Received, Problem> {
    let is_encoded = headers
        .get(header::CONTENT_ENCODING)
        .is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_encoded {
        // A compressed bomb is never opened.
        return Err(encoded());
    }
    let reservation = budget.open(of)?;
    let gathered = gather(body, of.limit(limit), reservation);
    let gathered = tokio::time::timeout(BODY_DEADLINE, gathered).await;
    gathered.unwrap_or_else(|_| Err(too_slow()))
}

fn encoded() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "encoded_body",
        "compressed bodies are not accepted; send without content-encoding",
    )
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        "body_timeout",
        "the body did not arrive within 30 seconds; send it again",
    )
}

async fn gather(
    mut body: Body,
    limit: usize,
    mut reservation: Reservation,
) -> Result<Received, Problem> {
    let mut bytes = Vec::new();
    let mut discarded = 0;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let broken = |_| Problem::invalid("the body ended before it was complete");
        let Ok(data) = frame.map_err(broken)?.into_data() else {
            continue;
        };
        if discarded == 0 && bytes.len() + data.len() <= limit {
            make_room(&mut bytes, data.len(), limit, &mut reservation)?;
            bytes.extend_from_slice(&data);
            continue;
        }
        discarded += data.len();
        if discarded > DISCARDED_BYTES_MAX {
            break;
        }
    }
    if discarded > 0 {
        return Err(Problem::too_large(limit));
    }
    Ok(Received {
        bytes,
        _reservation: reservation,
    })
}

/// Room is counted before it is there, and as it is held: with what is left free.
fn make_room(
    bytes: &mut Vec<u8>,
    more: usize,
    limit: usize,
    reservation: &mut Reservation,
) -> Result<(), Problem> {
    let needed = bytes.len() + more;
    if needed > bytes.capacity() {
        let capacity = needed.max(bytes.capacity() * 2).min(limit);
        reservation.grow(capacity)?;
        bytes.reserve_exact(capacity - bytes.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::telemetry::Metrics;

    fn budget() -> Arc<BodyBudget> {
        BodyBudget::new(1_000, Arc::new(Metrics::new()))
    }

    #[tokio::test]
    async fn a_body_that_finds_no_room_is_refused_and_gives_all_of_it_back() {
        let budget = budget();
        let known = (&budget, BodyOf::Known);
        let read_it = |length| {
            let body = Body::from(vec![b'a'; length]);
            async move { read(&HeaderMap::new(), body, 2_000, known).await }
        };
        let held = read_it(600).await.ok();
        let refused = read_it(401).await.err();
        assert_eq!(refused.map(|problem| problem.code()), Some("bodies_full"));
        drop(held);
        assert!(read_it(1_000).await.is_ok());
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_not_a_byte_further() {
        let cases = [
            (10, 10, Ok(10)),
            (11, 10, Err(Problem::too_large(10))),
            (0, 0, Ok(0)),
        ];
        for (length, limit, expected) in cases {
            let body = Body::from(vec![b'a'; length]);
            let budget = budget();
            let read = read(&HeaderMap::new(), body, limit, (&budget, BodyOf::Known)).await;
            assert_eq!(
                read.map(|bytes| bytes.len()),
                expected,
                "{length} of {limit}"
            );
        }
    }

    #[tokio::test]
    async fn a_compressed_body_is_refused_unread() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let budget = budget();
        let read = read(&headers, Body::from("x"), 10, (&budget, BodyOf::Known)).await;
        assert_eq!(read.err(), Some(encoded()));
    }
}
