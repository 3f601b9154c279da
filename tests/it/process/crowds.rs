//! Many bodies at once, of those who have a key and of those who have none.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::server::{ONE_PERSON, Place, Server};
use crate::harness::http::client;

/// Sends a head that promises a body of so many bytes, and the first of them.
async fn begin(server: &Server, head: &str, (promised, sent): (usize, usize)) -> TcpStream {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("{head}host: a\r\ncontent-length: {promised}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    // Whoever is refused may find the connection closed.
    let _refused = stream.write_all(&vec![b' '; sent]).await;
    stream
}

/// The status with which a request is answered.
async fn status(stream: &mut TcpStream) -> u16 {
    let mut first = [0; 12];
    let reading = stream.read_exact(&mut first);
    let read = tokio::time::timeout(std::time::Duration::from_secs(20), reading).await;
    read.expect("an answer before the body").unwrap();
    let text = String::from_utf8(first.to_vec()).unwrap();
    text.strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap()
}

/// Unfinished bodies of nobody: two fill the share of their peer, and all others are refused.
async fn crowd(server: &Server, headers: &str) -> JoinSet<(u16, TcpStream)> {
    let mut answers = JoinSet::new();
    for _ in 0..6 {
        let head = format!("POST /v2/enqueue HTTP/1.1\r\n{headers}");
        let mut stream = begin(server, &head, (500_000, 400_000)).await;
        answers.spawn(async move { (status(&mut stream).await, stream) });
    }
    for _ in 0..4 {
        let (status, _) = answers.join_next().await.unwrap().unwrap();
        assert_eq!(status, 429);
    }
    // The two are still being read when the last of the others is refused.
    let is_full = async |server: &Server| {
        let room = 16 * 1024;
        (held_bytes(server).await > (1 << 20) - room).then_some(())
    };
    server.until("two bodies fill the share", is_full).await;
    answers
}

/// Bytes that are held of bodies of nobody.
async fn held_bytes(server: &Server) -> usize {
    let metrics = server.text("/metrics").await;
    let bytes = "reveille_http_body_bytes{pool=\"unknown\"} ";
    let (_, bytes) = metrics.split_once(bytes).unwrap();
    let (bytes, _) = bytes.split_once('\n').unwrap();
    bytes.parse().unwrap()
}

async fn enqueue(server: &Server, from: &str) -> u16 {
    let request = client().post(format!("{}/v2/enqueue", server.url));
    let request = request.header("x-forwarded-for", from);
    let body = json!({"routing_key": "unknown", "event_action": "trigger"});
    request.json(&body).send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_of_strangers_are_bounded_and_take_no_room_from_monitors() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let held = crowd(&server, "").await;
    let event = json!({"summary": "x".repeat(200_000), "severity": "critical"});
    for path in ["/v1/events", "/hooks/native"] {
        let request = client().post(format!("{}{path}", server.url));
        let answer = request.bearer_auth(&server.key).json(&event).send().await;
        assert_eq!(answer.unwrap().status(), 202, "{path}");
    }
    let metrics = client().get(format!("{}/metrics", server.url));
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let refused = "reveille_http_bodies_refused_total{pool=\"unknown\"} ";
    assert!(metrics.contains(refused), "{metrics}");
    let bytes = held_bytes(&server).await;
    assert!(bytes <= 1 << 20, "{bytes}");
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_peer_behind_a_trusted_proxy_has_its_own_share_and_headers_of_others_count_nothing() {
    for (settings, other_is_answered) in [("trusted_proxies = [\"127.0.0.1\"]\n", 400), ("", 429)] {
        let place = Place::new(settings, ONE_PERSON);
        let server = place.start().await;
        let held = crowd(&server, "x-forwarded-for: 192.0.2.1\r\n").await;
        assert_eq!(
            enqueue(&server, "192.0.2.7").await,
            other_is_answered,
            "{settings}"
        );
        drop(held);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_is_read_before_the_key_is_good_and_where_no_channel_is_set_up() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let key = "authorization: Bearer wrong\r\n";
    let signed = "x-slack-signature: v0=00\r\nx-slack-request-timestamp: 1\r\n";
    let cases = [
        ("/v1/events", "", 401),
        ("/v1/events", key, 401),
        ("/hooks/native", key, 401),
        ("/hooks/native/wrong", "", 401),
        ("/hooks/native/wrong/api/v2/alerts", "", 401),
        ("/api/v2/alerts", key, 401),
        ("/v1/silences", key, 401),
        ("/v1/rules/check", "", 401),
        ("/a/wrong", "", 404),
        ("/slack/actions", "", 401),
        ("/slack/actions", signed, 401),
        ("/sms/sms/inbound", "x-twilio-signature: AA==\r\n", 404),
        (
            "/sms/sms/status?attempt=1",
            "x-twilio-signature: AA==\r\n",
            404,
        ),
        ("/nowhere", "", 404),
    ];
    for (path, headers, expected) in cases {
        let head = format!("POST {path} HTTP/1.1\r\n{headers}");
        let mut stream = begin(&server, &head, (500, 0)).await;
        assert_eq!(status(&mut stream).await, expected, "{path} {headers}");
    }
}
