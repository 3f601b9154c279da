//! Posts on our own status pages whose time has come: maintenance begins and ends by its window,
//! and a promised update that did not come is asked for.

use std::collections::BTreeSet;

use crate::engine::actor::Actor;
use crate::engine::status_component::ComponentKey;
use crate::engine::status_page_rules::StatusPageRules;
use crate::engine::status_post::{PostKey, PostState, StatusPost};
use crate::engine::status_texts::fill;
use crate::engine::transaction::StepTransaction;
use crate::engine::{self_incidents, status_components, status_posts};

/// The clock changes something of a post.
pub fn due(tx: &mut StepTransaction<'_>, key: &PostKey) {
    let post = tx.status_post(key);
    let post = post.expect("a post whose timer is due is in the state");
    let mut post = (*post).clone();
    let now = tx.now.wall;
    let rules = tx.rules;
    let Some(page) = rules.status_pages.pages.get(&key.page) else {
        // Nobody reads it; should the page come back, people decide.
        post.update_due_at = None;
        post.scheduled_for = None;
        post.scheduled_until = None;
        tx.put_status_post(key.clone(), post);
        return;
    };
    let begins = post.scheduled_for.filter(|at| *at <= now);
    let ends = post.scheduled_until.filter(|at| *at <= now);
    match post.state {
        PostState::Scheduled if begins.is_some() => {
            enter(tx, page, post, PostState::InProgress);
        }
        PostState::InProgress | PostState::Verifying if ends.is_some() => {
            enter(tx, page, post, PostState::Completed);
        }
        _ => remind(tx, page, post),
    }
}

fn enter(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    mut post: StatusPost,
    state: PostState,
) {
    let now = tx.now.wall;
    let lasted = now.since(post.started_at);
    let text = match state {
        PostState::Completed => &page.texts.completed,
        _ => &page.texts.in_progress,
    };
    let most = StatusPost::TEXT_CHARACTERS;
    let said = fill(text, page, &post.components, lasted, most);
    post.add(state, said, Vec::new(), (Actor::router(), now));
    let components = post.components.iter().map(|id| ComponentKey {
        page: page.name.clone(),
        id: id.clone(),
    });
    let components: BTreeSet<ComponentKey> = components.collect();
    tx.put_status_post(post.key.clone(), post);
    status_posts::forget_surplus(tx, page);
    status_components::review(tx, components);
}

/// The update that was promised did not come.
fn remind(tx: &mut StepTransaction<'_>, page: &StatusPageRules, mut post: StatusPost) {
    post.is_overdue = true;
    let (name, number) = (&page.name, post.key.number);
    let said = format!(
        "an update of post {number} on status page {name} was promised and is overdue: `reveille \
         status update {name} {number}`"
    );
    self_incidents::raise(tx, status_posts::overdue(&post.key), &said);
    tx.put_status_post(post.key.clone(), post);
}
