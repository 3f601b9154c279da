//! Debian's real nginx in front of the real binary, with the configuration that is documented.

use std::net::{IpAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::{Certificate, Client, ClientBuilder, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{ONE_PERSON, Place, Server, free_port};
use crate::harness::mime::Entity;
use crate::harness::skipped;
use crate::harness::smtp::FakeSmtp;

const DOCUMENTED: &str = include_str!("../../../packaging/nginx.conf");
const NAME: &str = "localhost";

/// A running nginx, which ends with the test.
struct Nginx {
    child: Child,
    folder: TempDir,
    url: String,
    certificate: Certificate,
    client: Client,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_installed() -> bool {
    let mut version = Command::new("nginx");
    version
        .arg("-v")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

/// The documented file with what a test must replace; each must be there.
fn site(folder: &Path, listen: u16, upstream: u16) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let replaced = [
        (
            "listen 443 ssl http2;",
            format!("listen 127.0.0.1:{listen} ssl http2;"),
        ),
        (
            "server 127.0.0.1:8080;",
            format!("server 127.0.0.1:{upstream};"),
        ),
        (
            "server_name pager.example.com;",
            format!("server_name {NAME};"),
        ),
        ("/etc/nginx/pager.example.com.crt", path("crt")),
        ("/etc/nginx/pager.example.com.key", path("key")),
    ];
    replaced
        .iter()
        .fold(DOCUMENTED.to_owned(), |site, (written, put)| {
            assert_eq!(site.matches(written).count(), 1, "{written}");
            site.replace(written, put)
        })
}

/// Starts nginx in a folder of its own and waits until it listens; its clients trust it only.
async fn start(port: u16, upstream: u16) -> Nginx {
    let folder = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("crt", &made.cert.pem());
    write("key", &made.signing_key.serialize_pem());
    write("site", &site(folder.path(), port, upstream));
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {name};"))
        .concat();
    // One process, so that ending it ends all of it.
    let main = format!(
        "daemon off; master_process off; pid pid; error_log error.log; events {{}}\n\
         http {{ access_log off; {temporary} include site; }}\n"
    );
    write("main", &main);
    let prefix = folder.path().display().to_string();
    let main = folder.path().join("main").display().to_string();
    let child = Command::new("nginx")
        .args(["-p", &prefix, "-e", "error.log", "-c", &main])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let certificate = Certificate::from_der(made.cert.der()).unwrap();
    let mut nginx = Nginx {
        child,
        folder,
        url: format!("https://{NAME}:{port}"),
        client: that_trusts(&certificate).build().unwrap(),
        certificate,
    };
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = nginx.child.try_wait().unwrap();
        assert!(ended.is_none(), "nginx ended: {}", nginx.log());
        tokio::task::yield_now().await;
    }
    nginx
}

/// A client that trusts this certificate only.
fn that_trusts(certificate: &Certificate) -> ClientBuilder {
    Client::builder()
        .tls_certs_only([certificate.clone()])
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
}

impl Nginx {
    /// Posts an event with a wrong key from an address, and claims to come from somewhere else.
    async fn guess_from(&self, address: &str, number: u8) -> u16 {
        let address: IpAddr = address.parse().unwrap();
        let client = that_trusts(&self.certificate).local_address(address);
        let request = client
            .build()
            .unwrap()
            .post(format!("{}/v1/events", self.url));
        let claimed = format!("192.0.2.{number}");
        let request = request
            .header("x-forwarded-for", &claimed)
            .header("forwarded", format!("for={claimed}"));
        let request = request.bearer_auth("wrong").body(event(number.into()));
        request.send().await.unwrap().status().as_u16()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }

    async fn ask(&self, method: Method, path: &str, key: &str, body: Vec<u8>) -> (u16, String) {
        let url = match path.starts_with("https://") {
            true => path.to_owned(),
            false => format!("{}{path}", self.url),
        };
        let request = self.client.request(method, url).bearer_auth(key).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.send().await;
        let answer = answer.unwrap_or_else(|error| panic!("{path}: {error:?}: {}", self.log()));
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// nginx before a router whose links lead through nginx; `None` where there is no nginx.
async fn both(settings: &str) -> Option<(Nginx, FakeSmtp, Place, Server)> {
    if !is_installed() {
        skipped("nginx is not installed, so it was not put in front of the router");
        return None;
    }
    // Another test of this process may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mail = FakeSmtp::start().await;
    let smtp = mail.address.port();
    let settings = format!(
        "{settings}\n[[channel]]\nname = \"mail\"\nkind = \"smtp\"\nhost = \"127.0.0.1\"\nport = {smtp}\n\
         tls = \"none\"\nfrom = \"pager@example.com\"\n"
    );
    let port = free_port();
    let url = format!("https://{NAME}:{port}");
    let place = Place::new(&settings, ONE_PERSON).with_variable("REVEILLE_PUBLIC_URL", &url);
    let server = place.start().await;
    let nginx = start(port, place.port).await;
    Some((nginx, mail, place, server))
}

fn event(number: u64) -> Vec<u8> {
    let event = json!({"summary": format!("disk {number} full"), "severity": "critical"});
    event.to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_and_links_pass_through_nginx_as_documented() {
    let Some((nginx, mail, _place, server)) = both("").await else {
        return;
    };
    // One after the other over the same connections, and many at once.
    for number in 0..5 {
        let event = event(number);
        let (status, body) = nginx
            .ask(Method::POST, "/v1/events", &server.key, event)
            .await;
        assert_eq!(status, 202, "{body}");
        let page = mail.next().await;
        let text: String = page.entity.parts().iter().map(Entity::text).collect();
        let start = text.find(&format!("{}/a/", nginx.url)).expect(&text);
        let link = text[start..].split_whitespace().next().unwrap();
        let (status, page) = nginx.ask(Method::GET, link, "", Vec::new()).await;
        assert!(status == 200 && page.contains("Acknowledge"), "{page}");
        let form = b"action=acknowledge".to_vec();
        let (status, _) = nginx.ask(Method::POST, link, "", form).await;
        assert!((200..400).contains(&status), "{status}");
        let incident = server.get(&format!("/v1/incidents/{}", number + 1)).await;
        assert_eq!(incident["status"], "acknowledged");
        assert_eq!(incident["acknowledged_by"]["user"], "ana");
    }
    let mut running = tokio::task::JoinSet::new();
    for number in 10..40 {
        let request = nginx.client.post(format!("{}/v1/events", nginx.url));
        let request = request.bearer_auth(&server.key).body(event(number));
        running.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    for status in running.join_all().await {
        assert_eq!(status, 202);
    }
    let (status, _) = nginx
        .ask(Method::POST, "/v1/events", "wrong", event(99))
        .await;
    assert_eq!(status, 401, "the refusal is ours");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_the_body_limit_that_a_sender_meets_is_that_of_the_router() {
    let Some((nginx, _mail, _place, server)) = both("").await else {
        return;
    };
    let sized = |bytes: usize| {
        let frame = json!({"summary": "a", "severity": "info", "details": {"x": ""}}).to_string();
        let filling = "x".repeat(bytes - frame.len());
        frame
            .replace("\"x\":\"\"", &format!("\"x\":\"{filling}\""))
            .into_bytes()
    };
    let limit = 512 * 1024;
    let (status, body) = nginx
        .ask(Method::POST, "/v1/events", &server.key, sized(limit))
        .await;
    assert_eq!(status, 202, "{body}");
    for bytes in [limit + 1, 2 * limit, 7 << 20] {
        let (status, body) = nginx
            .ask(Method::POST, "/v1/events", &server.key, sized(bytes))
            .await;
        let problem: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{body}"));
        assert_eq!((status, &problem["status"]), (413, &json!(413)), "{bytes}");
    }
    let (status, body) = nginx
        .ask(Method::POST, "/v1/events", &server.key, sized(9 << 20))
        .await;
    assert!(status == 413 && body.contains("nginx"), "{status} {body}");
    // Large answers come whole.
    let (status, body) = nginx
        .ask(Method::GET, "/openapi.json", &server.token, Vec::new())
        .await;
    let direct = server.text("/openapi.json").await;
    assert_eq!((status, body), (200, direct));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_wrong_keys_count_for_the_client_if_nginx_is_trusted() {
    for (settings, other_is_answered) in [("trusted_proxies = [\"127.0.0.1\"]", 401), ("", 429)] {
        let Some((nginx, _mail, _place, server)) = both(settings).await else {
            return;
        };
        for number in 0..20 {
            assert_eq!(nginx.guess_from("127.0.0.2", number).await, 401, "{number}");
        }
        assert_eq!(nginx.guess_from("127.0.0.2", 20).await, 429, "{settings}");
        let other = nginx.guess_from("127.0.0.3", 21).await;
        assert_eq!(other, other_is_answered, "{settings}");
        // Whoever has a key is let in whatever others guess.
        let (status, body) = nginx
            .ask(Method::POST, "/v1/events", &server.key, event(1))
            .await;
        assert_eq!(status, 202, "{settings}: {body}");
    }
}
