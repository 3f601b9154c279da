//! How a process starts and ends.

use serde_json::json;

use super::server::{ONE_PERSON, Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_on_the_same_directory_is_told_who_has_it_and_the_first_goes_on() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let second = place
        .command(&["serve", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let errors = String::from_utf8(second.stderr).unwrap();
    let pid = server.pid().as_raw_nonzero();
    let told = format!("is in use by another process (pid {pid})");
    assert!(errors.contains(&told), "{errors}");

    let event = json!({"summary": "disk full", "severity": "critical"}).to_string();
    let answer = server.post("/v1/events", &server.key, event).await;
    assert_eq!(answer.status(), 202);
    server.kill();
    let server = place.start().await;
    assert_eq!(server.get("/v1/incidents/1").await["title"], "disk full");
    assert!(server.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_ends_well_and_the_next_one_goes_on() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let event = json!({"summary": "disk full", "severity": "critical"}).to_string();
    let answer = server.post("/v1/events", &server.key, event).await;
    assert_eq!(answer.status(), 202);
    assert!(server.stop().await.success());

    let server = place.start().await;
    let incident = server.get("/v1/incidents/1").await;
    assert_eq!(incident["status"], "triggered");
    assert_eq!(incident["title"], "disk full");
    let answer = server.act("/v1/incidents/1/acknowledge", &json!({})).await;
    assert!(answer.status().is_success());
    server.kill();

    let server = place.start().await;
    assert_eq!(
        server.get("/v1/incidents/1").await["status"],
        "acknowledged"
    );
    let explained = place.run(&["explain", "1"]);
    assert!(
        explained.contains("admin acknowledged via api"),
        "{explained}"
    );
    assert!(!place.log().contains("ERROR"), "{}", place.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_stopped_as_soon_as_it_listens_ends_in_order() {
    let place = Place::new("", ONE_PERSON);
    for _ in 0..3 {
        let server = place.start().await;
        let ended = server.stop().await;
        assert!(ended.success(), "{ended}\n{}", place.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_with_faults_end_the_first_start_with_all_of_them() {
    let place = Place::new("", "route:\n  policy: nobody-knows\nusers: 7\n");
    let output = place.command(&["serve"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("all.yaml:2:"), "{errors}");
    assert!(errors.contains("all.yaml:3:"), "{errors}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn channels_that_cannot_work_end_the_start_with_each_of_them() {
    let gateway = |name: &str, more: &str| {
        format!(
            "[[channel]]\nname = \"{name}\"\nkind = \"sms_webhook\"\n\
             url = \"https://gateway.example/send\"\n{more}\n"
        )
    };
    let settings = [
        gateway("one", "headers = { \"bad name\" = \"x\" }"),
        gateway("two", "body = \"{{\""),
    ];
    let place = Place::new(&settings.concat(), ONE_PERSON);
    let output = place.command(&["serve"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    for channel in ["channel one: ", "channel two: "] {
        assert!(errors.contains(channel), "{errors}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_input_is_named_and_later_good_input_is_unaffected() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("{{\"summary\":\"{}\"}}", "x".repeat(10 * 1024 * 1024));
    let refused = [
        ("{", 400),
        ("", 400),
        ("7", 400),
        ("{\"action\":\"resolve\"}", 400),
        ("{\"action\":5}", 400),
        ("\u{0}\u{1}", 400),
        (deep.as_str(), 400),
        (large.as_str(), 413),
    ];
    for (body, status) in refused {
        let answer = server
            .post("/v1/events", &server.key, body.to_owned())
            .await;
        let start: String = body.chars().take(40).collect();
        assert_eq!(answer.status(), status, "{start}");
        assert!(
            answer.headers()["content-type"]
                .to_str()
                .unwrap()
                .contains("problem+json")
        );
    }
    let answer = server.post("/v1/events", "wrong", "{}".to_owned()).await;
    assert_eq!(answer.status(), 401);

    let hostile = json!({
        "summary": "line\r\nBcc: x <!channel> <script>alert(1)</script> \u{202e}",
        "labels": {"a\u{0}b": "<img src=x onerror=alert(1)>"},
        "severity": "critical",
    });
    let answer = server
        .post("/v1/events", &server.key, hostile.to_string())
        .await;
    assert_eq!(answer.status(), 202);
    let good = json!({"summary": "good", "severity": "critical"}).to_string();
    let answer = server.post("/v1/events", &server.key, good).await;
    assert_eq!(answer.status(), 202);
    assert!(!place.log().contains("panic"), "{}", place.log());
}
