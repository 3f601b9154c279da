//! What monitors sent, from the event to every place that shows it, before and after the incident
//! closed.

use serde_json::{Value, json};

use super::server::{MAIL, Place, Server, one_person};
use crate::harness::http::client;
use crate::harness::mime::Entity;
use crate::harness::smtp::{FakeSmtp, Mail};

const PROMETHEUS_KEY: &str = "alertmanager-key-for-this-test-02";
const PAGER_KEY: &str = "0123456789abcdef0123456789abcdef";

/// Alerts that one request reports: more than an answer shows at once.
const HOSTS: usize = 120;

const INTEGRATIONS: &str = "  prometheus: { format: alertmanager, key: env:PROMETHEUS_KEY }
  pager: { format: pagerduty, key: env:PAGER_KEY }
";

const ROUTES: &str = "  routes:
    - name: hosts
      matchers: ['integration=\"prometheus\"']
      group_by: [alertname]
";

fn rules() -> String {
    one_person(MAIL, INTEGRATIONS) + ROUTES
}

/// A router, and the relay that it pages by.
async fn start(mail: &FakeSmtp) -> (Place, Server) {
    let port = mail.address.port();
    let settings = format!(
        "[[channel]]\nname = \"mail\"\nkind = \"smtp\"\nhost = \"127.0.0.1\"\n\
         port = {port}\ntls = \"none\"\nfrom = \"pager@example.com\"\n"
    );
    let place = Place::new(&settings, &rules())
        .with_variable("PROMETHEUS_KEY", PROMETHEUS_KEY)
        .with_variable("PAGER_KEY", PAGER_KEY);
    let server = place.start().await;
    (place, server)
}

fn host_alert(at: usize, status: &str) -> Value {
    let ends_at = match status {
        "firing" => "0001-01-01T00:00:00Z",
        _ => "2026-11-23T10:09:00Z",
    };
    let severity = if at == 7 { "critical" } else { "warning" };
    json!({
        "status": status,
        "labels": {"alertname": "HostDown", "host": format!("h{at:03}"), "severity": severity},
        "annotations": {
            "summary": format!("h{at:03} is down"),
            "description": format!("rack {at} has no power"),
        },
        "startsAt": "2026-11-23T10:00:00Z",
        "endsAt": ends_at,
        "generatorURL": format!("http://prometheus.example/graph/{at}"),
    })
}

/// Alertmanager reports all hosts at once.
async fn report_hosts(server: &Server, status: &str) {
    let alerts: Vec<Value> = (0..HOSTS).map(|at| host_alert(at, status)).collect();
    let body = json!({"version": "4", "status": status, "receiver": "reveille",
        "groupLabels": {"alertname": "HostDown"}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093", "groupKey": "hosts", "alerts": alerts});
    let hook = server.post("/hooks/prometheus", PROMETHEUS_KEY, body.to_string());
    assert_eq!(hook.await.status(), 202);
}

async fn report_database(server: &Server, action: &str) {
    let body = json!({"routing_key": PAGER_KEY, "event_action": action, "dedup_key": "db1",
        "links": [{"href": "https://wiki.example/db", "text": "Runbook"}],
        "payload": {"summary": "disk 97% full on db1", "source": "db1", "severity": "critical",
            "custom_details": {"free": "3 GB", "grows by": "1 GB/h"}}});
    let request = client().post(format!("{}/v2/enqueue", server.url));
    let answer = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(answer.status(), 202);
}

fn link_in(mail: &Mail, server: &Server) -> String {
    let text: String = mail.entity.parts().iter().map(Entity::text).collect();
    let start = text.find(&format!("{}/a/", server.url)).unwrap();
    text[start..].split_whitespace().next().unwrap().to_owned()
}

async fn page_of(link: &str) -> String {
    let answer = client().get(link).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// A list of the API over as many answers as it takes.
async fn all(server: &Server, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = server.get(&format!("{path}?limit=50{cursor}")).await;
        items.extend(answer["items"].as_array().unwrap().iter().cloned());
        let Some(next) = answer["next"].as_str() else {
            return items;
        };
        cursor = format!("&cursor={next}");
    }
}

async fn expect_status(server: &Server, number: u64, status: &str) {
    let what = format!("#{number} is {status}");
    let path = format!("/v1/incidents/{number}");
    server
        .until(&what, async |server| {
            let incident = server.get(&path).await;
            (incident["status"] == status).then_some(())
        })
        .await;
}

/// All hosts are in every place, with all that was sent of them.
async fn expect_hosts(place: &Place, server: &Server, link: &str) {
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["alerts"].as_array().map(Vec::len), Some(100));
    assert_eq!(incident["alerts_total"], HOSTS);
    let alerts = all(server, "/v1/incidents/1/alerts").await;
    assert_eq!(alerts.len(), HOSTS);
    let shown = place.run(&["show", "1"]);
    for (at, alert) in alerts.iter().enumerate() {
        let sent = host_alert(at, "firing");
        let description = &sent["annotations"]["description"];
        assert_eq!(alert["labels"]["host"], sent["labels"]["host"], "{alert}");
        assert_eq!(&alert["details"]["description"], description, "{alert}");
        assert_eq!(alert["links"][0]["href"], sent["generatorURL"], "{alert}");
        for text in [description, &sent["generatorURL"], &sent["labels"]["host"]] {
            let text = text.as_str().unwrap();
            assert!(shown.contains(text), "{text}");
        }
    }
    assert!(!shown.contains("more alerts"), "show leaves nothing out");
    let page = page_of(link).await;
    assert!(
        page.contains("host=h00") && page.contains("has no power"),
        "{page}"
    );
    assert!(
        page.contains("and 115 more: <code>reveille show 1</code>"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_alertmanager_sent_is_everywhere_before_and_after_the_incident_closed() {
    let mail = FakeSmtp::start().await;
    let (place, server) = start(&mail).await;
    report_hosts(&server, "firing").await;
    let link = link_in(&mail.next().await, &server);
    expect_hosts(&place, &server, &link).await;
    // The one critical host is what it is called, wherever it is listed.
    let headline = "h007 is down +119 more";
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["title"], "h000 is down");
    assert_eq!(incident["headline"], headline);
    let list = server.get("/v1/incidents").await;
    assert_eq!(list["items"][0]["headline"], headline);
    assert!(place.run(&["incidents"]).contains(headline));
    assert!(place.run(&["show", "1"]).contains(headline));
    assert!(page_of(&link).await.contains(headline));

    report_hosts(&server, "resolved").await;
    expect_status(&server, 1, "resolved").await;
    let notice = mail.next().await;
    let text: String = notice.entity.parts().iter().map(Entity::text).collect();
    assert!(
        text.contains("has no power"),
        "the notice lists them: {text}"
    );
    expect_hosts(&place, &server, &link).await;
    assert!(server.stop().await.success());
    let server = place.start().await;
    expect_hosts(&place, &server, &link).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_of_pagerduty_sent_is_everywhere_before_and_after_the_incident_closed() {
    let mail = FakeSmtp::start().await;
    let (place, server) = start(&mail).await;
    report_database(&server, "trigger").await;
    let link = link_in(&mail.next().await, &server);
    for is_over in [false, true] {
        if is_over {
            report_database(&server, "resolve").await;
            expect_status(&server, 1, "resolved").await;
            mail.next().await;
        }
        let alerts = all(&server, "/v1/incidents/1/alerts").await;
        assert_eq!(alerts.len(), 1);
        let details = json!({"free": "3 GB", "grows by": "1 GB/h"});
        assert_eq!(alerts[0]["details"], details);
        let link_sent = json!({"href": "https://wiki.example/db", "text": "Runbook"});
        assert_eq!(alerts[0]["links"][0], link_sent);
        let shown = place.run(&["show", "1"]);
        let page = page_of(&link).await;
        for text in ["free: 3 GB", "grows by: 1 GB/h", "https://wiki.example/db"] {
            assert!(shown.contains(text), "{text}: {shown}");
            assert!(page.contains(text), "{text}: {page}");
        }
    }
}
