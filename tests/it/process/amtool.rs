//! Debian's real amtool against the real binary: every subcommand that asks a server.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use super::server::{Place, Server};

const KEY: &str = "prometheus-key-for-this-amtool-1";

const RULES: &str = r#"
policies:
  default: { steps: [{ targets: ["channel/console"], wait: 1h }] }
  payments: { steps: [{ targets: ["channel/console"], wait: 1h }] }
integrations:
  prometheus: { format: alertmanager_api, key: "env:PROMETHEUS_KEY" }
route:
  policy: default
  group_by: [alertname]
  routes:
    - { name: watchdog, matchers: ['alertname="Watchdog"'], page: false }
    - { name: pay, matchers: ['team=~"pay|billing"'], policy: payments, group_wait: 90s }
"#;

/// amtool in front of one router, with one secret.
struct Amtool<'place> {
    place: &'place Place,
    url: String,
    http: String,
}

impl<'place> Amtool<'place> {
    /// `None`, said aloud, where amtool is not installed.
    fn find() -> Option<()> {
        let mut version = Command::new("amtool");
        version.arg("--version");
        version.stdout(Stdio::null()).stderr(Stdio::null());
        if version.status().is_ok_and(|status| status.success()) {
            return Some(());
        }
        crate::harness::skipped("amtool is not installed (Debian: prometheus-alertmanager)");
        None
    }

    fn new(place: &'place Place, server: &Server, name: &str, http: &str) -> Self {
        let file = place.path().join(name);
        std::fs::write(&file, http).unwrap();
        Self {
            place,
            url: server.url.clone(),
            http: file.display().to_string(),
        }
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("amtool");
        command.current_dir(self.place.path()).env_clear();
        command.env("HOME", self.place.path());
        command.arg(format!("--alertmanager.url={}", self.url));
        command.arg(format!("--http.config.file={}", self.http));
        command.args(arguments).output().unwrap()
    }

    /// Runs it to a good end; the answer is its output.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let text = self.run(&[arguments, &["-o", "json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Runs it to a refusal; the answer is what it says.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(!output.status.success(), "{arguments:?} is done");
        String::from_utf8(output.stderr).unwrap()
    }

    /// The ids that `silence query -q` shows, sorted.
    fn silences(&self, arguments: &[&str]) -> Vec<String> {
        let shown = self.run(&[&["silence", "query", "-q"], arguments].concat());
        let mut ids: Vec<_> = shown.lines().map(str::to_owned).collect();
        ids.sort();
        ids
    }

    fn silence(&self, arguments: &[&str]) -> String {
        let common = ["silence", "add", "--comment=work", "--author=Zoe"];
        self.run(&[&common, arguments].concat()).trim().to_owned()
    }
}

fn one_of(id: &String) -> &[String] {
    std::slice::from_ref(id)
}

fn names(alerts: &[Value]) -> Vec<&str> {
    let names = alerts.iter().map(|alert| &alert["labels"]["alertname"]);
    let mut names: Vec<_> = names.map(|name| name.as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

fn place() -> Place {
    Place::new("", RULES).with_variable("PROMETHEUS_KEY", KEY)
}

fn bearer(secret: &str) -> String {
    format!("authorization: {{ credentials: {secret} }}\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amtool_adds_and_queries_alerts_and_shows_the_routes() {
    if Amtool::find().is_none() {
        return;
    }
    let place = place();
    let server = place.start().await;
    let sender = Amtool::new(&place, &server, "sender.yml", &bearer(KEY));
    let basic = format!(
        "basic_auth: {{ username: ana, password: {} }}\n",
        server.token
    );
    let amtool = Amtool::new(&place, &server, "basic.yml", &basic);
    for labels in [
        ["alertname=DiskFull", "team=pay"],
        ["alertname=CertEnds", "team=web"],
        ["alertname=Watchdog", "team=web"],
    ] {
        let alert = ["alert", "add", "--annotation=summary=look at it"];
        sender.run(&[&alert[..], &labels].concat());
    }
    amtool.run(&["silence", "add", "-c", "work", "alertname=CertEnds"]);

    expect_alerts(&amtool);
    expect_routes(&amtool);

    let said = amtool.refused(&["alert", "query", "--receiver=d(b"]);
    assert!(said.contains("d(b"), "{said}");
    let stranger = Amtool::new(&place, &server, "stranger.yml", &bearer("rv_nobody"));
    let said = stranger.refused(&["alert", "query"]);
    assert!(said.contains("401"), "{said}");
}

fn expect_alerts(amtool: &Amtool) {
    let cases: [(&[&str], &[&str]); 8] = [
        (&[], &["DiskFull", "Watchdog"]),
        (&["--active"], &["DiskFull", "Watchdog"]),
        (&["--silenced"], &["CertEnds"]),
        (
            &["--active", "--silenced"],
            &["CertEnds", "DiskFull", "Watchdog"],
        ),
        (&["--receiver=payments"], &["DiskFull"]),
        (&["--receiver=none"], &["Watchdog"]),
        (&["DiskFull"], &["DiskFull"]),
        (
            &["team=~\"w.*\"", "alertname!=Watchdog", "-s"],
            &["CertEnds"],
        ),
    ];
    for (asked, expected) in cases {
        let shown = amtool.json(&[&["alert", "query"], asked].concat());
        assert_eq!(names(&shown), expected, "{asked:?}");
    }
    let simple = amtool.run(&["alert", "query", "-o", "simple", "DiskFull"]);
    assert!(
        simple.contains("look at it") && simple.contains("active"),
        "{simple}"
    );
    let extended = amtool.run(&["alert", "query", "-o", "extended", "team=pay"]);
    assert!(extended.contains("team=\"pay\""), "{extended}");
}

fn expect_routes(amtool: &Amtool) {
    let cases: [(&[&str], &str); 4] = [
        (&["team=billing"], "payments"),
        (&["team=web"], "default"),
        (&["alertname=Watchdog", "team=pay"], "none"),
        (&[], "default"),
    ];
    for (labels, expected) in cases {
        let receivers = amtool.run(&[&["config", "routes", "test"], labels].concat());
        assert_eq!(receivers.trim(), expected, "{labels:?}");
    }
    let routes = amtool.run(&["config", "routes", "show"]);
    assert!(routes.contains("receiver: payments"), "{routes}");
    let config = amtool.run(&["config", "show"]);
    assert!(config.contains("group_wait: 1m30s"), "{config}");
    let cluster = amtool.run(&["cluster", "show"]);
    assert!(cluster.contains("disabled"), "{cluster}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amtool_sets_finds_changes_ends_and_imports_silences() {
    if Amtool::find().is_none() {
        return;
    }
    let place = place();
    let server = place.start().await;
    let amtool = Amtool::new(&place, &server, "amtool.yml", &bearer(&server.token));
    let one = amtool.silence(&["alertname=A", "team=pay"]);
    let other = amtool.silence(&["-d", "3h", "alertname=B"]);
    let third = amtool.silence(&["alertname=~C.+"]);
    assert_eq!(one.len(), 36, "{one}");

    assert_eq!(amtool.silences(&["alertname=A"]), one_of(&one));
    assert_eq!(amtool.silences(&["team=pay"]), one_of(&one));
    assert_eq!(amtool.silences(&["alertname=C"]), [""; 0]);
    assert_eq!(amtool.silences(&["--created-by=Zoe"]).len(), 3);
    assert_eq!(amtool.silences(&["--created-by=bo"]), [""; 0]);
    assert_eq!(amtool.silences(&["--within=2h"]).len(), 2);
    assert_eq!(amtool.silences(&[]).len(), 3);
    let shown = amtool.json(&["silence", "query", "alertname=A"]);
    assert_eq!(shown[0]["createdBy"], "Zoe");
    assert_eq!(shown[0]["status"]["state"], "active");

    amtool.run(&["silence", "update", "-c", "longer", "-d", "5h", &other]);
    assert_eq!(
        amtool.silences(&["alertname=B"]),
        one_of(&other),
        "it keeps its id"
    );
    let shown = amtool.json(&["silence", "query", "alertname=B"]);
    assert_eq!(shown[0]["comment"], "longer");

    amtool.run(&["silence", "expire", &one, &third]);
    assert_eq!(amtool.silences(&[]), one_of(&other));
    let mut ended = [one.clone(), third];
    ended.sort();
    assert_eq!(amtool.silences(&["--expired"]), ended);
    assert_eq!(
        amtool.silences(&["--expired", "--within=1h", "team=pay"]),
        [one]
    );

    let ours = server.get("/v1/silences").await;
    assert_eq!(ours["items"][0]["id"], 2, "{ours}");
    assert_eq!(ours["items"][0]["uuid"], other.as_str(), "{ours}");
    expect_import(&amtool, &other);
    expect_refusals(&amtool);
}

fn expect_import(amtool: &Amtool, known: &str) {
    let matcher = |name| json!([{"name": name, "value": "x", "isRegex": false, "isEqual": true}]);
    let shown = &amtool.json(&["silence", "query", "alertname=B"])[0];
    let silence = |id: &str, name| {
        json!({
            "id": id, "matchers": matcher(name), "createdBy": "bo", "comment": "moved",
            "startsAt": shown["startsAt"], "endsAt": shown["endsAt"],
        })
    };
    let silences = json!([
        silence("9c6d05a4-4f6c-4f2b-8f4f-1f0f6a6c2a11", "moved"),
        silence(known, "changed"),
    ]);
    let file = amtool.place.path().join("silences.json");
    std::fs::write(&file, silences.to_string()).unwrap();
    amtool.run(&["silence", "import", &file.display().to_string()]);
    assert_eq!(amtool.silences(&["moved=x"]).len(), 1);
    let replaced = amtool.silences(&["changed=x"]);
    assert!(
        replaced.len() == 1 && replaced[0] != known,
        "other matchers: {replaced:?}"
    );
    assert!(amtool.silences(&["--expired"]).contains(&known.to_owned()));
}

/// amtool shows the text of a refusal only where it has the form and status of the original.
fn expect_refusals(amtool: &Amtool) {
    let nobody = "11111111-1111-4111-8111-111111111111";
    let cases: [(&[&str], &str); 6] = [
        (&["silence", "add", "-c", "x", "team="], "alertname=~"),
        (&["silence", "add", "-c", "x", "a=~.*"], "not allowed"),
        (
            &["silence", "add", "-c", "x", "-d", "90d", "a=b"],
            "silence_max",
        ),
        (&["silence", "add", "-c", "x", "a=~\"(\""], "a=~"),
        (&["silence", "expire", nobody], "404"),
        (
            &["silence", "update", "-c", "x", nobody],
            "getSilenceNotFound",
        ),
    ];
    for (asked, expected) in cases {
        let said = amtool.refused(asked);
        assert!(said.contains(expected), "{asked:?}: {said}");
    }
}

const EXPRESSIONS: &str = include_str!("../../fixtures/matchers/expressions.json");

/// A text as Alertmanager reads it in double quotes.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', r"\n"))
}

/// A route for each expression on the label `v`, with a receiver of its number.
fn alertmanager_config(expressions: &[(usize, &str)]) -> String {
    let mut receivers = vec![json!({"name": "root"})];
    let mut routes = Vec::new();
    for (number, expression) in expressions {
        let receiver = format!("e{number}");
        let matcher = format!("v=~{}", quoted(expression));
        routes.push(json!({"receiver": receiver, "continue": true, "matchers": [matcher]}));
        receivers.push(json!({"name": receiver}));
    }
    let route = json!({"receiver": "root", "routes": routes});
    json!({"route": route, "receivers": receivers}).to_string()
}

/// The table of the matchers' own tests says what the tool says.
#[test]
fn the_table_of_regular_expressions_is_what_amtool_answers() {
    if Amtool::find().is_none() {
        return;
    }
    let table: Value = serde_json::from_str(EXPRESSIONS).unwrap();
    let rows = table["expressions"].as_array().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alertmanager.yml");
    let run = |arguments: &[&str]| {
        let mut command = Command::new("amtool");
        command.env_clear().env("HOME", folder.path());
        command.args(arguments).output().unwrap()
    };
    let mut taken = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let expression = row[0].as_str().unwrap();
        std::fs::write(&file, alertmanager_config(&[(number, expression)])).unwrap();
        let is_taken = run(&["check-config", &file.display().to_string()])
            .status
            .success();
        assert_eq!(is_taken, row[1].is_array(), "{expression}");
        if is_taken {
            taken.push((number, expression));
        }
    }
    std::fs::write(&file, alertmanager_config(&taken)).unwrap();
    let config = format!("--config.file={}", file.display());
    for value in table["values"].as_array().unwrap() {
        let label = format!("v={}", quoted(value.as_str().unwrap()));
        let output = run(&["config", "routes", "test", &config, &label]);
        let answer = String::from_utf8(output.stdout).unwrap();
        let mut receivers: Vec<_> = answer.trim().split(',').collect();
        receivers.retain(|receiver| *receiver != "root");
        let matching = taken.iter().filter(|(number, _)| {
            let values = rows[*number][1].as_array().unwrap();
            values.contains(value)
        });
        let expected: Vec<_> = matching.map(|(number, _)| format!("e{number}")).collect();
        assert_eq!(receivers, expected, "{value}");
    }
}
