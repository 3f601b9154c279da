//! Records for the tests of all rooms: with every field set, as the golden files of the store have
//! them, and plain ones, of which most is as it begins.

mod entries;
pub mod orders;

pub use entries::entries;

use std::sync::Arc;

use serde_json::json;

use crate::engine::alert::{Alert, AlertSummary, Hold, Unreported};
use crate::engine::assertions::{AssertionId, Assertions};
use crate::engine::calendar::Override;
use crate::engine::cause::Cause;
use crate::engine::channel_state::{ChannelState, Check, Outage};
use crate::engine::counters::Counters;
use crate::engine::dependency::{Dependency, HoldRule};
use crate::engine::dependent::{Dependent, ProviderHold};
use crate::engine::entry_body::{Addressee, AttemptEntry, EntryBody};
use crate::engine::event::{Action, Content, Event, EventTime, Fault, Labels, Link};
use crate::engine::health::{Health, Pace, Turn};
use crate::engine::ids::*;
use crate::engine::incident::*;
use crate::engine::input::{Actor, Via};
use crate::engine::outcome::Outcome;
use crate::engine::page::*;
use crate::engine::provider::*;
use crate::engine::reason::Reason;
use crate::engine::records::*;
use crate::engine::ruleset::{ChannelTarget, Medium, Policy, PolicyStep, Target};
use crate::engine::status_component::*;
use crate::engine::status_post::*;
use crate::engine::status_report::{ComponentState, Impact, ReportPhase, ReportedIncident};
use crate::engine::task::{Part, Task, TaskKind};
use crate::engine::time::{Duration, MonotonicTime, Timestamp};
use crate::engine::urgency::{SeverityClass, Urgency};

/// 2026-01-05T08:00:00Z, a Monday.
pub const START: Timestamp = Timestamp(1_767_600_000_000);

pub fn content() -> Arc<Content> {
    let labels = [("alertname", "DiskFull"), ("team", "payments")];
    Arc::new(Content {
        summary: "disk is full on db-1".into(),
        severity: "critical".into(),
        source: Some("db-1".into()),
        component: Some("postgres".into()),
        group: Some("prod".into()),
        class: Some("disk".into()),
        service: Some("payments-api".into()),
        labels: labels.into_iter().collect::<Labels>(),
        details: Some(r#"{"free_bytes":0}"#.into()),
        links: vec![Link {
            href: "https://grafana.example.com/d/1".into(),
            text: Some("graph".into()),
        }],
    })
}

fn assertions() -> Assertions {
    let id = |generator: &str| AssertionId {
        generator: generator.into(),
        starts_at: Some(START),
    };
    let mut assertions = Assertions::default();
    assertions.assert(
        id("http://a.example.com/"),
        Some(MonotonicTime(4_000)),
        MonotonicTime(1),
    );
    assertions.assert(
        id("http://b.example.com/"),
        Some(MonotonicTime(3_000)),
        MonotonicTime(2),
    );
    assertions.resolve(id("http://b.example.com/"), MonotonicTime(3));
    assertions
}

pub fn alert(id: u64) -> Alert {
    Alert {
        id: AlertId(id),
        integration: "prometheus".into(),
        former_integration: Some("am".into()),
        dedup_key: "disk/db-1".into(),
        content: content(),
        firing: true,
        acknowledged: true,
        starts_at: Some(START),
        first_seen: START + Duration::seconds(1),
        last_seen: START + Duration::seconds(2),
        repeats: 3,
        expires: Some(MonotonicTime(4_000)),
        unreported: Some(Unreported {
            since: MonotonicTime(5_000),
            resolve_after: Duration::hours(2),
        }),
        assertions: assertions(),
        resolved_at: Some(START + Duration::seconds(5)),
        resolved_source_time: Some(START + Duration::seconds(6)),
        entered: Some(MonotonicTime(3_500)),
        incidents: vec![IncidentNumber(7)],
        held_old: true,
        silenced_by: vec![SilenceId(8)],
        holds: vec![Hold {
            group_key: "payments/disk".into(),
            incident: IncidentNumber(9),
            until: MonotonicTime(10_000),
            since: START + Duration::seconds(7),
        }],
        forget: Some(MonotonicTime(11_000)),
    }
}

fn why(position: Position) -> PageCause {
    PageCause {
        route: "payments-critical".into(),
        policy: Some("payments".into()),
        position,
        round: 1,
        schedule: Some("payments-primary".into()),
        revision: Revision(4),
    }
}

fn actor() -> Actor {
    Actor {
        name: "Ana Silva".into(),
        user: Some("ana".into()),
        via: Via::Slack,
    }
}

pub fn handled(by: &str, via: Via, at: Timestamp) -> Handled {
    Handled {
        by: by.into(),
        user: Some(by.into()),
        via,
        at,
    }
}

pub fn pinned_policy() -> PolicyRef {
    PolicyRef {
        revision: Revision(4),
        name: "payments".into(),
    }
}

fn channel_target() -> ChannelTarget {
    ChannelTarget {
        channel: "slack".into(),
        address: "#payments".into(),
    }
}

fn targets() -> Vec<Target> {
    vec![
        Target::User("ana".into()),
        Target::Schedule("payments-primary".into()),
        Target::Channel(channel_target()),
    ]
}

pub fn incident(number: u64) -> Incident {
    Incident {
        number: IncidentNumber(number),
        generation: 2,
        route: "payments-critical".into(),
        group_key: "payments/disk".into(),
        group_labels: [("cluster", "eu-1")].into_iter().collect(),
        integration: "prometheus".into(),
        status: Status::Resolved,
        urgency: Urgency::High,
        title: "disk is full on db-1".into(),
        service: Some("payments-api".into()),
        policy: Some(pinned_policy()),
        copy_to: vec![channel_target()],
        join_interval: Duration::minutes(5),
        opened_at: START,
        revision: Revision(4),
        acknowledged: Some(handled("ana", Via::Link, START + Duration::minutes(1))),
        resolved: Some(handled("ana", Via::Link, START + Duration::minutes(2))),
        alerts: AlertCounts {
            total: 4,
            firing: 3,
            acknowledged: 2,
            silenced: 1,
        },
        escalation: escalation(Phase::Running, Position::Step(1)),
        runs: vec![NotificationRun {
            user: "ana".into(),
            why: why(Position::Step(1)),
            started: MonotonicTime(1_000),
            next: 2,
            due: Some(MonotonicTime(2_000)),
            held: vec![1],
            is_counted: true,
        }],
        is_silenced: true,
        flapping_until: Some(MonotonicTime(3_000)),
        joined_page_at: Some(MonotonicTime(4_000)),
        update_due: Some(MonotonicTime(5_000)),
        about: Some(SelfIncident::new(Cause::ChannelCredential, "slack")),
        opened_by: Some(actor()),
        notes: vec![Note {
            at: START,
            by: actor(),
            text: "looking".into(),
        }],
        still_firing: true,
        last_alerts: vec![AlertSummary {
            summary: "disk is full on db-1".into(),
            firing: true,
            first_seen: START,
            content: alert(2).content,
        }],
    }
}

fn escalation(phase: Phase, position: Position) -> Escalation {
    Escalation {
        phase,
        round: 1,
        position,
        started: MonotonicTime(1_000),
        due: Some(MonotonicTime(2_000)),
        fallbacks: 3,
        reassigned: Some(targets()),
        skip_wait_reason: Some(Reason::Declined),
        remaining: Some(Duration::minutes(3)),
        snoozed_until: Some(MonotonicTime(9_000)),
        is_join_pending: true,
    }
}

/// An incident resolved at a time, otherwise as plain as can be.
pub fn resolved_incident(number: u64, at: Timestamp) -> Incident {
    let mut incident = incident(number);
    incident.resolved = Some(handled("ana", Via::Link, at));
    incident
}

/// Incidents that show every phase and every position.
pub fn incidents() -> Vec<Incident> {
    let phases = [
        (Phase::Running, Position::Step(1)),
        (Phase::GroupWait, Position::Before),
        (Phase::Silenced, Position::Fallback),
        (Phase::Acknowledged, Position::Reassigned),
        (Phase::Snoozed, Position::Step(0)),
        (Phase::StepsOver, Position::Step(0)),
        (Phase::Exhausted, Position::Fallback),
        (Phase::NotExpected, Position::Before),
        (Phase::Ended, Position::Step(0)),
        (Phase::Held, Position::Before),
    ];
    let with = |(phase, position): &(Phase, Position)| {
        let mut incident = incident(1042);
        incident.escalation = escalation(*phase, *position);
        incident
    };
    phases.iter().map(with).collect()
}

fn attempt(id: u64, outcome: Option<Outcome>) -> Attempt {
    Attempt {
        id: AttemptId(id),
        channel: "sms".into(),
        started_at: START,
        started: MonotonicTime(1_000),
        outcome,
        latency_ms: Some(250),
        provider_message: Some("queued".into()),
        failover_due: Some(MonotonicTime(11_000)),
        deadline: MonotonicTime(31_000),
        is_interrupted: true,
    }
}

fn outcomes() -> [Option<Outcome>; 12] {
    let wait = Duration::minutes(2);
    [
        None,
        Some(Outcome::Delivered),
        Some(Outcome::Accepted),
        Some(Outcome::Throttled { wait }),
        Some(Outcome::Transient),
        Some(Outcome::RefusedTarget),
        Some(Outcome::RefusedContent),
        Some(Outcome::RefusedCredential),
        Some(Outcome::TlsNameMismatch),
        Some(Outcome::TlsOther),
        Some(Outcome::QuotaExhausted),
        Some(Outcome::Unknown),
    ]
}

/// A page about some incidents.
pub fn page(id: u64, incidents: &[u64]) -> Page {
    let reference = |number: &u64| IncidentRef {
        number: IncidentNumber(*number),
        generation: 2,
    };
    Page {
        id: PageId(id),
        kind: PageKind::Page,
        incidents: incidents.iter().map(reference).collect(),
        recipient: Recipient::User {
            user: "ana".into(),
            contact: "phone".into(),
        },
        medium: Medium::Sms,
        address: "+351912345678".into(),
        urgency: Urgency::High,
        integration: "prometheus".into(),
        why: why(Position::Step(0)),
        notify_step: 1,
        state: PageState::Sent,
        created_at: START,
        created: MonotonicTime(1_000),
        attempts: (1..)
            .zip(outcomes())
            .map(|(id, it)| attempt(id, it))
            .collect(),
        queued: vec![Queued {
            channel: "gateway".into(),
            since: MonotonicTime(7_000),
            since_at: START,
            failover_due: Some(MonotonicTime(37_000)),
            until: MonotonicTime(907_000),
            reason: Reason::FailoverChannel,
        }],
        retries: vec![Retry {
            channel: "sms".into(),
            due: MonotonicTime(9_000),
            spends: true,
        }],
        plain_text_only: true,
        failed_over: true,
        reference: Some(Reference {
            channel: "slack".into(),
            text: "C024BE7LH:1503435956.000247".into(),
        }),
        has_update_waiting: true,
        updated: Some(MonotonicTime(8_000)),
        told_until: Some(MonotonicTime(900)),
        is_withdrawn: true,
    }
}

/// Pages that show every kind and both recipients.
pub fn pages() -> Vec<Page> {
    let update = |news| PageKind::Update {
        of: PageId(4),
        news,
    };
    let kinds = [
        PageKind::Page,
        PageKind::Bundle,
        update(UpdateKind::Joined),
        update(UpdateKind::Acknowledged),
        update(UpdateKind::Triggered),
        update(UpdateKind::Resolved),
        PageKind::Copy,
    ];
    let with = |kind: &PageKind| {
        let mut page = page(5, &[7, 8]);
        page.kind = *kind;
        page
    };
    let mut pages: Vec<Page> = kinds.iter().map(with).collect();
    pages[6].recipient = Recipient::Channel {
        channel: "slack".into(),
    };
    pages
}

pub fn group() -> Group {
    Group {
        key: "payments/disk".into(),
        generation: 3,
        open: Some(IncidentNumber(7)),
        changes: vec![MonotonicTime(1_000), MonotonicTime(2_000)],
        forget: Some(MonotonicTime(3_000)),
    }
}

pub fn person(user: &str) -> Person {
    Person {
        user: user.into(),
        interruptions: vec![Interruption {
            incident: IncidentNumber(7),
            urgency: Urgency::High,
            started: MonotonicTime(1_000),
        }],
        bundle_due: Some(MonotonicTime(2_000)),
        bundled: Some(MonotonicTime(3_000)),
        last_bundle: Some(PageId(4)),
        tested_at: Some(START),
    }
}

pub fn channel() -> ChannelState {
    ChannelState {
        name: "sms".into(),
        down: Some(Outage {
            outcome: Outcome::QuotaExhausted,
            since: START,
            probe_due: MonotonicTime(60_000),
            is_trial_open: true,
            was_checked: true,
            is_asked: true,
        }),
        last_success_at: Some(START),
        up_by_probe: Some(MonotonicTime(50_000)),
        health: health(),
        endpoints: [("https://hooks.example.com".into(), health())].into(),
        turn: Some(Turn {
            endpoint: "https://hooks.example.com".into(),
            integration: "prometheus".into(),
            served: "native".into(),
        }),
        check: Some(Check {
            due: MonotonicTime(90_000),
            latest: MonotonicTime(21_690_000),
            is_under_way: true,
            failures: 1,
            last_passed_at: Some(START),
        }),
    }
}

fn health() -> Health {
    Health {
        closed_until: Some(MonotonicTime(1_000)),
        pace: Pace {
            per_minute: Some(3_000),
            next: MonotonicTime(1_020),
            second: MonotonicTime(1_000),
            in_second: 7,
        },
        budget_thousandths: 10_000,
        budget_counted: MonotonicTime(2_000),
        failing_since: Some(MonotonicTime(3_000)),
        failures: 4,
        own_failures: 1,
    }
}

pub fn sender() -> Sender {
    Sender {
        address: "+351912345678".into(),
        is_stopped: true,
        wrong: vec![MonotonicTime(1_000)],
        blocked_until: Some(MonotonicTime(2_000)),
        answered: vec!["SM1".into()],
        helped: vec![MonotonicTime(1_500)],
        replies: vec![Replied {
            id: "sms/SM2".into(),
            at: MonotonicTime(1_600),
            text: Some("You acknowledged #7.".into()),
            incidents: vec![IncidentNumber(7)],
        }],
        told: vec![MonotonicTime(1_600)],
    }
}

pub fn silence() -> Silence {
    Silence {
        id: SilenceId(3),
        matchers: Vec::new(),
        from: START,
        until: START + Duration::hours(2),
        reason: "maintenance".into(),
        created_by: actor(),
        created_at: START,
        held_pages: 4,
        is_active: true,
        updated_at: Some(START + Duration::minutes(5)),
        ended_at: None,
        has_lapsed: false,
    }
}

pub fn override_() -> Override {
    Override {
        id: OverrideId(5),
        schedule: "payments-primary".into(),
        user: "bo".into(),
        from: START,
        until: START + Duration::hours(8),
        reason: "swap".into(),
        created_by: actor(),
        created_at: START,
    }
}

pub fn pinned() -> PolicySnapshot {
    PolicySnapshot {
        key: pinned_policy(),
        policy: Arc::new(Policy {
            name: "payments".into(),
            steps: vec![PolicyStep {
                targets: targets(),
                wait: Duration::minutes(5),
            }],
            repeat: 2,
            ack_timeout: Some(Duration::hours(1)),
            fallback: targets(),
            escalate_low: true,
        }),
        uses: 2,
    }
}

pub fn counters(receipt: u64) -> Counters {
    Counters {
        incident: IncidentNumber(1),
        alert: AlertId(2),
        page: PageId(3),
        attempt: AttemptId(4),
        receipt: ReceiptId(receipt),
        silence: SilenceId(6),
        override_: OverrideId(7),
        entry: EntryId(8),
        started: Some(MonotonicTime(1_000)),
        quick_starts: 2,
        task: TaskId(9),
    }
}

/// A component of a status page that has been worse, is unknown and was set by hand.
pub fn status_component() -> StatusComponent {
    let key = ComponentKey {
        page: "public".into(),
        id: "0123456789ab".into(),
    };
    let on = Dependency {
        provider: "helpline".into(),
        component: Some("Chat".into()),
    };
    let causes = vec![
        StateCause::Alert {
            alert: AlertId(7),
            integration: "native".into(),
            service: "api".into(),
            title: "the API is down".into(),
        },
        StateCause::Provider {
            on: on.clone(),
            title: "Chat: major_outage".into(),
        },
        StateCause::Maintenance {
            post: 2,
            title: "New database".into(),
        },
        StateCause::ByHand {
            by: Actor::router(),
        },
        StateCause::NotInRules,
    ];
    let mut component = StatusComponent::new(
        key,
        "Support / Chat".into(),
        ComponentState::Operational,
        START,
    );
    component.enter(
        ComponentState::MajorOutage,
        causes,
        START + Duration::hours(30),
    );
    let why = vec![StateCause::Unreadable {
        on,
        why: "it answered 503".into(),
    }];
    component.enter(
        ComponentState::Unknown,
        why.clone(),
        START + Duration::hours(31),
    );
    component.pending = Some(PendingState {
        state: ComponentState::Degraded,
        causes: why,
        since: START + Duration::hours(32),
        due: Some(MonotonicTime(5)),
    });
    component.by_hand = Some(StateByHand {
        by: Actor::router(),
        at: START,
        until: START + Duration::hours(40),
    });
    component
}

/// A post with two updates, one of them edited.
pub fn status_post() -> StatusPost {
    let mut post = StatusPost {
        key: PostKey {
            page: "public".into(),
            number: 3,
        },
        kind: PostKind::Maintenance,
        title: "New database".into(),
        state: PostState::Scheduled,
        impact: Impact::Maintenance,
        is_automatic: true,
        is_draft: true,
        created_at: START,
        started_at: START,
        monitoring_at: Some(START),
        resolved_at: None,
        scheduled_for: Some(START + Duration::hours(1)),
        scheduled_until: Some(START + Duration::hours(2)),
        components: vec!["0123456789ab".into()],
        updates: Vec::new(),
        update_due_at: Some(START + Duration::hours(3)),
        is_overdue: true,
        changed_at: START,
    };
    let change = PostedChange {
        component: "0123456789ab".into(),
        before: ComponentState::Operational,
        after: ComponentState::Maintenance,
    };
    let said = (Actor::router(), START);
    post.add(
        PostState::Scheduled,
        "It takes an hour.".into(),
        Vec::new(),
        said.clone(),
    );
    post.add(
        PostState::InProgress,
        "It began.".into(),
        vec![change],
        said,
    );
    post.updates[0].edited_at = Some(START);
    post
}

/// An alert of two services that status pages show.
pub fn service_alert() -> ServiceAlert {
    ServiceAlert {
        alert: AlertId(7),
        services: vec!["api".into(), "shop".into()],
        class: SeverityClass::Error,
        urgency: Urgency::High,
    }
}

/// An incident that waits under one of a provider.
pub fn dependent() -> Dependent {
    let on = |text| Dependency::parse(text).expect("a dependency");
    Dependent {
        incident: IncidentNumber(1042),
        depends_on: vec![on("provider/helpline"), on("provider/aws/EC2 eu-west-1")],
        hold: HoldRule::All,
        hold_for: Duration::hours(2),
        held: Some(ProviderHold {
            under: IncidentNumber(1040),
            because: on("provider/helpline"),
            since: START,
            until: MonotonicTime(9),
        }),
        told: Some(IncidentNumber(1040)),
    }
}

/// A provider with something of everything.
pub fn provider() -> ProviderState {
    let report = ReportedIncident {
        id: "inc1".into(),
        title: "Logins fail".into(),
        text: "We are looking into it.".into(),
        url: Some("https://status.example.com/incidents/inc1".into()),
        impact: Impact::Minor,
        phase: ReportPhase::Open,
        state_word: "investigating".into(),
        is_maintenance: false,
        components: vec!["c1".into()],
        started_at: Some(START),
        updated_at: Some(START),
        window: Some((START, None)),
    };
    let mut provider = ProviderState::new("helpline".into(), "https://status.example.com".into());
    provider.page = Some("page1".into());
    provider.page_name = "Helpline".into();
    provider.kind = "statuspage".into();
    provider.first_read_at = Some(START);
    provider.unreadable = Some(UnreadablePage {
        since: MonotonicTime(7),
        since_at: START,
        why: "it answered 503".into(),
        is_reviewed: true,
    });
    provider.components_total = 4;
    let component = WatchedComponent {
        name: "Email / Sending".into(),
        state: ComponentState::PartialOutage,
        since: START,
        looks: 1,
        missing: 1,
        alert: ProviderAlert::None {
            why: Reason::ProviderIncidentCovers,
            impact: Impact::Major,
        },
    };
    provider.components.insert("c1".into(), component);
    let incident = WatchedIncident {
        report: report.into(),
        impact: Impact::Major,
        first_seen_at: START,
        missing: 1,
        alert: ProviderAlert::Raised {
            key: "incident/inc1".into(),
            worst: Impact::Major,
            urgency: Urgency::High,
        },
    };
    provider.incidents.insert("inc1".into(), incident);
    provider.past.push(PastIncident {
        id: "inc0".into(),
        title: "Mail was late".into(),
        impact: Impact::Critical,
        url: None,
        started_at: Some(START),
        ended_at: Some(START),
        is_withdrawn: true,
    });
    provider.skipped_incidents = 1;
    provider.skipped_components = 2;
    provider.doubted_since = Some(MonotonicTime(8));
    provider.unknown_words.push("impact \"MEDIUM\"".into());
    provider
}

pub fn jump() -> UnconfirmedJump {
    UnconfirmedJump {
        by: Duration::days(500),
        since: MonotonicTime(9),
    }
}

pub fn receipt(id: u64, at: Timestamp) -> Receipt {
    Receipt {
        id: ReceiptId(id),
        at,
        integration: "prometheus".into(),
        action: Action::Trigger,
        dedup_key: "disk/db-1".into(),
        event_id: Some("e-1".into()),
        disposition: Disposition::Opened,
        incidents: vec![IncidentNumber(7)],
        reason: Reason::NewAlert,
        routes: vec!["payments-critical".into()],
        faults: vec![Fault {
            path: "$.labels.host".to_owned(),
            problem: "cut to 4096 bytes".to_owned(),
        }],
        source_time: Some(START),
        content: Some(content()),
    }
}

/// A receipt that nothing later depends on: no event id, nothing unknown.
pub fn repeat_receipt(id: u64, at: Timestamp) -> Receipt {
    Receipt {
        event_id: None,
        disposition: Disposition::Repeated,
        reason: Reason::Repeat,
        content: None,
        ..receipt(id, at)
    }
}

pub fn entry(incident: u64, id: u64) -> Entry {
    Entry {
        id: EntryId(id),
        incident: IncidentNumber(incident),
        at: START,
        reason: Reason::AttemptEnded,
        body: EntryBody::Attempt(AttemptEntry::Ended {
            channel: "sms".into(),
            to: Addressee::Contact {
                user: "ana".into(),
                contact: "phone".into(),
                medium: Medium::Sms,
            },
        }),
        detail: EntryDetail {
            route: Some("payments-critical".into()),
            policy: Some("payments".into()),
            step: Some(1),
            schedule: Some("payments-primary".into()),
            user: Some("ana".into()),
            contact: Some("phone".into()),
            channel: Some("sms".into()),
            page: Some(PageId(5)),
            attempt: Some(AttemptId(6)),
            outcome: Some(Outcome::Accepted),
            latency_ms: Some(250),
            provider_message: Some("queued".into()),
            held_until: Some(START),
            actor: Some(actor()),
        },
    }
}

/// One of each active record.
pub fn records() -> Vec<Record> {
    vec![
        Record::Alert(alert(2).into()),
        Record::Incident(incident(1042).into()),
        Record::Page(page(5, &[1042]).into()),
        Record::Group(group().into()),
        Record::Person(person("ana").into()),
        Record::Channel(channel().into()),
        Record::Sender(sender().into()),
        Record::Silence(silence().into()),
        Record::Override(override_().into()),
        Record::PolicySnapshot(pinned().into()),
        Record::Counters(counters(5)),
        Record::Jump(jump()),
        Record::Task(task(5).into()),
        Record::Provider(provider().into()),
        Record::Dependent(dependent().into()),
        Record::StatusComponent(status_component().into()),
        Record::StatusPost(status_post().into()),
        Record::ServiceAlert(service_alert().into()),
    ]
}

/// Events that wait for a decision.
pub fn task(id: u64) -> Task {
    let event = Event {
        action: Action::Trigger,
        dedup_key: "disk/db-1".into(),
        id: Some("evt-1".into()),
        spoken: EventTime::StateAsserted {
            starts_at: Some(START),
            ends_at: None,
        },
        asserted_by: Some("http://a.example.com/".into()),
        content: content(),
        faults: Vec::new(),
    };
    let part = Part {
        integration: "prometheus".into(),
        accepted: START,
        request: TaskId(id),
        is_last: true,
        events: vec![event],
    };
    Task {
        id: TaskId(id),
        kind: TaskKind::Events(part),
    }
}

/// An event that says no more than it must.
pub fn event(action: Action, dedup_key: &str, content: Content) -> Event {
    Event::new(action, dedup_key, EventTime::OccurredAt(None), content)
}

/// 2026-11-23T03:10:00Z.
pub const OPENED: Timestamp = Timestamp(1_795_403_400_000);

/// A triggered incident of high urgency, otherwise as plain as can be.
pub fn triggered_incident() -> Incident {
    let stored = json!({
        "number": 1042,
        "generation": 1,
        "route": "payments",
        "group_key": "payments",
        "integration": "prometheus",
        "status": "triggered",
        "urgency": "high",
        "title": "disk full on db1",
        "service": "payments-api",
        "policy": {"revision": 3, "name": "payments"},
        "join_interval": 300_000,
        "opened_at": OPENED,
        "revision": 3,
        "alerts": {"total": 2, "firing": 2, "acknowledged": 0, "silenced": 0},
        "escalation": {
            "phase": "running",
            "position": {"step": 1},
            "round": 0,
            "started": 0,
            "fallbacks": 0,
            "is_join_pending": false,
        },
        "is_silenced": false,
        "still_firing": false,
        "runs": [],
        "notes": [],
        "last_alerts": [],
        "group_labels": {},
        "copy_to": [],
    });
    serde_json::from_value(stored).expect("the stored form of an incident")
}

/// A page to ana about that incident, without attempts.
pub fn sent_page() -> Page {
    let stored = json!({
        "id": 7,
        "kind": "page",
        "incidents": [{"number": 1042, "generation": 1}],
        "recipient": {"user": {"user": "ana", "contact": "phone"}},
        "medium": "sms",
        "address": "+351912345678",
        "urgency": "high",
        "integration": "prometheus",
        "why": {
            "route": "payments",
            "policy": "payments",
            "position": {"step": 1},
            "round": 0,
            "schedule": "night",
            "revision": 3,
        },
        "notify_step": 0,
        "state": "sent",
        "created_at": OPENED,
        "created": 0,
        "attempts": [],
        "queued": [],
        "retries": [],
        "plain_text_only": false,
        "failed_over": false,
        "has_update_waiting": false,
        "is_withdrawn": false,
    });
    serde_json::from_value(stored).expect("the stored form of a page")
}
