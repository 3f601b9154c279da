//! The audit: who changed what, told after a restart as well, and whether somebody changed that.

use reveille::store::{Batch, DocumentKind, DocumentWrite, Options, Partition, SledStore, Store};
use serde_json::{Value, json};

use super::server::{ON_CALL, Place, Server};
use crate::harness::http::client;

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

/// What `audit verify` says, and whether all is well.
fn verified(place: &Place, arguments: &[&str]) -> (bool, String) {
    let words = [&["audit", "verify"], arguments].concat();
    let output = place.command(&words).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "", "{words:?}");
    let code = output.status.code().unwrap();
    assert!(code <= 1, "{words:?}: {code}");
    (code == 0, String::from_utf8(output.stdout).unwrap())
}

fn last_hash(place: &Place) -> String {
    let said = place.run(&["--output", "json", "audit", "verify"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    said["last_hash"].as_str().unwrap().to_owned()
}

/// So many acts of three kinds at the same time: some are known to the engine, some are not.
async fn act_at_once(server: &Server, acts: usize) {
    let silence = json!({"matchers": ["a=\"b\""], "for": "1h", "reason": "works"});
    let acts = (0..acts).map(|number| {
        let (url, token) = (server.url.clone(), server.token.clone());
        let (path, body) = match number % 3 {
            0 => ("/v1/integrations/native/keys", json!({})),
            1 => ("/v1/tokens", json!({"name": "script", "role": "viewer"})),
            _ => ("/v1/silences", silence.clone()),
        };
        tokio::spawn(async move {
            let request = client().post(format!("{url}{path}")).bearer_auth(token);
            request.json(&body).send().await.unwrap().status()
        })
    });
    for act in acts.collect::<Vec<_>>() {
        assert_eq!(act.await.unwrap(), 201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acts_at_the_same_time_make_one_chain_that_goes_on_after_a_restart() {
    let place = Place::new("", ON_CALL);
    let server = place.start().await;
    act_at_once(&server, 30).await;
    let (is_whole, said) = verified(&place, &[]);
    assert!(is_whole, "{said}");
    assert!(said.starts_with("31 entries from "), "{said}");
    let noted = last_hash(&place);
    server.kill();

    let server = place.start().await;
    act_at_once(&server, 6).await;
    let (is_whole, said) = verified(&place, &["--expect", &noted]);
    assert!(is_whole, "{said}");
    assert!(said.starts_with("37 entries from "), "{said}");
    assert!(said.ends_with("entry 31 has the expected hash\n"), "{said}");
}

/// The stored entries by their names, oldest first.
type Stored = Vec<(String, Vec<u8>)>;

/// Somebody changes the stored entries of a router that does not run.
fn tamper(place: &Place, change: impl FnOnce(&mut Stored)) {
    let store = SledStore::open(&place.path().join("data"), Options::default()).unwrap();
    let mut stored = store.documents(DocumentKind::Audit, None, 100).unwrap();
    stored.reverse();
    let before = stored.iter().map(|(name, _)| write(name, None));
    let mut documents: Vec<DocumentWrite> = before.collect();
    change(&mut stored);
    documents.extend((stored.iter()).map(|(name, bytes)| write(name, Some(bytes.clone()))));
    let batch = Batch {
        documents,
        ..Batch::default()
    };
    let epoch = store.claim(Partition(0)).unwrap();
    store.commit(Partition(0), epoch, &batch).unwrap();
}

fn write(name: &str, bytes: Option<Vec<u8>>) -> DocumentWrite {
    DocumentWrite {
        kind: DocumentKind::Audit,
        name: name.to_owned(),
        bytes,
    }
}

/// What is said of a log of six entries that was changed so while the router did not run.
async fn said_of(change: impl FnOnce(&mut Stored), logs: Option<&str>) -> (String, String) {
    let place = Place::new("", ON_CALL);
    let server = place.start().await;
    act_at_once(&server, 5).await;
    let noted = last_hash(&place);
    server.kill();
    tamper(&place, change);
    if let Some(line) = logs {
        place.expects_error(line);
    }
    let server = place.start().await;
    let (_, said) = verified(&place, &[]);
    let (is_whole, expected) = verified(&place, &["--expect", &noted]);
    assert!(!is_whole, "{expected}");
    server.kill();
    (said, expected)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entries_that_were_changed_removed_or_cut_off_in_the_store_are_noticed() {
    let change = |stored: &mut Stored| {
        let bytes = &mut stored[2].1;
        let at = bytes
            .windows(6)
            .position(|part| part == b"\"admin")
            .unwrap();
        bytes[at + 1] = b'A';
    };
    let (said, _) = said_of(change, None).await;
    assert_eq!(said, "entry 3 was changed\n");

    let remove = |stored: &mut Stored| drop(stored.remove(2));
    let (said, _) = said_of(remove, None).await;
    assert!(said.starts_with("entry 3 is missing"), "{said}");

    let swap = |stored: &mut Stored| {
        let (one, other) = (stored[1].1.clone(), stored[2].1.clone());
        (stored[1].1, stored[2].1) = (other, one);
    };
    let left_out = "an audit entry cannot be read and is left out";
    let (said, _) = said_of(swap, Some(left_out)).await;
    assert!(
        said.starts_with("entries 2 to 3 are missing or cannot be read"),
        "{said}"
    );

    let (said, expected) = said_of(|stored| stored.truncate(4), None).await;
    assert!(
        said.starts_with("4 entries from "),
        "nobody noted a hash: {said}"
    );
    assert!(
        expected.contains("no entry has the expected hash"),
        "{expected}"
    );
}
