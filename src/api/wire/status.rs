//! Our own status pages as the API shows them to us: also what readers never see.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::State;
use crate::engine::ruleset::RuleSet;
use crate::engine::status_component::{StateCause, StatusComponent};
use crate::engine::status_page_rules::{ComponentRules, StatusPageRules};
use crate::engine::status_post::{StatusPost, StatusPostUpdate};
use crate::engine::status_report::ComponentState;
use crate::engine::status_state::explain;
use crate::engine::time::Now;
use crate::status_page::projection::{post_id, url};

/// A status page of the rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShownStatusPage {
    pub name: String,
    pub title: String,
    /// Where readers find it.
    pub url: String,
    /// In the order of the page.
    pub components: Vec<ShownComponent>,
    /// Those that are open and drafts, the newest first, and then some that are over.
    pub posts: Vec<ShownPost>,
}

/// A component of a status page, and why it is so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShownComponent {
    pub id: String,
    /// `group / name`
    pub name: String,
    /// As it is published: `operational`, `degraded_performance`, `partial_outage`,
    /// `major_outage`, `under_maintenance` or `unknown`.
    pub state: String,
    pub since: Option<String>,
    /// Why it is published so, as it was then.
    pub causes: Vec<String>,
    /// What the rules say now.
    pub by_rule: String,
    /// And why.
    pub by_rule_causes: Vec<String>,
    /// What is published next unless it passes: its state.
    pub pending: Option<String>,
    /// Since when that waits.
    pub pending_since: Option<String>,
    /// It waits until somebody publishes a draft.
    pub waits_for_review: bool,
    /// Who set the state by hand, and until when.
    pub set_by: Option<String>,
    pub set_until: Option<String>,
    /// The last changes, the newest first.
    pub changes: Vec<ShownChange>,
}

/// That a component became something else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShownChange {
    pub at: String,
    pub before: String,
    pub after: String,
    pub causes: Vec<String>,
}

/// A post on a status page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShownPost {
    /// As people here call it.
    pub number: u64,
    /// As readers' programs know it.
    pub id: String,
    /// `incident`, `maintenance` or `announcement`.
    pub kind: String,
    pub title: String,
    pub state: String,
    pub impact: String,
    /// It opened by itself and ends by itself.
    pub is_automatic: bool,
    /// Readers do not see it.
    pub is_draft: bool,
    pub started_at: String,
    pub resolved_at: Option<String>,
    pub scheduled_for: Option<String>,
    pub scheduled_until: Option<String>,
    /// By when the next update was promised.
    pub update_due_at: Option<String>,
    /// Names of components.
    pub components: Vec<String>,
    /// The newest first.
    pub updates: Vec<ShownUpdate>,
}

/// One update of a post.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShownUpdate {
    pub number: u64,
    pub state: String,
    /// Markdown.
    pub text: String,
    pub at: String,
    /// Who wrote it; readers never see it.
    pub by: String,
    pub edited_at: Option<String>,
}

/// The post that an act was about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PostRef {
    pub page: String,
    pub number: u64,
    /// The page's address for readers.
    pub url: String,
}

/// Posts that are over that a page is shown with.
const OVER_SHOWN: usize = 20;

/// A page with everything that we know of it.
pub fn page(
    (state, rules): (&State, &RuleSet),
    page: &StatusPageRules,
    now: Now,
    public_url: &str,
) -> ShownStatusPage {
    let components = page.components.iter();
    let posts: Vec<_> = state.status_posts_of(&page.name).rev().collect();
    let (over, open): (Vec<_>, Vec<_>) = posts.into_iter().partition(|it| it.state.is_over());
    let posts = open.into_iter().chain(over.into_iter().take(OVER_SHOWN));
    ShownStatusPage {
        name: page.name.to_string(),
        title: page.title.to_string(),
        url: url(page, public_url).to_string(),
        components: components
            .map(|it| component((state, rules), (page, it), now))
            .collect(),
        posts: posts.map(|it| post(page, it)).collect(),
    }
}

/// A component, and why it is so.
pub fn component(
    (state, rules): (&State, &RuleSet),
    (page, component): (&StatusPageRules, &ComponentRules),
    now: Now,
) -> ShownComponent {
    let by_rule = explain(state, rules, now, (page, component));
    let known = state.status_component(&page.key(component));
    let known = known.map(|known| &**known);
    let pending = known.and_then(|known| known.pending.as_ref());
    let by_hand = known.and_then(|known| known.by_hand.as_ref());
    let changes = known.map_or(&[][..], |known| &known.changes).iter().rev();
    ShownComponent {
        id: component.id.to_string(),
        name: component.full_name().to_string(),
        state: published(known).to_string(),
        since: known.map(|known| known.since.to_string()),
        causes: causes(known.map_or(&[][..], |known| &known.causes)),
        by_rule: by_rule.state.to_string(),
        by_rule_causes: causes(&by_rule.causes),
        pending: pending.map(|pending| pending.state.to_string()),
        pending_since: pending.map(|pending| pending.since.to_string()),
        waits_for_review: pending.is_some_and(|pending| pending.due.is_none()),
        set_by: by_hand.map(|by_hand| by_hand.by.name.to_string()),
        set_until: by_hand.map(|by_hand| by_hand.until.to_string()),
        changes: changes
            .map(|change| ShownChange {
                at: change.at.to_string(),
                before: change.before.to_string(),
                after: change.after.to_string(),
                causes: causes(&change.causes),
            })
            .collect(),
    }
}

fn published(known: Option<&StatusComponent>) -> ComponentState {
    known.map_or(ComponentState::Unknown, |known| known.state)
}

fn causes(causes: &[StateCause]) -> Vec<String> {
    causes.iter().map(sentence).collect()
}

/// A cause in words.
fn sentence(cause: &StateCause) -> String {
    match cause {
        StateCause::Alert {
            integration,
            service,
            title,
            ..
        } => format!("alert {title:?} of {integration} fires for service {service}"),
        StateCause::Provider { on, title } => format!("{on} says: {title}"),
        StateCause::Unreadable { on, why } => format!("{on} cannot be read: {why}"),
        StateCause::Maintenance { post, title } => format!("maintenance {post} goes on: {title}"),
        StateCause::ByHand { by } => format!("set by {}", by.name),
        StateCause::NotInRules => "the rules have no such component".to_owned(),
    }
}

/// A post with all its updates.
pub fn post(page: &StatusPageRules, post: &StatusPost) -> ShownPost {
    let named = post.components.iter().filter_map(|id| page.component(id));
    let updates = post.updates.iter().rev();
    ShownPost {
        number: post.key.number,
        id: post_id(post).to_string(),
        kind: post.kind.to_string(),
        title: post.title.to_string(),
        state: post.state.to_string(),
        impact: post.impact.to_string(),
        is_automatic: post.is_automatic,
        is_draft: post.is_draft,
        started_at: post.started_at.to_string(),
        resolved_at: post.resolved_at.map(|at| at.to_string()),
        scheduled_for: post.scheduled_for.map(|at| at.to_string()),
        scheduled_until: post.scheduled_until.map(|at| at.to_string()),
        update_due_at: post.update_due_at.map(|at| at.to_string()),
        components: named.map(|it| it.full_name().to_string()).collect(),
        updates: updates.map(update).collect(),
    }
}

fn update(update: &StatusPostUpdate) -> ShownUpdate {
    ShownUpdate {
        number: update.number,
        state: update.state.to_string(),
        text: update.text.to_string(),
        at: update.at.to_string(),
        by: update.by.name.to_string(),
        edited_at: update.edited_at.map(|at| at.to_string()),
    }
}
