//! The life of rules: check here, everything else over there.

use std::path::Path;

use serde_json::{Value, json};

use super::harness::{Server, run, run_asked};
use super::samples::{self, with};
use crate::cli::report::{Failure, Report, Verdict};
use crate::rules::starter;

/// A folder with the starter rules.
fn starter_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for file in starter::files() {
        std::fs::write(folder.path().join(&file.path), &file.text).expect("it is written");
    }
    folder
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

async fn alone(words: &[&str]) -> Result<Report, Failure> {
    run_asked(words, &[], None).await
}

#[tokio::test]
async fn good_rules_pass_the_check_without_a_server() {
    let folder = starter_folder();
    let report = alone(&["rules", "check", &shown(folder.path())])
        .await
        .expect("it reads");
    assert_eq!(report.verdict, Verdict::Done, "{}", report.text);
}

#[tokio::test]
async fn bad_rules_fail_the_check_with_all_faults_and_their_source_lines() {
    let folder = starter_folder();
    let bad = "users:\n  dee:\n    colour: red\n    contacts:\n      mail: { email: nowhere }\n";
    std::fs::write(folder.path().join("zz.yaml"), bad).expect("it is written");
    let report = alone(&["rules", "check", &shown(folder.path())])
        .await
        .expect("it reads");
    assert_eq!(report.verdict, Verdict::NotSo);
    let faults = report.value["faults"].as_array().expect("a list");
    assert!(faults.len() >= 2, "{faults:#?}");
    assert!(
        faults
            .iter()
            .all(|fault| fault["line"].is_u64() && fault["help"].is_string())
    );
    assert!(report.text.contains("    colour: red"), "{}", report.text);
    assert!(report.text.contains("zz.yaml:3:5"), "{}", report.text);
}

#[tokio::test]
async fn a_missing_folder_is_a_usage_error() {
    let failure = alone(&["rules", "check", "/nonexistent/rules"])
        .await
        .expect_err("no folder");
    assert_eq!(failure.code(), 2);
    assert!(
        failure.to_string().contains("/nonexistent/rules"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_file_of_rules_that_cannot_be_read_is_named_and_not_left_out() {
    let folder = starter_folder();
    let broken = folder.path().join("zz.yaml");
    std::os::unix::fs::symlink("nowhere.yaml", &broken).expect("a link");
    std::fs::create_dir(folder.path().join("old.yaml")).expect("a folder");
    let checked = alone(&["rules", "check", &shown(folder.path())]).await;
    let failure = checked.expect_err("a link that leads nowhere");
    assert!(failure.to_string().contains("zz.yaml"), "{failure}");
    std::fs::remove_file(&broken).expect("it is there");
    let checked = alone(&["rules", "check", &shown(folder.path())]).await;
    assert!(checked.is_ok(), "a folder is no file of rules");
}

#[tokio::test]
async fn the_check_knows_the_channels_of_the_settings_and_needs_none_of_their_secrets() {
    let folder = starter_folder();
    let rules = "routes:\n  - name: to-team\n    matchers: ['team=\"x\"']\n    \
                 copy_to: [\"channel/team/#x\"]\n";
    std::fs::write(folder.path().join("zz.yaml"), rules).expect("it is written");
    let settings = folder.path().join("settings.toml");
    let text = "[[channel]]\nname = \"team\"\nkind = \"slack\"\ntoken = \"env:UNSET\"\n";
    std::fs::write(&settings, text).expect("it is written");
    let (folder, settings) = (shown(folder.path()), shown(&settings));
    let code = |report: Report| {
        let faults = report.value["faults"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let codes = faults.iter().map(|fault| fault["code"].clone());
        codes.filter(|code| code == "unknown-channel").count()
    };
    let without = alone(&["rules", "check", &folder]).await.expect("it reads");
    assert_eq!(code(without), 1);
    let with = alone(&["rules", "check", &folder, "--config", &settings])
        .await
        .expect("it reads");
    assert_eq!(code(with), 0);
}

/// A server with revision 4 in force that sees these differences and moves.
async fn server(differences: &Value, moves: &Value) -> Server {
    let server = Server::start().await;
    let applied = samples::change(differences, moves);
    let diff = with(applied.clone(), json!({"revision": 4}));
    server.answers("POST /v1/rules/diff", 200, diff);
    server.answers("PUT /v1/rules", 200, applied);
    server
}

async fn apply(
    words: &[&str],
    server: &Server,
    ask: Option<fn(&str) -> bool>,
) -> Result<Report, Failure> {
    let folder = starter_folder();
    let path = shown(folder.path());
    let words = [&["rules", "apply", &path], words].concat();
    let environment = [
        ("REVEILLE_URL", server.url.as_str()),
        ("REVEILLE_TOKEN", "secret"),
    ];
    run_asked(&words, &environment, ask).await
}

#[tokio::test]
async fn apply_shows_the_difference_and_replaces_only_what_it_compared_with() {
    let server = server(&json!(["user cy is new"]), &json!([])).await;
    let report = apply(&["--yes", "-m", "cy joins"], &server, None)
        .await
        .expect("it is applied");
    assert_eq!(report.text, "user cy is new\nrevision 5 is in force");
    let asked = server.asked();
    let put = asked.last().expect("something was asked");
    assert_eq!(put.line, "PUT /v1/rules?message=cy+joins");
    assert_eq!(put.if_match.as_deref(), Some("\"4\""));
    let files = put.body["files"].as_array().map(Vec::len);
    assert_eq!(files, Some(starter::files().len()));
}

#[tokio::test]
async fn apply_without_a_terminal_needs_yes() {
    let server = server(&json!(["x"]), &json!([])).await;
    let failure = apply(&[], &server, None)
        .await
        .expect_err("nobody can be asked");
    assert_eq!(failure.code(), 2);
    assert_eq!(server.asked(), []);
}

#[tokio::test]
async fn apply_asks_only_when_somebody_else_would_be_on_call_now() {
    let moves = json!([{"schedule": "night", "before": "ana", "after": "bo"}]);
    let no: fn(&str) -> bool = |question| {
        assert!(
            question.contains("schedule night moves from ana to bo"),
            "{question}"
        );
        false
    };
    let never: fn(&str) -> bool = |question| panic!("asked: {question}");
    let moving = server(&json!(["x"]), &moves).await;
    let failure = apply(&[], &moving, Some(no))
        .await
        .expect_err("the answer was no");
    assert_eq!(failure.code(), 1);
    assert!(!moving.lines().iter().any(|line| line.starts_with("PUT")));
    apply(&["--yes"], &moving, Some(never))
        .await
        .expect("yes was given");
    let still = server(&json!(["x"]), &json!([])).await;
    apply(&[], &still, Some(never)).await.expect("nobody moves");
}

#[tokio::test]
async fn apply_of_what_is_in_force_changes_nothing() {
    let server = server(&json!([]), &json!([])).await;
    let report = apply(&["--yes"], &server, None).await.expect("it answers");
    assert_eq!(report.text, "these rules are already in force");
    assert!(!server.lines().iter().any(|line| line.starts_with("PUT")));
}

#[tokio::test]
async fn faults_that_the_server_finds_are_shown_with_the_source_lines_of_the_folder() {
    let server = server(&json!([]), &json!([])).await;
    let first = starter::files().remove(0);
    let fault = json!({"code": "unknown-channel", "severity": "error", "path": first.path,
        "line": 1, "column": 1, "message": "no channel x", "help": "add it"});
    let answer = json!({"detail": "1 error", "code": "invalid_rules", "faults": [fault]});
    server.answers("POST /v1/rules/diff", 400, answer);
    let report = apply(&["--yes"], &server, None)
        .await
        .expect("faults are a report");
    assert_eq!(report.verdict, Verdict::NotSo);
    let line = first.text.lines().next().expect("it has a line");
    assert!(report.text.contains(line), "{}", report.text);
}

#[tokio::test]
async fn a_conflict_is_told_in_the_server_s_words() {
    let server = server(&json!(["x"]), &json!([])).await;
    let detail = "the rules are at revision 6, not 4";
    server.answers("PUT /v1/rules", 409, json!({"detail": detail}));
    let failure = apply(&["--yes"], &server, None)
        .await
        .expect_err("somebody was faster");
    assert_eq!((failure.code(), failure.to_string().as_str()), (1, detail));
}

#[tokio::test]
async fn the_rules_in_force_are_exported_into_a_folder() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    let files = json!([{"path": "a.yaml", "text": "users: {}\n"}]);
    server.answers("GET /v1/rules", 200, samples::rules(&files));
    let path = shown(folder.path());
    let report = run(&["rules", "export", &path], &server)
        .await
        .expect("it is written");
    assert_eq!(report.text, format!("revision 4 is in {path}: a.yaml"));
    let written = std::fs::read_to_string(folder.path().join("a.yaml"));
    assert_eq!(written.ok().as_deref(), Some("users: {}\n"));
}

#[tokio::test]
async fn an_export_says_what_it_is_not() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    let path = shown(folder.path());
    let files = json!([{"path": "a.yaml", "text": "users: {}\n"}]);
    let cases = [
        (json!({"origin": "as_applied", "hashed_keys": 0}), ["", ""]),
        (
            json!({"origin": "written_anew", "hashed_keys": 2}),
            [
                "comments and layout are lost",
                "2 keys are written as their hashes",
            ],
        ),
    ];
    for (fields, parts) in cases {
        let answer = with(samples::rules(&files), fields);
        server.answers("GET /v1/rules", 200, answer);
        let report = run(&["rules", "export", &path], &server)
            .await
            .expect("it is written");
        let parts = parts.iter().filter(|part| !part.is_empty());
        assert_eq!(report.remarks.len(), parts.clone().count());
        for (remark, part) in report.remarks.iter().zip(parts) {
            assert!(remark.contains(part), "{remark}");
        }
    }
}

#[tokio::test]
async fn starter_rules_are_written_only_where_there_are_no_rules() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = shown(&folder.path().join("new"));
    let report = alone(&["rules", "init", &path]).await.expect("it is empty");
    assert!(
        report
            .text
            .contains(&format!("reveille rules check {path}"))
    );
    // All but the day on which the example's rotation begins.
    let is_the_same = |line: &&str| !line.contains("start: ");
    for file in starter::files() {
        let written = std::fs::read_to_string(folder.path().join("new").join(&file.path));
        let written = written.expect("it was written");
        let (written, expected) = (written.lines(), file.text.lines());
        assert!(written.filter(is_the_same).eq(expected.filter(is_the_same)));
    }
    alone(&["rules", "check", &path]).await.expect("it reads");
    let refused = alone(&["rules", "init", &path]).await;
    assert_eq!(refused.map_err(|failure| failure.code()).err(), Some(1));

    let mine = folder.path().join("mine");
    std::fs::create_dir(&mine).expect("it is made");
    std::fs::write(mine.join("own.yml"), "users: {}").expect("it is written");
    alone(&["rules", "init", &shown(&mine)])
        .await
        .expect_err("there are rules of another name");
    assert!(!mine.join("default.yaml").exists());
}

#[tokio::test]
async fn a_label_severity_is_the_severity_unless_one_is_given() {
    let server = Server::start().await;
    server.answers("POST /v1/route", 200, samples::preview(&json!([])));
    let cases: [(&[&str], &str); 2] = [
        (&["--label", "severity=info"], "info"),
        (
            &["--label", "severity=info", "--severity", "error"],
            "error",
        ),
    ];
    for (words, severity) in cases {
        let words = [&["rules", "test"], words].concat();
        run(&words, &server).await.expect("it answers");
        let body = server.asked().last().expect("it was asked").body.clone();
        assert_eq!(body["severity"], severity);
        assert_eq!(body["labels"]["severity"], "info");
    }
}

#[tokio::test]
async fn a_routing_test_posts_the_event_with_its_labels() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("event.json");
    std::fs::write(
        &file,
        r#"{"action":"trigger","summary":"x","labels":{"a":"1"}}"#,
    )
    .expect("it is written");
    let server = Server::start().await;
    server.answers("POST /v1/route", 200, samples::preview(&json!([])));
    let path = shown(&file);
    let words = [
        "rules",
        "test",
        "--event",
        &path,
        "--label",
        "b=2",
        "--severity",
        "info",
        "--at",
        "2026-11-24T00:00:00Z",
        "--integration",
        "native",
    ];
    let report = run(&words, &server).await.expect("it answers");
    assert_eq!(report.text, "no route matches this event");
    let raw = [
        "rules",
        "test",
        "--event",
        &path,
        "--raw",
        "--integration",
        "graf",
    ];
    run(&raw, &server).await.expect("it answers");
    let asked = server.asked();
    assert_eq!(
        asked[0].body,
        json!({"action": "trigger", "summary": "x", "labels": {"a": "1", "b": "2"},
               "severity": "info", "at": "2026-11-24T00:00:00Z", "integration": "native"})
    );
    assert_eq!(asked[1].line, "POST /v1/route?integration=graf&raw=1");
    assert_eq!(asked[1].body["summary"], "x");
}

#[tokio::test]
async fn a_rollback_names_both_revisions() {
    let server = Server::start().await;
    server.answers(
        "POST /v1/rules/rollback",
        200,
        with(
            samples::change(&json!([]), &json!([])),
            json!({"revision": 6}),
        ),
    );
    let report = run(&["rules", "rollback", "3", "--yes"], &server)
        .await
        .expect("it answers");
    assert_eq!(
        report.text,
        "revision 6 is in force, with the rules of revision 3"
    );
    assert_eq!(server.asked()[0].body, json!({"revision": 3}));
}

#[tokio::test]
async fn a_rollback_asks_as_apply_does() {
    let server = Server::start().await;
    let words = ["rules", "rollback", "3"];
    let environment = [
        ("REVEILLE_URL", server.url.as_str()),
        ("REVEILLE_TOKEN", "secret"),
    ];
    run_asked(&words, &environment, None)
        .await
        .expect_err("nobody can be asked");
    assert_eq!(server.asked(), []);

    let files = json!([{"path": "all.yaml", "text": "users: {}"}]);
    let moves = json!([{"schedule": "night", "before": "ana", "after": "bo"}]);
    server.answers("GET /v1/rules/revisions/3", 200, samples::rules(&files));
    server.answers(
        "POST /v1/rules/diff",
        200,
        samples::change(&json!(["schedule night"]), &moves),
    );
    let refuse: fn(&str) -> bool = |_| false;
    run_asked(&words, &environment, Some(refuse))
        .await
        .expect_err("somebody refused");
    let asked = server.asked();
    assert_eq!(asked[1].body, json!({ "files": files }));
    assert_eq!(asked.len(), 2, "nothing is put in force");
}

/// Rules whose people are paged at these web addresses.
fn webhook_rules(addresses: &[&str]) -> String {
    let contacts: Vec<String> = addresses
        .iter()
        .enumerate()
        .map(|(index, address)| format!("c{index}: {{ webhook: \"{address}\" }}"))
        .collect();
    format!(
        "users:\n  ana: {{ contacts: {{ {} }} }}\npolicies:\n  default: {{ steps: [{{ targets: \
         [user/ana] }}] }}\nroute: {{ policy: default }}\n",
        contacts.join(", ")
    )
}

/// What a check says of these addresses under a channel for webhooks, by code.
async fn checked(addresses: &[&str], outbound: &str) -> Vec<(String, String)> {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).expect("it is made");
    std::fs::write(rules.join("a.yaml"), webhook_rules(addresses)).expect("it is written");
    let settings = format!(
        "{outbound}\n[[channel]]\nname = \"hooks\"\nkind = \"webhook\"\nsecret = \"env:S\"\n"
    );
    let config = folder.path().join("reveille.toml");
    std::fs::write(&config, settings).expect("it is written");
    let (config, rules) = (shown(&config), shown(&rules));
    let report = alone(&["--config", &config, "rules", "check", &rules]).await;
    let report = report.expect("it reads");
    let text = |fault: &Value, field: &str| fault[field].as_str().unwrap_or_default().to_owned();
    let faults = report.value["faults"].as_array().expect("a list").clone();
    for fault in &faults {
        assert!(fault["line"].is_u64() && !text(fault, "help").is_empty());
        assert!(!fault.to_string().contains("hush"), "{fault}");
    }
    let faults = faults.iter();
    faults
        .map(|fault| (text(fault, "code"), text(fault, "message")))
        .collect()
}

#[tokio::test]
async fn a_web_address_that_no_page_can_reach_is_found_by_the_check_however_it_is_written() {
    for (address, kind) in [
        ("http://127.0.0.1:9000/x", "a loopback address"),
        ("http://127.1/x", "a loopback address"),
        ("http://2130706433/x", "a loopback address"),
        ("http://0x7f.0.0.1/x", "a loopback address"),
        ("https://[::1]/x", "a loopback address"),
        ("https://[::ffff:10.0.0.1]/x", "a private address"),
        ("https://10.1.2.3", "a private address"),
        ("https://192.168.1.1:8443?q=1", "a private address"),
        ("http://169.254.169.254/latest", "a link-local address"),
        ("https://[fe80::1]/x", "a link-local address"),
        ("http://168.63.129.16/x", "a cloud metadata address"),
    ] {
        let found = checked(&[address], "").await;
        let [(code, message)] = found.as_slice() else {
            panic!("{address}: {found:?}");
        };
        assert_eq!(code, "forbidden-address", "{address}: {message}");
        assert!(message.contains(kind), "{address}: {message}");
    }
    for address in [
        "https://ana:hush@example.com/",
        "https://hush@203.0.114.1/x",
    ] {
        let found = checked(&[address], "").await;
        let [(code, message)] = found.as_slice() else {
            panic!("{address}: {found:?}");
        };
        assert_eq!(code, "bad-address", "{address}: {message}");
    }
    let permitted = [
        "https://example.com/a@b",
        "http://localhost/names-are-not-resolved",
        "https://1.1.1.1/x",
        "http://10.1.2.3/x",
    ];
    let opened = "[outbound]\nallow_networks = [\"10.1.0.0/16\"]";
    assert_eq!(checked(&permitted, opened).await, []);
}
