//! TLS over real sockets: who is served, what is presented after the files changed, and what bad
//! files and bad clients do.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::api::peer::TrustedProxies;
use crate::app::connection::Timeouts;
use crate::app::listener::{Limits, Listener};
use crate::app::serving;
use crate::app::status_pages::Served;
use crate::runtime::supervise::Supervisor;

const NEVER: Duration = Duration::from_secs(3_600);
const SOON: Duration = Duration::from_millis(50);
/// For a test that hangs; none waits so long.
const GIVE_UP: Duration = Duration::from_secs(20);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
/// 2026-06-01.
const NOW: Timestamp = Timestamp(1_780_272_000_000);

/// A folder with certificate and key.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn files(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.0.path().join("chain.pem"),
            key: self.0.path().join("key.pem"),
        }
    }

    fn write(&self, certificate: &[u8], key: &[u8]) {
        let files = self.files();
        std::fs::write(files.certificate, certificate).unwrap();
        std::fs::write(files.key, key).unwrap();
    }
}

/// A certificate that ends on the first of June of this year, and its key, in PEM; the
/// certificate in DER as well.
fn made(year: i32) -> (String, String, CertificateDer<'static>) {
    let mut asked = CertificateParams::new(["router.example".to_owned()]).unwrap();
    asked.not_before = date_time_ymd(2020, 1, 1);
    asked.not_after = date_time_ymd(year, 6, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = asked.self_signed(&key).unwrap();
    (
        certificate.pem(),
        key.serialize_pem(),
        certificate.der().clone(),
    )
}

struct Server {
    folder: Folder,
    address: SocketAddr,
    tls: Tls,
    metrics: Arc<Metrics>,
}

impl Server {
    async fn start(head: Duration, idle: Duration) -> (Self, CertificateDer<'static>) {
        let folder = Folder::new();
        let (certificate, key, der) = made(2099);
        folder.write(certificate.as_bytes(), key.as_bytes());
        let tls = Tls::open("listen", &folder.files()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let metrics = Arc::new(Metrics::new());
        let limits = Limits {
            timeouts: Timeouts { head, idle },
            ..Limits::default()
        };
        let proxies = Arc::new(TrustedProxies::default());
        let (served, metered) = (proxies.clone(), metrics.clone());
        let doors = Listener::new(listener, "listen", limits, proxies, metered);
        let doors = doors.with_tls(Some(tls.acceptor()));
        let router = Router::new()
            .route("/", get(async || "here"))
            .route("/large", get(async || vec![0; 64 << 20]));
        let never = std::future::pending();
        tokio::spawn(serving::serve(
            doors,
            Served::Routes(router),
            served,
            Supervisor::alone(),
            never,
        ));
        let server = Self {
            folder,
            address,
            tls,
            metrics,
        };
        (server, der)
    }

    async fn connect(&self, client: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("router.example").unwrap();
        let connector = TlsConnector::from(Arc::new(client));
        connector.connect(name, stream).await
    }

    async fn until_measured(&self, line: &str) {
        let looking = async {
            while !self.metrics.render().lines().any(|found| found == line) {
                tokio::task::yield_now().await;
            }
        };
        let found = tokio::time::timeout(GIVE_UP, looking).await;
        assert!(found.is_ok(), "never {line}: {}", self.metrics.render());
    }

    /// The check that finds a fault, and the one that tells it.
    fn check_twice(&mut self) {
        self.tls.check(NOW);
        self.tls.check(NOW);
    }
}

fn client(trusted: &CertificateDer<'static>) -> ClientConfig {
    client_of(trusted, rustls::ALL_VERSIONS, &[])
}

fn client_of(
    trusted: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&str],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let protocols = protocols.iter();
    config.alpn_protocols = protocols.map(|name| name.as_bytes().to_vec()).collect();
    config
}

async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(REQUEST).await.unwrap();
    let mut text = String::new();
    while !text.ends_with("here") {
        let mut part = [0; 512];
        let reading = stream.read(&mut part);
        let count = tokio::time::timeout(GIVE_UP, reading)
            .await
            .unwrap()
            .unwrap();
        assert_ne!(count, 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&part[..count]).unwrap());
    }
    text
}

#[tokio::test]
async fn both_versions_of_tls_and_both_of_http_are_served() {
    let (server, der) = Server::start(NEVER, NEVER).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for (offered, chosen) in [
            (&[][..], None),
            (&["http/1.1"], Some("http/1.1")),
            (&["http/1.1", "h2"], Some("h2")),
        ] {
            let client = client_of(&der, &[version], offered);
            let mut stream = server.connect(client).await.unwrap();
            let found = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
            assert_eq!(found.as_deref(), chosen.map(str::as_bytes), "{offered:?}");
            if chosen != Some("h2") {
                assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
            }
        }
    }
}

#[tokio::test]
async fn a_new_pair_is_presented_and_connections_that_stand_go_on() {
    let (mut server, old) = Server::start(NEVER, NEVER).await;
    let mut before = server.connect(client(&old)).await.unwrap();
    ask(&mut before).await;
    let (certificate, key, new) = made(2098);
    server.folder.write(certificate.as_bytes(), key.as_bytes());
    server.tls.check(NOW);
    assert!(server.connect(client(&old)).await.is_err());
    let mut after = server.connect(client(&new)).await.unwrap();
    assert!(ask(&mut after).await.starts_with("HTTP/1.1 200"));
    assert!(ask(&mut before).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_bad_new_pair_is_told_of_with_its_file_and_the_old_one_stays() {
    let (mut server, old) = Server::start(NEVER, NEVER).await;
    let (good, its_key, _) = made(2098);
    let (expired, key_of_expired, _) = made(2025);
    let broken = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
    let large = vec![b'\n'; (1 << 20) + 1];
    let cases: [(&[u8], &[u8], &str); 6] = [
        (b"", its_key.as_bytes(), "chain.pem contains no certificate"),
        (
            good.as_bytes(),
            good.as_bytes(),
            "key.pem contains no private key",
        ),
        (
            broken.as_bytes(),
            its_key.as_bytes(),
            "chain.pem is not PEM",
        ),
        (
            good.as_bytes(),
            key_of_expired.as_bytes(),
            "key.pem cannot be used",
        ),
        (
            expired.as_bytes(),
            key_of_expired.as_bytes(),
            "chain.pem contains an expired certificate",
        ),
        (&large, its_key.as_bytes(), "chain.pem is larger than 1 MiB"),
    ];
    for (certificate, key, words) in cases {
        server.folder.write(certificate, key);
        server.tls.check(NOW);
        let told = |tls: &Tls| tls.trouble.as_ref().map(|trouble| trouble.is_told);
        assert_eq!(
            told(&server.tls),
            Some(false),
            "half of a pair is waited for"
        );
        server.tls.check(NOW);
        assert_eq!(told(&server.tls), Some(true), "{words}");
        let trouble = server.tls.trouble.as_ref().unwrap();
        assert!(trouble.words.contains(words), "{words}: {}", trouble.words);
        let mut stream = server.connect(client(&old)).await.unwrap();
        ask(&mut stream).await;
    }
    server.folder.write(expired.as_bytes(), b"");
    std::fs::remove_file(server.folder.files().key).unwrap();
    server.check_twice();
    let words = &server.tls.trouble.as_ref().unwrap().words;
    assert!(words.contains("key.pem cannot be read"), "{words}");
    server.folder.write(good.as_bytes(), its_key.as_bytes());
    server.tls.check(NOW);
    assert!(server.tls.trouble.is_none());
    assert!(server.connect(client(&old)).await.is_err());
}

#[test]
fn a_bad_pair_at_the_start_is_refused_with_its_file() {
    let folder = Folder::new();
    let fault = |folder: &Folder| match Tls::open("listen", &folder.files()) {
        Ok(_) => panic!("it is bad"),
        Err(error) => error.to_string(),
    };
    assert!(fault(&folder).contains("chain.pem cannot be read"));
    let (certificate, _, _) = made(2098);
    let (_, other_key, _) = made(2098);
    folder.write(certificate.as_bytes(), other_key.as_bytes());
    assert!(fault(&folder).contains("cannot be used"));
}

/// A chain of our certificate and an issuer's, which end on the first of June of these years.
fn chain(own: i32, issuer: i32) -> (String, String) {
    let (certificate, key, _) = made(own);
    (certificate + &made(issuer).0, key)
}

#[test]
fn an_issuers_certificate_that_has_expired_keeps_no_good_one_out_and_is_told() {
    let folder = Folder::new();
    let (certificate, key, _) = made(2026);
    folder.write(certificate.as_bytes(), key.as_bytes());
    let mut tls = Tls::open("listen", &folder.files()).unwrap();
    let now = Timestamp(NOW.0 - DAY);
    tls.check(now);
    let (certificate, key) = chain(2027, 2026);
    folder.write(certificate.as_bytes(), key.as_bytes());
    let told = match tls.check(now) {
        Some(Input::Raise { text, .. }) => text.to_string(),
        other => format!("{other:?}"),
    };
    assert!(tls.trouble.is_none(), "it is taken");
    assert!(tls.chain.own.ends > NOW);
    let words = "an issuer's certificate of listen expires 2026-06-01T00:00:00Z";
    assert!(told.starts_with(words), "{told}");
    for (own, issuer) in [(2028, 2021), (2029, 2030)] {
        let (certificate, key) = chain(own, issuer);
        folder.write(certificate.as_bytes(), key.as_bytes());
        tls.check(now);
        assert!(tls.trouble.is_none(), "it is taken");
        assert!(matches!(tls.said, Some((None, _))), "{own} {issuer}");
    }
}

#[test]
fn a_certificate_that_is_not_good_yet_waits_until_it_is() {
    let folder = Folder::new();
    let (certificate, key, _) = made(2026);
    folder.write(certificate.as_bytes(), key.as_bytes());
    let mut tls = Tls::open("listen", &folder.files()).unwrap();
    let (certificate, key, _) = made(2099);
    folder.write(certificate.as_bytes(), key.as_bytes());
    let begins = tls.chain.own.begins;
    tls.check(Timestamp(begins.0 - 1));
    let words = &tls.trouble.as_ref().expect("it is not taken").words;
    assert!(
        words.contains("valid only from 2020-01-01T00:00:00Z"),
        "{words}"
    );
    assert_eq!(tls.chain.own.ends, NOW);
    tls.check(begins);
    assert!(tls.trouble.is_none());
    assert!(tls.chain.own.ends > NOW);
}

#[test]
fn each_day_of_the_last_fourteen_has_one_warning() {
    let folder = Folder::new();
    let (certificate, key, _) = made(2026);
    folder.write(certificate.as_bytes(), key.as_bytes());
    let mut tls = Tls::open("listen", &folder.files()).unwrap();
    assert_eq!(tls.chain.own.ends, NOW);
    let expires = "expires 2026-06-01T00:00:00Z";
    let expired = "expired 2026-06-01T00:00:00Z";
    for (days, hour, expected) in [
        (15, 0, "over"),
        (15, 1, ""),
        (14, 0, expires),
        (14, 1, ""),
        (13, 0, expires),
        (0, 0, expired),
        (0, 1, ""),
        (-3, 0, expired),
    ] {
        let told = match tls.check(Timestamp(NOW.0 - days * DAY + hour * 3_600_000)) {
            Some(Input::Raise { trouble, text }) => {
                assert_eq!(trouble.cause, Cause::ListenerCertificate);
                assert_eq!(&*trouble.subject, "listen");
                text.to_string()
            }
            Some(Input::Clear { .. }) => "over".to_owned(),
            Some(other) => panic!("{other:?}"),
            None => String::new(),
        };
        assert!(told.contains(expected), "{days} {hour}: {told}");
        assert_eq!(
            told.is_empty(),
            expected.is_empty(),
            "{days} {hour}: {told}"
        );
    }
    let (certificate, key, _) = made(2027);
    folder.write(certificate.as_bytes(), key.as_bytes());
    let renewed = tls.check(NOW);
    assert!(matches!(renewed, Some(Input::Clear { .. })), "{renewed:?}");
}

#[tokio::test]
async fn who_speaks_no_tls_or_nothing_is_closed_counted_and_disturbs_nobody() {
    let (server, der) = Server::start(SOON, NEVER).await;
    let garbage = (0..=255).cycle().take(70_000).collect::<Vec<u8>>();
    let half_a_hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc";
    let cases = [
        (REQUEST, "refused"),
        (&garbage, "refused"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "refused"),
        (b"", "slow"),
        (half_a_hello, "slow"),
    ];
    for (bytes, _) in cases {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        // The server may have closed already.
        let _ = stream.write_all(bytes).await;
        let mut rest = Vec::new();
        let ended = tokio::time::timeout(GIVE_UP, stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "never closed after {} bytes", bytes.len());
    }
    for why in ["refused", "slow"] {
        let count = cases
            .iter()
            .filter(|(_, expected)| *expected == why)
            .count();
        let name = "reveille_tls_handshakes_failed_total";
        let line = format!("{name}{{listener=\"listen\",why=\"{why}\"}} {count}");
        server.until_measured(&line).await;
    }
    let mut stream = server.connect(client(&der)).await.unwrap();
    assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_answer_that_is_not_taken_over_tls_holds_its_connection_only_for_so_long() {
    let (server, der) = Server::start(NEVER, SOON).await;
    let mut stream = server.connect(client(&der)).await.unwrap();
    let request = b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n";
    stream.write_all(request).await.unwrap();
    stream.read_exact(&mut [0; 1]).await.unwrap();
    server
        .until_measured("reveille_http_connections{listener=\"listen\"} 0")
        .await;
}
