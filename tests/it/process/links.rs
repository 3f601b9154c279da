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

async fn press(link: &str, form: &str) -> u16 {
    let request = client().post(link).body(form.to_owned());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_typed_on_the_page_of_a_channel_target_is_marked_wherever_it_stands() {
    let mail = FakeSmtp::start().await;
    let rules = ONE_PERSON.replace(
        "targets: [user/ana]",
        "targets: [channel/mail/team@example.com]",
    );
    let place = Place::new(&settings(&mail), &rules);
    let server = place.start().await;
    // The name of a user, and one of nobody.
    let cases = [
        ("ana", "Ana Silva (typed, not verified)", json!("ana")),
        (
            "Zoe from ops",
            "Zoe from ops (typed, not verified)",
            json!(null),
        ),
    ];
    for (number, (typed, shown, user)) in (1..).zip(cases) {
        let event = json!({"summary": format!("disk {number} full"), "severity": "critical"});
        let answer = server
            .post("/v1/events", &server.key, event.to_string())
            .await;
        assert_eq!(answer.status(), 202);
        // What became of the one before is told in between.
        let subject = format!("disk {number} full");
        let text = loop {
            let page = mail.next().await;
            let text: String = page.entity.parts().iter().map(Entity::text).collect();
            if text.contains(&subject) {
                break text;
            }
        };
        let start = text.find(&format!("{}/a/", server.url)).unwrap();
        let link = text[start..].split_whitespace().next().unwrap();
        let (_, form) = ask(Method::GET, link).await;
        assert!(form.contains("name=\"name\""), "it asks who they are");
        assert_eq!(press(link, "action=acknowledge").await, 422, "nameless");
        let named = format!("action=acknowledge&name={}", typed.replace(' ', "+"));
        press(link, &named).await;

        let incident = server.get(&format!("/v1/incidents/{number}")).await;
        let by = &incident["acknowledged_by"];
        let expected = json!({"user": user, "name": shown, "via": "link"});
        assert_eq!(
            (&incident["status"], by),
            (&json!("acknowledged"), &expected)
        );
        let story = server
            .get(&format!("/v1/incidents/{number}/timeline?limit=500"))
            .await;
        let entries = story["items"].as_array().unwrap();
        let entry = entries
            .iter()
            .find(|entry| entry["reason"] == "acknowledged")
            .unwrap_or_else(|| panic!("{story}"));
        assert!(entry["text"].as_str().unwrap().contains(shown), "{entry}");
        let told = place.run(&["show", &number.to_string()]);
        assert!(told.contains(shown), "{told}");
        let told = place.run(&["explain", &number.to_string()]);
        assert!(told.contains(shown), "{told}");
    }
}
