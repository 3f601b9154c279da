//! Send requests as the engine hands them to channels.

use std::sync::Arc;

use reveille::channels::{CancelToken, Channel, Sent};
use reveille::engine::alert::AlertSummary;
use reveille::engine::decision::{IncidentSummary, Message, SendRequest, TokenSubject};
use reveille::engine::event::Content;
use reveille::engine::ids::{AttemptId, IncidentNumber, PageId, Revision};
use reveille::engine::incident::{Handled, PageCause, Position, Status};
use reveille::engine::input::Via;
use reveille::engine::page::{IncidentRef, PageKind, Recipient, UpdateKind};
use reveille::engine::ruleset::Medium;
use reveille::engine::time::{Duration, Timestamp};
use reveille::engine::urgency::Urgency;

/// 2026-05-12T02:10:00Z.
const OPENED: Timestamp = Timestamp(1_778_551_800_000);

/// Makes an attempt that nobody withdraws.
pub async fn send(channel: &dyn Channel, order: &SendRequest) -> Sent {
    channel.send(order, &CancelToken::default()).await.unwrap()
}

/// A page to Ana about one incident, by mail.
pub fn page(number: u64, title: &str) -> SendRequest {
    SendRequest {
        attempt: AttemptId(1),
        page: PageId(number),
        channel: "mail".into(),
        medium: Medium::Email,
        address: "ana@example.com".into(),
        urgency: Urgency::High,
        integration: "prometheus".into(),
        asks: true,
        message: message(number, title),
        thread: None,
        plain_text_only: false,
        deadline: Duration::seconds(20),
    }
}

/// The notice that Bo has it.
pub fn acknowledged(number: u64, title: &str) -> SendRequest {
    let mut order = page(number, title);
    let news = UpdateKind::Acknowledged;
    order.page = PageId(number + 1);
    order.asks = false;
    order.message.kind = PageKind::Update {
        of: PageId(number),
        news,
    };
    order.message.news = Some(news);
    let brief = &mut order.message.incidents[0];
    brief.status = Status::Acknowledged;
    brief.acknowledged = Some(Handled {
        by: "Bo Larsen".into(),
        user: Some("bo".into()),
        via: Via::Link,
        at: OPENED + Duration::minutes(2),
    });
    order
}

fn message(number: u64, title: &str) -> Message {
    Message {
        kind: PageKind::Page,
        recipient: Recipient::User {
            user: "ana".into(),
            contact: "mail".into(),
        },
        recipient_name: Some("Ana Silva".into()),
        time_zone: "Europe/Lisbon".into(),
        incidents: vec![brief(number, title)],
        incidents_total: 1,
        token: TokenSubject {
            page: PageId(number),
            generation: 1,
            user: Some("ana".into()),
        },
        why: PageCause {
            route: "payments-critical".into(),
            policy: Some("payments".into()),
            position: Position::Step(0),
            round: 0,
            schedule: Some("payments-primary".into()),
            revision: Revision(1),
        },
        news: None,
        written_at: OPENED,
    }
}

fn brief(number: u64, title: &str) -> IncidentSummary {
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
        alerts: vec![AlertSummary {
            summary: title.into(),
            firing: true,
            first_seen: OPENED,
            content: Arc::new(Content {
                summary: title.into(),
                severity: "critical".into(),
                source: Some("db1.example".into()),
                labels: [("alertname", "DiskFull")].into_iter().collect(),
                ..Content::default()
            }),
        }],
        joined: Vec::new(),
        joined_total: 0,
        provider_incident: None,
        waiting: Vec::new(),
        waiting_total: 0,
        is_self_incident: false,
    }
}
