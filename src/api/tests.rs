//! The real router over an empty store, as far as requests are refused before they reach the
//! driver: nobody drives here, so that whatever got further would wait for ever.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use serde_json::Value;
use tower::ServiceExt;

use super::access::Access;
use super::audit_log::AuditLog;
use super::auth::Auth;
use super::body_budget::BodyBudget;
use super::credentials::StoredToken;
use super::guesses::Guesses;
use super::ingest::body_limit;
use super::ports::{ApiSettings, ApiState, ReadinessLocks};
use super::ports::{Change, Channels, Checks, Pending, Providers, Rulebook, Sight};
use super::problem::Problem;
use super::refusals::Refusals;
use super::wire::channel::Checked;
use super::wire::check::{CheckTried, RememberedTry};
use super::wire::provider::{LookedAt, ProbedPage};
use super::wire::rules::{RevisionLine, RuleFault, RuleFile, Rules, RulesChange};
use super::wire::token::Role;
use super::*;
use crate::channels::{Inbound, Provider, slack, twilio};
use crate::engine::event::Labels;
use crate::engine::ids::{ChannelName, OwnCheckName, ProviderName, Revision};
use crate::engine::ruleset::{Integration, RuleSet};
use crate::engine::time::{Duration, Timestamp};
use crate::inbound::{FORMATS, pagerduty};
use crate::runtime::handle::{Handle, NewRules};
use crate::store::MemoryStore;
use crate::store::{self, Partition};
use crate::telemetry::Metrics;
use crate::text::{hash, hex};
use crate::web;

const NOW: Timestamp = Timestamp(1_795_403_400_000);

struct NoRulebook;

impl Rulebook for NoRulebook {
    fn check(&self, _: &[RuleFile], _: Sight) -> Vec<RuleFault> {
        Vec::new()
    }

    fn diff(&self, _: &[RuleFile], _: Sight) -> Result<RulesChange, Vec<RuleFault>> {
        Err(Vec::new())
    }

    fn prepare(
        &self,
        _: Vec<RuleFile>,
        _: Change,
    ) -> Result<(NewRules, RulesChange), Vec<RuleFault>> {
        Err(Vec::new())
    }

    fn documents(&self, _: Revision) -> Result<Option<Rules>, store::Error> {
        Ok(None)
    }

    fn revisions(&self, _: Option<Revision>, _: usize) -> Result<Vec<RevisionLine>, store::Error> {
        Ok(Vec::new())
    }
}

struct NoChannels;

impl Channels for NoChannels {
    fn list(&self) -> Vec<(ChannelName, &'static str)> {
        Vec::new()
    }

    fn check<'port>(&'port self, _: &'port ChannelName) -> Pending<'port, Option<Checked>> {
        Box::pin(async { None })
    }

    fn email_of<'port>(
        &'port self,
        _: &'port ChannelName,
        _: &'port str,
    ) -> Pending<'port, Option<String>> {
        Box::pin(std::future::ready(None))
    }

    fn confirm(&self, _: &ChannelName, _: String, _: String) {}
}

struct NoProviders;

impl Providers for NoProviders {
    fn looked_at(&self, _: &ProviderName) -> LookedAt {
        LookedAt::default()
    }

    fn hurry(&self, _: &ProviderName) {}

    fn probe<'port>(
        &'port self,
        _: serde_json::Value,
    ) -> Pending<'port, Result<ProbedPage, Vec<RuleFault>>> {
        Box::pin(std::future::ready(Err(Vec::new())))
    }
}

struct NoChecks;

impl Checks for NoChecks {
    fn last_try(&self, name: &OwnCheckName) -> RememberedTry {
        panic!("there is no check {name}")
    }

    fn try_now<'port>(
        &'port self,
        _: &'port OwnCheckName,
    ) -> Pending<'port, Result<Option<CheckTried>, Problem>> {
        Box::pin(std::future::ready(Ok(None)))
    }
}

fn token_of(role: Role) -> String {
    format!("rv_{}", role.as_str())
}

fn rules() -> RuleSet {
    let mut rules = RuleSet::default();
    let integration = Integration {
        name: "billing".into(),
        format: "native",
        mapping: None,
        labels: Labels::default(),
        max_age: Duration::hours(6),
        resolve_after: None,
        key_hashes: vec![hash::sha256(b"key-of-billing")],
        was: Vec::new(),
    };
    rules.integrations.insert("billing".into(), integration);
    rules
}

fn state() -> ApiState {
    let store = Arc::new(MemoryStore::new());
    let metrics = Arc::new(Metrics::new());
    let auth = Auth::new(hash::sha256(b"root"));
    for role in Role::ALL {
        auth.add_token(StoredToken {
            id: role.as_str().to_owned(),
            sha256: hex::encode(&hash::sha256(token_of(role))),
            name: role.as_str().to_owned(),
            user: None,
            role,
            created: NOW,
            expires: None,
            last_used: Some(NOW),
        });
    }
    ApiState {
        handle: Handle::new(store, Partition::default(), Arc::new(rules())),
        rulebook: Arc::new(NoRulebook),
        channels: Arc::new(NoChannels),
        providers: Arc::new(NoProviders),
        checks: Arc::new(NoChecks),
        auth,
        audit_log: AuditLog::default(),
        started_at: NOW,
        metrics: metrics.clone(),
        clock: Arc::new(|| NOW),
        random: Arc::new(|bytes| bytes.fill(7)),
        links_secret: [1; 32],
        inbound: inbound(),
        refusals: Refusals::new(metrics.clone()),
        guesses: Guesses::default(),
        bodies: BodyBudget::new(1 << 20, metrics),
        looks: ReadinessLocks::default(),
        settings: ApiSettings {
            body_limit: 1_000,
            body_limit_alertmanager: 2_000,
            disk_min_bytes: 0,
            public_url: "https://pager.example.com".to_owned(),
            time_zones: "2026a (bundled)".to_owned(),
        },
    }
}

fn inbound() -> BTreeMap<ChannelName, Arc<dyn Inbound>> {
    let slack = slack::Settings {
        name: "slack".into(),
        token: "xoxb-1".into(),
        signing_secret: Some("shh".into()),
        api_url: String::new(),
    };
    let twilio = twilio::Settings {
        name: "sms".into(),
        account_sid: "AC1".to_owned(),
        auth_token: "token".into(),
        shared_keys: Vec::new(),
        sender: twilio::Sender::Number("+15005550006".to_owned()),
        balance_min: None,
        api_url: String::new(),
    };
    let providers: [&dyn Provider; 2] = [&slack, &twilio];
    let inbound = providers.map(|provider| (provider.info().name, provider.inbound()));
    let inbound = inbound.into_iter();
    inbound
        .filter_map(|(name, inbound)| Some((name, inbound?)))
        .collect()
}

/// A path of the table with something in each of its variable parts.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.strip_prefix('{') {
        Some(_) => "1",
        None => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

async fn ask(router: axum::Router, request: Request<Body>) -> (StatusCode, Value) {
    let response: Response<Body> = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1_000_000).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

/// With the pages for browsers.
fn router(state: Arc<ApiState>) -> axum::Router {
    super::router(state, web::routes)
}

fn request(method: &str, path: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn every_route_with_a_role_refuses_strangers_and_weaker_roles() {
    let state = Arc::new(state());
    let mut refused = 0;
    for route in openapi::routes(web::routes) {
        let Access::Role(_) = route.access else {
            continue;
        };
        let (method, path) = (route.method.as_str(), filled(&route.path));
        for token in [None, Some("rv_unknown")] {
            let asked = ask(router(state.clone()), request(method, &path, token)).await;
            assert_eq!(
                asked.0,
                StatusCode::UNAUTHORIZED,
                "{method} {path} {token:?}"
            );
            // Tools of Alertmanager are refused by a JSON string, as by the original.
            let is_imitated = path.starts_with("/api/v2/");
            assert_eq!(asked.1.is_string(), is_imitated, "{method} {path}");
            assert!(is_imitated || asked.1["code"] == "unauthorized", "{path}");
        }
        for role in Role::ALL
            .into_iter()
            .filter(|role| !route.access.allows(*role))
        {
            let token = token_of(role);
            let asked = ask(router(state.clone()), request(method, &path, Some(&token))).await;
            assert_eq!(asked.0, StatusCode::FORBIDDEN, "{method} {path} {role:?}");
            refused += 1;
        }
    }
    assert!(refused > 20, "{refused}");
}

#[tokio::test]
async fn a_small_limit_of_alertmanager_is_none_of_the_other_formats() {
    let mut state = state();
    state.settings.body_limit_alertmanager = 100;
    for format in FORMATS.iter().copied().chain([&pagerduty::CHANGE]) {
        let expected = match format.word {
            "alertmanager" | "alertmanager_api" => 100,
            _ => 1_000,
        };
        assert_eq!(body_limit(&state, format), expected, "{}", format.word);
    }
    let state = Arc::new(state);
    for path in ["/v2/enqueue", "/v2/change/enqueue"] {
        let mut request = request("POST", path, Some("key-of-billing"));
        *request.body_mut() = Body::from(" ".repeat(900));
        let asked = ask(router(state.clone()), request).await;
        assert_eq!(asked.0, StatusCode::BAD_REQUEST, "{path} {asked:?}");
    }
}

#[tokio::test]
async fn a_token_without_a_user_cannot_ask_for_its_own() {
    let state = Arc::new(state());
    for path in ["/v1/incidents?user=me", "/v1/pages?user=me"] {
        let asked = ask(router(state.clone()), request("GET", path, Some("root"))).await;
        assert_eq!(asked.0, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(asked.1["code"], "invalid_request", "{path}");
        let detail = asked.1["detail"].as_str().unwrap();
        assert!(detail.contains("token create --user"), "{detail}");
    }
}

#[tokio::test]
async fn every_route_for_monitors_refuses_a_missing_and_a_wrong_key() {
    let state = Arc::new(state());
    for route in openapi::routes(web::routes) {
        let Access::Integration = route.access else {
            continue;
        };
        let path = filled(&route.path);
        // The original has no 401; its clients read the JSON of a 400.
        let expected = match route.path.as_str() {
            "/v2/enqueue" | "/v2/change/enqueue" => StatusCode::BAD_REQUEST,
            _ => StatusCode::UNAUTHORIZED,
        };
        for token in [None, Some("wrong")] {
            let asked = ask(router(state.clone()), request("POST", &path, token)).await;
            assert_eq!(asked.0, expected, "{path} {token:?}");
            assert_ne!(asked.1, Value::Null, "{path} answers JSON");
        }
    }
}

#[tokio::test]
async fn a_key_opens_neither_another_integration_nor_the_api() {
    let state = Arc::new(state());
    for (method, path) in [
        ("POST", "/hooks/payments"),
        ("POST", "/hooks/payments/key-of-billing"),
        ("GET", "/v1/incidents"),
    ] {
        let request = request(method, path, Some("key-of-billing"));
        let (status, _) = ask(router(state.clone()), request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn a_token_opens_no_integration() {
    let request = request("POST", "/v1/events", Some("root"));
    let (status, _) = ask(router(Arc::new(state())), request).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn unsigned_requests_in_the_name_of_providers_are_refused() {
    let cases = [
        ("/slack/actions", "payload=%7B%7D", StatusCode::UNAUTHORIZED),
        (
            "/sms/sms/inbound",
            "From=%2B1&Body=ack",
            StatusCode::FORBIDDEN,
        ),
        (
            "/sms/sms/status?attempt=1",
            "MessageStatus=delivered",
            StatusCode::FORBIDDEN,
        ),
        ("/sms/other/inbound", "From=%2B1", StatusCode::NOT_FOUND),
    ];
    let state = Arc::new(state());
    for (path, body, expected) in cases {
        let request = Request::post(path).body(Body::from(body)).unwrap();
        let (status, _) = ask(router(state.clone()), request).await;
        assert_eq!(status, expected, "{path}");
    }
}

#[tokio::test]
async fn signed_requests_of_providers_pass_their_signature() {
    let seconds = (NOW.0 / 1_000).to_string();
    // Something that needs nothing of the driver: a dialogue was opened, a message is under way.
    let body = "payload=%7B%22type%22%3A%22view_closed%22%2C\
                %22user%22%3A%7B%22id%22%3A%22U1%22%7D%7D";
    let slack = Request::post("/slack/actions")
        .header("x-slack-request-timestamp", &seconds)
        .header(
            "x-slack-signature",
            slack::signature::sign("shh", &seconds, body.as_bytes()),
        )
        .body(Body::from(body));
    let url = "https://pager.example.com/sms/sms/status?attempt=7";
    let form = [("MessageStatus".to_owned(), "queued".to_owned())];
    let twilio = Request::post("/sms/sms/status?attempt=7")
        .header("host", "attacker.example.com")
        .header(
            "x-twilio-signature",
            twilio::signature::sign("token", url, &form),
        )
        .body(Body::from("MessageStatus=queued"));
    let state = Arc::new(state());
    for request in [slack.unwrap(), twilio.unwrap()] {
        let path = request.uri().path().to_owned();
        let (status, _) = ask(router(state.clone()), request).await;
        assert_eq!(status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn the_public_listener_knows_neither_the_api_nor_the_home_page() {
    let state = Arc::new(state());
    for path in [
        "/",
        "/v1/incidents",
        "/metrics",
        "/openapi.json",
        "/v1/events",
    ] {
        let request = request("GET", path, Some("root"));
        let (status, _) = ask(public_router(state.clone(), web::routes), request).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
    }
    let (status, _) = ask(
        public_router(state, web::routes),
        request("GET", "/healthz", None),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_link_that_was_never_made_leads_nowhere() {
    let request = request("GET", "/a/not-a-token", None);
    let (status, _) = ask(router(Arc::new(state())), request).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_made_token_is_kept_as_its_hash_alone() {
    let state = state();
    let secret = secrets::api_token(&*state.random);
    assert_eq!(secret, format!("rv_{}", "07".repeat(20)));
    assert_eq!(
        secrets::integration_key(&*state.random).len(),
        32,
        "also a PagerDuty routing key"
    );
}

#[tokio::test]
async fn the_uptime_that_alertmanagers_tools_read_is_the_start_of_the_process() {
    let mut state = state();
    state.started_at = Timestamp(NOW.0 - 3_600_000);
    let request = request("GET", "/api/v2/status", Some("root"));
    let (status, body) = ask(router(Arc::new(state)), request).await;
    assert_eq!(status, StatusCode::OK);
    let uptime: jiff::Timestamp = body["uptime"].as_str().unwrap().parse().unwrap();
    assert_eq!(uptime.as_millisecond(), NOW.0 - 3_600_000);
}

#[tokio::test]
async fn a_provider_needs_only_its_folder_and_a_line_to_send_and_to_be_heard() {
    use crate::channels::{Parts, console, sample};
    use crate::engine::outcome::Outcome;
    use crate::test_server::{Reply, Server};
    let server = Server::start([Reply::new(200, "")]).await;
    let text = format!(
        "[[channel]]\nname = \"new\"\nkind = \"made_up\"\nurl = \"{}\"\n",
        server.url()
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("reveille.toml");
    std::fs::write(&file, text).unwrap();
    let sources = crate::config::Sources {
        files: vec![file],
        ..Default::default()
    };
    let loaded = crate::config::load(&sources).unwrap_or_else(|faults| panic!("{faults}"));
    let provider = loaded.settings.channels[0].provider.clone();
    let screen: console::Screen = Arc::new(std::sync::Mutex::new(Vec::<u8>::new()));
    let parts = Parts {
        http: sample::http(&[]),
        links: sample::links(),
        screen,
    };
    let channel = provider.build(&parts).unwrap();
    let order = sample::order(crate::engine::ruleset::Medium::Sms);
    assert_eq!(
        sample::send(&*channel, &order).await.outcome,
        Outcome::Accepted
    );
    assert_eq!(server.calls().len(), 1);

    let mut state = state();
    let inbound = provider.inbound().unwrap();
    state.inbound.insert("new".into(), inbound);
    let state = Arc::new(state);
    for (header, expected) in [("yes", StatusCode::OK), ("no", StatusCode::UNAUTHORIZED)] {
        let request = Request::post("/sms/new/inbound").header("x-made-up", header);
        let (status, _) = ask(router(state.clone()), request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{header}");
    }
}
