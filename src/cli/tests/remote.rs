//! Commands that look and act, and what they make of the server's answers.

use serde_json::{Value, json};

use super::harness::{Server, run, run_asked};
use super::samples::{self, with};
use crate::cli::report::Verdict;
use crate::test_server::RefusingAddress;

/// Runs commands, given as one line each, and compares the one request that each makes.
async fn check_requests(cases: &[(&str, &str, Value)]) {
    for (line, request, body) in cases {
        let server = Server::start().await;
        answer_all(&server);
        let words: Vec<&str> = line.split(' ').collect();
        if let Err(failure) = run(&words, &server).await {
            panic!("{line}: {failure}");
        }
        let asked = server.asked();
        assert_eq!(asked.len(), 1, "{line}");
        assert_eq!(
            (asked[0].line.as_str(), &asked[0].body),
            (*request, body),
            "{line}"
        );
        assert_eq!(asked[0].bearer.as_deref(), Some("secret"), "{line}");
    }
}

/// Answers every command.
fn answer_all(server: &Server) {
    let on_call = json!({"at": "2026-11-23T03:20:00Z", "schedules": []});
    let silenced = json!({"id": 3, "covers": 0, "until": "2026-11-23T05:00:00Z"});
    server.answers("GET ", 200, json!({"items": [], "next": null}));
    server.answers("GET /v1/incidents/5", 200, samples::incident(5));
    server.answers("GET /v1/incidents/5/timeline", 200, json!({"items": []}));
    server.answers("GET /v1/receipts", 200, samples::receipt());
    let provider = json!({"name": "p", "url": "https://s.example", "state": "operational",
        "bytes_today": 0, "components_total": 0, "components": [], "incidents": [], "past": [],
        "unknown_words": []});
    server.answers("GET /v1/providers/p", 200, provider.clone());
    server.answers("POST /v1/providers/p/look", 200, provider.clone());
    server.answers("POST /v1/providers/p/accept", 200, provider);
    let probed = json!({"url": "https://s.example", "asked": [], "components": [],
        "incidents": [], "ambiguous": [], "unknown_words": [], "skipped": 0, "rules": ""});
    server.answers("POST /v1/providers/probe", 200, probed);
    let tried = json!({"name": "p/api", "outcome": "good", "said": "fine", "latency_ms": 7});
    server.answers("POST /v1/checks/p%2Fapi/try", 200, tried);
    server.answers("GET /v1/explain", 200, samples::explained(&[], &[]));
    server.answers("GET /v1/oncall", 200, on_call);
    server.answers("POST /v1/incidents", 201, json!({"number": 5}));
    server.answers("POST /v1/incidents/5/", 200, samples::acted(5, "done"));
    server.answers("POST /v1/schedules", 201, samples::override_(3, "night"));
    server.answers("POST /v1/silences", 201, silenced);
    server.answers("POST /v1/tokens", 201, samples::made_token());
    server.answers("DELETE ", 204, json!({}));
}

#[tokio::test]
async fn commands_that_look_ask_for_what_they_should() {
    check_requests(&[
        (
            "incidents",
            "GET /v1/incidents?status=open&limit=50",
            Value::Null,
        ),
        (
            "incidents --status all --service a&b --user ana",
            "GET /v1/incidents?service=a%26b&user=ana&limit=50",
            Value::Null,
        ),
        ("show 5", "GET /v1/incidents/5", Value::Null),
        ("explain #5", "GET /v1/incidents/5/timeline", Value::Null),
        ("explain r12", "GET /v1/receipts/r12", Value::Null),
        (
            "explain --user ana --since 02:00",
            "GET /v1/explain?user=ana&since=2026-11-23T02%3A00%3A00Z",
            Value::Null,
        ),
        (
            "oncall --at now",
            "GET /v1/oncall?at=2026-11-23T03%3A20%3A00Z",
            Value::Null,
        ),
        ("silence list", "GET /v1/silences", Value::Null),
        ("token list", "GET /v1/tokens", Value::Null),
        ("checks list", "GET /v1/checks", Value::Null),
        ("checks try p/api", "POST /v1/checks/p%2Fapi/try", json!({})),
        ("providers list", "GET /v1/providers", Value::Null),
        ("providers show p", "GET /v1/providers/p", Value::Null),
        ("providers look p", "POST /v1/providers/p/look", json!({})),
        (
            "providers accept p",
            "POST /v1/providers/p/accept",
            json!({}),
        ),
        (
            "providers probe https://s.example --kind slack --match title=x --urgency minor=high",
            "POST /v1/providers/probe",
            json!({"provider": {"url": "https://s.example", "kind": "slack",
                "match": ["title=x"], "urgency": {"minor": "high"}}}),
        ),
    ])
    .await;
}

#[tokio::test]
async fn commands_that_act_on_an_incident_say_what_they_should() {
    let incident = |act: &str| format!("POST /v1/incidents/5/{act}");
    check_requests(&[
        ("unack 5", &incident("unacknowledge"), json!({})),
        ("resolve 5", &incident("resolve"), json!({})),
        (
            "snooze 5 90m",
            &incident("snooze"),
            json!({"for": "1h 30m"}),
        ),
        (
            "snooze 5 09:00",
            &incident("snooze"),
            json!({"until": "2026-11-23T09:00:00Z"}),
        ),
        ("escalate 5", &incident("escalate"), json!({})),
        (
            "reassign 5 policy/ops",
            &incident("reassign"),
            json!({"to": "policy/ops"}),
        ),
        ("note 5 on it", &incident("notes"), json!({"text": "on it"})),
        (
            "page user/ana the disk",
            "POST /v1/incidents",
            json!({"to": "user/ana", "text": "the disk", "urgency": "high"}),
        ),
    ])
    .await;
}

#[tokio::test]
async fn commands_that_change_the_set_up_say_what_they_should() {
    check_requests(&[
        (
            "override add night/1 --user ana --for 8h",
            "POST /v1/schedules/night%2F1/overrides",
            json!({"user": "ana", "for": "8h", "reason": ""}),
        ),
        (
            "override add night --user ana --from 22:00 --until 2026-11-24T06:00:00Z",
            "POST /v1/schedules/night/overrides",
            json!({"user": "ana", "from": "2026-11-23T22:00:00Z",
                   "until": "2026-11-24T06:00:00Z", "reason": ""}),
        ),
        (
            "silence add team=\"a\" env=\"b\" --until 05:00 --reason test",
            "POST /v1/silences",
            json!({"matchers": ["team=\"a\"", "env=\"b\""], "until": "2026-11-23T05:00:00Z",
                   "reason": "test"}),
        ),
        (
            "silence add --everything --until 05:00 --reason test",
            "POST /v1/silences",
            json!({"matchers": [], "everything": true, "until": "2026-11-23T05:00:00Z",
                   "reason": "test"}),
        ),
        ("silence expire 3", "DELETE /v1/silences/3", Value::Null),
        (
            "token create --user ana --role viewer --ttl 90d",
            "POST /v1/tokens",
            json!({"user": "ana", "role": "viewer", "ttl": "90d"}),
        ),
        ("token revoke t1", "DELETE /v1/tokens/t1", Value::Null),
    ])
    .await;
}

#[tokio::test]
async fn a_refusal_becomes_words_and_an_exit_code() {
    let problem = |detail: &str| json!({"type": "about:blank", "code": "x", "detail": detail});
    let cases = [
        (404, problem("no incident #5"), 1, "no incident #5"),
        (409, problem("it is over"), 1, "it is over"),
        (
            401,
            problem("this token is not known"),
            3,
            "refused (401): this token is not known",
        ),
        (
            403,
            problem("role viewer may not do this"),
            3,
            "refused (403): role viewer may not",
        ),
        (
            503,
            problem("the router is shutting down"),
            3,
            "refused (503): the router is shutting down",
        ),
        (
            400,
            json!({"detail": "two faults", "faults": [
                {"path": "$.to", "problem": "not a target"}]}),
            3,
            "two faults\n  $.to: not a target",
        ),
        (502, Value::Null, 3, "refused (502): Bad Gateway"),
    ];
    for (status, body, code, expected) in cases {
        let server = Server::start().await;
        server.answers("POST /v1/incidents/5/escalate", status, body);
        let failure = run(&["escalate", "5"], &server)
            .await
            .expect_err("it was refused");
        assert_eq!(failure.code(), code, "{status}");
        assert!(
            failure.to_string().contains(expected),
            "{status}: {failure}"
        );
    }
}

#[tokio::test]
async fn an_absent_server_is_named_with_the_cure() {
    let nobody = RefusingAddress::take();
    let url = nobody.url();
    let environment = [("REVEILLE_URL", url.as_str()), ("REVEILLE_TOKEN", "secret")];
    let failure = run_asked(&["incidents"], &environment, None)
        .await
        .expect_err("nobody listens");
    assert_eq!(failure.code(), 3);
    let text = failure.to_string();
    assert!(text.starts_with(&format!("no server at {url} (")), "{text}");
    assert!(
        text.contains("start one with `reveille serve`, or set REVEILLE_URL"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn an_address_that_is_none_is_a_usage_error() {
    for url in [
        "banana",
        "ftp://host",
        "http://",
        "http://ana:secret@127.0.0.1:1",
    ] {
        let environment = [("REVEILLE_URL", url), ("REVEILLE_TOKEN", "secret")];
        let failure = run_asked(&["incidents"], &environment, None)
            .await
            .expect_err("no address");
        assert_eq!(failure.code(), 2, "{url}: {failure}");
        assert!(!failure.to_string().contains("secret"), "{failure}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_so_that_the_token_goes_nowhere_else() {
    let other = Server::start().await;
    let server = Server::start().await;
    server.answers(
        "GET /v1/incidents",
        302,
        json!(format!("{}/v1/incidents", other.url)),
    );
    let failure = run(&["incidents"], &server)
        .await
        .expect_err("it was sent elsewhere");
    assert_eq!(failure.code(), 3);
    assert_eq!(other.asked(), []);
}

#[tokio::test]
async fn the_token_is_read_from_the_data_directory() {
    let data = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(data.path().join("admin-token"), "from-file\n").expect("it is written");
    let server = Server::start().await;
    server.answers("GET ", 200, json!({"items": []}));
    let path = data.path().display().to_string();
    let environment = [("REVEILLE_URL", server.url.as_str())];
    let words = ["incidents", "--data", &path];
    run_asked(&words, &environment, None)
        .await
        .expect("the server answers");
    assert_eq!(server.asked()[0].bearer.as_deref(), Some("from-file"));
}

#[tokio::test]
async fn without_any_token_the_refusal_says_how_to_give_one() {
    let data = tempfile::tempdir().expect("a temporary directory");
    let server = Server::start().await;
    server.answers("GET ", 401, json!({"detail": "send an API token"}));
    let path = data.path().display().to_string();
    let environment = [("REVEILLE_URL", server.url.as_str())];
    let failure = run_asked(&["incidents", "--data", &path], &environment, None)
        .await
        .expect_err("it is refused");
    assert_eq!(failure.code(), 3);
    assert!(
        failure.to_string().contains("no token: set REVEILLE_TOKEN"),
        "{failure}"
    );
    assert_eq!(server.asked()[0].bearer, None);
}

#[tokio::test]
async fn many_incidents_are_acknowledged_at_once_and_the_second_person_hears_who_was_first() {
    let server = Server::start().await;
    server.answers(
        "POST /v1/incidents/acknowledge",
        200,
        json!({"results": [
            with(samples::acted(5, "done"), json!({"linked": [9]})),
            with(samples::acted(6, "already_so"), json!({
             "acknowledged_by": samples::actor("bo"),
             "acknowledged_at": "2026-11-23T03:10:00Z"})),
        ]}),
    );
    let report = run(&["ack", "5", "6"], &server).await.expect("it answers");
    assert_eq!(
        report.text,
        "#5 is acknowledged; its alerts are also in #9\n\
         #6 was already acknowledged by bo, 03:10 (10m ago)"
    );
    assert_eq!(
        report.remarks,
        ["add --linked to acknowledge those as well"]
    );
    assert_eq!(report.verdict, Verdict::Done);
    assert_eq!(server.asked()[0].body, json!({"numbers": [5, 6]}));
}

#[tokio::test]
async fn linked_incidents_follow_once_and_as_names_the_person() {
    let server = Server::start().await;
    server.answers(
        "POST /v1/incidents/acknowledge",
        200,
        json!({"results": [
            with(samples::acted(5, "done"), json!({"linked": [9, 5]})),
        ]}),
    );
    run(&["ack", "5", "--linked", "--as", "ana"], &server)
        .await
        .expect("it answers");
    let bodies: Vec<Value> = server.asked().into_iter().map(|asked| asked.body).collect();
    assert_eq!(
        bodies,
        [
            json!({"numbers": [5], "as": "ana"}),
            json!({"numbers": [9], "as": "ana"})
        ]
    );
}

#[tokio::test]
async fn mine_and_service_take_what_nobody_has_over_all_answers_of_the_list() {
    let cases: [(&[&str], &str); 3] = [
        (
            &["ack", "--mine"],
            "GET /v1/incidents?status=triggered&user=me",
        ),
        (
            &["ack", "--mine", "--as", "bo"],
            "GET /v1/incidents?status=triggered&user=bo",
        ),
        (
            &["ack", "--service", "pay"],
            "GET /v1/incidents?status=triggered&service=pay",
        ),
    ];
    for (words, line) in cases {
        let server = Server::start().await;
        let first = json!({"items": [samples::incident(8)], "next": "o8"});
        let second = json!({"items": [samples::incident(7)], "next": null});
        server
            .answers(line, 200, first)
            .answers(&format!("{line}&cursor=o8"), 200, second);
        server.answers(
            "POST /v1/incidents/acknowledge",
            200,
            json!({"results": []}),
        );
        run(words, &server).await.expect("it answers");
        let asked = server.asked();
        assert_eq!(asked.len(), 3, "{words:?}");
        assert_eq!(asked[2].body["numbers"], json!([8, 7]), "{words:?}");
    }
    let server = Server::start().await;
    server.answers("GET ", 200, json!({"items": [], "next": null}));
    let report = run(&["ack", "--mine"], &server).await.expect("it answers");
    assert_eq!(report.text, "nothing to acknowledge");
}

#[tokio::test]
async fn resolving_several_tells_of_each_and_one_that_is_missing_is_not_so() {
    let server = Server::start().await;
    server.answers("POST ", 200, samples::acted(5, "done"));
    server.answers(
        "POST /v1/incidents/6/",
        404,
        json!({"detail": "no incident #6"}),
    );
    let report = run(&["resolve", "6", "5"], &server)
        .await
        .expect("it answers");
    assert_eq!(report.text, "#6: no incident #6\n#5 is resolved");
    assert_eq!(report.verdict, Verdict::NotSo);
}

#[tokio::test]
async fn an_override_is_found_by_its_id() {
    let server = Server::start().await;
    let schedules =
        ["day", "night"].map(|name| json!({"name": name, "reason": "nobody", "passed_over": []}));
    let on_call = json!({"at": "2026-11-23T03:20:00Z", "schedules": schedules});
    server.answers("GET /v1/oncall", 200, on_call);
    let override_ =
        |id: u64, schedule: &str| json!({ "items": [samples::override_(id, schedule)] });
    server.answers("GET /v1/schedules/day/", 200, override_(1, "day"));
    server.answers("GET /v1/schedules/night/", 200, override_(3, "night"));
    server.answers("DELETE /v1/schedules/night/overrides/3", 204, json!({}));
    let report = run(&["override", "remove", "3"], &server)
        .await
        .expect("it is there");
    assert_eq!(report.text, "override 3 on night is removed");
    let failure = run(&["override", "remove", "4"], &server)
        .await
        .expect_err("there is none");
    assert_eq!(failure.code(), 1);
}

#[tokio::test]
async fn a_key_is_rotated_without_a_moment_in_which_there_is_none() {
    let server = Server::start().await;
    server.answers(
        "GET ",
        200,
        json!({"items": [samples::key("k1"), samples::key("k2")]}),
    );
    server.answers("POST ", 201, samples::made_key());
    server.answers("DELETE ", 204, json!({}));
    let report = run(&["key", "rotate", "native"], &server)
        .await
        .expect("it answers");
    assert_eq!(report.text, "new-key");
    let path = "/v1/integrations/native/keys";
    assert_eq!(
        server.lines(),
        [
            format!("GET {path}"),
            format!("POST {path}"),
            format!("DELETE {path}/k1"),
            format!("DELETE {path}/k2"),
        ]
    );
}

#[tokio::test]
async fn a_check_of_channels_fails_when_one_would_not_take_a_message() {
    let server = Server::start().await;
    server.answers(
        "GET /v1/channels",
        200,
        json!({"items": [samples::channel("mail", "smtp"), samples::channel("hooks", "webhook")]}),
    );
    server.answers(
        "POST /v1/channels/mail/check",
        200,
        json!({"name": "mail", "ok": false, "outcome": "tls_other", "warnings": []}),
    );
    server.answers(
        "POST /v1/channels/hooks/check",
        200,
        json!({"name": "hooks", "ok": null, "outcome": null,
               "warnings": ["links only work on this machine"]}),
    );
    let report = run(&["channels", "check"], &server)
        .await
        .expect("it answers");
    assert_eq!(report.verdict, Verdict::NotSo);
    assert_eq!(report.remarks, ["WARNING: links only work on this machine"]);
    let report = run(&["channels", "check", "hooks"], &server)
        .await
        .expect("it answers");
    assert_eq!(report.verdict, Verdict::Done);
    let failure = run(&["channels", "check", "x"], &server)
        .await
        .expect_err("there is none");
    assert_eq!(
        failure.to_string(),
        "no channel x: the settings have mail, hooks"
    );
}

#[tokio::test]
async fn who_is_not_on_call_is_not_so() {
    let server = Server::start().await;
    let on_call = json!({"at": "2026-11-23T03:20:00Z", "schedules": [
        {"name": "night", "user": "ana", "reason": "rotation", "passed_over": []},
    ]});
    server.answers("GET /v1/oncall?user=ana", 200, on_call.clone());
    server.answers("GET /v1/oncall?user=me", 200, on_call);
    server.answers(
        "GET /v1/oncall?user=bo",
        200,
        json!({"at": "2026-11-23T03:20:00Z", "schedules": []}),
    );
    let cases = [
        ("ana", Verdict::Done, 1),
        ("me", Verdict::Done, 1),
        ("bo", Verdict::NotSo, 0),
    ];
    for (user, verdict, count) in cases {
        let report = run(&["oncall", "--user", user], &server)
            .await
            .expect("it answers");
        let schedules = report.value["schedules"].as_array().map(Vec::len);
        assert_eq!(
            (report.verdict, schedules),
            (verdict, Some(count)),
            "{user}"
        );
    }
}

#[tokio::test]
async fn health_asks_without_a_token_and_says_why_a_server_is_not_ready() {
    for (status, answer, said, verdict) in [
        (
            200,
            json!({"status": "ok", "causes": [], "time_zones": "2026a"}),
            "ready",
            Verdict::Done,
        ),
        (
            503,
            json!({"status": "not_ready", "causes": ["timers are late", "no space"],
                   "time_zones": "2026a"}),
            "not ready: timers are late, no space",
            Verdict::NotSo,
        ),
    ] {
        let server = Server::start().await;
        server.answers("GET /readyz", status, answer);
        let report = run(&["health"], &server).await.expect("it answers");
        assert_eq!((report.text.as_str(), report.verdict), (said, verdict));
        assert_eq!(server.asked()[0].bearer, None);
    }
    let server = Server::start().await;
    server.answers("GET /readyz", 404, json!("something else listens here"));
    let failure = run(&["health"], &server).await.expect_err("no such path");
    assert_eq!(failure.code(), 1, "{failure}");
    let nobody = RefusingAddress::take();
    let url = nobody.url();
    let failure = run_asked(&["health"], &[("REVEILLE_URL", &url)], None).await;
    assert_eq!(failure.expect_err("nobody listens").code(), 3);
}
