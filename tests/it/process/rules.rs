//! Rules as files: written by `init`, put in force, and given back as they were.

use std::fs;

use serde_json::{Value, json};

use super::server::{ONE_PERSON, Place};

const KEY: &str = "a-key-that-nobody-may-read";
/// Its hash.
const HASH: &str = "sha256:";

/// Rules as people write them: comments, layout and line breaks of their own, and a key in clear.
fn with_a_key() -> String {
    let native = format!("native: {{ format: native,   key: {KEY} }}   # until the vault is there");
    let rules = ONE_PERSON.replace("native: { format: native }", &native);
    format!("# Ours.\r\n{rules}\n\n# the end")
}

fn exported(place: &Place, folder: &str) -> String {
    place.run(&["rules", "export", folder, "--force"]);
    fs::read_to_string(place.path().join(folder).join("all.yaml")).unwrap()
}

fn hash_in(text: &str) -> &str {
    let start = text.find(HASH).expect("a hash");
    &text[start..start + HASH.len() + 64]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_gives_back_the_files_byte_for_byte_without_keys_in_clear() {
    let place = Place::new("", &with_a_key());
    let server = place.start().await;
    let event = || "{\"summary\":\"a\"}".to_owned();
    assert_eq!(server.post("/v1/events", KEY, event()).await.status(), 202);

    let first = exported(&place, "out");
    assert_eq!(first.replace(hash_in(&first), KEY), with_a_key());
    let told = place.run(&["rules", "export", "out", "--output", "json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["origin"], &told["hashed_keys"]),
        (&json!("as_applied"), &json!(1))
    );
    for folder in ["rules", "out"] {
        let told = place.run(&["rules", "diff", folder]);
        assert_eq!(told, "no differences from the rules in force\n", "{folder}");
    }

    // Comments alone are a change of the text, and the key goes on to open its integration.
    fs::write(
        place.path().join("out/all.yaml"),
        format!("{first}\n# more"),
    )
    .unwrap();
    let told = place.run(&["rules", "apply", "out", "--yes"]);
    assert!(told.starts_with("file all.yaml: only comments"), "{told}");
    assert_eq!(exported(&place, "second"), format!("{first}\n# more"));
    assert_eq!(server.post("/v1/events", KEY, event()).await.status(), 202);

    place.run(&["rules", "rollback", "1", "--yes"]);
    assert_eq!(exported(&place, "third"), first);
    server.kill();
    let server = place.start().await;
    assert_eq!(exported(&place, "fourth"), first);
    assert_eq!(server.post("/v1/events", KEY, event()).await.status(), 202);
    assert!(!holds(&place.path().join("data"), KEY.as_bytes()));
}

/// Whether the bytes stand in a file of the folder or of one in it.
fn holds(folder: &std::path::Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, bytes);
        }
        let text = fs::read(&path).unwrap();
        text.windows(bytes.len()).any(|part| part == bytes)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_in_json_come_back_as_the_same_json_and_in_yaml_as_the_same_yaml() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let put = async |body: &str| {
        let request = crate::harness::http::client().put(format!("{}/v1/rules", server.url));
        let request = request.bearer_auth(&server.token).body(body.to_owned());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        server.get("/v1/rules").await["files"][0]["text"].clone()
    };
    let document = r#"{ "users": {"ana": {"contacts": {"mail": {"email": "ana@example.com"}}}},
        "policies": {"default": {"steps": [{"targets": ["user/ana"]}]}},
        "route": {"policy":"default"} }"#;
    assert_eq!(put(document).await, document);
    let document = format!("# Ours\n{ONE_PERSON}");
    assert_eq!(put(&document).await, json!(document));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_made_by_init_is_what_a_first_start_uses() {
    let place = Place::new("", ONE_PERSON);
    fs::remove_dir_all(place.path().join("rules")).unwrap();
    let _server = place.start().await;
    let told = place.run(&["rules", "init", "mine"]);
    assert!(told.contains("reveille rules check mine"), "{told}");
    let told = place.run(&["rules", "diff", "mine"]);
    assert_eq!(told, "no differences from the rules in force\n");
    let again = place.command(&["rules", "init", "mine"]).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(
        said.contains("mine already contains rules (default.yaml)"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_severity_decides_on_the_urgency_in_a_test_as_in_an_event() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    for (severity, urgency) in [("critical", "high"), ("info", "low")] {
        let label = format!("severity={severity}");
        let told = place.run(&["rules", "test", "--label", &label]);
        assert!(told.contains(&format!("urgency  {urgency}")), "{told}");
        let event = json!({"summary": severity, "labels": {"severity": severity}});
        let answer = server
            .post("/v1/events", &server.key, event.to_string())
            .await;
        let answer: Value = answer.json().await.unwrap();
        let number = &answer["receipts"][0]["incident"];
        let incident = server.get(&format!("/v1/incidents/{number}")).await;
        assert_eq!(incident["urgency"], urgency, "{incident}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_by_a_viewer_tells_nothing_about_files_and_variables_of_the_server() {
    let place = Place::new("", ONE_PERSON).with_variable("SET_KEY", "short");
    let server = place.start().await;
    let token = |role: &str| {
        let words = ["token", "create", "--name", role, "--role", role];
        place.run(&words).trim().to_owned()
    };
    let check = async |path: &str, token: &str, reference: &str| {
        let integration = format!("pager: {{ format: pagerduty, key: \"{reference}\" }}");
        let rules = ONE_PERSON.replace("native: { format: native }", &integration);
        let answer = server.post(path, token, rules).await;
        answer.text().await.unwrap()
    };
    let existing = format!("file:{}", place.path().join("reveille.toml").display());
    let references = ["env:SET_KEY", "env:NO_KEY", &existing, "file:/nowhere"];
    for (role, path) in [
        ("viewer", "/v1/rules/check"),
        ("responder", "/v1/rules/diff"),
    ] {
        let token = token(role);
        let first = check(path, &token, references[0]).await;
        for reference in references {
            let told = check(path, &token, reference).await;
            let told = told.replace(reference, references[0]);
            assert_eq!(told, first, "{role} with {reference}");
            assert!(!told.contains("key-unset"), "{told}");
        }
    }
    let told = check("/v1/rules/check", &token("admin"), "env:NO_KEY").await;
    assert!(told.contains("key-unset"), "{told}");
}
