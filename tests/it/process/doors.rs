//! Where senders put the key of an integration, and where it opens nothing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::server::{ONE_PERSON, Place, Server};
use crate::harness::http::client;

async fn start() -> (Place, Server) {
    let native = "  native: { format: native }\n";
    let both = format!("{native}  other: {{ format: native }}\n");
    let rules = ONE_PERSON.replace(native, &both);
    let place = Place::new("", &rules);
    let server = place.start().await;
    (place, server)
}

/// Posts an event of its own with one header; the answer is the status.
async fn post(server: &Server, path: &str, header: Option<(&str, String)>) -> u16 {
    let body = if path.ends_with("/api/v2/alerts") {
        json!([{"labels": {"alertname": "DiskFull"}}])
    } else if path.ends_with("enqueue") {
        json!({"event_action": "trigger", "payload":
            {"summary": "disk full", "source": "db1", "severity": "critical"}})
    } else {
        json!({"summary": "disk full", "severity": "critical"})
    };
    let request = client().post(format!("{}{path}", server.url)).json(&body);
    let request = match header {
        Some((name, value)) => request.header(name, value),
        None => request,
    };
    request.send().await.unwrap().status().as_u16()
}

async fn count_receipts(server: &Server) -> usize {
    let receipts = server.get("/v1/receipts?limit=500").await;
    receipts["items"].as_array().unwrap().len()
}

fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("anybody:{password}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_opens_its_integration_in_each_header_and_path_that_is_documented() {
    let (place, server) = start().await;
    let key = &server.key;
    let headers = [
        ("authorization", format!("Bearer {key}")),
        ("authorization", format!("bearer {key}")),
        ("authorization", basic(key)),
        ("x-reveille-key", key.clone()),
    ];
    let paths = [
        ("/v1/events", 202),
        ("/hooks/native", 202),
        ("/api/v2/alerts", 200),
        ("/v2/enqueue", 202),
        ("/v2/change/enqueue", 202),
    ];
    for (path, expected) in paths {
        for (name, value) in &headers {
            let answered = post(&server, path, Some((name, value.clone()))).await;
            assert_eq!(answered, expected, "{path} {name}: {value}");
        }
    }
    let in_path = [
        (format!("/hooks/native/{key}"), 202),
        (format!("/hooks/native/{key}/api/v2/alerts"), 200),
    ];
    for (path, expected) in &in_path {
        assert_eq!(post(&server, path, None).await, *expected, "{path}");
    }
    assert_eq!(count_receipts(&server).await, 22);
    assert!(!place.log().contains(key), "no key is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_opens_nothing_in_other_headers_paths_and_names() {
    let (place, server) = start().await;
    let key = &server.key;
    let bearer = || Some(("authorization", format!("Bearer {key}")));
    let wrong = || Some(("authorization", format!("Bearer {key}x")));
    let admin = || Some(("authorization", format!("Bearer {}", server.token)));
    let cases = [
        ("/v1/events".to_owned(), None, 401),
        ("/v1/events".to_owned(), wrong(), 401),
        ("/v1/events".to_owned(), admin(), 401),
        (
            "/v1/events".to_owned(),
            Some(("x-api-key", key.clone())),
            401,
        ),
        (
            "/v1/events".to_owned(),
            Some(("authorization", key.clone())),
            401,
        ),
        (format!("/v1/events?key={key}"), None, 401),
        (format!("/hooks/native?key={key}"), None, 401),
        (format!("/v1/events/{key}"), None, 404),
        (format!("/v2/enqueue/{key}"), None, 404),
        (format!("/api/v2/alerts/{key}"), None, 404),
        (format!("/hooks/native/{key}x"), None, 401),
        (format!("/hooks/native/{key}x/api/v2/alerts"), None, 401),
        // The path's key counts alone.
        ("/hooks/native/wrong".to_owned(), bearer(), 401),
        ("/hooks/other".to_owned(), bearer(), 401),
        (format!("/hooks/other/{key}"), None, 401),
        ("/hooks/nobody".to_owned(), bearer(), 401),
        (format!("/hooks/native/{key}/v1/events"), None, 404),
        ("/v2/enqueue".to_owned(), wrong(), 400),
        ("/v2/enqueue".to_owned(), None, 400),
    ];
    for (path, header, expected) in cases {
        let shown = format!("{path} {header:?}");
        assert_eq!(post(&server, &path, header).await, expected, "{shown}");
    }
    assert_eq!(count_receipts(&server).await, 0);
    assert!(!place.log().contains(key), "no key is in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_of_an_integration_opens_no_api_and_an_api_token_no_key_header() {
    let (_place, server) = start().await;
    let cases = [
        ("authorization", format!("Bearer {}", server.key)),
        ("authorization", basic(&server.key)),
        ("x-reveille-key", server.key.clone()),
        ("x-reveille-key", server.token.clone()),
    ];
    for (name, value) in cases {
        let request = client().get(format!("{}/v1/incidents", server.url));
        let answer = request.header(name, &value).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{name}: {value}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "unauthorized", "{problem}");
    }
}
