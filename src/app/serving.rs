//! Serves HTTP on the connections of a listening address, within limits: how much of a request is
//! held before anybody looks at it, and how many requests one connection carries at once.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::response::{IntoResponse, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tower_service::Service;

use super::arrival::Arrival;
use super::listener::Listener;
use super::places::{Closing, Place, PlaceKind, Underway, is_served_in_reserve};
use super::shares::{SHARE, SHARE_IN_RESERVE, Shares};
use super::status_pages::Served;
use crate::api::peer::{Peer, TrustedProxies};
use crate::api::problem::Problem;
use crate::runtime::supervise::Supervisor;
use crate::telemetry::Metrics;

/// Requests that one HTTP/2 connection carries at once.
const STREAMS_MAX: u32 = 16;
/// What a connection holds of requests before they are read, and of answers before they are taken.
const BUFFER_BYTES: usize = 64 * 1024;
/// The same, in the unit of HTTP/2, of each connection and stream; its smallest start is 65,535.
const WINDOW_BYTES: u32 = 65_535;
/// Names and values of the header of a request.
const HEADER_BYTES_MAX: u32 = 16 * 1024;
const HEADERS_MAX: usize = 100;
/// Streams that the client took back while they were worked on; beyond it the connection ends.
const RESET_STREAMS_MAX: usize = 32;

/// A connection that gives way has so long to hand over its last answer.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until told to stop, and then waits for the requests under way.
pub async fn serve(
    mut doors: Listener,
    served: Served,
    proxies: Arc<TrustedProxies>,
    supervisor: Supervisor,
    stopped: impl Future<Output = ()>,
) {
    let (stop, stopping) = watch::channel(false);
    let shares = Shares::new(SHARE);
    let shares_in_reserve = Shares::new(SHARE_IN_RESERVE);
    let mut stopped = pin!(stopped);
    loop {
        let (arrival, address) = tokio::select! {
            accepted = doors.accept() => accepted,
            () = &mut stopped => break,
        };
        let visit = Visit {
            place: arrival.place().clone(),
            proxies: proxies.clone(),
            shares: shares.clone(),
            shares_in_reserve: shares_in_reserve.clone(),
            listener: doors.name,
            metrics: doors.metrics.clone(),
            address: address.ip(),
        };
        let attending = attend(arrival, (visit, served.clone()), stopping.clone());
        supervisor.spawn("connection", attending);
    }
    drop(doors);
    drop(stopping);
    // Without any connection left nobody hears it.
    let _nobody = stop.send(true);
    stop.closed().await;
}

async fn attend(
    arrival: Arrival,
    (visit, served): (Visit, Served),
    mut stopping: watch::Receiver<bool>,
) {
    let place = visit.place.clone();
    let shaken = tokio::select! {
        biased;
        shaken = arrival.shake_hands() => shaken,
        _end = place.ending() => None,
        () = told(&mut stopping) => None,
    };
    let Some(connection) = shaken else {
        return;
    };
    let builder = builder();
    let visit = Arc::new(visit);
    let service = TowerToHyperService::new(Attended { visit, served });
    let serving = builder.serve_connection(TokioIo::new(connection), service);
    let mut serving = pin!(serving);
    let is_cut_off = tokio::select! {
        // How a connection ends is of no use to anybody here.
        _end = serving.as_mut() => return,
        end = place.ending() => end == Closing::Now,
        () = told(&mut stopping) => {
            serving.as_mut().graceful_shutdown();
            let _end = serving.await;
            return;
        }
    };
    if is_cut_off {
        return;
    }
    serving.as_mut().graceful_shutdown();
    match place.kind() {
        PlaceKind::Normal => {
            let _late = tokio::time::timeout(GRACE, serving).await;
        }
        // It ends after its one request, however long that takes.
        PlaceKind::Reserved => {
            tokio::select! {
                _end = serving.as_mut() => return,
                Some(()) = place.cut_off() => return,
                else => {}
            }
            let _late = tokio::time::timeout(GRACE, serving).await;
        }
    }
}

async fn told(stopping: &mut watch::Receiver<bool>) {
    // The sender going away means the same.
    let _gone = stopping.wait_for(|stop| *stop).await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .max_buf_size(BUFFER_BYTES)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .max_concurrent_streams(STREAMS_MAX)
        .initial_connection_window_size(WINDOW_BYTES)
        .initial_stream_window_size(WINDOW_BYTES)
        .max_header_list_size(HEADER_BYTES_MAX)
        .max_send_buf_size(BUFFER_BYTES)
        .max_pending_accept_reset_streams(RESET_STREAMS_MAX)
        .max_local_error_reset_streams(RESET_STREAMS_MAX);
    builder
}

/// What answers the requests of one connection.
#[derive(Clone)]
struct Attended {
    visit: Arc<Visit>,
    served: Served,
}

impl<B> Service<Request<B>> for Attended
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (visit, served) = (self.visit.clone(), self.served.clone());
        let request = request.map(Body::new);
        Box::pin(async move { Ok(answer(&visit, request, served).await) })
    }
}

/// The requests of one connection.
struct Visit {
    place: Arc<Place>,
    proxies: Arc<TrustedProxies>,
    shares: Shares,
    shares_in_reserve: Shares,
    /// The setting that names the address.
    listener: &'static str,
    metrics: Arc<Metrics>,
    address: IpAddr,
}

/// The share of the client is taken.
struct OverShare;

impl Visit {
    /// Whoever connects has a share of the connections; behind a proxy only requests tell clients
    /// apart. Links and health checks have one of their own, so that they are served whatever else
    /// a client does, and nobody takes them from others.
    fn share_of(&self, peer: Peer, path: &str) -> Result<Option<OwnedSemaphorePermit>, OverShare> {
        let connected = self.proxies.peer_of_connection(self.address);
        if !connected.is_proxy() || peer.is_proxy() {
            return Ok(None);
        }
        let share = if is_served_in_reserve(path) {
            self.shares_in_reserve.take(peer)
        } else {
            self.shares.take(peer)
        };
        if share.is_none() {
            self.metrics.connections_full(self.listener);
        }
        share.map(Some).ok_or(OverShare)
    }
}

/// Answers one request of a connection.
async fn answer(visit: &Visit, mut request: Request, served: Served) -> Response {
    let peer = visit
        .proxies
        .peer_of_request(visit.address, request.headers());
    request.extensions_mut().insert(peer);
    let underway = visit.place.begin();
    let version = request.version();
    let path = request.uri().path();
    let share = visit.share_of(peer, path);
    let is_refused = match visit.place.kind() {
        PlaceKind::Reserved => !is_served_in_reserve(path) || share.is_err(),
        PlaceKind::Normal => share.is_err(),
    };
    let mut response = if is_refused {
        Problem::connections_full().into_response()
    } else {
        served.answer(request).await
    };
    if visit.place.kind() == PlaceKind::Reserved {
        if version < Version::HTTP_2 {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        visit.place.end_gently();
    }
    response.map(|body| {
        Body::new(Told {
            body,
            _underway: underway,
            _share: share.ok().flatten(),
        })
    })
}

/// The body of an answer; its request is under way until it was handed over.
struct Told {
    body: Body,
    _underway: Underway,
    _share: Option<OwnedSemaphorePermit>,
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
