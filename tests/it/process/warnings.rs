//! What a start warns of: keys that are not set, keys that senders refuse, a repaired database.

use std::fs;

use super::server::{MAIL, Place, one_person};

const INTEGRATIONS: &str = "  native: { format: native }
  billing: { format: native, key: env:BILLING_KEY }
  pager: { format: pagerduty, key: env:PAGER_KEY }
";

fn rules() -> String {
    one_person(MAIL, INTEGRATIONS)
}

/// Warnings of the log that tell of this.
fn warnings(place: &Place, about: &str) -> Vec<String> {
    let log = place.log();
    let lines = log.lines().filter(|line| line.contains("\"WARN\""));
    lines
        .filter(|line| line.contains(about))
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_not_set_is_warned_of_at_each_start_with_what_follows() {
    let place = Place::new("", &rules()).with_variable("PAGER_KEY", "short");
    let server = place.start().await;
    let told = warnings(&place, "env:BILLING_KEY");
    assert_eq!(told.len(), 1, "{}", place.log());
    assert!(told[0].contains("requests get 401"), "{}", told[0]);
    for (code, words) in [
        ("key-length", "the key of pager has 5 characters"),
        (
            "weak-key",
            "the key env:PAGER_KEY of pager has 5 characters and needs 20",
        ),
    ] {
        let told = warnings(&place, &format!("warning[{code}]"));
        assert_eq!(told.len(), 1, "{}", place.log());
        assert!(told[0].contains(words), "{}", told[0]);
    }
    assert!(!place.log().contains("\"short\""), "no key is in the log");

    let key = place.run(&["key", "create", "billing"]);
    let answer = server.post("/v1/events", key.trim(), "{\"summary\":\"a\"}".to_owned());
    assert_eq!(answer.await.status(), 202);
    assert!(server.stop().await.success());
    let server = place.start().await;
    let told = warnings(&place, "env:BILLING_KEY");
    assert_eq!(told.len(), 2, "{}", place.log());
    let words = "only keys from `reveille key create` work";
    assert!(
        told[1].contains(words) && !told[1].contains("401"),
        "{}",
        told[1]
    );
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repaired_database_is_warned_of_with_the_place_of_its_copy() {
    let place = Place::new("", &rules());
    for _ in 0..2 {
        let server = place.start().await;
        assert!(server.stop().await.success());
    }
    assert_eq!(warnings(&place, "repaired"), Vec::<String>::new());
    let database = place.path().join("data/db");
    let snapshot = fs::read_dir(&database).unwrap().flatten().find(|file| {
        let name = file.file_name();
        name.as_encoded_bytes().starts_with(b"snap.")
    });
    let snapshot = snapshot.expect("sled keeps a snapshot").path();
    let mut bytes = fs::read(&snapshot).unwrap();
    let half = bytes.len() / 2;
    bytes[half] ^= 0xff;
    fs::write(&snapshot, &bytes).unwrap();

    let server = place.start().await;
    let told = warnings(&place, "repaired");
    assert_eq!(told.len(), 1, "{}", place.log());
    assert!(told[0].contains("data/db.damaged"), "{}", told[0]);
    assert!(place.path().join("data/db.damaged").exists());
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_of_the_time_zones_is_shown_and_one_older_than_the_system_s_is_warned_of() {
    let system = tempfile::TempDir::new().unwrap();
    fs::write(system.path().join("tzdata.zi"), "# version 2999a\n").unwrap();
    let folder = system.path().display().to_string();
    let place = Place::new("", &rules()).with_variable("TZDIR", &folder);
    let server = place.start().await;

    let health = server.get("/healthz").await;
    let shown = health["time_zones"].as_str().unwrap().to_owned();
    let version = shown.strip_suffix(" (bundled)").unwrap();
    assert!(place.run(&["--version"]).contains(version));
    assert!(
        place
            .log()
            .contains(&format!("\"time_zones.version\":\"{shown}\"")),
        "{}",
        place.log()
    );
    let told = warnings(&place, "old-time-zones");
    assert_eq!(told.len(), 1, "{}", place.log());
    assert!(
        told[0].contains("2999a") && told[0].contains(version),
        "{}",
        told[0]
    );

    let check = place.run(&["rules", "check"]);
    assert!(check.contains(&format!("time zones {shown}")), "{check}");
    assert!(
        check.contains("old-time-zones") && check.contains("2999a"),
        "{check}"
    );
    assert!(server.stop().await.success());

    // The system's database is asked for and has no zones.
    let place = place.with_variable("REVEILLE_TIME_ZONES", "system");
    let server = place.start().await;
    assert_eq!(
        server.get("/healthz").await["time_zones"],
        health["time_zones"]
    );
    assert_eq!(warnings(&place, "there are no time zones in").len(), 1);
    assert!(server.stop().await.success());
}
