//! Send requests as the engine hands them to a channel.

use std::sync::Arc;

use crate::engine::alert::AlertSummary;
use crate::engine::decision::{IncidentSummary, Message, SendRequest, TokenSubject};
use crate::engine::event::{Content, Link};
use crate::engine::ids::{AttemptId, IncidentNumber, PageId, Revision};
use crate::engine::incident::{Handled, PageCause, Position, Status};
use crate::engine::input::Via;
use crate::engine::page::{IncidentRef, PageKind, Recipient, UpdateKind};
use crate::engine::ruleset::Medium;
use crate::engine::time::{Duration, Timestamp};
use crate::engine::urgency::Urgency;

/// 2026-05-12T02:10:00Z, 03:10 in Lisbon.
const OPENED: Timestamp = Timestamp(1_778_551_800_000);

pub fn brief(number: u64, title: &str) -> IncidentSummary {
    IncidentSummary {
        incident: IncidentRef {
            number: IncidentNumber(number),
            generation: 1,
        },
        status: Status::Triggered,
        urgency: Urgency::High,
        opened_with: title.into(),
        title: title.into(),
        service: Some("payments-api".into()),
        opened_at: OPENED,
        acknowledged: None,
        resolved: None,
        alerts_firing: 1,
        alerts_total: 1,
        group_labels: std::iter::empty::<(&str, &str)>().collect(),
        alerts: vec![alert(title, "critical", Some("db1.example"))],
        joined: Vec::new(),
        joined_total: 0,
        provider_incident: None,
        waiting: Vec::new(),
        waiting_total: 0,
        is_self_incident: false,
    }
}

pub fn alert(summary: &str, severity: &str, source: Option<&str>) -> AlertSummary {
    AlertSummary {
        summary: summary.into(),
        firing: true,
        first_seen: OPENED,
        content: Arc::new(Content {
            summary: summary.into(),
            severity: severity.into(),
            source: source.map(Into::into),
            labels: [("alertname", "DiskFull"), ("team", "payments")]
                .into_iter()
                .collect(),
            ..Content::default()
        }),
    }
}

/// What the monitor sent of an alert, to be changed.
pub fn content(alert: &mut AlertSummary) -> &mut Content {
    Arc::make_mut(&mut alert.content)
}

pub fn link(href: &str, text: Option<&str>) -> Link {
    Link {
        href: href.into(),
        text: text.map(Into::into),
    }
}

pub fn triggered() -> IncidentSummary {
    brief(1042, "disk full on db1")
}

pub fn acknowledged() -> IncidentSummary {
    IncidentSummary {
        status: Status::Acknowledged,
        acknowledged: Some(handled("Ana Silva", Via::Link, Duration::minutes(2))),
        ..triggered()
    }
}

pub fn resolved() -> IncidentSummary {
    let later = Duration(Duration::hours(29).0 + Duration::minutes(52).0);
    IncidentSummary {
        status: Status::Resolved,
        resolved: Some(handled("prometheus", Via::Source, later)),
        ..acknowledged()
    }
}

fn handled(by: &str, via: Via, after: Duration) -> Handled {
    Handled {
        user: None,
        ..super::handled(by, via, OPENED + after)
    }
}

/// A page to Ana about one incident.
pub fn order(medium: Medium) -> SendRequest {
    with(medium, PageKind::Page, vec![triggered()])
}

/// A bundled page about so many incidents.
pub fn bundle(medium: Medium, count: u64) -> SendRequest {
    let briefs = (0..count).map(|at| brief(1042 + at, &format!("disk full on db{}", at + 1)));
    with(medium, PageKind::Bundle, briefs.collect())
}

/// A notice that never asks.
pub fn update(medium: Medium, news: UpdateKind, brief: IncidentSummary) -> SendRequest {
    let kind = PageKind::Update {
        of: PageId(17),
        news,
    };
    let mut order = with(medium, kind, vec![brief]);
    order.asks = false;
    order.page = PageId(18);
    order.message.news = Some(news);
    order
}

fn with(medium: Medium, kind: PageKind, incidents: Vec<IncidentSummary>) -> SendRequest {
    SendRequest {
        attempt: AttemptId(23),
        page: PageId(17),
        channel: "mail".into(),
        medium,
        address: "ana@example.com".into(),
        urgency: Urgency::High,
        integration: "prometheus".into(),
        asks: true,
        message: Message {
            kind,
            recipient: Recipient::User {
                user: "ana".into(),
                contact: "mail".into(),
            },
            recipient_name: Some("Ana Silva".into()),
            time_zone: "Europe/Lisbon".into(),
            incidents_total: incidents.len(),
            incidents,
            token: TokenSubject {
                page: PageId(17),
                generation: 1,
                user: Some("ana".into()),
            },
            why: why(),
            news: None,
            written_at: OPENED + Duration::minutes(2),
        },
        thread: None,
        plain_text_only: false,
        deadline: Duration::seconds(60),
    }
}

fn why() -> PageCause {
    PageCause {
        route: "payments-critical".into(),
        policy: Some("payments".into()),
        position: Position::Step(0),
        round: 0,
        schedule: Some("payments-primary".into()),
        revision: Revision(3),
    }
}
