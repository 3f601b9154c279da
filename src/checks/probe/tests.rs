//! Each kind of check against servers on loopback, TLS included, and the guard before all of them.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::channels::http::install_crypto_provider;
use crate::engine::event::Labels;
use crate::engine::time::Timestamp;
use crate::engine::urgency::Urgency;
use crate::test_server::{RefusingAddress, Reply, Server};

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn probe(allow: &[&str], extra_roots: Vec<Vec<u8>>) -> CheckProbe {
    let networks = allow.iter().map(|text| text.parse().expect("a network"));
    let options = HttpOptions {
        clock: Arc::new(|| NOW),
        allow_networks: networks.collect(),
        proxy: None,
        extra_roots,
    };
    CheckProbe::new(options, Clock::start()).expect("a probe")
}

const LOOPBACK: &[&str] = &["127.0.0.0/8", "::1/128"];

fn check(target: CheckTarget) -> OwnCheck {
    OwnCheck {
        name: "checkout".into(),
        provider: None,
        target,
        every: Duration::minutes(1),
        timeout: Duration::seconds(10),
        urgency: Urgency::Low,
        labels: Labels::default(),
        service: None,
    }
}

fn http(url: &str) -> HttpCheck {
    HttpCheck {
        url: url.into(),
        status: 200..=299,
        body: None,
        latency: None,
        certificate: None,
    }
}

fn at(host: &str, port: u16) -> HostPort {
    HostPort {
        host: host.into(),
        port,
    }
}

fn dns(address: Option<&str>) -> CheckTarget {
    CheckTarget::Dns {
        name: "localhost".into(),
        address: address.map(|address| address.parse().expect("an address")),
    }
}

/// What was answered, or why that was not good.
async fn found(probe: &CheckProbe, target: CheckTarget) -> Result<String, String> {
    let tried = probe.once(&check(target)).await;
    tried.found.map_err(|fault| fault.why)
}

#[tokio::test]
async fn an_answer_over_http_has_the_status_and_the_text_that_are_wanted() {
    let server = Server::answering(|call| match call.path() {
        "/down" => Some(Reply::new(503, "ok")),
        _ => Some(Reply::new(200, "all is ok")),
    })
    .await;
    let probe = probe(LOOPBACK, Vec::new());
    let url = |path: &str| format!("{}{path}", server.url());
    let good = found(&probe, CheckTarget::Http(http(&url("/")))).await;
    assert_eq!(good, Ok("200".to_owned()));
    let down = found(&probe, CheckTarget::Http(http(&url("/down")))).await;
    assert_eq!(down, Err("503 instead of 200–299".to_owned()));
    let one = HttpCheck {
        status: 204..=204,
        ..http(&url("/"))
    };
    let one = found(&probe, CheckTarget::Http(one)).await;
    assert_eq!(one, Err("200 instead of 204".to_owned()));
    for (body, expected) in [
        ("is ok", Ok("200".to_owned())),
        ("well", Err("the body does not contain \"well\"".to_owned())),
    ] {
        let with_body = HttpCheck {
            body: Some(body.into()),
            ..http(&url("/"))
        };
        let found = found(&probe, CheckTarget::Http(with_body)).await;
        assert_eq!(found, expected);
    }
}

#[test]
fn an_answer_is_there_in_time() {
    let check = HttpCheck {
        latency: Some(Duration::seconds(2)),
        ..http("https://a.example")
    };
    let said = |took| in_time(&check, Duration(took), "200".to_owned()).map_err(|it| it.why);
    assert_eq!(said(2_000), Ok("200".to_owned()));
    assert_eq!(
        said(2_001),
        Err("answered after 2001 ms, more than 2s".to_owned())
    );
}

#[tokio::test]
async fn a_connection_stands_or_nothing_was_reached() {
    let server = Server::start([]).await;
    let probe = probe(LOOPBACK, Vec::new());
    let good = found(&probe, CheckTarget::Tcp(at("127.0.0.1", server.port))).await;
    assert_eq!(good, Ok("connected".to_owned()));
    let refusing = RefusingAddress::take();
    let url = refusing.url();
    let port = url.rsplit(':').next().and_then(|port| port.parse().ok());
    let target = CheckTarget::Tcp(at("127.0.0.1", port.expect("a port")));
    let tried = probe.once(&check(target)).await;
    let refused = tried.found.expect_err("nobody listens");
    assert!(refused.is_unreached, "{refused:?}");
    let tried = probe.once(&check(CheckTarget::Http(http(&url)))).await;
    let refused = tried.found.expect_err("nobody listens");
    assert!(refused.is_unreached, "{refused:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_no_longer_than_the_timeout() {
    let server = Server::start([Reply::Silence]).await;
    let target = CheckTarget::Http(http(&server.url()));
    let mut check = check(target);
    check.timeout = Duration(50);
    let tried = probe(LOOPBACK, Vec::new()).once(&check).await;
    let fault = tried.found.expect_err("it says nothing");
    assert!(fault.why.starts_with("no answer within"), "{fault:?}");
    assert!(fault.is_unreached);
}

#[tokio::test]
async fn nothing_private_is_tried_whatever_the_kind_of_check() {
    let server = Server::start([]).await;
    let probe = probe(&[], Vec::new());
    let targets = [
        CheckTarget::Http(http(&server.url())),
        CheckTarget::Http(http(&format!("http://localhost:{}", server.port))),
        CheckTarget::Tcp(at("127.0.0.1", server.port)),
        CheckTarget::Tcp(at("localhost", server.port)),
        CheckTarget::Tls {
            at: at("localhost", server.port),
            certificate: None,
        },
        dns(None),
    ];
    for target in targets {
        let tried = probe.once(&check(target.clone())).await;
        let fault = tried.found.expect_err("the guard refuses it");
        assert!(
            fault.why.contains("a loopback address"),
            "{target:?} {fault:?}"
        );
        assert!(
            !fault.is_unreached,
            "our network is not the reason: {target:?}"
        );
    }
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn a_name_has_addresses_and_the_wanted_one_among_them() {
    let probe = probe(LOOPBACK, Vec::new());
    assert!(found(&probe, dns(None)).await.is_ok());
    assert!(found(&probe, dns(Some("127.0.0.1"))).await.is_ok());
    let other = found(&probe, dns(Some("192.0.2.1"))).await;
    let why = other.expect_err("it is not among them");
    assert!(why.ends_with("instead of 192.0.2.1"), "{why}");
}

/// An authority, and a server for `localhost` whose certificate it gave until 2999.
fn issue() -> (Vec<u8>, rustls::ServerConfig) {
    install_crypto_provider();
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2999, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a server");
    (authority.der().to_vec(), server)
}

#[tokio::test]
async fn a_certificate_is_trusted_and_lasts_long_enough() {
    let (authority, config) = issue();
    let server = Server::start_tls(config).await;
    let tls = |certificate| CheckTarget::Tls {
        at: at("localhost", server.port),
        certificate,
    };
    let web = |certificate| {
        CheckTarget::Http(HttpCheck {
            certificate,
            ..http(&format!("https://localhost:{}/", server.port))
        })
    };
    let trusting = probe(LOOPBACK, vec![authority]);
    let (short, long) = (Some(Duration::days(14)), Some(Duration::days(400_000)));
    for (good, ending) in [(tls(short), tls(long)), (web(short), web(long))] {
        let said = found(&trusting, good).await;
        assert!(said.is_ok(), "{said:?}");
        let why = found(&trusting, ending).await.expect_err("it ends in 2999");
        assert!(
            why.starts_with("the certificate ends at 2999-01-01"),
            "{why}"
        );
    }
    let doubting = probe(LOOPBACK, Vec::new());
    let why = found(&doubting, tls(None)).await.expect_err("a stranger");
    assert!(why.starts_with("TLS: "), "{why}");
}
