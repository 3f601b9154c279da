//! Links in pages, as mail scanners and people open them.

use reqwest::Method;
use serde_json::json;

use super::server::{ONE_PERSON, Place, Server};
use crate::harness::http::client;
use crate::harness::mime::Entity;
use crate::harness::smtp::FakeSmtp;

fn settings(mail: &FakeSmtp) -> String {
    let port = mail.address.port();
    format!(
        "[[channel]]\nname = \"mail\"\nkind = \"smtp\"\nhost = \"127.0.0.1\"\n\
         port = {port}\ntls = \"none\"\nfrom = \"pager@example.com\"\n"
    )
}

/// The story of the incident once the page is out.
async fn story(server: &Server) -> Vec<String> {
    server
        .until("the page is out", async |server| {
            let reasons = server.reasons(1).await;
            let is_out = reasons.iter().any(|reason| reason == "attempt_ended");
            is_out.then_some(reasons)
        })
        .await
}

async fn ask(method: Method, url: &str) -> (u16, String) {
    let answer = client().request(method, url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scanner_that_opens_a_link_in_any_way_changes_nothing() {
    let mail = FakeSmtp::start().await;
    let place = Place::new(&settings(&mail), ONE_PERSON);
    let server = place.start().await;
    let event = json!({"summary": "disk full", "severity": "critical"}).to_string();
    let answer = server.post("/v1/events", &server.key, event).await;
    assert_eq!(answer.status(), 202);
    let page = mail.next().await;
    let text: String = page.entity.parts().iter().map(Entity::text).collect();
    let start = text.find(&format!("{}/a/", server.url)).unwrap();
    let link = text[start..].split_whitespace().next().unwrap();
    let before = story(&server).await;

    let (status, body) = ask(Method::HEAD, link).await;
    assert_eq!((status, body.as_str()), (200, ""), "it is there");
    let (status, body) = ask(Method::GET, link).await;
    assert!(status == 200 && body.contains("Acknowledge"), "{body}");
    for query in ["?action=acknowledge", "?action=resolve"] {
        let (status, _) = ask(Method::GET, &format!("{link}{query}")).await;
        assert_eq!(status, 200, "{query}");
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        assert_eq!(ask(method.clone(), link).await.0, 405, "{method}");
    }
    // A form without an action is no decision either.
    assert_eq!(ask(Method::POST, link).await.0, 400);

    assert_eq!(server.get("/v1/incidents/1").await["status"], "triggered");
    assert_eq!(story(&server).await, before);
}
