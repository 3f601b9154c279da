//! The first start: what it shows once, and what it leaves when it fails.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;

use super::server::{ONE_PERSON, Place, read_lines};

/// Starts the router and stops it once it has greeted; the answer is what it printed.
async fn greeting(place: &Place) -> String {
    let mut command = place.command(&["serve"]);
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = read_lines(child.stdout.take().unwrap());
    let mut said = String::new();
    loop {
        let line = lines.next("line of the greeting").await;
        assert_ne!(line, "the router ended", "{said}");
        let is_first = said.is_empty();
        said.push_str(&line);
        said.push('\n');
        let is_short = is_first && !place.path().join("data/first-key").exists();
        if line.contains("reveille explain 1") || is_short {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    said
}

/// Starts the router, which ends at once; the answer is what it says of it.
fn failure(place: &Place) -> String {
    let output = place.command(&["serve"]).output().unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_that_fails_takes_nothing_from_the_next_one() {
    let place = Place::new("", ONE_PERSON);
    let data = place.path().join("data");
    for setting in ["listen", "listen_public", "listen_status"] {
        let busy = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = busy.local_addr().unwrap().to_string();
        let variable = format!("REVEILLE_{}", setting.to_uppercase());
        let mut command = place.command(&["serve"]);
        let output = command.env(variable, &address).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{setting}");
        assert!(
            said.contains(&format!("failed to listen on {address}")),
            "{said}"
        );
        assert!(!data.exists(), "{setting}: nothing is left");
    }

    let rules = place.path().join("rules/all.yaml");
    fs::write(&rules, "users: 7\n").unwrap();
    let said = failure(&place);
    assert!(said.contains("users"), "{said}");
    assert!(
        !data.join("admin-token").exists(),
        "no token before it is shown"
    );
    assert!(
        !data.join("first-key").exists(),
        "no key before it is shown"
    );

    fs::write(&rules, ONE_PERSON).unwrap();
    let said = greeting(&place).await;
    let token = fs::read_to_string(data.join("admin-token")).unwrap();
    let key = fs::read_to_string(data.join("first-key")).unwrap();
    assert!(said.contains(token.trim()), "{said}");
    assert!(said.contains(&format!("Bearer {}", key.trim())), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_that_the_starter_rules_wait_for_are_one_friendly_line() {
    let place = Place::new("", ONE_PERSON);
    fs::remove_dir_all(place.path().join("rules")).unwrap();
    for start in 1..=2 {
        let server = place.start().await;
        assert!(server.stop().await.success());
        let log = place.log();
        assert!(!log.contains("key-unset"), "{log}");
        let told = log.lines().filter(|line| line.contains("have no key yet"));
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), start, "{log}");
        assert!(told.iter().all(|line| line.contains("\"INFO\"")), "{log}");
    }
}
