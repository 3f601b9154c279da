//! Rows 7 and 8: how long it takes from sending an alert to receiving its page.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::alerts::{Request, number_in};
use crate::client::{CONNECTIONS, Connection};
use crate::server::{Kind, Server, Setup};
use crate::table::Line;
use crate::{Failure, Plan, tell};

/// A page later than this is taken for lost.
const PATIENCE: Duration = Duration::from_secs(60);

const IDLE_POSTS: u64 = 200;
const STEADY_SECONDS: u64 = 5;
const PER_SECOND: u64 = 1_000;

/// A page that has come.
pub struct Arrival {
    /// The number of the alert that it is about.
    pub alert: u64,
    pub came: Instant,
    pub page: Bytes,
}

/// The receiver of pages.
pub struct Receiver {
    pub address: SocketAddr,
    arrivals: UnboundedReceiver<Arrival>,
}

impl Receiver {
    pub async fn start() -> Result<Self, Failure> {
        let (sender, arrivals) = unbounded_channel();
        let router = Router::new()
            .route("/page", post(receive))
            .with_state(sender);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, arrivals })
    }

    pub async fn next(&mut self) -> Result<Arrival, Failure> {
        let arrival = timeout(PATIENCE, self.arrivals.recv()).await;
        let arrival = arrival.map_err(|_| "a page did not come within a minute")?;
        Ok(arrival.ok_or("the receiver of pages ended")?)
    }

    /// Waits for a page, whenever it comes, and forgets it; whether there can be more.
    pub async fn any(&mut self) -> bool {
        self.arrivals.recv().await.is_some()
    }
}

async fn receive(State(arrivals): State<UnboundedSender<Arrival>>, page: Bytes) -> StatusCode {
    let came = Instant::now();
    let Some(alert) = number_in(&page) else {
        return StatusCode::BAD_REQUEST;
    };
    // Who does not wait for it any more has all that was measured.
    let _ = arrivals.send(Arrival { alert, came, page });
    StatusCode::OK
}

/// One alert after the other, each when the page of the one before has come.
pub async fn idle(plan: &Plan) -> Result<[Line; 2], Failure> {
    let mut middle = Line::new(7, "alert to page, idle, p50", "ms");
    let mut slowest = Line::new(7, "alert to page, idle, p99", "ms");
    for round in 1..=plan.rounds {
        for &kind in plan.kinds.iter().filter(|kind| **kind != Kind::Floor) {
            let times = run_idle(kind).await?;
            let (p50, p99) = (percentile(&times, 50), percentile(&times, 99));
            tell(&format!(
                "idle, round {round}: {kind:?} {p50:.2} and {p99:.2} ms"
            ));
            middle.add(kind, p50);
            slowest.add(kind, p99);
        }
    }
    Ok([middle, slowest])
}

async fn run_idle(kind: Kind) -> Result<Vec<Duration>, Failure> {
    let mut receiver = Receiver::start().await?;
    let setup = Setup::Paging {
        receiver: receiver.address,
    };
    let server = Server::start(kind, &setup).await?;
    let mut connection = Connection::open(server.address).await?;
    let mut request = Request::new(1, 1)?;
    let mut times = Vec::new();
    let warm_up = IDLE_POSTS / 20;
    for number in 0..warm_up + IDLE_POSTS {
        let sent = Instant::now();
        connection.send(request.number(number)).await?;
        let arrival = receiver.next().await?;
        if arrival.alert != number {
            let paged = arrival.alert;
            return Err(format!("{kind:?} paged for {paged} instead of {number}").into());
        }
        if number >= warm_up {
            times.push(arrival.came - sent);
        }
    }
    Ok(times)
}

/// So many alerts a second, whether their pages have come or not.
pub async fn steady(plan: &Plan) -> Result<Line, Failure> {
    let mut line = Line::new(8, "alert to page, 1,000 paged alerts/s, p99", "ms");
    for round in 1..=plan.rounds {
        for &kind in plan.kinds.iter().filter(|kind| **kind != Kind::Floor) {
            let alerts = STEADY_SECONDS * PER_SECOND / plan.divisor;
            let times = run_steady(kind, alerts).await?;
            let p99 = percentile(&times, 99);
            tell(&format!("steady, round {round}: {kind:?} {p99:.2} ms"));
            line.add(kind, p99);
        }
    }
    Ok(line)
}

/// An alert counts from the moment at which it was due to be sent: a server that answers late
/// cannot hide it by holding the loader up.
async fn run_steady(kind: Kind, alerts: u64) -> Result<Vec<Duration>, Failure> {
    let mut receiver = Receiver::start().await?;
    let setup = Setup::Paging {
        receiver: receiver.address,
    };
    let server = Server::start(kind, &setup).await?;
    let request = Request::new(1, 1)?;
    let start = Instant::now() + Duration::from_millis(100);
    let warm_up = alerts / 20;
    let mut tasks = JoinSet::new();
    for first in 0..CONNECTIONS {
        let mut connection = Connection::open(server.address).await?;
        let mut request = request.clone();
        tasks.spawn(async move {
            for number in (first..warm_up + alerts).step_by(CONNECTIONS as usize) {
                sleep_until(due(start, number)).await;
                connection.send(request.number(number)).await?;
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    let mut times = Vec::new();
    for _ in 0..warm_up + alerts {
        let arrival = receiver.next().await?;
        if arrival.alert >= warm_up {
            times.push(arrival.came - due(start, arrival.alert));
        }
    }
    Ok(times)
}

fn due(start: Instant, number: u64) -> Instant {
    start + Duration::from_micros(number * 1_000_000 / PER_SECOND)
}

/// In milliseconds.
fn percentile(times: &[Duration], percent: usize) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, Duration::as_secs_f64) * 1_000.0
}
