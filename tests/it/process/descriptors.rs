//! What happens when the process may open no more files.

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::server::{ONE_PERSON, Place, Server};

/// From now on the process opens no file beyond this number. What it has open stays open.
fn limit_files(server: &Server, files: u64) {
    let limit = Rlimit {
        current: Some(files),
        maximum: getrlimit(Resource::Nofile).maximum,
    };
    prlimit(Some(server.pid()), Resource::Nofile, limit).unwrap();
}

/// The log is written by a thread of its own.
async fn logged(place: &Place, server: &Server, part: &str) {
    let look = async |_: &Server| place.log().contains(part).then_some(());
    server.until(part, look).await;
}

/// One connection over which all goes; no client that would open another.
struct Wire(BufReader<TcpStream>);

impl Wire {
    async fn connect(server: &Server) -> Self {
        let address = server.url.strip_prefix("http://").unwrap();
        Self(BufReader::new(TcpStream::connect(address).await.unwrap()))
    }

    /// Status and body of an answer.
    async fn ask(&mut self, line: &str, token: &str, body: &str) -> (u16, String) {
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        self.0.write_all(request.as_bytes()).await.unwrap();
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.unwrap();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if let Some(bytes) = line.strip_prefix("content-length: ") {
                length = bytes.trim().parse().unwrap();
            } else if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        (status, String::from_utf8(body).unwrap())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_descriptors_events_are_accepted_acted_on_and_kept() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let mut wire = Wire::connect(&server).await;
    let event = json!({"summary": "disk full", "severity": "critical",
        "labels": {"filling": "x".repeat(4_000)}});
    for number in 0..200 {
        let event = event.to_string().replace("full", &format!("{number} full"));
        let (status, body) = wire.ask("POST /v1/events", &server.key, &event).await;
        assert_eq!(status, 202, "{body}");
        if number == 0 {
            limit_files(&server, 3);
        }
    }
    // Whoever comes now waits in the queue of the system.
    let mut waiting = Wire::connect(&server).await;
    let act = "POST /v1/incidents/1/acknowledge";
    let (status, body) = wire.ask(act, &server.token, "{}").await;
    assert_eq!(status, 200, "{body}");
    let counted = "reveille_http_accepts_failed_total{listener=\"listen\"} ";
    while !(wire.ask("GET /metrics", "", "").await.1).contains(counted) {
        tokio::task::yield_now().await;
    }
    logged(&place, &server, "no connection can be accepted").await;
    let told = place.log().matches("no connection can be accepted").count();
    assert_eq!(told, 1, "{}", place.log());
    limit_files(&server, 1_024);
    let (status, _) = waiting.ask("GET /readyz", "", "").await;
    assert_eq!(status, 200, "who waited is served");
    server.kill();
    let server = place.start().await;
    let receipts = server.get("/v1/receipts?limit=500").await;
    assert_eq!(receipts["items"].as_array().unwrap().len(), 200);
}

/// The router in a shell that has lowered its limit.
fn serve_with(place: &Place, files: usize) -> std::process::Command {
    let plain = place.command(&["serve"]);
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", &format!("ulimit -n {files}; exec \"$0\" serve")])
        .arg(plain.get_program())
        .current_dir(place.path())
        .env_clear();
    shell
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_low_limit_lowers_the_connections_and_one_that_is_too_low_is_refused() {
    let place = Place::new("", ONE_PERSON);
    let output = serve_with(&place, 128).output().unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("may open only 128 files"), "{words}");
    assert!(words.contains("LimitNOFILE"), "{words}");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        !place.path().join("data").exists(),
        "nothing is left behind"
    );
    let server = place.start_by(serve_with(&place, 300)).await;
    logged(&place, &server, "few files may be open").await;
    let log = place.log();
    assert!(log.contains("\"files.limit\":300"), "{log}");
}
