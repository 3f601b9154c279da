//! Names that people type: a misspelt one is an error with the one that was meant, and `me` is
//! whoever holds the token.

use super::server::{ON_CALL, Place};

fn run(place: &Place, token: &str, words: &str) -> (Option<i32>, String) {
    let words: Vec<&str> = words.split(' ').collect();
    let mut command = place.command(&words);
    let output = command.env("REVEILLE_TOKEN", token).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_misspelt_name_is_an_error_with_the_one_that_was_meant_in_every_command() {
    let place = Place::new("", ON_CALL);
    let server = place.start().await;
    let (code, said) = run(&place, &server.token, "page user/ana help");
    assert_eq!(code, Some(0), "{said}");
    let cases = [
        ("incidents --user anna", "user \"anna\"", "`ana`"),
        (
            "incidents --service paymets",
            "service \"paymets\"",
            "`payments`",
        ),
        ("explain --user anna", "user \"anna\"", "`ana`"),
        ("oncall --user anna", "user \"anna\"", "`ana`"),
        ("oncall --schedule nihgt", "schedule \"nihgt\"", "`night`"),
        (
            "override add nihgt --user ana --for 1h",
            "schedule \"nihgt\"",
            "`night`",
        ),
        (
            "override add night --user anna --for 1h",
            "user \"anna\"",
            "`ana`",
        ),
        ("reassign 1 user/anna", "user \"anna\"", "`ana`"),
        ("reassign 1 schedule/nihgt", "schedule \"nihgt\"", "`night`"),
        ("reassign 1 policy/defalt", "policy \"defalt\"", "`default`"),
        ("page user/anna help", "user \"anna\"", "`ana`"),
        ("ack 1 --as anna", "user \"anna\"", "`ana`"),
        ("ack --service paymets", "service \"paymets\"", "`payments`"),
        (
            "token create --user anna --role viewer",
            "user \"anna\"",
            "`ana`",
        ),
        ("key create natve", "integration \"natve\"", "`native`"),
        ("key list natve", "integration \"natve\"", "`native`"),
        (
            "rules test --integration natve",
            "integration \"natve\"",
            "`native`",
        ),
    ];
    for (words, name, meant) in cases {
        let (code, said) = run(&place, &server.token, words);
        assert_eq!(code, Some(1), "{words}: {said}");
        let help = format!("no {name}: did you mean {meant}?");
        assert!(said.contains(&help), "{words}: {said}");
    }
    for path in ["/v1/pages?user=anna", "/v1/alerts?integration=natve"] {
        let request = crate::harness::http::client().get(format!("{}{path}", server.url));
        let answer = request.bearer_auth(&server.token).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn me_is_the_user_of_the_token_and_an_error_where_it_has_none() {
    let place = Place::new("", ON_CALL);
    let server = place.start().await;
    let (code, said) = run(&place, &server.token, "page user/ana help");
    assert_eq!(code, Some(0), "{said}");
    let token = place.run(&["token", "create", "--user", "ana", "--role", "viewer"]);
    let cases = [
        ("oncall --user me", "night"),
        ("explain --user me", "mail via console"),
        ("incidents --user me", "#1"),
    ];
    for (words, expected) in cases {
        let (code, said) = run(&place, token.trim(), words);
        assert_eq!(code, Some(0), "{words}: {said}");
        assert!(said.contains(expected), "{words}: {said}");
        let (code, said) = run(&place, &server.token, words);
        assert_eq!(code, Some(3), "{words}: {said}");
        assert!(said.contains("belongs to no user"), "{words}: {said}");
    }
}
