//! Keys and tokens from the command line: made, seen in use, revoked.

use super::server::{ONE_PERSON, Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_replaced_by_a_new_one_and_the_old_one_is_revoked_by_its_id() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let listed = || {
        let text = place.run(&["key", "list", "--output", "json"]);
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        answer["items"].as_array().unwrap().clone()
    };
    let make = |name: &str| {
        let key = place.run(&["key", "create", "native", "--name", name]);
        key.trim().to_owned()
    };
    let post = async |key: &str| {
        let event = "{\"summary\":\"a\"}".to_owned();
        let answer = server.post("/v1/events", key, event).await;
        answer.status().as_u16()
    };
    let old = make("before");
    let new = make("after");
    let of = |name: &str| {
        let mut keys = listed().into_iter();
        let key = keys.find(|key| key["name"] == name);
        key.unwrap_or_else(|| panic!("no key {name}"))
    };
    assert!(of("after")["last_used"].is_null());
    assert_eq!(post(&new).await, 202);
    assert!(of("after")["last_used"].is_string());
    assert!(of("before")["last_used"].is_null());
    assert_eq!(of("before")["integration"], "native");

    let id = of("before")["id"].as_str().unwrap().to_owned();
    place.run(&["key", "revoke", &id]);
    assert_eq!(post(&old).await, 401);
    assert_eq!(post(&new).await, 202);
    assert!(listed().iter().all(|key| key["name"] != "before"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_without_a_user_acts_under_its_own_name() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let words = ["token", "create", "--name", "terraform", "--role", "admin"];
    let token = place.run(&words);
    let silence = "{\"matchers\":[\"a=b\"],\"for\":\"1h\",\"reason\":\"works\"}".to_owned();
    let answer = server.post("/v1/silences", token.trim(), silence).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    let silences = server.get("/v1/silences").await;
    let by = serde_json::json!({"user": null, "name": "terraform", "via": "api"});
    assert_eq!(silences["items"][0]["created_by"], by);
    let tokens = server.get("/v1/tokens").await;
    assert!(tokens["items"][0]["last_used"].is_string(), "{tokens}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_the_rules_loses_the_role_of_their_token_with_the_next_request() {
    let bo = "  bo:\n    full_name: Bo Lind\n    contacts: { mail: { email: bo@example.com } }\n";
    let both = ONE_PERSON.replace("policies:", &format!("{bo}policies:"));
    let place = Place::new("", &both);
    let server = place.start().await;
    let make = |words: &[&str]| {
        let made = place.run(&[&["token", "create", "--role", "admin"], words].concat());
        made.trim().to_owned()
    };
    let (bos, scripts) = (make(&["--user", "bo"]), make(&["--name", "terraform"]));
    let asks = async |token: &str| {
        let page = "{\"matchers\":[\"a=b\"],\"for\":\"1h\",\"reason\":\"works\"}".to_owned();
        let answer = server.post("/v1/silences", token, page).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let apply = |rules: &str| {
        std::fs::write(place.path().join("rules/all.yaml"), rules).unwrap();
        place.run(&["rules", "apply", "rules", "--yes"]);
    };
    assert_eq!(asks(&bos).await.0, 201);
    apply(ONE_PERSON);
    let (status, why) = asks(&bos).await;
    assert_eq!(status, 401);
    assert!(why.contains("not in the rules in force"), "{why}");
    assert_eq!(asks(&scripts).await.0, 201, "nobody's token stays");
    apply(&both);
    assert_eq!(asks(&bos).await.0, 201, "they are back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_twenty_wrong_secrets_of_a_peer_wrong_ones_wait_and_right_ones_do_not() {
    let place = Place::new("", ONE_PERSON);
    let server = place.start().await;
    let event = || "{\"summary\":\"a\"}".to_owned();
    let post = async |path: &str, key: &str| {
        let answer = server.post(path, key, event()).await;
        let wait = answer.headers().get("retry-after").cloned();
        (answer.status().as_u16(), wait.is_some())
    };
    for number in 0..20 {
        let path = ["/v1/events", "/v1/silences"][number % 2];
        let (status, _) = post(path, &format!("guess {number}")).await;
        assert_eq!(status, 401, "{number}");
    }
    for path in [
        "/v1/events",
        "/v1/silences",
        "/hooks/native",
        "/api/v2/alerts",
    ] {
        assert_eq!(post(path, "another").await, (429, true), "{path}");
    }
    assert_eq!(post("/v1/events", &server.key).await.0, 202);
    assert!(server.get("/v1/tokens").await["items"].is_array());
    assert_eq!(post("/v1/events", "another").await.0, 429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_weak_admin_token_ends_the_first_start_and_is_a_warning_at_later_ones() {
    const ADMIN: &str = "REVEILLE_ADMIN_TOKEN";
    for weak in ["secret", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"] {
        let place = Place::new("", ONE_PERSON).with_variable(ADMIN, weak);
        let ended = place.command(&["serve"]).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{said}");
        assert!(said.contains(ADMIN) && !said.contains(weak), "{said}");
    }
    let place = Place::new("", ONE_PERSON);
    place.start().await.kill();
    let place = place.with_variable(ADMIN, "secret");
    let _server = place.start().await;
    assert!(
        place.log().contains("has 6 characters and needs 20"),
        "{}",
        place.log()
    );
}
