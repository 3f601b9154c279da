//! A listening address with a limit on its connections: beyond it they wait outside, and the log
//! and the metrics say so.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::warn;

use super::connection::{Connection, Patience};
use crate::telemetry::Metrics;

/// What a listening address bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Together with the files of the store and the calls to providers within the 1,024 open files
    /// that systems allow by default, for two listening addresses.
    pub connections: usize,
    pub patience: Patience,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 384,
            patience: Patience {
                head: Duration::from_secs(10),
                idle: Duration::from_secs(180),
            },
        }
    }
}

/// A listening address.
pub struct Doors {
    listener: TcpListener,
    /// The setting that names the address, for log and metrics.
    name: &'static str,
    limits: Limits,
    seats: Arc<Semaphore>,
    /// The log has the news that all seats are taken; it is news again once half are free.
    is_told: bool,
    metrics: Arc<Metrics>,
}

/// The right to a connection; free again when it is dropped.
pub struct Seat {
    _permit: OwnedSemaphorePermit,
    name: &'static str,
    metrics: Arc<Metrics>,
}

impl Seat {
    fn take(permit: OwnedSemaphorePermit, doors: &Doors) -> Self {
        doors.metrics.connection_opened(doors.name);
        Self {
            _permit: permit,
            name: doors.name,
            metrics: doors.metrics.clone(),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.metrics.connection_closed(self.name);
    }
}

impl Doors {
    /// Doors before a bound address.
    pub fn new(
        listener: TcpListener,
        name: &'static str,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            listener,
            name,
            limits,
            seats: Arc::new(Semaphore::new(limits.connections)),
            is_told: false,
            metrics,
        }
    }

    /// The permit for one more connection, waited for if there is none.
    async fn permit(&mut self) -> OwnedSemaphorePermit {
        let free = self.seats.available_permits();
        if free == 0 {
            self.tell_full();
        } else if free * 2 >= self.limits.connections {
            self.is_told = false;
        }
        let permit = self.seats.clone().acquire_owned().await;
        permit.expect("nobody closes the semaphore")
    }

    fn tell_full(&mut self) {
        self.metrics.connections_full(self.name);
        if !self.is_told {
            let limit = self.limits.connections;
            warn!(
                listener = self.name,
                limit, "all connections are taken; the next ones wait"
            );
            self.is_told = true;
        }
    }
}

impl Listener for Doors {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let permit = self.permit().await;
        // axum's own listener looks after errors of accepting.
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let seat = Seat::take(permit, self);
        let connection = Connection::new(stream, self.limits.patience, seat);
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    const NEVER: Duration = Duration::from_secs(3_600);
    const SOON: Duration = Duration::from_millis(50);
    /// For a test that hangs; none waits so long.
    const GIVE_UP: Duration = Duration::from_secs(20);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    /// More than the buffers between two ends hold.
    const LARGE: usize = 64 * 1024 * 1024;

    struct Server {
        address: SocketAddr,
        metrics: Arc<Metrics>,
    }

    impl Server {
        async fn start(connections: usize, head: Duration, idle: Duration) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let metrics = Arc::new(Metrics::new());
            let patience = Patience { head, idle };
            let limits = Limits {
                connections,
                patience,
            };
            let doors = Doors::new(listener, "listen", limits, metrics.clone());
            let router = Router::new()
                .route("/", get(async || "here"))
                .route("/large", get(async || vec![0; LARGE]));
            tokio::spawn(async move { axum::serve(doors, router).await });
            Self { address, metrics }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        /// Looks again and again until the metrics have this line.
        async fn until_measured(&self, line: &str) {
            let looking = async {
                while !self.metrics.render().lines().any(|found| found == line) {
                    tokio::task::yield_now().await;
                }
            };
            let found = tokio::time::timeout(GIVE_UP, looking).await;
            assert!(found.is_ok(), "never {line}: {}", self.metrics.render());
        }
    }

    /// All that comes until the server closes.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        let reading = stream.read_to_end(&mut text);
        // A reset is as good an end as any.
        let _ = tokio::time::timeout(GIVE_UP, reading)
            .await
            .expect("an end");
        String::from_utf8(text).unwrap()
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        while !text.ends_with("here") {
            let mut part = [0; 512];
            let reading = stream.read(&mut part);
            let count = tokio::time::timeout(GIVE_UP, reading)
                .await
                .expect("an answer");
            let count = count.unwrap();
            assert_ne!(count, 0, "closed after {text:?}");
            text.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        text
    }

    #[tokio::test]
    async fn half_a_head_is_closed_after_the_limit_whether_the_first_or_a_later_one() {
        let server = Server::start(9, SOON, NEVER).await;
        for begin in [
            "",
            "G",
            "GET / HTTP/1.1\r\nhost: a\r\n",
            "\r\n\r\n",
            "PRI *",
        ] {
            let mut stream = server.connect().await;
            stream.write_all(begin.as_bytes()).await.unwrap();
            assert_eq!(rest(&mut stream).await, "", "{begin:?}");
        }
        let mut stream = server.connect().await;
        stream.write_all(REQUEST).await.unwrap();
        answer(&mut stream).await;
        stream.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
        assert_eq!(rest(&mut stream).await, "");
    }

    #[tokio::test]
    async fn a_connection_without_a_request_is_closed_after_the_idle_limit() {
        let server = Server::start(9, NEVER, SOON).await;
        for begin in [REQUEST, b"PRI * HTTP/2.0\r\n\r\nSM"] {
            let mut stream = server.connect().await;
            stream.write_all(begin).await.unwrap();
            let text = rest(&mut stream).await;
            assert_eq!(text.ends_with("here"), begin == REQUEST, "{text}");
        }
        server
            .until_measured("reveille_http_connections{listener=\"listen\"} 0")
            .await;
    }

    #[tokio::test]
    async fn an_answer_that_is_not_taken_holds_its_connection_only_for_so_long() {
        let server = Server::start(9, NEVER, SOON).await;
        let mut stream = server.connect().await;
        let request = b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let mut first = [0; 1];
        stream.read_exact(&mut first).await.unwrap();
        server
            .until_measured("reveille_http_connections{listener=\"listen\"} 0")
            .await;
    }

    #[tokio::test]
    async fn several_requests_pass_over_one_connection() {
        let server = Server::start(1, NEVER, NEVER).await;
        let mut stream = server.connect().await;
        for _ in 0..3 {
            stream.write_all(REQUEST).await.unwrap();
            assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
        }
    }

    #[tokio::test]
    async fn beyond_the_limit_a_connection_waits_until_another_ends_and_that_is_counted() {
        let server = Server::start(1, NEVER, NEVER).await;
        let mut first = server.connect().await;
        first.write_all(REQUEST).await.unwrap();
        answer(&mut first).await;
        let mut second = server.connect().await;
        second.write_all(REQUEST).await.unwrap();
        server
            .until_measured("reveille_http_connections_full_total{listener=\"listen\"} 1")
            .await;
        server
            .until_measured("reveille_http_connections{listener=\"listen\"} 1")
            .await;
        drop(first);
        assert!(answer(&mut second).await.starts_with("HTTP/1.1 200"));
    }
}
