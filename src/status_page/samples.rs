//! Views of a status page of an invented company, for tests of its forms.

use std::sync::Arc;

use crate::engine::event::Text;
use crate::engine::status_page_rules::{
    PageAccess, PagePlace, PostTexts, PublishRules, StatusPageRules, SubscriberRules,
};
use crate::engine::status_post::{PostKind, PostState};
use crate::engine::status_report::{ComponentState, Impact};
use crate::engine::time::{Duration, Timestamp};

use super::published::{PublishedPage, PublishedPages};
use super::view::{
    ComponentChange, ComponentDay, ComponentGroup, ComponentNode, ComponentView, PostUpdateView,
    PostView, StatusPageView,
};

/// 2026-11-30T15:04:00Z.
pub const NOW: Timestamp = Timestamp(1_796_051_040_000);

const DAYS: usize = 90;

const NAMES: [&str; 20] = [
    "Public API",
    "Webhooks",
    "Authentication",
    "Rate limiter",
    "Search",
    "Web application",
    "Mobile application",
    "Dashboard",
    "Documentation",
    "Checkout",
    "Card payments",
    "Bank transfers",
    "Invoices",
    "Refunds",
    "E-mail delivery",
    "SMS delivery",
    "Reports",
    "Data exports",
    "Support portal",
    "Status page",
];

/// All is well, with components outside of groups and nothing else.
pub fn quiet() -> StatusPageView {
    StatusPageView {
        name: "public".into(),
        title: "Acme Cloud".into(),
        id: "pagepagepage".into(),
        url: "https://status.example.com".into(),
        language: "en".into(),
        is_public: true,
        as_of: NOW,
        updated_at: NOW.minus(Duration::hours(1)),
        is_certain: true,
        components: (0..3)
            .map(|index| ComponentNode::Component(component(index)))
            .collect(),
        open: Vec::new(),
        maintenance: Vec::new(),
        past: Vec::new(),
    }
}

/// A bad day of a realistic page: twenty components with ninety days, three open posts, two
/// maintenances, ten posts that are over.
pub fn busy() -> StatusPageView {
    let group = |id: &str, name: &str, range: std::ops::Range<usize>| {
        ComponentNode::Group(ComponentGroup {
            id: id.into(),
            name: name.into(),
            components: range.map(component).collect(),
        })
    };
    let mut view = StatusPageView {
        components: vec![
            group("groupplatfor", "Platform", 0..5),
            group("groupapplica", "Applications", 5..9),
            group("grouppayment", "Payments", 9..14),
        ],
        ..quiet()
    };
    let rest = (14..NAMES.len()).map(|index| ComponentNode::Component(component(index)));
    view.components.extend(rest);
    set(&mut view, 0, ComponentState::MajorOutage);
    set(&mut view, 5, ComponentState::PartialOutage);
    set(&mut view, 10, ComponentState::Degraded);
    set(&mut view, 15, ComponentState::Unknown);
    set(&mut view, 16, ComponentState::Maintenance);
    let hours = |hours| NOW.minus(Duration::hours(hours));
    view.open = vec![
        incident("openopenope1", hours(1)),
        PostView {
            title: "Card payments are slow for some customers".into(),
            impact: Impact::Minor,
            is_automatic: true,
            components: vec![id(10)],
            ..incident("openopenope2", hours(5))
        },
        PostView {
            kind: PostKind::Announcement,
            title: "We no longer accept TLS 1.1 from January on".into(),
            impact: Impact::None,
            components: Vec::new(),
            ..incident("openopenope3", hours(80))
        },
    ];
    view.maintenance = vec![
        PostView {
            state: PostState::InProgress,
            title: "New hardware for the report database".into(),
            scheduled_for: Some(hours(1)),
            ..maintenance("maintenance1", NOW)
        },
        maintenance("maintenance2", NOW + Duration::days(3)),
    ];
    view.past = (0..10)
        .map(|index| over(&format!("pastpastpas{index}"), hours(30 + 60 * index)))
        .collect();
    view
}

fn set(view: &mut StatusPageView, index: usize, state: ComponentState) {
    let sought = id(index);
    let mut components = view.components.iter_mut().flat_map(|node| match node {
        ComponentNode::Group(group) => group.components.as_mut_slice(),
        ComponentNode::Component(component) => std::slice::from_mut(component),
    });
    let component = components.find(|component| component.id == sought);
    component.expect("it is on the page").state = state;
}

/// The id of a component.
pub fn id(index: usize) -> Text {
    format!("component{index:03}").into()
}

/// A component that had a few bad days, if it is one of some.
pub fn component(index: usize) -> ComponentView {
    let midnight = Timestamp(NOW.0 - NOW.0.rem_euclid(86_400_000));
    let days: Vec<ComponentDay> = (0..DAYS).map(|day| day_of(index, day, midnight)).collect();
    ComponentView {
        id: id(index),
        name: NAMES[index % NAMES.len()].into(),
        description: if index.is_multiple_of(6) {
            "What customers call from their own programs"
        } else {
            ""
        }
        .into(),
        state: ComponentState::Operational,
        last_known: ComponentState::Operational,
        since: NOW.minus(Duration::hours(2)),
        created_at: NOW.minus(Duration::days(400)),
        days,
    }
}

fn day_of(index: usize, day: usize, midnight: Timestamp) -> ComponentDay {
    let back = Duration::days(u64::try_from(DAYS - 1 - day).expect("a small number"));
    let begins = midnight.minus(back);
    let mut of_day = ComponentDay {
        begins,
        degraded: Duration::ZERO,
        partial_outage: Duration::ZERO,
        major_outage: Duration::ZERO,
        maintenance: Duration::ZERO,
        unknown: Duration::ZERO,
        observed: NOW.since(begins).min(Duration::days(1)),
    };
    match (index * 31 + day * 7) % 97 {
        0 => of_day.major_outage = Duration::minutes(23),
        1 => of_day.degraded = Duration::minutes(95),
        2 => of_day.maintenance = Duration::hours(2),
        3 if index.is_multiple_of(2) => of_day.partial_outage = Duration::minutes(48),
        4 if index.is_multiple_of(3) => of_day.unknown = Duration::hours(3),
        _ => {}
    }
    of_day
}

/// An open incident with three updates.
pub fn incident(id: &str, at: Timestamp) -> PostView {
    let texts = [
        (
            PostState::Investigating,
            "We see errors and are looking into them.",
        ),
        (
            PostState::Identified,
            "A change of this morning lets requests **time out**. We are taking it back; see \
             [our page about time limits](https://example.com/limits) for what to do meanwhile.",
        ),
        (
            PostState::Monitoring,
            "The change is taken back. Error rates fall; we keep watching.",
        ),
    ];
    let mut updates: Vec<PostUpdateView> = (0_u64..)
        .zip(texts)
        .map(|(number, (state, text))| PostUpdateView {
            id: format!("{}u{number}", &id[..10]).into(),
            state,
            text: text.into(),
            at: at + Duration::minutes(number * 12),
            components: Vec::new(),
        })
        .collect();
    updates[0].components = vec![ComponentChange {
        id: self::id(0),
        name: NAMES[0].into(),
        before: ComponentState::Operational,
        after: ComponentState::MajorOutage,
    }];
    updates.reverse();
    PostView {
        id: id.into(),
        kind: PostKind::Incident,
        title: "Requests to the API fail".into(),
        state: PostState::Monitoring,
        impact: Impact::Critical,
        is_automatic: false,
        created_at: at,
        updated_at: at + Duration::minutes(24),
        started_at: at.minus(Duration::minutes(4)),
        monitoring_at: Some(at + Duration::minutes(24)),
        resolved_at: None,
        scheduled_for: None,
        scheduled_until: None,
        components: vec![self::id(0), self::id(5)],
        updates,
    }
}

/// An incident that is over.
pub fn over(id: &str, at: Timestamp) -> PostView {
    let mut post = incident(id, at);
    let end = at + Duration::minutes(55);
    let update = PostUpdateView {
        id: format!("{}u9", &id[..10]).into(),
        state: PostState::Resolved,
        text: "All is well again. The cause was a change of a *time limit*, which we took back."
            .into(),
        at: end,
        components: Vec::new(),
    };
    post.updates.insert(0, update);
    PostView {
        state: PostState::Resolved,
        resolved_at: Some(end),
        updated_at: end,
        ..post
    }
}

/// A maintenance of two hours that is announced.
pub fn maintenance(id: &str, at: Timestamp) -> PostView {
    let announced = NOW.minus(Duration::days(4));
    PostView {
        kind: PostKind::Maintenance,
        title: "Databases move to a new rack".into(),
        state: PostState::Scheduled,
        impact: Impact::Maintenance,
        created_at: announced,
        updated_at: announced,
        started_at: at,
        monitoring_at: None,
        scheduled_for: Some(at),
        scheduled_until: Some(at + Duration::hours(2)),
        components: vec![self::id(16)],
        updates: vec![PostUpdateView {
            id: format!("{}u0", &id[..10]).into(),
            state: PostState::Scheduled,
            text: "Reports cannot be made for a few minutes; everything else goes on.".into(),
            at: announced,
            components: Vec::new(),
        }],
        ..incident(id, at)
    }
}

/// These pages and no others.
pub fn all(pages: Vec<PublishedPage>) -> Arc<PublishedPages> {
    let pages = pages.into_iter();
    let pages = pages
        .map(|page| (page.rules.name.clone(), Arc::new(page)))
        .collect();
    Arc::new(PublishedPages { pages })
}

/// The rules of a page without components at `/status`.
pub fn rules() -> StatusPageRules {
    let text = || Text::from("text");
    StatusPageRules {
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
    }
}

/// A page with the fewest rules that it can have.
pub fn published(place: PagePlace, access: PageAccess, view: StatusPageView) -> PublishedPage {
    let rules = StatusPageRules {
        name: (&*view.name).into(),
        title: view.title.clone(),
        place,
        access,
        ..rules()
    };
    PublishedPage {
        rules: Arc::new(rules),
        view,
    }
}
