//! Subscribers of a status page: from the form to the mail, over refusals, floods and restarts.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::to_bytes;
use axum::http::Method;
use reveille::channels::bulk_mail::BulkMailer;
use reveille::channels::email::BulkEmail;
use reveille::channels::http::{Http, HttpOptions};
use reveille::engine::event::{Labels, Text};
use reveille::engine::ids::{ChannelName, StatusPageName};
use reveille::engine::integration::Integration;
use reveille::engine::status_page_rules::{
    PageAccess, PagePlace, PostTexts, PublishRules, StatusPageRules, SubscriberRules,
};
use reveille::engine::status_post::{PostKind, PostState};
use reveille::engine::status_report::{ComponentState, Impact};
use reveille::engine::time::{Duration, Timestamp};
use reveille::status_page::published::{PublishedPage, PublishedPages};
use reveille::status_page::view::{
    ComponentNode, ComponentView, PostUpdateView, PostView, StatusPageView,
};
use reveille::subscribers::couriers::{Couriers, webhook_secret};
use reveille::subscribers::letter::SubscriberLinks;
use reveille::subscribers::registry::SubscriberRegistry;
use reveille::subscribers::sign_up;
use reveille::subscribers::site::{SiteRequest, SubscriberSite};
use reveille::subscribers::subscriber::{SubscriberAddress, SubscriberId, SubscriptionState};
use reveille::subscribers::worker::{SubscriberWorker, WorkerParts};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::harness::http::{FakeHttp, Reply as HttpReply};
use crate::harness::smtp::{FakeSmtp, Mail, Reply, Stage};
use crate::harness::webhook;
use crate::mail_outcomes::{links, settings};

const NOW: Timestamp = Timestamp(1_796_051_040_000);
const SECRET: [u8; 32] = [7; 32];
const API: &str = "componentapi";
const SHOP: &str = "componentsho";

fn after(seconds: u64) -> Timestamp {
    NOW + Duration::seconds(seconds)
}

fn component(id: &str, name: &str) -> ComponentNode {
    ComponentNode::Component(ComponentView {
        id: id.into(),
        name: name.into(),
        description: "".into(),
        state: ComponentState::Operational,
        last_known: ComponentState::Operational,
        since: NOW,
        created_at: NOW,
        days: Vec::new(),
    })
}

fn post(id: &str, components: &[&str], updates: &[(&str, PostState, &str, Timestamp)]) -> PostView {
    let updates: Vec<PostUpdateView> = updates
        .iter()
        .rev()
        .map(|(id, state, text, at)| PostUpdateView {
            id: (*id).into(),
            state: *state,
            text: (*text).into(),
            at: *at,
            components: Vec::new(),
        })
        .collect();
    PostView {
        id: id.into(),
        kind: PostKind::Incident,
        title: "Requests to the API fail".into(),
        state: updates[0].state,
        impact: Impact::Major,
        is_automatic: false,
        created_at: NOW,
        updated_at: updates[0].at,
        started_at: NOW,
        monitoring_at: None,
        resolved_at: None,
        scheduled_for: None,
        scheduled_until: None,
        components: components.iter().map(|id| Text::from(*id)).collect(),
        updates,
    }
}

fn first_update(at: Timestamp) -> PostView {
    let update = (
        "updateone000",
        PostState::Investigating,
        "We see **errors**.",
        at,
    );
    post("postpostpost", &[API], &[update])
}

fn second_update(at: Timestamp) -> PostView {
    let one = (
        "updateone000",
        PostState::Investigating,
        "We see **errors**.",
        at,
    );
    let two = (
        "updatetwo000",
        PostState::Monitoring,
        "It is taken back.",
        at,
    );
    post("postpostpost", &[API], &[one, two])
}

/// The page `public` with these open posts.
fn published(open: Vec<PostView>) -> Arc<PublishedPages> {
    let rules = StatusPageRules {
        name: "public".into(),
        title: "Acme Cloud".into(),
        place: PagePlace::Path("/status".into()),
        components: Vec::new(),
        publish: PublishRules::default(),
        texts: PostTexts {
            title: "".into(),
            investigating: "".into(),
            changed: "".into(),
            monitoring: "".into(),
            resolved: "".into(),
            reopened: "".into(),
            in_progress: "".into(),
            completed: "".into(),
        },
        access: PageAccess::PUBLIC,
        languages: vec!["en".into()],
        subscribers: SubscriberRules {
            email: Some("mail".into()),
            webhooks: true,
            ..SubscriberRules::default()
        },
    };
    let view = StatusPageView {
        name: "public".into(),
        title: "Acme Cloud".into(),
        id: "pagepagepage".into(),
        url: "https://pager.example.com/status".into(),
        language: "en".into(),
        is_public: true,
        as_of: NOW,
        updated_at: NOW,
        is_certain: true,
        components: vec![component(API, "Public API"), component(SHOP, "Shop")],
        open,
        maintenance: Vec::new(),
        past: Vec::new(),
    };
    let page = PublishedPage {
        rules: Arc::new(rules),
        view,
    };
    let pages = BTreeMap::from([(StatusPageName::from("public"), Arc::new(page))]);
    Arc::new(PublishedPages { pages })
}

/// A process, over a relay that outlives it.
struct Process {
    registry: Arc<SubscriberRegistry>,
    site: SubscriberSite,
    worker: SubscriberWorker,
    pages: watch::Sender<Arc<PublishedPages>>,
    outcomes: Arc<Mutex<Vec<(&'static str, &'static str)>>>,
}

impl Process {
    fn start(data: &Path, relay: &FakeSmtp) -> Self {
        let registry = Arc::new(SubscriberRegistry::open(data).unwrap());
        let mailer = BulkEmail::new(settings(relay), &links()).unwrap();
        let mailer: Arc<dyn BulkMailer> = Arc::new(mailer);
        let options = HttpOptions {
            clock: Arc::new(|| NOW),
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            proxy: None,
            extra_roots: Vec::new(),
        };
        let couriers = Couriers {
            mailers: BTreeMap::from([(ChannelName::from("mail"), mailer)]),
            http: Arc::new(Http::new(options).unwrap()),
            secret: SECRET,
        };
        let (pages, receiver) = watch::channel(published(Vec::new()));
        let outcomes: Arc<Mutex<Vec<_>>> = Arc::default();
        let seen = outcomes.clone();
        let links = SubscriberLinks::new(SECRET);
        let worker = SubscriberWorker::new(WorkerParts {
            registry: registry.clone(),
            pages: receiver,
            couriers,
            links: links.clone(),
            on_delivery: Arc::new(move |medium, word| seen.lock().unwrap().push((medium, word))),
            on_queue: Arc::new(|_| {}),
        });
        Self {
            site: SubscriberSite::new(registry.clone(), links),
            registry,
            worker,
            pages,
            outcomes,
        }
    }

    /// The worker does what is due at this moment; when it wants to go on.
    async fn turn(&mut self, now: Timestamp) -> Timestamp {
        self.worker.turn(now).await.unwrap()
    }

    /// The page has these open posts from now on, and what waits is told.
    async fn publish(&mut self, post: PostView, now: Timestamp) {
        self.pages.send_replace(published(vec![post]));
        self.turn(now).await;
        self.turn(now + Duration::minutes(1)).await;
    }

    /// A request from a client of its own; status and body.
    async fn ask(
        &self,
        method: Method,
        address: &str,
        body: &str,
        now: Timestamp,
    ) -> (u16, String) {
        let client = IpAddr::from([192, 0, 2, 1]);
        self.ask_from(client, (method, address), body, now).await
    }

    async fn ask_from(
        &self,
        client: IpAddr,
        (method, address): (Method, &str),
        body: &str,
        now: Timestamp,
    ) -> (u16, String) {
        let pages = self.pages.borrow().clone();
        let page = &pages.pages["public"];
        let rest = address.strip_prefix(&*page.view.url).unwrap_or(address);
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let request = SiteRequest {
            method: &method,
            path,
            query,
            body: body.as_bytes(),
            client,
        };
        let response = self.site.answer(page, request, now).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn add(&self, address: SubscriberAddress, components: &[&str]) -> SubscriberId {
        let components = components.iter().map(|id| Text::from(*id)).collect();
        let add = |book: &_| sign_up::add(book, &"public".into(), address, components, NOW);
        self.registry.change(add).unwrap().unwrap()
    }

    fn add_mail(&self, address: &str) -> SubscriberId {
        self.add(SubscriberAddress::Email(address.to_owned()), &[])
    }

    fn state(&self, id: SubscriberId) -> SubscriptionState {
        let state = |book: &reveille::subscribers::book::SubscriberBook| {
            book.subscriber(id).unwrap().state.clone()
        };
        self.registry.read(state)
    }

    fn outcomes(&self) -> Vec<(&'static str, &'static str)> {
        std::mem::take(&mut *self.outcomes.lock().unwrap())
    }
}

async fn running() -> (TempDir, FakeSmtp, Process) {
    let data = tempfile::tempdir().unwrap();
    let relay = FakeSmtp::start().await;
    let mut process = Process::start(data.path(), &relay);
    process.turn(NOW).await;
    (data, relay, process)
}

/// The first address of our page in the text of a mail that leads there.
fn link(mail: &Mail, to: &str) -> String {
    let text = mail.entity.parts()[0].text();
    let words = text.split_whitespace();
    let mut links = words.filter(|word| word.starts_with("https://") && word.contains(to));
    links.next().expect("a link").to_owned()
}

#[tokio::test]
async fn whoever_signs_up_is_told_only_after_they_pressed_the_button_behind_the_link() {
    let (_data, relay, mut process) = running().await;
    let form = process.ask(Method::GET, "/subscribe", "", NOW).await;
    assert!(form.1.contains("Public API"), "{}", form.1);
    let body = format!("email=ana%40example.com&component={API}&component=unknown");
    assert_eq!(
        process.ask(Method::POST, "/subscribe", &body, NOW).await.0,
        200
    );
    process.publish(first_update(NOW), NOW).await;
    let mail = relay.next().await;
    assert_eq!(mail.to, "ana@example.com");
    let subject = mail.entity.header("Subject");
    assert_eq!(subject, Some("Confirm your subscription to Acme Cloud"));
    assert_eq!(mail.entity.header("List-Unsubscribe"), None);
    relay.expect_nothing_more();
    let confirm = link(&mail, "/subscribe/confirm?t=");

    // A scanner opens the link.
    let opened = process.ask(Method::GET, &confirm, "", after(90)).await;
    assert!(
        opened.0 == 200 && opened.1.contains("<form method=\"post\""),
        "{}",
        opened.1
    );
    assert_eq!(process.state(SubscriberId(0)), SubscriptionState::Pending);
    let late = NOW + Duration::hours(48) + Duration(1);
    assert_eq!(process.ask(Method::POST, &confirm, "", late).await.0, 410);
    assert_eq!(
        process.ask(Method::POST, &confirm, "", after(90)).await.0,
        200
    );
    let confirmed = SubscriptionState::Confirmed { at: after(90) };
    assert_eq!(process.state(SubscriberId(0)), confirmed);

    process.publish(second_update(after(100)), after(100)).await;
    let mail = relay.next().await;
    let text = mail.entity.parts()[0].text();
    for words in [
        "Requests to the API fail\nMonitoring\nAffects: Public API\n",
        "It is taken back.",
        "https://pager.example.com/status/incidents/postpostpost",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    relay.expect_nothing_more();
}

#[tokio::test]
async fn one_post_to_the_address_in_the_mail_ends_the_subscription_and_opening_it_does_not() {
    let (_data, relay, mut process) = running().await;
    let id = process.add_mail("ana@example.com");
    process.publish(first_update(NOW), NOW).await;
    let mail = relay.next().await;
    for (name, value) in [
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Precedence", "bulk"),
        ("Auto-Submitted", "auto-generated"),
        ("List-Id", "<pagepagepage.pager.example.com>"),
        (
            "Subject",
            "[Acme Cloud] Investigating: Requests to the API fail",
        ),
        ("To", "ana@example.com"),
    ] {
        assert_eq!(mail.entity.header(name), Some(value), "{name}");
    }
    let unsubscribe = link(&mail, "/unsubscribe?t=");
    let header = mail.entity.header("List-Unsubscribe").unwrap();
    assert_eq!(
        header.replace([' ', '\r', '\n'], ""),
        format!("<{unsubscribe}>")
    );
    let now = NOW + Duration::days(400);
    let opened = process.ask(Method::GET, &unsubscribe, "", now).await;
    assert!(opened.1.contains("<form method=\"post\""), "{}", opened.1);
    assert!(matches!(
        process.state(id),
        SubscriptionState::Confirmed { .. }
    ));
    let one_click = "List-Unsubscribe=One-Click";
    assert_eq!(
        process
            .ask(Method::POST, &unsubscribe, one_click, now)
            .await
            .0,
        200
    );
    assert!(matches!(process.state(id), SubscriptionState::Ended { .. }));
    process.publish(second_update(now), now).await;
    relay.expect_nothing_more();
    assert_eq!(
        process
            .ask(Method::POST, &unsubscribe, one_click, now)
            .await
            .0,
        200
    );
}

#[tokio::test]
async fn readers_are_told_of_the_components_that_they_chose() {
    let (_data, relay, mut process) = running().await;
    for (address, components) in [
        ("api@example.com", &[API][..]),
        ("shop@example.com", &[SHOP]),
        ("all@example.com", &[]),
    ] {
        process.add(SubscriberAddress::Email(address.to_owned()), components);
    }
    process.publish(first_update(NOW), NOW).await;
    let mut told = [relay.next().await.to, relay.next().await.to];
    told.sort();
    assert_eq!(told, ["all@example.com", "api@example.com"]);
    relay.expect_nothing_more();
}

#[tokio::test]
async fn updates_shortly_after_each_other_are_one_mail_about_the_newest() {
    let (_data, relay, mut process) = running().await;
    process.add_mail("ana@example.com");
    process
        .pages
        .send_replace(published(vec![first_update(NOW)]));
    assert_eq!(process.turn(NOW).await, after(60));
    process
        .pages
        .send_replace(published(vec![second_update(after(40))]));
    assert_eq!(process.turn(after(40)).await, after(60));
    process.turn(after(60)).await;
    let text = relay.next().await.entity.parts()[0].text();
    assert!(text.contains("It is taken back."), "{text}");
    process.turn(after(600)).await;
    relay.expect_nothing_more();
}

#[tokio::test]
async fn a_page_that_is_seen_first_tells_nothing_of_what_is_over_or_old() {
    let (_data, relay, mut process) = running().await;
    process.add_mail("ana@example.com");
    process
        .publish(first_update(NOW.minus(Duration::hours(25))), NOW)
        .await;
    relay.expect_nothing_more();

    let (_data, relay, mut process) = {
        let data = tempfile::tempdir().unwrap();
        let relay = FakeSmtp::start().await;
        let process = Process::start(data.path(), &relay);
        (data, relay, process)
    };
    process.add_mail("ana@example.com");
    let update = ("updateend000", PostState::Resolved, "All is well.", NOW);
    let over = post("postpostpost", &[], &[update]);
    process.publish(over, NOW).await;
    relay.expect_nothing_more();
}

#[tokio::test]
async fn a_restart_in_the_middle_of_the_queue_loses_nothing_and_repeats_nothing() {
    let (data, relay, mut process) = running().await;
    for number in 0..12 {
        process.add_mail(&format!("reader{number}@example.com"));
    }
    // The relay takes eight, and then rests.
    let refusals = (0..4).map(|_| Reply::at(Stage::Mail, 452, "4.3.1 out of storage"));
    relay.script((0..8).map(|_| Reply::ok()));
    process.publish(first_update(NOW), NOW).await;
    let mut told = Vec::new();
    for _ in 0..12 {
        if told.len() == 12 {
            break;
        }
        told.push(relay.next().await.to);
    }
    relay.script(refusals);
    process.publish(second_update(after(300)), after(300)).await;
    drop(process);

    let mut process = Process::start(data.path(), &relay);
    process
        .pages
        .send_replace(published(vec![second_update(after(300))]));
    for minutes in [10, 20, 40] {
        process.turn(after(300 + minutes * 60)).await;
    }
    let mut again = Vec::new();
    for _ in 0..12 {
        again.push(relay.next().await.to);
    }
    told.sort();
    again.sort();
    assert_eq!(told, again);
    again.dedup();
    assert_eq!(again.len(), 12);
    relay.expect_nothing_more();
}

#[tokio::test]
async fn an_attempt_that_the_end_of_the_process_cut_off_is_made_once_more_under_the_same_id() {
    use reveille::subscribers::book::BookChange;
    let (data, relay, mut process) = running().await;
    process.add_mail("ana@example.com");
    process.publish(first_update(NOW), NOW).await;
    let first = relay.next().await;
    // As the records stood when the mail had left and its outcome was not known yet.
    process.publish(second_update(after(100)), after(100)).await;
    let second = relay.next().await;
    let key = reveille::subscribers::delivery::DeliveryKey {
        subscriber: SubscriberId(0),
        subject: reveille::subscribers::delivery::DeliverySubject::Post("postpostpost".into()),
    };
    let delivery =
        reveille::subscribers::delivery::Delivery::new(key, "updatetwo000".into(), after(160));
    let begun = vec![BookChange::Delivery(delivery.begun())];
    process.registry.change(|_| (begun, ())).unwrap();
    drop(process);
    let mut process = Process::start(data.path(), &relay);
    process
        .pages
        .send_replace(published(vec![second_update(after(100))]));
    let next = process.turn(after(200)).await;
    process.turn(next).await;
    let again = relay.next().await;
    let id = |mail: &Mail| mail.entity.header("Message-ID").unwrap().to_owned();
    assert_eq!(id(&again), id(&second));
    assert_ne!(id(&again), id(&first));
    process.turn(after(9_000)).await;
    relay.expect_nothing_more();
}

#[tokio::test]
async fn a_relay_that_asks_to_slow_down_gets_a_rest_and_then_everything() {
    let (_data, relay, mut process) = running().await;
    process.add_mail("ana@example.com");
    relay.script([Reply::at(
        Stage::Rcpt,
        450,
        "4.7.1 too many mails, slow down",
    )]);
    process.publish(first_update(NOW), NOW).await;
    assert_eq!(process.outcomes(), [("email", "retried")]);
    process.turn(after(90)).await;
    relay.expect_nothing_more();
    process.turn(after(121)).await;
    assert_eq!(relay.next().await.to, "ana@example.com");
    assert_eq!(process.outcomes(), [("email", "sent")]);
}

#[tokio::test]
async fn an_address_that_does_not_exist_ends_its_subscription_with_the_reason() {
    let (_data, relay, mut process) = running().await;
    let id = process.add_mail("gone@example.com");
    relay.script([Reply::at(Stage::Rcpt, 550, "5.1.1 no such user")]);
    process.publish(first_update(NOW), NOW).await;
    assert_eq!(process.outcomes(), [("email", "bounced")]);
    let SubscriptionState::Ended { why, .. } = process.state(id) else {
        panic!("it has ended");
    };
    assert_eq!(why.as_str(), "bounced");
    assert!(
        why.words().unwrap().contains("550 5.1.1 no such user"),
        "{why:?}"
    );
    process.publish(second_update(after(300)), after(300)).await;
    relay.expect_nothing_more();
}

#[tokio::test]
async fn a_flood_of_sign_ups_of_one_client_is_refused_and_bad_addresses_cost_nothing() {
    let (_data, relay, mut process) = running().await;
    for bad in [
        "",
        "ana",
        "ana%40example.com%0d%0aBcc%3A+bo%40example.com",
        "a%40b%00.c",
    ] {
        let body = format!("email={bad}");
        let answer = process.ask(Method::POST, "/subscribe", &body, NOW).await;
        assert_eq!(answer.0, 422, "{bad}");
    }
    let mut statuses = Vec::new();
    for number in 0..7 {
        let body = format!("email=reader{number}%40example.com");
        statuses.push(process.ask(Method::POST, "/subscribe", &body, NOW).await.0);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429]);
    process.turn(NOW).await;
    for _ in 0..5 {
        relay.next().await;
    }
    relay.expect_nothing_more();
}

#[tokio::test]
async fn the_answer_does_not_tell_whether_an_address_is_known() {
    let (_data, relay, mut process) = running().await;
    process.add_mail("known@example.com");
    let known = process
        .ask(Method::POST, "/subscribe", "email=known%40example.com", NOW)
        .await;
    let new = process
        .ask(Method::POST, "/subscribe", "email=new%40example.com", NOW)
        .await;
    assert_eq!(known, new);
    process.turn(NOW).await;
    assert_eq!(relay.next().await.to, "new@example.com");
    relay.expect_nothing_more();
}

async fn with_webhook() -> (TempDir, FakeHttp, Process, SubscriberId) {
    let (data, _relay, process) = running().await;
    let receiver = webhook::start_receiver().await;
    let id = process.add(SubscriberAddress::Webhook(receiver.url()), &[]);
    (data, receiver, process, id)
}

#[tokio::test]
async fn a_web_address_gets_what_statuspage_would_post_signed_with_a_secret_of_its_own() {
    let (_data, receiver, mut process, id) = with_webhook().await;
    process.publish(second_update(NOW), NOW).await;
    let call = receiver.next().await;
    let body = call.json();
    assert_eq!(body["incident"]["name"], "Requests to the API fail");
    assert_eq!(
        body["incident"]["incident_updates"][0]["body"],
        "It is taken back."
    );
    assert_eq!(body["page"]["id"], "pagepagepage");
    let integration = Integration {
        name: "monitor".into(),
        format: reveille::inbound::of("statuspage").word,
        mapping: None,
        labels: Labels::default(),
        max_age: Duration::hours(6),
        resolve_after: None,
        key_hashes: Vec::new(),
        was: Vec::new(),
    };
    let read = reveille::inbound::parse(&integration, call.body.as_bytes(), NOW);
    assert_eq!(read.faults, []);
    assert_eq!(&*read.events[0].dedup_key, "incident/postpostpost");
    assert_eq!(&*read.events[0].content.summary, "Requests to the API fail");
    let secret = webhook_secret(&SECRET, id);
    let secret = reveille::signing::standard_webhooks::Secret::parse(&secret).unwrap();
    let expected = reveille::signing::standard_webhooks::sign(
        &[secret],
        call.header("webhook-id"),
        call.header("webhook-timestamp"),
        call.body.as_bytes(),
    );
    assert_eq!(call.header("webhook-signature"), expected);
    assert_ne!(
        webhook_secret(&SECRET, id),
        webhook_secret(&SECRET, SubscriberId(99))
    );
}

#[tokio::test]
async fn a_web_address_that_fails_is_called_again_and_given_up_after_five_days() {
    let (_data, receiver, mut process, id) = with_webhook().await;
    receiver.script((0..2).map(|_| HttpReply::new(500, "")));
    process.publish(first_update(NOW), NOW).await;
    process.turn(after(3_600)).await;
    process.turn(after(9_000)).await;
    let ids: Vec<String> = [
        receiver.next().await,
        receiver.next().await,
        receiver.next().await,
    ]
    .iter()
    .map(|call| call.header("webhook-id").to_owned())
    .collect();
    assert!(ids.iter().all(|known| *known == ids[0]), "{ids:?}");
    assert_eq!(
        process.outcomes(),
        [
            ("webhook", "retried"),
            ("webhook", "retried"),
            ("webhook", "sent")
        ]
    );
    receiver.script((0..2).map(|_| HttpReply::new(500, "")));
    process
        .publish(second_update(after(10_000)), after(10_000))
        .await;
    process.turn(after(10_000) + Duration::days(6)).await;
    let SubscriptionState::Ended { why, .. } = process.state(id) else {
        panic!("it has ended");
    };
    assert_eq!(why.as_str(), "failing");
}
