//! The listener for the side of the internet: what it serves, and all that it must not.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use super::server::{ONE_PERSON, Place, Server, free_port};
use crate::harness::http::client;

/// All that outsiders need. A route that is to be served to the internet is added here by hand.
const SERVED: [&str; 9] = [
    "GET /a/{token}",
    "GET /healthz",
    "POST /a/{token}",
    "POST /hooks/{integration}",
    "POST /hooks/{integration}/{key}",
    "POST /hooks/{integration}/{key}/api/v2/alerts",
    "POST /slack/actions",
    "POST /sms/{channel}/inbound",
    "POST /sms/{channel}/status",
];

async fn start() -> (Place, Server, String) {
    let port = free_port();
    let settings = format!("listen_public = \"127.0.0.1:{port}\"\n");
    let place = Place::new(&settings, ONE_PERSON);
    let server = place.start().await;
    (place, server, format!("http://127.0.0.1:{port}"))
}

/// The whole table of routes, as the router describes itself: methods with paths.
async fn table(server: &Server) -> BTreeSet<String> {
    let description = server.get("/openapi.json").await;
    let paths = description["paths"].as_object().unwrap();
    let lines = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().keys();
        methods.map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    lines.collect()
}

/// Asks with everything that opens a door inside; the answer is status and body.
async fn ask(server: &Server, base: &str, method: &str, path: &str) -> (u16, String) {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = client().request(method, format!("{base}{path}"));
    let request = request
        .bearer_auth(&server.token)
        .header("x-reveille-key", &server.key)
        .header("content-type", "application/json");
    let answer = request.body("{}").send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// A path of the table with something in each of its places.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{number}" | "{id}" | "{revision}" => "1",
        "{integration}" | "{name}" => "native",
        part if part.starts_with('{') => "something",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Alertmanager's API says it as a JSON string, all others as a problem.
fn is_unknown_path((status, body): &(u16, String)) -> bool {
    *status == 404 && body.contains("no path")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_all_routes_the_public_listener_serves_only_what_outsiders_need() {
    let (_place, server, public) = start().await;
    let table = table(&server).await;
    assert!(table.len() > 60, "{table:#?}");
    let mut served = BTreeSet::new();
    for line in &table {
        let (method, path) = line.split_once(' ').unwrap();
        let path = filled(path);
        let answer = ask(&server, &public, method, &path).await;
        if is_unknown_path(&answer) {
            continue;
        }
        served.insert(line.as_str());
        // What it serves, it serves as the other listener does.
        let inside = ask(&server, &server.url, method, &path).await;
        assert_eq!(answer.0, inside.0, "{line}: {} {}", answer.1, inside.1);
    }
    assert_eq!(served, BTreeSet::from(SERVED));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_method_or_spelling_opens_an_inner_path_to_the_internet() {
    let (_place, server, public) = start().await;
    for path in ["/metrics", "/readyz", "/v1/tokens", "/v1/rules", "/"] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            let (status, body) = ask(&server, &public, method, path).await;
            assert_eq!(status, 404, "{method} {path}: {body}");
        }
    }
    let spellings = [
        "//metrics",
        "/metrics/",
        "/METRICS",
        "/%6Detrics",
        "/healthz/../metrics",
        "/hooks/%2e%2e/metrics",
        "/hooks/..%2fmetrics/x",
        "/a/..%2f..%2fmetrics",
    ];
    for path in spellings {
        let (_, body) = ask(&server, &public, "GET", path).await;
        assert!(!body.contains("reveille_"), "{path}: {body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_and_the_link_of_its_page_work_from_the_internet() {
    let (_place, server, public) = start().await;
    let event = json!({"summary": "disk full", "severity": "critical"});
    let posted = client()
        .post(format!("{public}/hooks/native"))
        .bearer_auth(&server.key)
        .json(&event);
    assert_eq!(posted.send().await.unwrap().status(), 202);
    let page = server.printed("/a/").await;
    let (_, token) = page.split_once("/a/").unwrap();
    let token: String = token.chars().take(32).collect();
    let link = format!("{public}/a/{token}");
    let shown = client().get(&link).send().await.unwrap();
    assert_eq!(shown.status(), 200);
    let form = client().post(&link).body("action=acknowledge");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    let acted = form.send().await.unwrap();
    assert!(acted.status().as_u16() < 400, "{}", acted.status());
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["status"], "acknowledged");
}
