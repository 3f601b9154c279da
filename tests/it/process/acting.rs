//! Who acknowledges: one's own incidents, many at once, and an admin in the name of somebody.

use serde_json::{Value, json};

use super::server::{Place, Server};

const RULES: &str = "
users:
  ana:
    full_name: Ana Silva
    contacts:
      mail: { email: ana@example.com }
  bo:
    full_name: Bo Chen
    contacts:
      mail: { email: bo@example.com }
policies:
  default:
    steps:
      - { targets: [user/ana], wait: 1h }
  other:
    steps:
      - { targets: [user/bo], wait: 1h }
integrations:
  native: { format: native }
route:
  policy: default
  routes:
    - name: of-bo
      matchers: ['team=\"bo\"']
      policy: other
";

/// Opens an incident of its own.
async fn open(server: &Server, summary: &str, team: &str) -> u64 {
    let event = json!({"summary": summary, "severity": "critical", "labels": {"team": team}});
    let answer = server
        .post("/v1/events", &server.key, event.to_string())
        .await;
    assert_eq!(answer.status(), 202);
    let answer: Value = answer.json().await.unwrap();
    answer["receipts"][0]["incident"].as_u64().unwrap()
}

fn output_of(place: &Place, token: &str, words: &[&str]) -> (Option<i32>, String, String) {
    let output = place
        .command(words)
        .env("REVEILLE_TOKEN", token)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_acknowledges_in_the_name_of_somebody_and_nobody_else_may() {
    let place = Place::new("", RULES);
    let server = place.start().await;
    open(&server, "disk full", "").await;
    let body = json!({"numbers": [1], "as": "ana"});

    let responder = place.run(&["token", "create", "--user", "bo", "--role", "responder"]);
    let (code, _, errors) = output_of(&place, responder.trim(), &["ack", "1", "--as", "ana"]);
    assert_eq!(code, Some(3), "{errors}");
    assert!(
        errors.contains("only an admin may act as somebody else"),
        "{errors}"
    );

    let unknown = json!({"numbers": [1], "as": "nobody"});
    let answer = server.act("/v1/incidents/acknowledge", &unknown).await;
    assert_eq!(answer.status(), 404);

    let answer = server.act("/v1/incidents/acknowledge", &body).await;
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["results"][0]["result"], "done");
    let ana = json!({"user": "ana", "name": "Ana Silva", "via": "api"});
    assert_eq!(answer["results"][0]["acknowledged_by"], ana);
    let (_, shown, _) = output_of(&place, &server.token, &["incidents", "--user", "ana"]);
    assert!(shown.contains("disk full"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_way_in_takes_a_silence_over_everything_by_accident_or_one_that_is_too_long() {
    let place = Place::new("silence_max = \"2h\"\n", RULES);
    let server = place.start().await;
    let add = |matcher: &str, length: &str, more: &[&str]| {
        let words = ["silence", "add", matcher, "--for", length, "--reason", "x"];
        output_of(&place, &server.token, &[&words, more].concat())
    };
    let (code, _, errors) = add("team=", "1h", &[]);
    assert_ne!(code, Some(0));
    assert!(errors.contains("--everything"), "{errors}");
    let (code, _, errors) = add("team=a", "3h", &[]);
    assert_ne!(code, Some(0));
    assert!(errors.contains("silence_max"), "{errors}");
    let (code, _, errors) = add("team=", "1h", &["--everything"]);
    assert_eq!(code, Some(0), "{errors}");

    let shown = server.get("/v1/silences/1").await;
    let posted = |value: &str, ends_at: &Value, everything: bool| {
        json!({
            "matchers": [{"name": "team", "value": value, "isRegex": false}],
            "startsAt": shown["from"], "endsAt": ends_at, "createdBy": "bo", "comment": "x",
            "everything": everything,
        })
    };
    let late = json!("2999-01-01T00:00:00Z");
    let cases = [
        (
            "/v1/silences",
            json!({"matchers": ["team="], "for": "1h"}),
            "everything",
        ),
        (
            "/v1/silences",
            json!({"matchers": [], "for": "1h"}),
            "everything",
        ),
        (
            "/v1/silences",
            json!({"matchers": ["team=a"], "for": "3h"}),
            "silence_max",
        ),
        (
            "/api/v2/silences",
            posted("", &shown["until"], false),
            "everything",
        ),
        ("/api/v2/silences", posted("a", &late, false), "silence_max"),
    ];
    for (path, body, said) in cases {
        let answer = server.act(path, &body).await;
        assert_eq!(answer.status(), 400, "{path} {body}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer.is_string(), path.starts_with("/api/v2"), "{answer}");
        assert!(answer.to_string().contains(said), "{answer}");
    }
    let meant = [
        ("/v1/silences", json!({"everything": true, "for": "1h"})),
        ("/api/v2/silences", posted("", &shown["until"], true)),
    ];
    for (path, body) in meant {
        let answer = server.act(path, &body).await;
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn differences_name_the_override_and_the_incident_of_somebody_who_is_removed() {
    let duty = "schedules: { duty: { time_zone: UTC, layers: [{ users: [ana] }] } }\n";
    let place = Place::new("", &format!("{RULES}{duty}"));
    let server = place.start().await;
    open(&server, "queue full", "bo").await;
    for user in ["bo", "nobody"] {
        let new = json!({"user": user, "for": "8h"});
        let answer = server.act("/v1/schedules/duty/overrides", &new).await;
        assert_eq!(answer.status(), 201, "{user}");
    }
    let unknown = json!({"user": "dan", "for": "8h"});
    let answer = server.act("/v1/schedules/duty/overrides", &unknown).await;
    assert_eq!(answer.status(), 404);

    let gone =
        "  bo:\n    full_name: Bo Chen\n    contacts:\n      mail: { email: bo@example.com }\n";
    let rules = RULES.replace(gone, "").replace("user/bo", "user/ana");
    std::fs::write(
        place.path().join("rules/all.yaml"),
        format!("{rules}{duty}"),
    )
    .unwrap();
    for command in [&["rules", "diff"][..], &["rules", "apply", "--yes"]] {
        let (code, out, errors) = output_of(&place, &server.token, command);
        assert!(code < Some(2), "{errors}");
        for said in [
            "override 1 of schedule duty names bo, who is removed",
            "step 1 of policy other, which #1 pinned, names user/bo",
        ] {
            assert!(out.contains(said), "{command:?}: {out} {errors}");
        }
    }
    let shown = server.get("/v1/oncall").await;
    let duty = &shown["schedules"][0];
    assert_eq!(duty["passed_over"][0]["user"], "bo", "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_who_did_something_is_named_in_one_form_and_alertmanagers_api_keeps_its_own() {
    let place = Place::new("", RULES);
    let server = place.start().await;
    open(&server, "disk full", "").await;
    let token = place.run(&["token", "create", "--user", "ana", "--role", "admin"]);
    let token = token.trim();
    let post = |path: &'static str, body: Value| {
        let answer = server.post(path, token, body.to_string());
        async move {
            let answer = answer.await;
            assert!(answer.status().is_success(), "{path}: {}", answer.status());
        }
    };
    post("/v1/incidents/1/notes", json!({"text": "looking"})).await;
    post("/v1/incidents/1/snooze", json!({"for": "1h"})).await;
    post("/v1/incidents/1/resolve", json!({})).await;
    post(
        "/v1/incidents",
        json!({"to": "user/ana", "text": "call me"}),
    )
    .await;
    let silence = json!({"matchers": ["a=\"b\""], "for": "1h", "reason": "works"});
    post("/v1/silences", silence).await;
    post("/v1/integrations/native/keys", json!({})).await;
    post("/v1/rules/rollback", json!({"revision": 1})).await;

    let ana = json!({"user": "ana", "name": "Ana Silva", "via": "api"});
    let incident = server.get("/v1/incidents/1").await;
    let timeline = server.get("/v1/incidents/1/timeline").await;
    let timeline = timeline["items"].as_array().unwrap();
    let act_of = |reason: &str| {
        let mut entries = timeline.iter();
        let entry = entries.find(|entry| entry["reason"] == reason);
        entry.unwrap_or_else(|| panic!("no {reason}"))["actor"].clone()
    };
    let silences = server.get("/v1/silences").await;
    let audit = server.get("/v1/audit").await;
    let revisions = server.get("/v1/rules/revisions").await;
    let keys = server.get("/v1/integrations/native/keys").await;
    let keys = keys["items"].as_array().unwrap();
    let by_hand = server.get("/v1/incidents/2").await;
    let named = [
        ("acknowledged_by", &incident["acknowledged_by"]),
        ("resolved_by", &incident["resolved_by"]),
        ("note", &incident["notes"][0]["by"]),
        ("timeline: note", &act_of("noted")),
        ("timeline: snooze", &act_of("snoozed")),
        ("timeline: resolve", &act_of("resolved_by_person")),
        ("opened_by", &by_hand["opened_by"]),
        ("silence", &silences["items"][0]["created_by"]),
        ("audit", &audit["items"][0]["actor"]),
        ("revision", &revisions["items"][0]["author"]),
        ("key", &keys[keys.len() - 1]["created_by"]),
    ];
    for (what, actor) in named {
        assert_eq!(*actor, ana, "{what}");
    }
    let machine = json!({"user": null, "name": "reveille", "via": "router"});
    assert_eq!(revisions["items"][1]["author"], machine);
    let paged = timeline
        .iter()
        .find(|entry| entry["reason"] == "step_started");
    assert_eq!(paged.unwrap()["policy"], "default");
    let theirs = server.get("/api/v2/silences").await;
    assert_eq!(theirs[0]["createdBy"], "Ana Silva");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mine_takes_what_pages_me_and_each_number_is_told_on_its_own() {
    let place = Place::new("", RULES);
    let server = place.start().await;
    open(&server, "disk full", "").await;
    open(&server, "queue full", "bo").await;
    open(&server, "memory full", "bo").await;
    let token = place.run(&["token", "create", "--user", "bo", "--role", "responder"]);
    let token = token.trim();

    let (code, out, errors) = output_of(&place, token, &["ack", "--mine"]);
    assert_eq!(code, Some(0), "{errors}");
    assert_eq!(out.trim(), "#3 is acknowledged\n#2 is acknowledged");
    let first = server.get("/v1/incidents/1").await;
    assert_eq!(first["status"], "triggered", "it pages ana");

    let none = json!({"numbers": [0]});
    let answer = server.act("/v1/incidents/acknowledge", &none).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(
        answer["results"][0]["result"], "not_found",
        "they begin with 1"
    );
    let answer = server.act("/v1/incidents/2/resolve", &json!({})).await;
    assert!(answer.status().is_success());
    let (code, out, _) = output_of(&place, token, &["ack", "2", "99", "1"]);
    assert_eq!(code, Some(1), "not all of it is so");
    assert_eq!(
        out.trim(),
        "#2 is resolved; nothing changed\nno incident #99\n#1 is acknowledged"
    );
}
