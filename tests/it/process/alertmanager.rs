//! Debian's real Alertmanager in front of the real binary.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::server::{HOOKS, Place, hook_rules};
use crate::harness::http::client;
use crate::harness::webhook::start_receiver;

const KEY: &str = "alertmanager-key-for-this-test-02";

/// A process that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_installed() -> bool {
    let mut version = Command::new("prometheus-alertmanager");
    version
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

fn config(port: u16) -> String {
    format!(
        r#"
route:
  receiver: reveille
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
receivers:
  - name: reveille
    webhook_configs:
      - url: http://127.0.0.1:{port}/hooks/prometheus
        http_config:
          authorization:
            credentials: {KEY}
"#
    )
}

const INTEGRATION: &str = "  prometheus: { format: alertmanager, key: \"env:PROMETHEUS_KEY\" }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_alertmanager_pages_and_resolves() {
    if !is_installed() {
        crate::harness::skipped("prometheus-alertmanager is not installed");
        return;
    }
    let receiver = start_receiver().await;
    let place = Place::new(HOOKS, &hook_rules(&receiver.url(), INTEGRATION))
        .with_variable("PROMETHEUS_KEY", KEY);
    let server = place.start().await;
    let (_alertmanager, url) = start_alertmanager(&place).await;
    let labels = json!({"alertname": "DiskFull", "severity": "critical"});
    let firing = json!([{"labels": labels, "annotations": {"summary": "disk 97%"}}]);
    post(&url, &firing).await;
    let page = receiver.next().await.json();
    assert_eq!(page["type"], "incident.page", "{page}");
    assert!(page.to_string().contains("disk 97%"), "{page}");

    let ended = json!([{
        "labels": labels,
        "startsAt": "2026-01-01T00:00:00Z",
        "endsAt": "2026-01-01T00:01:00Z",
    }]);
    post(&url, &ended).await;
    let news = receiver.next().await.json();
    assert_eq!(news["type"], "incident.resolved", "{news}");
    assert_eq!(server.get("/v1/incidents/1").await["status"], "resolved");
}

async fn start_alertmanager(place: &Place) -> (Running, String) {
    let config_file = place.path().join("alertmanager.yml");
    std::fs::write(&config_file, config(place.port)).unwrap();
    let port = super::server::free_port();
    let log = std::fs::File::create(place.path().join("alertmanager.log")).unwrap();
    let child = Command::new("prometheus-alertmanager")
        .arg(format!("--config.file={}", config_file.display()))
        .arg(format!(
            "--storage.path={}",
            place.path().join("alertmanager").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let running = Running(child);
    let ready = async {
        loop {
            let answer = client().get(format!("{url}/-/ready")).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), ready)
        .await
        .unwrap();
    (running, url)
}

async fn post(url: &str, alerts: &Value) {
    let request = client().post(format!("{url}/api/v2/alerts")).json(alerts);
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
}
