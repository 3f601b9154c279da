//! From what is known of a page to what its readers may know: nothing else of the state is read,
//! and of rules and records only what is public.

use std::sync::Arc;

use crate::engine::State;
use crate::engine::event::Text;
use crate::engine::status_component::{ComponentKey, DayTotals, StatusComponent};
use crate::engine::status_page_rules::{ComponentRules, PageAudience, PagePlace, StatusPageRules};
use crate::engine::status_post::{PostKind, StatusPost, StatusPostUpdate};
use crate::engine::status_report::ComponentState;
use crate::engine::time::{Duration, Timestamp};
use crate::text::{hash, hex};

use super::view::{
    ComponentChange, ComponentDay, ComponentGroup, ComponentNode, ComponentView, PostUpdateView,
    PostView, StatusPageView,
};

/// What is kept of a page.
#[derive(Clone, Debug, Default)]
pub struct PageRecords {
    /// In the order of the rules, where they are known.
    components: Vec<Option<Arc<StatusComponent>>>,
    /// The newest first.
    posts: Vec<Arc<StatusPost>>,
}

impl PageRecords {
    pub fn of(state: &State, rules: &StatusPageRules) -> Self {
        let components = rules.components.iter();
        let components = components.map(|it| state.status_component(&rules.key(it)).cloned());
        Self {
            components: components.collect(),
            posts: state.status_posts_of(&rules.name).rev().cloned().collect(),
        }
    }

    /// Whether nothing has changed. A record that is changed is another one.
    pub fn is_same(&self, other: &Self) -> bool {
        let is_same_component = |(one, other): (&Option<_>, &Option<_>)| match (one, other) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let mut posts = self.posts.iter().zip(&other.posts);
        self.components.len() == other.components.len()
            && self.posts.len() == other.posts.len()
            && self
                .components
                .iter()
                .zip(&other.components)
                .all(is_same_component)
            && posts.all(|(one, other)| Arc::ptr_eq(one, other))
    }
}

/// Characters of ids that readers keep.
const ID_CHARACTERS: usize = 12;

/// A page as readers see it now. `public_url` is the address of the process, without a slash at
/// the end.
pub fn project(
    records: &PageRecords,
    rules: &StatusPageRules,
    now: Timestamp,
    public_url: &str,
) -> StatusPageView {
    let posts: Vec<&StatusPost> = records.posts.iter().map(|post| &**post).collect();
    let published = posts.iter().filter(|post| !post.is_draft);
    let components = component_nodes(records, rules, now);
    let since = all(&components).map(|component| component.since);
    let changed = published.clone().map(|post| post.changed_at);
    let view = |post: &&&StatusPost| post_view(rules, post);
    let is_open = |post: &&&StatusPost| !post.state.is_over();
    let is_maintenance = |post: &&&StatusPost| post.kind == PostKind::Maintenance;
    let mut maintenance: Vec<PostView> = published
        .clone()
        .filter(|post| is_open(post) && is_maintenance(post))
        .map(|post| view(&post))
        .collect();
    maintenance.sort_by_key(|post| (post.scheduled_for, post.created_at));
    let open = published.clone();
    let open = open.filter(|post| is_open(post) && !is_maintenance(post));
    let past = published.clone().filter(|post| !is_open(post));
    StatusPageView {
        name: rules.name.as_str().into(),
        title: rules.title.clone(),
        id: id(&[rules.name.as_str()]),
        url: url(rules, public_url),
        language: rules.languages.first().cloned().unwrap_or("en".into()),
        is_public: rules.access.audience == PageAudience::Public,
        as_of: now,
        updated_at: since.chain(changed).max().unwrap_or(now).min(now),
        is_certain: true,
        open: open.map(|post| view(&post)).collect(),
        maintenance,
        past: past.map(|post| view(&post)).collect(),
        components,
    }
}

/// Twelve characters that stay the same while these names do.
fn id(names: &[&str]) -> Text {
    let mut id = hex::encode(&hash::sha256(names.join("\0")));
    id.truncate(ID_CHARACTERS);
    id.into()
}

/// What readers call a post. The number of one that was deleted may be given again, so that it
/// does not tell them apart by itself.
pub fn post_id(post: &StatusPost) -> Text {
    let (number, at) = (post.key.number.to_string(), post.created_at.0.to_string());
    id(&[post.key.page.as_str(), "post", &number, &at])
}

/// The address of a page, without a slash at the end.
pub fn url(rules: &StatusPageRules, public_url: &str) -> Text {
    match &rules.place {
        PagePlace::Path(path) => format!("{}{path}", public_url.trim_end_matches('/')).into(),
        PagePlace::Host(host) => format!("https://{host}").into(),
    }
}

fn all(nodes: &[ComponentNode]) -> impl Iterator<Item = &ComponentView> {
    nodes.iter().flat_map(|node| match node {
        ComponentNode::Group(group) => group.components.as_slice(),
        ComponentNode::Component(component) => std::slice::from_ref(component),
    })
}

/// In the order of the rules; those of one group stand where the first of them does.
fn component_nodes(
    records: &PageRecords,
    rules: &StatusPageRules,
    now: Timestamp,
) -> Vec<ComponentNode> {
    let mut nodes: Vec<ComponentNode> = Vec::new();
    let known = records.components.iter().map(Option::as_ref);
    for (component, known) in rules.components.iter().zip(known) {
        let view = component_view(known, rules, component, now);
        let Some(group) = &component.group else {
            nodes.push(ComponentNode::Component(view));
            continue;
        };
        let known = nodes.iter_mut().find_map(|node| match node {
            ComponentNode::Group(known) if known.name == *group => Some(known),
            ComponentNode::Group(_) | ComponentNode::Component(_) => None,
        });
        match known {
            Some(known) => known.components.push(view),
            None => nodes.push(ComponentNode::Group(ComponentGroup {
                id: id(&[rules.name.as_str(), "group", group]),
                name: group.clone(),
                components: vec![view],
            })),
        }
    }
    nodes
}

fn component_view(
    known: Option<&Arc<StatusComponent>>,
    rules: &StatusPageRules,
    component: &ComponentRules,
    now: Timestamp,
) -> ComponentView {
    let key = rules.key(component);
    let unseen = |key: ComponentKey| {
        let name = component.full_name();
        StatusComponent::new(key, name, ComponentState::Unknown, now)
    };
    let mut known = match known {
        Some(known) => (**known).clone(),
        // Rules that have just come into force.
        None => unseen(key),
    };
    known.account(now);
    ComponentView {
        id: component.id.clone(),
        name: component.name.clone(),
        description: component.description.clone(),
        state: known.state,
        last_known: known.last_known,
        since: known.since,
        created_at: known.created_at,
        days: days(&known, now),
    }
}

/// The last ninety days, today last, from the day on which the component was first there.
fn days(known: &StatusComponent, now: Timestamp) -> Vec<ComponentDay> {
    let today = DayTotals::day_of(now);
    let first = DayTotals::day_of(known.created_at).max(today - StatusComponent::DAYS + 1);
    let days = (first..=today).map(|day| {
        let begins = DayTotals::begins(day);
        let totals = known.days.iter().find(|totals| totals.day == day);
        let totals = totals.copied().unwrap_or_default();
        let from = begins.max(known.created_at);
        let until = DayTotals::begins(day + 1).min(now);
        ComponentDay {
            begins,
            degraded: totals.degraded,
            partial_outage: totals.partial_outage,
            major_outage: totals.major_outage,
            maintenance: totals.maintenance,
            unknown: totals.unknown,
            observed: if from < until {
                until.since(from)
            } else {
                Duration::ZERO
            },
        }
    });
    days.collect()
}

fn post_view(rules: &StatusPageRules, post: &StatusPost) -> PostView {
    let updates = post.updates.iter().rev();
    let is_here = |id: &&Text| rules.component(id).is_some();
    PostView {
        id: post_id(post),
        kind: post.kind,
        title: post.title.clone(),
        state: post.state,
        impact: post.impact,
        is_automatic: post.is_automatic,
        created_at: post.created_at,
        updated_at: post.changed_at,
        started_at: post.started_at,
        monitoring_at: post.monitoring_at,
        resolved_at: post.resolved_at,
        scheduled_for: post.scheduled_for,
        scheduled_until: post.scheduled_until,
        components: post.components.iter().filter(is_here).cloned().collect(),
        updates: updates
            .map(|update| update_view(rules, post, update))
            .collect(),
    }
}

fn update_view(
    rules: &StatusPageRules,
    post: &StatusPost,
    update: &StatusPostUpdate,
) -> PostUpdateView {
    let changes = update.components.iter().filter_map(|change| {
        let component = rules.component(&change.component)?;
        Some(ComponentChange {
            id: component.id.clone(),
            name: component.name.clone(),
            before: change.before,
            after: change.after,
        })
    });
    let post_id = post_id(post);
    let number = update.number.to_string();
    PostUpdateView {
        id: id(&["update", &post_id, &number]),
        state: update.state,
        text: update.text.clone(),
        at: update.at,
        components: changes.collect(),
    }
}
