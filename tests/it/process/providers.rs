//! A provider's status page, watched by the real router: the page of the founding outages, as it is
//! today and as it was while each of them went on.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::server::{ONE_PERSON, Place, Server};
use crate::harness::founding::{FOUNDING, incident, page};
use crate::harness::http::{Call, FakeHttp, Reply};

const SETTINGS: &str = r#"
[outbound]
allow_networks = ["127.0.0.0/8"]
"#;

/// What the page shows now; `None` is a shell of HTML.
type Shown = Arc<Mutex<Option<(Value, Value)>>>;

async fn serve() -> (FakeHttp, Shown) {
    let shown: Shown = Arc::new(Mutex::new(Some(page(None))));
    let now = shown.clone();
    let answer = move |call: &Call| match (&*now.lock().unwrap(), call.path()) {
        (None, _) => Reply::new(200, "<!doctype html><title>Not found</title>"),
        (Some((summary, _)), "/api/v2/summary.json") => Reply::new(200, &summary.to_string()),
        (Some((_, incidents)), "/api/v2/incidents.json") => Reply::new(200, &incidents.to_string()),
        (Some(_), _) => Reply::new(404, "nothing here"),
    };
    (FakeHttp::start(answer).await, shown)
}

fn rules(url: &str) -> String {
    format!("{ONE_PERSON}\nproviders:\n  helpline: {{ url: \"{url}\" }}\n")
}

/// The provider, once it is as it should be.
async fn until(server: &Server, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let look = async |server: &Server| {
        let provider = server.get("/v1/providers/helpline").await;
        is_so(&provider).then_some(provider)
    };
    server.until(what, look).await
}

/// Changes the page, and has it looked at.
async fn show(server: &Server, shown: &Shown, page: Option<(Value, Value)>) {
    *shown.lock().unwrap() = page;
    let answer = server.act("/v1/providers/helpline/look", &json!({})).await;
    assert!(answer.status().is_success(), "{answer:?}");
}

fn open(provider: &Value) -> usize {
    provider["incidents"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_founding_page_of_today_pages_nobody_and_each_of_its_outages_pages_once() {
    let (fake, shown) = serve().await;
    let place = Place::new(SETTINGS, &rules(&fake.url()));
    let mut server = place.start().await;
    let provider = until(&server, "a first look", |it| {
        it["first_read_at"].is_string()
    })
    .await;
    assert_eq!(provider["kind"], "statuspage", "{provider}");
    assert_eq!(provider["state"], "operational", "{provider}");
    assert_eq!(provider["page_name"], "Helpline", "{provider}");
    let past = provider["past"].as_array().unwrap();
    let titles: Vec<&str> = past
        .iter()
        .map(|past| past["title"].as_str().unwrap())
        .collect();
    assert_eq!(titles, FOUNDING.map(|(_, title, _, _)| title));
    let incidents = server.get("/v1/incidents?status=open,resolved").await;
    assert_eq!(incidents["items"], json!([]));

    for (number, open_one) in (1..).zip((0..FOUNDING.len()).rev()) {
        show(&server, &shown, Some(page(Some(open_one)))).await;
        let provider = until(&server, "it is open", |it| open(it) == 1).await;
        let expected = json!([number]);
        assert_eq!(provider["incidents"][0]["numbers"], expected, "{provider}");
        let ours = server.get(&format!("/v1/incidents/{number}")).await;
        assert_eq!(
            ours["urgency"], "low",
            "the provider calls it minor: {ours}"
        );
        assert_eq!(ours["integration"], "provider/helpline");
        let title = FOUNDING[open_one].1;
        assert_eq!(ours["title"], format!("Helpline: {title}"));
        if open_one == 2 {
            // The router dies and finds the page as it left it.
            server.kill();
            server = place.start().await;
            show(&server, &shown, Some(page(Some(open_one)))).await;
            // A page that answers with something else says nothing about the incident.
            show(&server, &shown, None).await;
            until(&server, "it is unknown", |it| it["state"] == "unknown").await;
            let ours = server.get(&format!("/v1/incidents/{number}")).await;
            assert_eq!(ours["status"], "triggered");
        }
        let later = page(Some(open_one));
        let mut resolved = later.clone();
        resolved.0["incidents"] = json!([]);
        resolved.1["incidents"][0] = incident(open_one, false);
        show(&server, &shown, Some(resolved)).await;
        until(&server, "it is over", |it| {
            open(it) == 0 && it["state"] == "operational"
        })
        .await;
        let ours = server.get(&format!("/v1/incidents/{number}")).await;
        assert_eq!(ours["status"], "resolved", "{ours}");
    }
    let incidents = server.get("/v1/incidents?status=open,resolved").await;
    let count = incidents["items"].as_array().map(Vec::len);
    assert_eq!(count, Some(FOUNDING.len()), "one each: {incidents}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_probed_before_it_is_watched_with_what_a_filter_would_have_done() {
    let (fake, _shown) = serve().await;
    let place = Place::new(SETTINGS, ONE_PERSON);
    let server = place.start().await;
    let provider = json!({"url": fake.url(), "urgency": {"minor": "high"},
        "match": ["title=~\"(?i).*prod(uction)?[- ]?1.*\""]});
    let answer = server
        .act("/v1/providers/probe", &json!({"provider": provider}))
        .await;
    let probed: Value = answer.json().await.unwrap();
    assert_eq!(probed["kind"], "statuspage", "{probed}");
    let judged: Vec<&Value> = probed["incidents"].as_array().unwrap().iter().collect();
    assert_eq!(judged.len(), FOUNDING.len(), "{probed}");
    // The last one names no environment, so that it concerns everybody.
    assert!(
        judged.iter().all(|incident| incident["urgency"] == "high"),
        "{probed}"
    );
    let rules = probed["rules"].as_str().unwrap();
    assert!(rules.contains("helpline: { url: "), "{rules}");
    assert!(rules.contains("urgency: { minor: high }"), "{rules}");

    let elsewhere = json!({"url": fake.url(), "match": ["title=~\".*Production 3.*\""]});
    let answer = server
        .act("/v1/providers/probe", &json!({"provider": elsewhere}))
        .await;
    let probed: Value = answer.json().await.unwrap();
    let left_out = probed["incidents"].as_array().unwrap().iter();
    let left_out = left_out.filter(|incident| incident["not_alerted"].is_string());
    assert_eq!(left_out.count(), 4, "{probed}");

    for wrong in [
        json!({"url": "nowhere"}),
        json!({"urll": fake.url()}),
        json!(7),
    ] {
        let answer = server
            .act("/v1/providers/probe", &json!({"provider": wrong}))
            .await;
        assert_eq!(answer.status().as_u16(), 400, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_inside_of_the_network_is_not_asked_unless_it_is_opened() {
    let (fake, _shown) = serve().await;
    let place = Place::new("", &rules(&fake.url()));
    let server = place.start().await;
    let provider = until(&server, "a refusal", |it| it["problem"].is_string()).await;
    assert_eq!(provider["state"], "unknown", "{provider}");
    fake.expect_nothing_more();
}
