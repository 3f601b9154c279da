//! A status page of our own under readers: how many requests are answered in a second, half of them
//! for the page and half for `summary.json`, each of another client.
//!
//! Readers and server share two threads of this process and talk over loopback.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use reveille::engine::status_page_rules::{
    PageAccess, PagePlace, PostTexts, PublishRules, StatusPageRules, SubscriberRules,
};
use reveille::engine::status_report::ComponentState;
use reveille::engine::time::{Duration as Length, Timestamp};
use reveille::runtime::clock::Clock;
use reveille::status_page::published::{PublishedPage, PublishedPages};
use reveille::status_page::view::{ComponentDay, ComponentNode, ComponentView, StatusPageView};
use reveille::status_site::{SiteParts, StatusSite, router};
use reveille::telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{CONNECTIONS, Connection};
use crate::{Failure, say};

const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(8);
/// 2026-11-30T15:04:00Z.
const NOW: Timestamp = Timestamp(1_796_051_040_000);
const COMPONENTS: usize = 20;
const DAYS: u64 = 90;

const REQUESTS: [&[u8]; 2] = [
    b"GET /status HTTP/1.1\r\nhost: localhost\r\n\r\n",
    b"GET /status/api/v2/summary.json HTTP/1.1\r\nhost: localhost\r\n\r\n",
];

pub async fn measure() -> Result<(), Failure> {
    let (publish, published) = watch::channel(Arc::new(pages()));
    let (certain, is_certain) = watch::channel(true);
    let (clock, metrics) = (Clock::start(), Metrics::new());
    let site = StatusSite::new(SiteParts {
        published,
        is_certain,
        client: |_| Some(another_client()),
        monotonic: Arc::new(move || clock.monotonic()),
        on_answer: Arc::new(move |page, form, code| metrics.status_request(page, form, code)),
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, router(Arc::new(site))).await });
    read_for(address, WARM_UP).await?;
    let answered = read_for(address, MEASURED).await?;
    serving.abort();
    drop((publish, certain));
    let rate = answered as f64 / MEASURED.as_secs_f64();
    say(&format!(
        "a status page of {COMPONENTS} components: {rate:.0} requests/s, {answered} in {} s",
        MEASURED.as_secs()
    ));
    Ok(())
}

/// Readers on all connections, each asking again as soon as it was answered.
async fn read_for(address: SocketAddr, length: Duration) -> Result<u64, Failure> {
    let end = Instant::now() + length;
    let answered = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(address).await?;
        let answered = Arc::clone(&answered);
        tasks.spawn(async move {
            for request in REQUESTS.iter().cycle() {
                if Instant::now() >= end {
                    break;
                }
                connection.send(request).await?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), Failure>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(answered.load(Ordering::Relaxed))
}

/// One of 65,536, in turn: more than are remembered.
fn another_client() -> IpAddr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed) % 0x1_0000;
    Ipv4Addr::from(0x0A00_0000 + number).into()
}

fn pages() -> PublishedPages {
    let text = || "text".into();
    let rules = StatusPageRules {
        name: "public".into(),
        title: "Acme Cloud".into(),
        place: PagePlace::Path("/status".into()),
        components: Vec::new(),
        publish: PublishRules::default(),
        texts: PostTexts {
            title: text(),
            investigating: text(),
            changed: text(),
            monitoring: text(),
            resolved: text(),
            reopened: text(),
            in_progress: text(),
            completed: text(),
        },
        access: PageAccess::PUBLIC,
        languages: vec!["en".into()],
        subscribers: SubscriberRules::default(),
    };
    let name = rules.name.clone();
    let page = PublishedPage {
        rules: Arc::new(rules),
        view: view(),
    };
    PublishedPages {
        pages: [(name, Arc::new(page))].into(),
    }
}

fn view() -> StatusPageView {
    let components = (0..COMPONENTS).map(|number| ComponentNode::Component(component(number)));
    StatusPageView {
        name: "public".into(),
        title: "Acme Cloud".into(),
        id: "pagepagepage".into(),
        url: "https://reveille.example.com/status".into(),
        language: "en".into(),
        is_public: true,
        as_of: NOW,
        updated_at: NOW,
        is_certain: true,
        components: components.collect(),
        open: Vec::new(),
        maintenance: Vec::new(),
        past: Vec::new(),
    }
}

fn component(number: usize) -> ComponentView {
    let midnight = Timestamp(NOW.0 - NOW.0 % 86_400_000);
    let days = (0..DAYS).rev().map(|before| ComponentDay {
        begins: midnight.minus(Length::days(before)),
        degraded: Length::minutes(before % 7),
        partial_outage: Length::ZERO,
        major_outage: Length::minutes(before % 3),
        maintenance: Length::ZERO,
        unknown: Length::ZERO,
        observed: Length::days(1),
    });
    ComponentView {
        id: format!("component{number:03}").into(),
        name: format!("Component {number}").into(),
        description: "What it does in a few words".into(),
        state: ComponentState::Operational,
        last_known: ComponentState::Operational,
        since: midnight,
        created_at: midnight.minus(Length::days(DAYS)),
        days: days.collect(),
    }
}
