//! Requests that providers make to us: which channel's they are, and that nothing of them counts
//! before they are believed. How they are believed and read is for the folder of their provider.

use std::sync::Arc;

use axum::extract::{OriginalUri, Request};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::channels::inbound::{Answer, Denial, Endpoint, Head, Inbound, Posted, Refusal, Verdict};
use crate::engine::ids::ChannelName;

use super::body_budget::BodyOf;
use super::extract::whole_body;
use super::guesses::peer;
use super::peer::Peer;
use super::ports::ApiState;
use super::problem::Problem;

/// A channel whose provider posts to us.
pub type Candidate = (ChannelName, Arc<dyn Inbound>);

/// A request that is believed.
pub struct Callback {
    pub channel: ChannelName,
    pub inbound: Arc<dyn Inbound>,
    pub posted: Posted,
}

/// The channels whose provider posts there.
pub fn candidates(state: &ApiState, endpoint: Endpoint) -> Vec<Candidate> {
    let all = state.inbound.iter();
    let takers = all.filter(|(_, inbound)| inbound.takes(endpoint));
    takers
        .map(|(name, inbound)| (name.clone(), inbound.clone()))
        .collect()
}

/// Reads a request that one of the candidates believes.
pub async fn read(
    state: &ApiState,
    candidates: &[Candidate],
    endpoint: Endpoint,
    body_limit: usize,
    request: Request,
) -> Result<Callback, Problem> {
    let head = head(state, endpoint, &request);
    let peer = peer(request.extensions());
    let of = match verify(candidates, &head, None) {
        Ok((_, Verdict::Genuine)) => BodyOf::Known,
        Ok((_, Verdict::NeedsBody)) => BodyOf::unknown(request.extensions()),
        Err(refused) => return Err(refuse(state, refused, peer).await),
    };
    let body = whole_body(state, request, body_limit, of).await?;
    // The body may have taken its time.
    let now = state.now();
    let head = Head { now, ..head };
    let (channel, inbound) = match verify(candidates, &head, Some(&body)) {
        Ok((candidate, _)) => candidate.clone(),
        Err(refused) => return Err(refuse(state, refused, peer).await),
    };
    let posted = inbound.read(&head, &body).map_err(Problem::invalid)?;
    Ok(Callback {
        channel,
        inbound,
        posted,
    })
}

fn head(state: &ApiState, endpoint: Endpoint, request: &Request) -> Head {
    let original = request.extensions().get::<OriginalUri>();
    let uri = original.map_or(request.uri(), |original| &original.0);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let headers = request.headers().keys().map(|name| {
        let value = request.headers().get(name);
        let text = value.and_then(|value| value.to_str().ok());
        (name.as_str().to_owned(), text.unwrap_or("").to_owned())
    });
    Head {
        endpoint,
        headers: headers.collect(),
        url: format!("{}{path}", state.settings.public_url.trim_end_matches('/')),
        now: state.now(),
    }
}

/// The candidate that believes it, or the last that does not; `None` without candidates.
fn verify<'all>(
    candidates: &'all [Candidate],
    head: &Head,
    body: Option<&[u8]>,
) -> Result<(&'all Candidate, Verdict), Option<(&'all ChannelName, Refusal)>> {
    let mut refused = None;
    for candidate in candidates {
        match candidate.1.verify(head, body) {
            Ok(verdict) => return Ok((candidate, verdict)),
            Err(refusal) => refused = Some((&candidate.0, refusal)),
        }
    }
    Err(refused)
}

async fn refuse(
    state: &ApiState,
    refused: Option<(&ChannelName, Refusal)>,
    peer: Option<Peer>,
) -> Problem {
    let Some((channel, refusal)) = refused else {
        return Problem::not_found("channel", "of this name accepts messages");
    };
    let now = (&state.handle, state.now());
    state.refusals.note(channel, &refusal, now).await;
    match refusal.denial {
        Denial::Unauthorized(detail) => Problem::unauthorized(detail),
        Denial::Forbidden(detail) => Problem::forbidden(detail),
        Denial::WrongKey(detail) => {
            let problem = Problem::unauthorized(detail);
            state.guesses.answer(peer, state.now(), problem)
        }
    }
}

/// An answer as HTTP.
pub fn response(answer: Answer) -> Response {
    if answer.content_type.is_empty() {
        return ().into_response();
    }
    ([(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response()
}
