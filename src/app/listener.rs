//! A listening address with limits on its connections; who is let in and who gives way is decided
//! in `places`. Whoever is refused is closed at once, and the log and the metrics say so.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tracing::warn;

use super::arrival::Arrival;
use super::connection::Timeouts;
use super::permit::ConnectionPermit;
use super::places::{GaveWay, NotAdmitted, Place, PlaceKind, PlaceLimits, Places};
use crate::api::peer::TrustedProxies;
use crate::telemetry::Metrics;

/// After an error of accepting that is nobody's in particular.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a listening address bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fewer where the process may not open so many files.
    pub connections: PlaceLimits,
    /// Beyond that, for acknowledge links and health checks.
    pub reserved: PlaceLimits,
    pub timeouts: Timeouts,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: PlaceLimits {
                places: 352,
                share: 88,
            },
            reserved: PlaceLimits {
                places: 32,
                share: 4,
            },
            timeouts: Timeouts {
                head: Duration::from_secs(10),
                idle: Duration::from_secs(180),
            },
        }
    }
}

/// A listening address.
pub struct Listener {
    listener: TcpListener,
    /// The setting that names the address, for log and metrics.
    pub name: &'static str,
    limits: Limits,
    tls: Option<TlsAcceptor>,
    proxies: Arc<TrustedProxies>,
    places: Arc<Places>,
    /// The log has the news that somebody found no place; it is news again once one is let in
    /// without giving anybody's place up.
    is_told: bool,
    /// The same of errors of accepting.
    is_failing: bool,
    pub metrics: Arc<Metrics>,
}

impl Listener {
    /// A listener on a bound address.
    pub fn new(
        listener: TcpListener,
        name: &'static str,
        limits: Limits,
        proxies: Arc<TrustedProxies>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            listener,
            name,
            limits,
            tls: None,
            proxies,
            places: Places::new(limits.connections, limits.reserved),
            is_told: false,
            is_failing: false,
            metrics,
        }
    }

    /// The same, to be talked to over TLS only.
    pub fn with_tls(mut self, tls: Option<TlsAcceptor>) -> Self {
        self.tls = tls;
        self
    }

    /// The next connection that is let in.
    pub async fn accept(&mut self) -> (Arrival, SocketAddr) {
        loop {
            let (stream, address) = self.accept_any().await;
            let peer = self.proxies.peer_of_connection(address.ip());
            match self.places.admit(peer) {
                Ok(place) => {
                    self.note_admitted(&place, address);
                    let arrival = Arrival {
                        stream,
                        tls: self.tls.clone(),
                        timeouts: self.limits.timeouts,
                        permit: ConnectionPermit::take(place, self.name, &self.metrics),
                    };
                    return (arrival, address);
                }
                Err(why) => self.note_refused(why, address),
            }
        }
    }

    /// The next connection, whatever stands in its way meanwhile.
    async fn accept_any(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => {
                    self.is_failing = false;
                    return accepted;
                }
                // The client has gone already.
                Err(error) if is_of_the_client(&error) => {}
                Err(error) => self.pause_after(&error).await,
            }
        }
    }

    /// Most likely no descriptor is left: whoever waits stays in the queue of the system.
    async fn pause_after(&mut self, error: &io::Error) {
        self.metrics.accept_failed(self.name);
        if !self.is_failing {
            warn!(
                listener.name = self.name,
                error = error as &dyn std::error::Error,
                "no connection can be accepted for now"
            );
            self.is_failing = true;
        }
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }

    fn note_admitted(&mut self, place: &Place, address: SocketAddr) {
        if let Some(gave_way) = place.gave_way() {
            let was = match gave_way {
                GaveWay::Idle => "idle",
                GaveWay::Slow => "slow",
            };
            self.metrics.connection_gave_way(self.name, was);
        }
        match place.kind() {
            PlaceKind::Normal => self.is_told = false,
            PlaceKind::Reserved => {
                self.metrics.connections_full(self.name);
                self.tell(address);
            }
        }
    }

    fn note_refused(&mut self, why: NotAdmitted, address: SocketAddr) {
        let why = match why {
            NotAdmitted::Share => "share",
            NotAdmitted::Full => "full",
        };
        self.metrics.connection_refused(self.name, why);
        self.tell(address);
    }

    fn tell(&mut self, address: SocketAddr) {
        if !self.is_told {
            warn!(
                listener.name = self.name,
                client.address = %address.ip(),
                "a client has no connections left: it is only served links and health checks"
            );
            self.is_told = true;
        }
    }
}

fn is_of_the_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::super::shares::{SHARE, SHARE_IN_RESERVE};
    use super::*;
    use crate::app::serving;
    use crate::app::status_pages::Served;
    use crate::runtime::supervise::Supervisor;

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
            let nobody = TrustedProxies::default();
            Self::start_behind(nobody, connections, (head, idle)).await
        }

        async fn start_behind(
            proxies: TrustedProxies,
            connections: usize,
            (head, idle): (Duration, Duration),
        ) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let metrics = Arc::new(Metrics::new());
            let room = |places| PlaceLimits {
                places,
                share: places,
            };
            let limits = Limits {
                connections: room(connections),
                reserved: room(1),
                timeouts: Timeouts { head, idle },
            };
            let proxies = Arc::new(proxies);
            let (served, metered) = (proxies.clone(), metrics.clone());
            let doors = Listener::new(listener, "listen", limits, proxies, metered);
            let router = Router::new()
                .route("/", get(async || "here"))
                .route("/healthz", get(async || "here"))
                .route("/wait", get(std::future::pending::<()>))
                .route("/a/wait", get(std::future::pending::<()>))
                .route("/large", get(async || vec![0; LARGE]));
            let never = std::future::pending();
            tokio::spawn(serving::serve(
                doors,
                Served::Routes(router),
                served,
                Supervisor::alone(),
                never,
            ));
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

    const WAIT: &[u8] = b"GET /wait HTTP/1.1\r\nhost: a\r\n\r\n";
    const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    const IS_BUSY: &str = "reveille_http_connections_full_total{listener=\"listen\"}";

    #[tokio::test]
    async fn an_idle_connection_gives_way_to_a_new_one() {
        let server = Server::start(1, NEVER, NEVER).await;
        let mut first = server.connect().await;
        first.write_all(REQUEST).await.unwrap();
        answer(&mut first).await;
        let mut second = server.connect().await;
        second.write_all(REQUEST).await.unwrap();
        assert!(answer(&mut second).await.starts_with("HTTP/1.1 200"));
        assert_eq!(rest(&mut first).await, "");
        let counted =
            "reveille_http_connections_gave_way_total{listener=\"listen\",was=\"idle\"} 1";
        server.until_measured(counted).await;
    }

    #[tokio::test]
    async fn when_all_places_are_busy_links_and_health_checks_are_served_and_nothing_else() {
        let server = Server::start(1, NEVER, NEVER).await;
        let mut busy = server.connect().await;
        busy.write_all(WAIT).await.unwrap();
        // Until its head was read it may give way only if it is slow.
        let mut third = server.connect().await;
        third.write_all(HEALTH).await.unwrap();
        let text = rest(&mut third).await;
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        assert!(text.contains("connection: close"), "{text}");
        server
            .until_measured("reveille_http_connections{listener=\"listen\"} 1")
            .await;
        let mut fourth = server.connect().await;
        fourth.write_all(REQUEST).await.unwrap();
        let text = rest(&mut fourth).await;
        assert!(text.starts_with("HTTP/1.1 503"), "{text}");
        assert!(text.contains("connection: close"), "{text}");
        assert!(text.contains("connections_full"), "{text}");
        server.until_measured(&format!("{IS_BUSY} 2")).await;
    }

    fn of_client(path: &str, client: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nhost: a\r\nx-forwarded-for: {client}\r\n\r\n")
    }

    /// What is answered 503: the last of those before may not have been read yet, and then this one
    /// has its place.
    async fn refusal(server: &Server, request: &str) -> String {
        let mut refused = server.connect().await;
        let asking = async {
            loop {
                refused.write_all(request.as_bytes()).await.unwrap();
                let mut part = [0; 1024];
                let count = refused.read(&mut part).await.unwrap();
                let text = String::from_utf8_lossy(&part[..count]).into_owned();
                if text.contains("503") {
                    return text;
                }
            }
        };
        let asked = tokio::time::timeout(GIVE_UP, asking).await;
        asked.expect("a refusal")
    }

    #[tokio::test]
    async fn a_client_behind_a_proxy_has_so_many_requests_under_way_and_others_are_served() {
        let (client, other) = ("192.0.2.1", "192.0.2.2");
        for (held, share, asked, free) in [
            ("/wait", SHARE, "/", "/healthz"),
            ("/a/wait", SHARE_IN_RESERVE, "/healthz", "/"),
        ] {
            let loopback = TrustedProxies::new(vec!["127.0.0.1/32".parse().unwrap()]);
            let server = Server::start_behind(loopback, 200, (NEVER, NEVER)).await;
            let mut busy = Vec::new();
            for _ in 0..share {
                let mut one = server.connect().await;
                let request = of_client(held, client);
                one.write_all(request.as_bytes()).await.unwrap();
                busy.push(one);
            }
            let text = refusal(&server, &of_client(asked, client)).await;
            assert!(text.contains("connections_full"), "{text}");
            server.until_measured(&format!("{IS_BUSY} 1")).await;
            for (path, who) in [(asked, other), (free, client)] {
                let mut one = server.connect().await;
                let request = of_client(path, who);
                one.write_all(request.as_bytes()).await.unwrap();
                let text = answer(&mut one).await;
                assert!(text.starts_with("HTTP/1.1 200"), "{path} {who}: {text}");
            }
        }
    }

    #[tokio::test]
    async fn beyond_the_reserved_places_a_connection_is_closed_and_counted() {
        let server = Server::start(1, NEVER, NEVER).await;
        let mut busy = server.connect().await;
        busy.write_all(WAIT).await.unwrap();
        let _silent = server.connect().await;
        let mut last = server.connect().await;
        assert_eq!(rest(&mut last).await, "");
        let refused =
            "reveille_http_connections_refused_total{listener=\"listen\",why=\"share\"} 1";
        server.until_measured(refused).await;
    }

    #[tokio::test]
    async fn an_answer_that_is_being_taken_is_whole_though_its_connection_gives_way() {
        let server = Server::start(1, NEVER, NEVER).await;
        let mut first = server.connect().await;
        let request = b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n";
        first.write_all(request).await.unwrap();
        let mut begin = [0; 1];
        first.read_exact(&mut begin).await.unwrap();
        let mut second = server.connect().await;
        second.write_all(HEALTH).await.unwrap();
        rest(&mut second).await;
        let mut read = 0;
        let mut part = vec![0; 1 << 20];
        while read < LARGE {
            let count = first.read(&mut part).await.unwrap();
            assert_ne!(count, 0, "cut off after {read} bytes");
            read += count;
        }
    }

    /// The value of a setting that the server announces first of all.
    async fn http_2_setting(stream: &mut TcpStream, wanted: u16) -> Option<u32> {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        stream.write_all(preface).await.unwrap();
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(head[3], 4, "the first frame holds settings");
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut settings = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut settings).await.unwrap();
        let mut pairs = settings.chunks_exact(6);
        let pair = pairs.find(|pair| u16::from_be_bytes([pair[0], pair[1]]) == wanted)?;
        Some(u32::from_be_bytes([pair[2], pair[3], pair[4], pair[5]]))
    }

    #[tokio::test]
    async fn a_connection_of_http_2_carries_sixteen_requests_with_small_heads_at_once() {
        let server = Server::start(9, NEVER, NEVER).await;
        let (streams, header_bytes) = (3, 6);
        for (setting, expected) in [(streams, 16), (header_bytes, 16 * 1024)] {
            let mut stream = server.connect().await;
            let announced = http_2_setting(&mut stream, setting).await;
            assert_eq!(announced, Some(expected), "{setting}");
        }
    }
}
