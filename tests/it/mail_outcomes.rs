//! What comes of a mail when the relay refuses, stays silent, hangs up or is not who it should be.

use std::net::SocketAddr;
use std::sync::Arc;

use reveille::channels::email::{Email, Settings, Tls};
use reveille::channels::links::Links;
use reveille::channels::{CancelToken, Cancelled, Channel, Sent};
use reveille::engine::decision::SendRequest;
use reveille::engine::outcome::Outcome;
use reveille::engine::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::harness::certificate::Certificate;
use crate::harness::orders;
use crate::harness::smtp::{FakeSmtp, Reply, Security, Stage};

pub fn links() -> Links {
    Links::new("https://pager.example.com", [7; 32])
}

pub fn settings(relay: &FakeSmtp) -> Settings {
    Settings {
        name: "mail".into(),
        host: relay.address.ip().to_string(),
        port: relay.address.port(),
        tls: Tls::None,
        login: None,
        from: "Reveille <pager@example.com>".to_owned(),
        reply_to: None,
        hello: Some("pager.example.com".to_owned()),
        extra_roots: Vec::new(),
    }
}

fn secure(relay: &FakeSmtp, tls: Tls, trusted: &Certificate) -> Settings {
    Settings {
        tls,
        login: Some(("pager".to_owned(), "s3cret".into())),
        extra_roots: vec![trusted.der.clone()],
        ..settings(relay)
    }
}

pub fn channel(settings: Settings) -> Email {
    Email::new(settings, links()).unwrap()
}

fn page() -> SendRequest {
    orders::page(1042, "disk full on db1")
}

/// A deadline that a silent relay may use up.
fn impatient() -> SendRequest {
    SendRequest {
        deadline: Duration(700),
        ..page()
    }
}

async fn send_to(reply: Reply) -> Sent {
    let relay = FakeSmtp::start().await;
    relay.script([reply]);
    orders::send(&channel(settings(&relay)), &impatient()).await
}

#[tokio::test]
async fn a_mail_that_the_relay_takes_is_accepted() {
    let relay = FakeSmtp::start().await;
    let sent = orders::send(&channel(settings(&relay)), &page()).await;
    assert_eq!(sent.outcome, Outcome::Accepted);
    assert_eq!(
        sent.provider_message.as_deref(),
        Some("250 2.0.0 queued as 4711")
    );
    let mail = relay.next().await;
    assert_eq!(mail.from, "pager@example.com");
    assert_eq!(mail.to, "ana@example.com");
    relay.expect_nothing_more();
}

#[tokio::test]
async fn each_refusal_has_its_outcome_and_the_relays_own_words() {
    let cases = [
        (
            Stage::Rcpt,
            550,
            "5.1.1 no such user",
            Outcome::RefusedTarget,
        ),
        (Stage::Rcpt, 451, "4.3.0 try again", Outcome::Transient),
        (
            Stage::Rcpt,
            550,
            "5.4.5 Daily sending quota exceeded",
            Outcome::QuotaExhausted,
        ),
        (Stage::Greeting, 421, "4.3.2 closing", Outcome::Transient),
        (
            Stage::Mail,
            553,
            "5.7.1 not your address",
            Outcome::RefusedCredential,
        ),
        (Stage::Data, 554, "5.7.1 policy", Outcome::RefusedContent),
        (
            Stage::Dot,
            554,
            "5.7.1 looks like spam",
            Outcome::RefusedContent,
        ),
        (Stage::Dot, 452, "4.3.1 no space", Outcome::Transient),
    ];
    for (stage, code, text, expected) in cases {
        let sent = send_to(Reply::at(stage, code, text)).await;
        assert_eq!(sent.outcome, expected, "{stage:?} {code} {text}");
        assert_eq!(sent.provider_message, Some(format!("{code} {text}")));
        assert_eq!(sent.reference, None);
    }
}

#[tokio::test]
async fn silence_and_hanging_up_are_unknown_only_after_the_final_dot() {
    let cases = [
        (Reply::silence(Stage::Greeting), Outcome::Transient),
        (Reply::silence(Stage::Rcpt), Outcome::Transient),
        (Reply::silence(Stage::Dot), Outcome::Unknown),
        (Reply::hang_up(Stage::Greeting), Outcome::Transient),
        (Reply::hang_up(Stage::Data), Outcome::Transient),
        (Reply::hang_up(Stage::Dot), Outcome::Unknown),
    ];
    for (reply, expected) in cases {
        let told = format!("{reply:?}");
        assert_eq!(send_to(reply).await.outcome, expected, "{told}");
    }
}

#[tokio::test]
async fn a_mail_withdrawn_before_its_text_is_asked_for_is_not_handed_over() {
    for stage in [Stage::Greeting, Stage::Mail, Stage::Rcpt, Stage::Data] {
        let relay = FakeSmtp::start().await;
        let mark = CancelToken::default();
        let withdrawer = mark.clone();
        relay.script([Reply::first(stage, move || withdrawer.withdraw())]);
        let email = channel(settings(&relay));
        assert_eq!(
            email.send(&page(), &mark).await,
            Err(Cancelled),
            "{stage:?}"
        );
        // The next mail leaves over a connection of its own.
        orders::send(&email, &page()).await;
        relay.next().await;
        relay.expect_nothing_more();
    }
}

#[tokio::test]
async fn a_relay_that_is_not_there_is_transient() {
    let gone = FakeSmtp::start().await;
    let settings = settings(&gone);
    drop(gone);
    // Whatever listens there afterwards, it is no relay of ours.
    let sent = orders::send(&channel(settings), &impatient()).await;
    assert_eq!(sent.outcome, Outcome::Transient);
}

#[tokio::test]
async fn a_login_over_starttls_or_implicit_tls_sends_the_mail_in_secret() {
    let certificate = Certificate::for_name("127.0.0.1");
    let login = Some(("pager", "s3cret"));
    let implicit = Security::Implicit(certificate.server.clone());
    let relays = [
        (FakeSmtp::start_secure(&certificate).await, Tls::StartTls),
        (FakeSmtp::start_with(implicit, login).await, Tls::Implicit),
    ];
    for (relay, tls) in relays {
        let email = channel(secure(&relay, tls, &certificate));
        let probed = email.probe().await;
        assert_eq!(probed.outcome, Outcome::Accepted, "{tls:?}");
        assert!(probed.certificate.is_some(), "{tls:?}");
        assert_eq!(
            orders::send(&email, &page()).await.outcome,
            Outcome::Accepted,
            "{tls:?}"
        );
        assert!(relay.next().await.is_secret);
        relay.expect_nothing_more();
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_told_from_one_that_is_not_trusted() {
    let other = Certificate::for_name("relay.example.net");
    let unknown = Certificate::for_name("127.0.0.1");
    let cases = [
        (&other, &other, Outcome::TlsNameMismatch),
        (&unknown, &other, Outcome::TlsOther),
    ];
    for (presented, trusted, expected) in cases {
        let relay = FakeSmtp::start_secure(presented).await;
        let email = channel(secure(&relay, Tls::StartTls, trusted));
        assert_eq!(orders::send(&email, &page()).await.outcome, expected);
        assert_eq!(email.probe().await.outcome, expected);
        relay.expect_nothing_more();
    }
}

#[tokio::test]
async fn a_relay_without_starttls_gets_neither_password_nor_mail() {
    let relay = FakeSmtp::start().await;
    let certificate = Certificate::for_name("127.0.0.1");
    let email = channel(secure(&relay, Tls::StartTls, &certificate));
    let sent = orders::send(&email, &page()).await;
    assert_eq!(sent.outcome, Outcome::TlsOther);
    assert!(sent.provider_message.unwrap().contains("STARTTLS"));
    relay.expect_nothing_more();
}

#[tokio::test]
async fn a_wrong_password_is_the_channels_trouble_and_is_not_repeated_to_anybody() {
    let certificate = Certificate::for_name("127.0.0.1");
    let relay = FakeSmtp::start_secure(&certificate).await;
    let mut settings = secure(&relay, Tls::StartTls, &certificate);
    settings.login = Some(("pager".to_owned(), "password".into()));
    let sent = orders::send(&channel(settings), &page()).await;
    assert_eq!(sent.outcome, Outcome::RefusedCredential);
    assert_eq!(
        sent.provider_message.as_deref(),
        Some("535 5.7.8 bad username or ***")
    );
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_asking_the_relay() {
    let relay = FakeSmtp::start().await;
    let email = channel(settings(&relay));
    for address in ["", "ana", "a@b\r\nRCPT TO:<c@d>", "a@b> NOTIFY=NEVER"] {
        let mut order = page();
        order.address = address.into();
        assert_eq!(
            orders::send(&email, &order).await.outcome,
            Outcome::RefusedTarget,
            "{address}"
        );
    }
    relay.expect_nothing_more();
}

#[tokio::test]
async fn a_late_answer_to_a_mail_that_was_given_up_never_counts_for_the_next() {
    let relay = FakeSmtp::start().await;
    relay.script([Reply::ok(), Reply::silence(Stage::Dot), Reply::ok()]);
    let email = channel(settings(&relay));
    assert_eq!(
        orders::send(&email, &page()).await.outcome,
        Outcome::Accepted
    );
    assert_eq!(
        orders::send(&email, &impatient()).await.outcome,
        Outcome::Unknown
    );
    assert_eq!(
        orders::send(&email, &page()).await.outcome,
        Outcome::Accepted
    );
    for _ in 0..3 {
        relay.next().await;
    }
    relay.expect_nothing_more();
}

#[tokio::test]
async fn settings_that_cannot_work_are_told_at_the_start() {
    let relay = FakeSmtp::start().await;
    let wrong_from = Settings {
        from: "pager".to_owned(),
        ..settings(&relay)
    };
    let error = Email::new(wrong_from, links()).err().unwrap().to_string();
    let expected = "channel mail: from: \"pager\" is not an e-mail address";
    assert!(error.starts_with(expected), "{error}");
}

#[tokio::test]
async fn a_relay_that_does_not_take_our_name_is_told_as_that() {
    let relay = FakeSmtp::start().await;
    let named = |hello: &str| Settings {
        hello: Some(hello.to_owned()),
        ..settings(&relay)
    };
    let text = "5.5.2 <pagerhost>: Helo command rejected: need fully-qualified hostname";
    relay.script([Reply::at(Stage::Hello, 504, text)]);
    let refused = orders::send(&channel(named("pagerhost")), &page()).await;
    assert_eq!(refused.outcome, Outcome::RefusedCredential);
    let words = refused.provider_message.expect("words");
    assert!(
        words.contains("the name pagerhost in our greeting; set hello"),
        "{words}"
    );
    assert!(words.contains("504 5.5.2"), "{words}");
    for name in ["pager.example.com", "[192.0.2.7]"] {
        let sent = orders::send(&channel(named(name)), &page()).await;
        assert_eq!(sent.outcome, Outcome::Accepted);
        assert_eq!(relay.next().await.hello, name);
    }
}

/// Answers in turn, and never ends the last one; how much of it was taken.
async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, answers: &[&str]) -> usize {
    let (last, whole) = answers.split_last().unwrap();
    let mut heard = Vec::new();
    for answer in whole {
        stream.write_all(answer.as_bytes()).await.unwrap();
        let end: &[u8] = if answer.starts_with("354") {
            b"\r\n.\r\n"
        } else {
            b"\r\n"
        };
        while !heard.ends_with(end) {
            assert_ne!(stream.read_buf(&mut heard).await.unwrap(), 0, "hung up");
        }
        heard.clear();
    }
    stream.write_all(last.as_bytes()).await.unwrap();
    let part = [b'x'; 64 * 1024];
    let mut taken = 0;
    while taken < (64 << 20) {
        match stream.write(&part).await {
            Ok(bytes) => taken += bytes,
            Err(_) => return taken,
        }
    }
    taken
}

/// A relay that never ends a line, in clear or within TLS from the first byte.
async fn endless_relay(
    answers: &'static [&'static str],
    tls: Option<Arc<ServerConfig>>,
) -> (SocketAddr, JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let talking = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        match tls {
            Some(tls) => {
                let stream = TlsAcceptor::from(tls).accept(stream).await.unwrap();
                talk(stream, answers).await
            }
            None => talk(stream, answers).await,
        }
    });
    (address, talking)
}

#[tokio::test]
async fn a_relay_that_never_ends_a_line_is_cut_off_after_a_bounded_number_of_bytes() {
    const HELLO: &str = "220 here\r\n";
    const OK: &str = "250 OK\r\n";
    const GO_ON: &str = "354 go on\r\n";
    let certificate = Certificate::for_name("127.0.0.1");
    for (answers, outcome) in [
        (&["220 "][..], Outcome::Transient),
        (&[HELLO, "250-here\r\n250-"], Outcome::Transient),
        (&[HELLO, OK, "250 "], Outcome::Transient),
        // The text was handed over: nobody knows what became of it.
        (&[HELLO, OK, OK, OK, GO_ON, "250 "], Outcome::Unknown),
    ] {
        for tls in [Tls::None, Tls::Implicit] {
            let server = (tls == Tls::Implicit).then(|| certificate.server.clone());
            let (address, talking) = endless_relay(answers, server).await;
            let relay = FakeSmtp::start().await;
            let settings = Settings {
                host: address.ip().to_string(),
                port: address.port(),
                tls,
                extra_roots: vec![certificate.der.clone()],
                ..settings(&relay)
            };
            let sent = orders::send(&channel(settings), &page()).await;
            assert_eq!(sent.outcome, outcome, "{answers:?} {tls:?}");
            let words = sent.provider_message.unwrap_or_default();
            assert!(words.contains("the relay sent more than 1 MiB"), "{words}");
            // What lies in the buffers of the system comes on top of it.
            let taken = talking.await.unwrap();
            assert!(taken < (32 << 20), "{taken}");
        }
    }
}
