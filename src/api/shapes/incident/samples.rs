//! Records for the tests of this room.

use crate::engine::event::Labels;
use crate::engine::ids::{ContactName, IncidentNumber, PageId, Revision, UserName};
use crate::engine::incident::{
    AlertCounts, Escalation, Incident, Phase, PinnedPolicy, Position, Status, Why,
};
use crate::engine::page::{IncidentRef, Page, PageKind, PageState, Recipient};
use crate::engine::ruleset::Medium;
use crate::engine::time::{Millis, Steady, Wall};
use crate::engine::urgency::Urgency;

/// 2026-11-23T03:10:00Z.
pub const OPENED: Wall = Wall(1_795_403_400_000);

/// A triggered incident of high urgency.
pub fn incident() -> Incident {
    Incident {
        number: IncidentNumber(1042),
        generation: 1,
        route: "payments".into(),
        group_key: "payments".into(),
        group_labels: Labels::default(),
        integration: "prometheus".into(),
        status: Status::Triggered,
        urgency: Urgency::High,
        title: "disk full on db1".into(),
        service: Some("payments-api".into()),
        policy: Some(PinnedPolicy {
            revision: Revision(3),
            name: "payments".into(),
        }),
        copy_to: Vec::new(),
        join_interval: Millis::minutes(5),
        opened_at: OPENED,
        revision: Revision(3),
        acknowledged: None,
        resolved: None,
        alerts: AlertCounts {
            total: 2,
            firing: 2,
            acknowledged: 0,
            silenced: 0,
        },
        escalation: Escalation {
            phase: Phase::Running,
            round: 0,
            position: Position::Step(1),
            started: Steady(0),
            due: None,
            fallbacks: 0,
            reassigned: None,
        },
        runs: Vec::new(),
        is_silenced: false,
        flapping_until: None,
        joined_page_at: None,
        update_due: None,
        about: None,
        opened_by: None,
        notes: Vec::new(),
        still_firing: false,
        kept_alerts: Vec::new(),
    }
}

/// A page to ana about that incident.
pub fn page() -> Page {
    Page {
        id: PageId(7),
        kind: PageKind::Page,
        incidents: vec![IncidentRef {
            number: IncidentNumber(1042),
            generation: 1,
        }],
        recipient: Recipient::User {
            user: UserName::from("ana"),
            contact: ContactName::from("phone"),
        },
        medium: Medium::Sms,
        address: "+351912345678".into(),
        urgency: Urgency::High,
        integration: "prometheus".into(),
        why: Why {
            route: "payments".into(),
            policy: Some("payments".into()),
            position: Position::Step(1),
            round: 0,
            schedule: Some("night".into()),
            revision: Revision(3),
        },
        notify_step: 0,
        state: PageState::Sent,
        created_at: OPENED,
        created: Steady(0),
        attempts: Vec::new(),
        retries: Vec::new(),
        is_plain: false,
        has_moved_on: false,
        reference: None,
        has_update_waiting: false,
        updated: None,
    }
}
