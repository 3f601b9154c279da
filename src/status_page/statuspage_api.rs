//! Statuspage's public API, version 2, to the letter, so that whatever reads such pages reads ours.
//!
//! All keys are always there, and lists are `[]` and never null. That API has no word for
//! *unknown* and none for announcements: a component that is unknown keeps its last known status
//! and says the truth in keys of our own, `reveille_state` and `as_of`; announcements are left out,
//! since every reader would take one for an outage.

use serde_json::{Value, json};

use crate::engine::status_post::{PostKind, PostState};
use crate::engine::status_report::ComponentState;
use crate::engine::time::Timestamp;

use super::time_text::{day, milliseconds};
use super::view::{
    ComponentChange, ComponentGroup, ComponentNode, ComponentView, PostUpdateView, PostView,
    StatusPageView,
};
use super::{addresses, markdown, overall};

/// Posts that a list has at most, the newest ones.
const POSTS_MAX: usize = 50;

/// A document of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatuspageDocument {
    Summary,
    Status,
    Components,
    Incidents,
    UnresolvedIncidents,
    Maintenances,
    UpcomingMaintenances,
    ActiveMaintenances,
}

impl StatuspageDocument {
    pub const ALL: [Self; 8] = [
        Self::Summary,
        Self::Status,
        Self::Components,
        Self::Incidents,
        Self::UnresolvedIncidents,
        Self::Maintenances,
        Self::UpcomingMaintenances,
        Self::ActiveMaintenances,
    ];

    /// Where it is beneath the address of the page.
    pub fn path(self) -> &'static str {
        match self {
            Self::Summary => "/api/v2/summary.json",
            Self::Status => "/api/v2/status.json",
            Self::Components => "/api/v2/components.json",
            Self::Incidents => "/api/v2/incidents.json",
            Self::UnresolvedIncidents => "/api/v2/incidents/unresolved.json",
            Self::Maintenances => "/api/v2/scheduled-maintenances.json",
            Self::UpcomingMaintenances => "/api/v2/scheduled-maintenances/upcoming.json",
            Self::ActiveMaintenances => "/api/v2/scheduled-maintenances/active.json",
        }
    }
}

/// A document as JSON.
pub fn json(view: &StatusPageView, document: StatuspageDocument) -> Vec<u8> {
    let page = page(view);
    let is = |kind: PostKind| move |post: &&PostView| post.kind == kind;
    let open = view.open.iter().filter(is(PostKind::Incident));
    let past = view.past.iter();
    let planned = view.maintenance.iter();
    let body = match document {
        StatuspageDocument::Summary => json!({
            "page": page,
            "status": status(view),
            "components": rows(view),
            "incidents": posts(view, open),
            "scheduled_maintenances": posts(view, planned),
        }),
        StatuspageDocument::Status => json!({ "page": page, "status": status(view) }),
        StatuspageDocument::Components => json!({ "page": page, "components": rows(view) }),
        StatuspageDocument::Incidents => {
            let all = open.chain(past.filter(is(PostKind::Incident)));
            json!({ "page": page, "incidents": posts(view, all) })
        }
        StatuspageDocument::UnresolvedIncidents => {
            json!({ "page": page, "incidents": posts(view, open) })
        }
        StatuspageDocument::Maintenances => {
            let all = planned.chain(past.filter(is(PostKind::Maintenance)));
            json!({ "page": page, "scheduled_maintenances": posts(view, all) })
        }
        StatuspageDocument::UpcomingMaintenances => {
            let upcoming = planned.filter(|post| post.state == PostState::Scheduled);
            json!({ "page": page, "scheduled_maintenances": posts(view, upcoming) })
        }
        StatuspageDocument::ActiveMaintenances => {
            let active = planned.filter(|post| overall::is_in_progress(post));
            json!({ "page": page, "scheduled_maintenances": posts(view, active) })
        }
    };
    body.to_string().into_bytes()
}

/// What Statuspage posts to those who subscribed with a web address: a post with all its updates,
/// and where the subscription is ended.
pub fn webhook(view: &StatusPageView, post: &PostView, unsubscribe: &str) -> Vec<u8> {
    let status = overall::statuspage_status(view);
    let body = json!({
        "meta": { "unsubscribe": unsubscribe, "generated_at": milliseconds(view.as_of) },
        "page": {
            "id": &*view.id,
            "status_indicator": status.indicator,
            "status_description": status.description,
        },
        "incident": post_row(view, post, &rows(view)),
    });
    body.to_string().into_bytes()
}

fn page(view: &StatusPageView) -> Value {
    json!({
        "id": &*view.id,
        "name": &*view.title,
        "url": &*view.url,
        "time_zone": "Etc/UTC",
        "updated_at": milliseconds(view.updated_at),
    })
}

fn status(view: &StatusPageView) -> Value {
    let status = overall::statuspage_status(view);
    let mut body = json!({
        "indicator": status.indicator,
        "description": status.description,
    });
    if !view.is_certain || overall::of_page(view) == ComponentState::Unknown {
        body["reveille_state"] = ComponentState::Unknown.as_str().into();
        body["as_of"] = milliseconds(view.as_of).into();
    }
    body
}

/// A row for each group, followed by its members, and for each component.
fn rows(view: &StatusPageView) -> Vec<Value> {
    let mut rows = Vec::new();
    for (node, position) in view.components.iter().zip(1_u64..) {
        match node {
            ComponentNode::Component(component) => {
                rows.push(component_row(view, component, position, None));
            }
            ComponentNode::Group(group) => {
                rows.push(group_row(view, group, position));
                let members = group.components.iter().zip(1_u64..);
                rows.extend(members.map(|(component, position)| {
                    component_row(view, component, position, Some(&group.id))
                }));
            }
        }
    }
    rows
}

fn component_row(
    view: &StatusPageView,
    component: &ComponentView,
    position: u64,
    group: Option<&str>,
) -> Value {
    let description = Some(&*component.description).filter(|text| !text.is_empty());
    let mut row = json!({
        "id": &*component.id,
        "name": &*component.name,
        "status": overall::last_known(component).as_str(),
        "created_at": milliseconds(component.created_at),
        "updated_at": milliseconds(component.since),
        "position": position,
        "description": description,
        "showcase": true,
        "start_date": day(component.created_at),
        "group_id": group,
        "page_id": &*view.id,
        "group": false,
        "only_show_if_degraded": false,
    });
    if component.state == ComponentState::Unknown {
        row["reveille_state"] = component.state.as_str().into();
        row["as_of"] = milliseconds(component.since).into();
    }
    row
}

fn group_row(view: &StatusPageView, group: &ComponentGroup, position: u64) -> Value {
    let members = || group.components.iter();
    let created_at = members().map(|component| component.created_at).min();
    let updated_at = members().map(|component| component.since).max();
    let ids: Vec<&str> = members().map(|component| &*component.id).collect();
    json!({
        "id": &*group.id,
        "name": &*group.name,
        "status": overall::last_known_of_group(group).as_str(),
        "created_at": milliseconds(created_at.unwrap_or(view.updated_at)),
        "updated_at": milliseconds(updated_at.unwrap_or(view.updated_at)),
        "position": position,
        "description": null,
        "showcase": false,
        "start_date": null,
        "group_id": null,
        "page_id": &*view.id,
        "group": true,
        "only_show_if_degraded": false,
        "components": ids,
    })
}

fn posts<'view>(view: &StatusPageView, posts: impl Iterator<Item = &'view PostView>) -> Vec<Value> {
    let rows = rows(view);
    posts
        .take(POSTS_MAX)
        .map(|post| post_row(view, post, &rows))
        .collect()
}

fn post_row(view: &StatusPageView, post: &PostView, rows: &[Value]) -> Value {
    let is_named = |row: &&Value| {
        post.components
            .iter()
            .any(|id| row["id"].as_str() == Some(&**id))
    };
    let components: Vec<&Value> = rows.iter().filter(is_named).collect();
    let updates: Vec<Value> = post
        .updates
        .iter()
        .map(|update| update_row(post, update))
        .collect();
    let moment = |at: Option<Timestamp>| at.map(milliseconds);
    let mut row = json!({
        "id": &*post.id,
        "name": &*post.title,
        "status": post.state.as_str(),
        "created_at": milliseconds(post.created_at),
        "updated_at": milliseconds(post.updated_at),
        "monitoring_at": moment(post.monitoring_at),
        "resolved_at": moment(post.resolved_at),
        "impact": post.impact.as_str(),
        "shortlink": format!("{}{}", view.url, addresses::post(&post.id)),
        "started_at": milliseconds(post.started_at),
        "page_id": &*view.id,
        "reminder_intervals": null,
        "incident_updates": updates,
        "components": components,
    });
    if post.kind == PostKind::Maintenance {
        row["impact"] = "maintenance".into();
        row["scheduled_for"] = milliseconds(post.scheduled_for.unwrap_or(post.started_at)).into();
        row["scheduled_until"] = moment(post.scheduled_until).into();
    }
    row
}

fn update_row(post: &PostView, update: &PostUpdateView) -> Value {
    let at = milliseconds(update.at);
    let affected: Vec<Value> = update.components.iter().map(change).collect();
    json!({
        "id": &*update.id,
        "status": update.state.as_str(),
        "body": markdown::plain(&update.text),
        "incident_id": &*post.id,
        "created_at": at,
        "updated_at": at,
        "display_at": at,
        "affected_components": affected,
        "deliver_notifications": true,
        "custom_tweet": null,
        "tweet_id": null,
    })
}

fn change(change: &ComponentChange) -> Value {
    json!({
        "code": &*change.id,
        "name": &*change.name,
        "old_status": change.before.as_str(),
        "new_status": change.after.as_str(),
    })
}
