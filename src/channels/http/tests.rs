//! The guarded client against servers on loopback, TLS included.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use std::net::SocketAddr;

use super::guard::permitted;
use super::setup::USER_AGENT;
use super::*;
use crate::engine::outcome::Outcome;
use crate::test_server::{RefusingAddress, Reply, Server};

/// Sun, 06 Nov 1994 08:49:37 GMT.
const NOW: Timestamp = Timestamp(784_111_777_000);

fn http(allow: &[&str], extra_roots: Vec<Vec<u8>>) -> Http {
    let networks = allow.iter().map(|text| text.parse().expect("a network"));
    let options = HttpOptions {
        clock: Arc::new(|| NOW),
        allow_networks: networks.collect(),
        proxy: None,
        extra_roots,
    };
    Http::new(options).expect("a client")
}

fn get(url: &str) -> Request<'_> {
    Request {
        method: Method::GET,
        url,
        reach: Reach::Configured,
        auth: Auth::None,
        headers: Vec::new(),
        body: Vec::new(),
        deadline: Duration::seconds(10),
    }
}

fn guarded(url: &str) -> Request<'_> {
    Request {
        reach: Reach::Guarded,
        ..get(url)
    }
}

async fn answer_to(reply: Reply) -> Result<Answer, Fault> {
    let server = Server::start([reply]).await;
    http(&[], Vec::new()).call(get(&server.url())).await
}

#[tokio::test]
async fn a_call_says_who_we_are_and_carries_headers_and_body() {
    let server = Server::start([Reply::new(200, "{\"id\":7}")]).await;
    let password = SecretString::from("hush");
    let url = format!("{}/send?a=b", server.url());
    let request = Request {
        method: Method::POST,
        auth: Auth::Basic {
            user: "AC1",
            password: &password,
        },
        headers: vec![("X-Key".to_owned(), "k".to_owned())],
        body: b"text".to_vec(),
        ..get(&url)
    };
    let answer = http(&[], Vec::new())
        .call(request)
        .await
        .expect("an answer");
    assert_eq!(answer.json(), Some(serde_json::json!({"id": 7})));
    let calls = server.calls();
    assert_eq!(calls.len(), 1);
    let call = &calls[0];
    assert_eq!(call.line, "POST /send?a=b");
    assert_eq!(call.header("user-agent"), USER_AGENT);
    assert_eq!(call.header("authorization"), "Basic QUMxOmh1c2g=");
    assert_eq!(call.header("x-key"), "k");
    assert_eq!(call.body, "text");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Server::start([Reply::new(200, "wrong")]).await;
    let location = format!("location: {}/", elsewhere.url());
    let answer = answer_to(Reply::with_header(302, &location, "")).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(302));
    assert!(elsewhere.calls().is_empty());
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_or_as_a_date() {
    let cases = [
        ("retry-after: 120", Some(Duration::minutes(2))),
        (
            "retry-after: Sun, 06 Nov 1994 08:50:37 GMT",
            Some(Duration::minutes(1)),
        ),
        ("retry-after: soon", Some(retry_after::DEFAULT)),
        ("x-other: 1", None),
    ];
    for (header, expected) in cases {
        let answer = answer_to(Reply::with_header(429, header, "")).await;
        let found = answer.map(|answer| answer.retry_after);
        assert_eq!(found, Ok(expected), "{header}");
    }
}

#[tokio::test]
async fn at_most_64_kib_of_an_answer_are_kept() {
    let whole = "x".repeat(BODY_BYTES_MAX);
    let answer = answer_to(Reply::new(200, &whole)).await.expect("an answer");
    assert_eq!((answer.body.len(), answer.is_whole), (BODY_BYTES_MAX, true));
    let large = "x".repeat(BODY_BYTES_MAX * 3);
    let answer = answer_to(Reply::new(200, &large)).await.expect("an answer");
    assert_eq!(
        (answer.body.len(), answer.is_whole),
        (BODY_BYTES_MAX, false)
    );
}

#[tokio::test]
async fn an_answer_that_is_cut_off_keeps_its_status_and_gives_no_json() {
    let cut = Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{}".to_vec());
    let answer = answer_to(cut).await.expect("an answer");
    assert_eq!((answer.status, answer.is_whole), (200, false));
    assert_eq!(answer.json(), None);
}

#[tokio::test]
async fn an_answer_whose_head_is_larger_than_any_honest_one_is_no_answer() {
    let line = format!("x-long: {}", "x".repeat(2 << 20));
    let lines: Vec<String> = (0..1_000).map(|it| format!("x-{it}: y\r\n")).collect();
    let short = "HTTP/1.1 200 OK\r\nx-short: y\r\ncontent-length: 2\r\n\r\n{}";
    for (what, head, expected) in [
        ("an ordinary one", "x-short: y".to_owned(), Ok(200)),
        ("a line of 2 MiB", line, Err(Outcome::Unknown)),
        (
            "1,000 lines",
            lines.concat().trim_end().to_owned(),
            Err(Outcome::Unknown),
        ),
    ] {
        let whole = short.replace("x-short: y", &head);
        let answer = answer_to(Reply::Raw(whole.into_bytes())).await;
        let found = answer.map(|answer| answer.status);
        assert_eq!(found.map_err(|fault| fault.outcome), expected, "{what}");
    }
}

#[tokio::test]
async fn what_ends_without_an_answer_is_classified_by_how_far_it_came() {
    let cases = [
        ("hangs up after the request", vec![Reply::Raw(Vec::new())]),
        (
            "does not speak HTTP",
            vec![Reply::Raw(b"220 smtp\r\n".to_vec())],
        ),
        ("says nothing", vec![Reply::Silence]),
    ];
    for (what, replies) in cases {
        let server = Server::start(replies).await;
        let url = server.url();
        let request = Request {
            deadline: Duration(300),
            ..get(&url)
        };
        let found = http(&[], Vec::new()).call(request).await;
        let outcome = found.map_err(|fault| fault.outcome);
        assert_eq!(outcome, Err(Outcome::Unknown), "{what}");
    }
}

#[tokio::test]
async fn nothing_was_sent_when_nobody_listens_or_the_name_is_unknown() {
    let nobody = RefusingAddress::take();
    let urls = [nobody.url(), "http://nobody.invalid/".to_owned()];
    for url in urls {
        let found = http(&[], Vec::new()).call(get(&url)).await;
        let outcome = found.map_err(|fault| fault.outcome);
        assert_eq!(outcome, Err(Outcome::Transient), "{url}");
    }
}

#[tokio::test]
async fn a_guarded_call_reaches_no_private_network_however_it_is_written() {
    let server = Server::start([]).await;
    let port = server.port;
    let hosts = [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
        "169.254.169.254",
    ];
    for host in hosts {
        let url = format!("http://{host}:{port}/");
        let fault = http(&[], Vec::new()).call(guarded(&url)).await;
        let fault = fault.expect_err(host);
        assert_eq!(fault.outcome, Outcome::RefusedTarget, "{host}: {fault}");
        assert!(
            fault.to_string().contains("allow_networks"),
            "{host}: {fault}"
        );
    }
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn a_guarded_call_reaches_what_was_opened() {
    let server = Server::start([Reply::new(200, ""), Reply::new(200, "")]).await;
    let http = http(&["127.0.0.0/8", "::1/128"], Vec::new());
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", server.port);
        let answer = http.call(guarded(&url)).await;
        assert_eq!(answer.map(|answer| answer.status), Ok(200), "{host}");
    }
}

#[tokio::test]
async fn addresses_that_cannot_be_called_are_refused_and_not_repeated() {
    let urls = [
        "",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://ana:hush@example.com/",
        "https://hush@example.com/",
        "http://",
    ];
    for url in urls {
        let fault = http(&[], Vec::new()).call(guarded(url)).await;
        let fault = fault.expect_err(url);
        assert_eq!(fault.outcome, Outcome::RefusedTarget, "{url}");
        assert!(!fault.to_string().contains("hush"), "{fault}");
    }
}

#[test]
fn headers_are_checked_before_they_are_used() {
    assert_eq!(check_header("x-key", "value"), Ok(()));
    for (name, value) in [
        ("", "v"),
        ("a b", "v"),
        ("x-key", "a\r\nb: c"),
        ("x-key", "\0"),
    ] {
        assert!(check_header(name, value).is_err(), "{name:?} {value:?}");
    }
}

#[test]
fn of_several_addresses_only_the_permitted_ones_are_used() {
    let public: SocketAddr = "1.1.1.1:0".parse().expect("an address");
    let private: SocketAddr = "10.0.0.1:0".parse().expect("an address");
    let guard = Guard::default();
    let found = permitted(&guard, [private, public].into_iter());
    assert_eq!(found, Ok(vec![public]));
    let found = permitted(&guard, [private].into_iter());
    assert_eq!(found.map_err(|refused| refused.address), Err(private.ip()));
}

/// An authority, and a server certificate that it gave to `name`.
struct Issued {
    authority: Vec<u8>,
    server: rustls::ServerConfig,
}

fn issue(name: &str, not_after: i32) -> Issued {
    install_crypto_provider();
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(not_after, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let server = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a server");
    Issued {
        authority: authority.der().to_vec(),
        server,
    }
}

#[tokio::test]
async fn certificates_are_checked_and_their_faults_told_apart() {
    enum Trust {
        Yes,
        No,
    }
    let cases = [
        ("localhost", 2999, Trust::Yes, Ok(200)),
        (
            "other.example",
            2999,
            Trust::Yes,
            Err(Outcome::TlsNameMismatch),
        ),
        ("localhost", 2002, Trust::Yes, Err(Outcome::TlsOther)),
        ("localhost", 2999, Trust::No, Err(Outcome::TlsOther)),
    ];
    for (name, not_after, trust, expected) in cases {
        let issued = issue(name, not_after);
        let server = Server::start_tls(issued.server).await;
        let roots = match trust {
            Trust::Yes => vec![issued.authority],
            Trust::No => Vec::new(),
        };
        let url = format!("https://localhost:{}/", server.port);
        let found = http(&[], roots).call(get(&url)).await;
        if let Ok(answer) = &found {
            let shown = answer.certificate.map(|shown| shown.begins);
            assert_eq!(
                shown,
                Some(Timestamp(978_307_200_000)),
                "it began with 2001"
            );
        }
        let found = found
            .map(|answer| answer.status)
            .map_err(|fault| fault.outcome);
        assert_eq!(found, expected, "{name} until {not_after}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_a_tls_trouble() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await
    });
    let url = format!("https://localhost:{port}/");
    let found = http(&[], Vec::new()).call(get(&url)).await;
    assert_eq!(found.map_err(|fault| fault.outcome), Err(Outcome::TlsOther));
}

#[tokio::test]
async fn a_message_withdrawn_before_its_turn_opens_no_connection() {
    let server = Server::start([Reply::new(200, "")]).await;
    let url = server.url();
    let mark = CancelToken::default();
    mark.withdraw();
    let found = http(&[], Vec::new()).call_marked(get(&url), &mark).await;
    assert_eq!(found, Err(Cancelled));
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn a_message_withdrawn_while_the_connection_is_made_does_not_leave() {
    let issued = issue("localhost", 2999);
    let (mark, listener) = (
        CancelToken::default(),
        tokio::net::TcpListener::bind("127.0.0.1:0"),
    );
    let listener = listener.await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let withdrawer = mark.clone();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        // The client has looked up and connected, and waits for the handshake.
        withdrawer.withdraw();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(issued.server));
        let mut stream = acceptor.accept(stream).await.expect("a handshake");
        let mut came = Vec::new();
        // How the client hangs up is its affair.
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut came).await;
        came
    });
    let url = format!("https://localhost:{port}/");
    let request = Request {
        method: Method::POST,
        body: b"page".to_vec(),
        ..get(&url)
    };
    let http = http(&[], vec![issued.authority]);
    assert_eq!(http.call_marked(request, &mark).await, Err(Cancelled));
    assert_eq!(server.await.expect("a server"), b"", "not even its head");
}

#[tokio::test]
async fn a_message_that_nobody_withdraws_leaves_whole() {
    let server = Server::start([Reply::new(200, "")]).await;
    let url = server.url();
    let request = Request {
        method: Method::POST,
        body: b"page".to_vec(),
        ..get(&url)
    };
    let http = http(&[], Vec::new());
    let answer = http.call_marked(request, &CancelToken::default()).await;
    let status = answer.map(|answer| answer.map(|answer| answer.status));
    assert_eq!(status, Ok(Ok(200)));
    let calls = server.calls();
    assert_eq!(calls[0].body, "page");
    assert_eq!(calls[0].header("content-length"), "4");
}

#[tokio::test]
async fn what_the_channel_itself_puts_into_a_request_is_never_the_targets_fault() {
    let server = Server::start([Reply::new(200, "")]).await;
    let (url, http) = (server.url(), http(&["127.0.0.0/8"], Vec::new()));
    let broken = SecretString::from("xoxb-1\n");
    let bearer = Auth::Bearer(&broken);
    let header = vec![("X-Key".to_owned(), "a\nb".to_owned())];
    let name = vec![("X Key".to_owned(), "a".to_owned())];
    let requests = [
        (
            "token",
            Request {
                auth: bearer,
                ..get(&url)
            },
        ),
        (
            "token to a target",
            Request {
                auth: bearer,
                ..guarded(&url)
            },
        ),
        (
            "header",
            Request {
                headers: header.clone(),
                ..get(&url)
            },
        ),
        (
            "header to a target",
            Request {
                headers: header,
                ..guarded(&url)
            },
        ),
        (
            "name of a header",
            Request {
                headers: name,
                ..guarded(&url)
            },
        ),
        ("own address", get("ftp://sms.example.com/")),
        ("own address without a host", get("https://")),
    ];
    for (what, request) in requests {
        let fault = http.call(request).await.expect_err("cannot be made");
        assert_eq!(fault.outcome, Outcome::RefusedCredential, "{what}: {fault}");
        assert!(!fault.to_string().contains("xoxb"), "{what}: {fault}");
    }
    let target = http.call(guarded("ftp://example.com/")).await;
    let target = target.expect_err("cannot be called");
    assert_eq!(target.outcome, Outcome::RefusedTarget);
    assert!(server.calls().is_empty());
}

#[tokio::test]
async fn a_proxy_is_asked_for_what_the_settings_name_and_for_nothing_else() {
    let proxy = Server::start([Reply::new(200, "by proxy"), Reply::new(200, "by proxy")]).await;
    let target = Server::start([Reply::new(200, "direct"), Reply::new(200, "direct")]).await;
    let options = |exempt: &[&str]| HttpOptions {
        clock: Arc::new(|| NOW),
        allow_networks: vec!["127.0.0.0/8".parse().expect("a network")],
        proxy: Some(Proxy {
            url: proxy.url(),
            exempt: exempt.iter().map(|text| (*text).to_owned()).collect(),
        }),
        extra_roots: Vec::new(),
    };
    let text = |answer: Result<Answer, Fault>| answer.expect("an answer").text();
    let http = Http::new(options(&[])).expect("a client");
    assert_eq!(
        text(http.call(get("http://sms.example.com/")).await),
        "by proxy"
    );
    assert_eq!(text(http.call(guarded(&target.url())).await), "direct");
    let http = Http::new(options(&["127.0.0.0/8"])).expect("a client");
    assert_eq!(text(http.call(get(&target.url())).await), "direct");
    assert_eq!(proxy.calls().len(), 1);
}
