//! The audit: who changed what, told after a restart as well.

use serde_json::{Value, json};

use super::server::{ON_CALL, Place, Server};

/// The audit, newest first, as actor, action, subject and detail.
async fn audit(server: &Server, query: &str) -> Vec<(u64, String)> {
    let answer = server.get(&format!("/v1/audit{query}")).await;
    let items = answer["items"].as_array().unwrap();
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    items
        .iter()
        .map(|item| {
            let fields = ["action", "subject", "detail"];
            let words = fields.map(|field| text(item, field));
            let actor = text(&item["actor"], "name");
            let told = format!("{actor} | {}", words.join(" | "));
            (item["id"].as_u64().unwrap(), told)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_administrative_act_is_kept_with_its_actor_and_cause() {
    let place = Place::new("", ON_CALL);
    let server = place.start().await;
    let token = place.run(&["token", "create", "--user", "ana", "--role", "admin"]);
    let as_ana = |words: &[&str]| {
        let mut command = place.command(words);
        let output = command
            .env("REVEILLE_TOKEN", token.trim())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {errors}");
    };
    as_ana(&[
        "silence",
        "add",
        "team=\"a\"",
        "--for",
        "1h",
        "--reason",
        "works",
    ]);
    as_ana(&["silence", "expire", "1"]);
    as_ana(&[
        "override",
        "add",
        "night",
        "--user",
        "ana",
        "--until",
        "2090-01-01T00:00:00Z",
    ]);
    as_ana(&["override", "remove", "1"]);
    as_ana(&["key", "create", "native"]);
    as_ana(&["rules", "rollback", "1", "--yes"]);
    let event = json!({"summary": "disk full", "severity": "critical"}).to_string();
    assert_eq!(
        server.post("/v1/events", &server.key, event).await.status(),
        202
    );
    as_ana(&["ack", "1", "--as", "ana"]);
    let refused = json!({"matchers": ["a=\"b\""], "until": "2001-01-01T00:00:00Z", "reason": ""});
    let answer = server.act("/v1/silences", &refused).await;
    assert_eq!(answer.status(), 400, "an act that is refused is none");

    let told = audit(&server, "").await;
    let expected = [
        "Ana Silva | acted_as | user ana | acknowledge #1",
        "Ana Silva | rules_applied | revision 2 | back to revision 1",
        "Ana Silva | key_made | key ",
        "Ana Silva | override_removed | override 1 | of schedule night",
        "Ana Silva | override_added | override 1 | ana is on call on night until \
         2090-01-01T00:00:00Z",
        "Ana Silva | silence_ended | silence 1 | ",
        "Ana Silva | silence_set | silence 1 | team=\"a\" until 2",
        "admin | token_made | token ",
        "reveille | rules_applied | revision 1 | ",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for ((_, told), expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
    assert!(told[6].1.ends_with("Z: works"), "{}", told[6].1);
    let secret = token.trim();
    assert!(!format!("{told:?}").contains(secret), "no secret is in it");
    server.kill();

    let server = place.start().await;
    assert_eq!(audit(&server, "").await, told, "it outlives the process");
    let answer = server.act("/v1/integrations/native/keys", &json!({})).await;
    assert_eq!(answer.status(), 201);
    let newest = audit(&server, "?limit=2").await;
    assert_eq!(newest[0].0, told[0].0 + 1);
    assert_eq!(newest[1], told[0]);
    let older = audit(&server, &format!("?limit=2&cursor={}", newest[1].0)).await;
    assert_eq!(older, told[1..3]);
}
