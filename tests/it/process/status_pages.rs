//! Our own status pages, as a process serves them: they follow what fires, people write on them,
//! and another Reveille reads them as it reads any page of Statuspage.

use serde_json::{Value, json};

use super::server::{ONE_PERSON, Place, free_port};
use crate::harness::http::client;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn until_a_page_is_published_its_listener_has_nothing_and_the_main_one_is_as_ever() {
    let port = free_port();
    let settings = format!("listen_status = \"127.0.0.1:{port}\"\nstatus_export = \"export\"\n");
    let place = Place::new(&settings, ONE_PERSON);
    let export = place.path().join("export/precious");
    std::fs::create_dir_all(&export).unwrap();
    let server = place.start().await;
    let own = format!("http://127.0.0.1:{port}");
    for (base, path, status) in [
        (own.as_str(), "/", 404),
        (&own, "/status", 404),
        (&own, "/healthz", 404),
        (&own, "/metrics", 404),
        (&own, "/v1/rules", 404),
        (&server.url, "/", 200),
        (&server.url, "/healthz", 200),
        (&server.url, "/status", 404),
    ] {
        let answer = client().get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{base}{path}");
        let text = answer.text().await.unwrap();
        assert_eq!(text == "there is no page here\n", base == own, "{text}");
    }
    assert!(export.exists(), "what was there stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_follows_an_outage_and_another_reveille_reads_it_as_a_statuspage() {
    let port = free_port();
    let settings = format!("listen_status = \"127.0.0.1:{port}\"\nstatus_export = \"export\"\n");
    let rules = format!(
        "{ONE_PERSON}\nstatus_pages:\n  public:\n    title: Example Status\n    \
         host: \"127.0.0.1\"\n    components: [{{ name: API, services: [api] }}]\n    \
         publish: {{ after: 0s }}\n"
    );
    let place = Place::new(&settings, &rules);
    let server = place.start().await;
    let event = json!({"summary": "db-1 is full", "severity": "critical", "service": "api"});
    let answer = server
        .post("/v1/events", &server.key, event.to_string())
        .await;
    assert_eq!(answer.status(), 202, "{answer:?}");
    let page = format!("http://127.0.0.1:{port}");
    // The files are waited for, since readers may not ask as often.
    let file = place.path().join("export/public/index.html");
    let is_published = async |_: &super::server::Server| {
        let html = std::fs::read_to_string(&file).ok()?;
        html.contains("Issue with API").then_some(())
    };
    server.until("a page with a post", is_published).await;
    let html = client().get(&page).send().await.unwrap();
    let html = html.text().await.unwrap();
    assert!(html.contains("Issue with API"), "{html}");
    assert!(!html.contains("db-1"), "{html}");
    let shown = server.get("/v1/status/public/components/API").await;
    assert_eq!(shown["state"], "major_outage", "{shown}");
    assert!(shown["causes"][0].to_string().contains("db-1"), "{shown}");

    let watcher = format!("{ONE_PERSON}\nproviders:\n  example: {{ url: \"{page}\" }}\n");
    let settings = "[outbound]\nallow_networks = [\"127.0.0.0/8\"]\n";
    let other_place = Place::new(settings, &watcher);
    let other = other_place.start().await;
    let is_read = async |other: &super::server::Server| {
        let provider = other.get("/v1/providers/example").await;
        (provider["kind"] == "statuspage").then_some(provider)
    };
    let provider = other.until("a page that was read", is_read).await;
    assert_eq!(provider["page_name"], "Example Status", "{provider}");
    assert_eq!(
        provider["incidents"][0]["title"], "Issue with API",
        "{provider}"
    );

    let body = json!({"state": "resolved", "text": "All **good**."});
    let answer = server.act("/v1/status/public/posts/1/updates", &body).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
    let post: Value = server.get("/v1/status/public/posts/1").await;
    assert_eq!(post["state"], "resolved", "{post}");
    let missing = server
        .act("/v1/status/public/posts/7/publish", &json!({}))
        .await;
    assert_eq!(missing.status(), 404, "{missing:?}");
}
