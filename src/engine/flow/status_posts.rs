//! Posts on our own status pages that open, change and end by themselves, as components do.
//!
//! One outage of a page is one post: other components join it, it is resolved once all of them are
//! well, and what fails again within half an hour opens it again. What people post stays theirs:
//! components in a post of theirs get no other one.

use crate::engine::actor::Actor;
use crate::engine::cause::Cause;
use crate::engine::event::Text;
use crate::engine::incident::SelfIncident;
use crate::engine::self_incidents;
use crate::engine::status_component::ComponentKey;
use crate::engine::status_page_rules::StatusPageRules;
use crate::engine::status_post::{PostKey, PostKind, PostState, PostedChange, StatusPost};
use crate::engine::status_report::{ComponentState, Impact};
use crate::engine::status_texts::fill;
use crate::engine::time::{Duration, Timestamp};
use crate::engine::transaction::StepTransaction;

/// What fails again so soon opens its post again.
const REOPENS_WITHIN: Duration = Duration::minutes(30);

/// A component that has become something else.
#[derive(Clone, Debug)]
pub struct Became {
    pub change: PostedChange,
    /// Since when it is so, before it was published.
    pub since: Timestamp,
}

/// The automatic post of an outage follows what its components have become.
pub fn follow(tx: &mut StepTransaction<'_>, page: &StatusPageRules, became: &[Became]) {
    if !page.publish.auto {
        return;
    }
    let worse: Vec<&Became> = became
        .iter()
        .filter(|it| it.change.after.is_down() && !is_in_post_of_people(tx, page, it))
        .collect();
    match open_post(tx, page) {
        Some(post) => change(tx, page, post, became, &worse),
        None if worse.is_empty() => {}
        None => match recent_post(tx, page, &worse) {
            Some(post) => reopen(tx, page, post, &worse),
            None => {
                let is_draft = false;
                open(tx, page, &worse, is_draft);
            }
        },
    }
}

fn is_in_post_of_people(tx: &StepTransaction<'_>, page: &StatusPageRules, it: &Became) -> bool {
    let mut posts = tx.status_posts_of(&page.name).into_iter();
    posts.any(|post| {
        let is_theirs = !post.is_automatic && post.kind == PostKind::Incident;
        is_theirs && post.is_open() && post.is_about(&it.change.component)
    })
}

/// The automatic post that is open.
pub fn open_post(tx: &StepTransaction<'_>, page: &StatusPageRules) -> Option<StatusPost> {
    let mut posts = tx.status_posts_of(&page.name).into_iter().rev();
    let post = posts.find(|post| post.is_automatic && post.is_open())?;
    Some((*post).clone())
}

/// The draft that waits for somebody to publish it.
pub fn draft(tx: &StepTransaction<'_>, page: &StatusPageRules) -> Option<StatusPost> {
    let mut posts = tx.status_posts_of(&page.name).into_iter().rev();
    let post = posts.find(|post| post.is_automatic && post.is_draft)?;
    Some((*post).clone())
}

/// The last automatic post that has just ended and was about any of these.
fn recent_post(
    tx: &StepTransaction<'_>,
    page: &StatusPageRules,
    worse: &[&Became],
) -> Option<StatusPost> {
    let now = tx.now.wall;
    let mut posts = tx.status_posts_of(&page.name).into_iter().rev();
    let post = posts.find(|post| {
        let is_recent = post
            .resolved_at
            .is_some_and(|at| now.since(at) <= REOPENS_WITHIN);
        let ended = post.is_automatic && post.state == PostState::Resolved;
        ended && is_recent && worse.iter().any(|it| post.is_about(&it.change.component))
    })?;
    Some((*post).clone())
}

/// Opens the post of an outage; the answer is its number.
pub fn open(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    worse: &[&Became],
    is_draft: bool,
) -> u64 {
    let now = tx.now.wall;
    let components = ids(worse);
    let title = text(
        page,
        &page.texts.title,
        &components,
        StatusPost::TITLE_CHARACTERS,
    );
    let key = next_key(tx, page);
    let number = key.number;
    let since = worse.iter().map(|it| it.since).min();
    let mut post = StatusPost {
        key,
        kind: PostKind::Incident,
        title,
        state: PostState::Investigating,
        impact: Impact::None,
        is_automatic: true,
        is_draft,
        created_at: now,
        started_at: since.unwrap_or(now),
        monitoring_at: None,
        resolved_at: None,
        scheduled_for: None,
        scheduled_until: None,
        components: Vec::new(),
        updates: Vec::new(),
        update_due_at: None,
        is_overdue: false,
        changed_at: now,
    };
    let said = text(
        page,
        &page.texts.investigating,
        &components,
        StatusPost::TEXT_CHARACTERS,
    );
    say(tx, page, &mut post, PostState::Investigating, said, worse);
    tx.put_status_post(post.key.clone(), post);
    number
}

/// The key that the next post of a page has.
pub fn next_key(tx: &StepTransaction<'_>, page: &StatusPageRules) -> PostKey {
    let last = tx.status_posts_of(&page.name).pop();
    PostKey {
        page: page.name.clone(),
        number: last.map_or(1, |last| last.key.number + 1),
    }
}

fn reopen(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    mut post: StatusPost,
    worse: &[&Became],
) {
    let said = text(
        page,
        &page.texts.reopened,
        &ids(worse),
        StatusPost::TEXT_CHARACTERS,
    );
    say(tx, page, &mut post, PostState::Investigating, said, worse);
    tx.put_status_post(post.key.clone(), post);
}

/// Components of an open post are better or worse, or others join them.
fn change(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    mut post: StatusPost,
    became: &[Became],
    worse: &[&Became],
) {
    let is_own = |it: &&Became| {
        let joins = worse
            .iter()
            .any(|other| other.change.component == it.change.component);
        joins || post.is_about(&it.change.component)
    };
    let own: Vec<&Became> = became.iter().filter(is_own).collect();
    if own.is_empty() {
        return;
    }
    let mut components = post.components.clone();
    components.extend(ids(&own));
    let states = components.iter().map(|id| (id, state_of(tx, page, id)));
    let left = states.filter(|(_, state)| !is_over(*state));
    let left: Vec<Text> = left.map(|(id, _)| id.clone()).collect();
    if left.is_empty() {
        let lasted = tx.now.wall.since(post.started_at);
        let most = StatusPost::TEXT_CHARACTERS;
        let said = fill(&page.texts.resolved, page, &components, lasted, most);
        say(tx, page, &mut post, PostState::Resolved, said, &own);
    } else {
        let said = text(
            page,
            &page.texts.changed,
            &left,
            StatusPost::TEXT_CHARACTERS,
        );
        let state = match post.state {
            PostState::Monitoring if !worse.is_empty() => PostState::Investigating,
            state => state,
        };
        say(tx, page, &mut post, state, said, &own);
    }
    tx.put_status_post(post.key.clone(), post);
    forget_surplus(tx, page);
}

/// What is unknown keeps a post open: nobody may say that it is well.
fn is_over(state: ComponentState) -> bool {
    matches!(
        state,
        ComponentState::Operational | ComponentState::Maintenance
    )
}

fn state_of(tx: &StepTransaction<'_>, page: &StatusPageRules, id: &Text) -> ComponentState {
    let key = ComponentKey {
        page: page.name.clone(),
        id: id.clone(),
    };
    let known = tx.status_component(&key);
    // One that has left the rules says nothing more.
    let known = known.filter(|_| page.component(id).is_some());
    known.map_or(ComponentState::Operational, |known| known.state)
}

fn say(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    post: &mut StatusPost,
    state: PostState,
    said: Text,
    became: &[&Became],
) {
    let now = tx.now.wall;
    let changes: Vec<PostedChange> = became.iter().map(|it| it.change.clone()).collect();
    let worst = changes.iter().map(|change| change.after.impact());
    post.impact = worst.fold(post.impact, Impact::max);
    if post.updates.len() < StatusPost::UPDATES_MAX || state.is_over() {
        post.add(state, said, changes, (Actor::router(), now));
    } else {
        post.enter(state, now);
    }
    promise(tx, page, post, None);
}

/// An update was made: the next one is due later, and what was said of a missing one is over.
pub fn promise(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    post: &mut StatusPost,
    within: Option<Duration>,
) {
    let promised = within.or(page.publish.update_promise);
    let expects = post.kind == PostKind::Incident && !post.state.is_over();
    post.update_due_at = promised
        .filter(|_| expects)
        .map(|promised| tx.now.wall + promised);
    if std::mem::take(&mut post.is_overdue) {
        self_incidents::clear(tx, &overdue(&post.key));
    }
}

/// That an update that was promised is overdue.
pub fn overdue(key: &PostKey) -> SelfIncident {
    SelfIncident::new(Cause::StatusUpdateDue, key.to_string())
}

/// That a draft waits.
pub fn waiting(key: &PostKey) -> SelfIncident {
    SelfIncident::new(Cause::StatusDraft, key.to_string())
}

/// An outage of a page that publishes nothing by itself is written down, and somebody is asked.
pub fn propose(tx: &mut StepTransaction<'_>, page: &StatusPageRules, worse: &[&Became]) {
    if let Some(mut known) = draft(tx, page) {
        for it in worse {
            if !known.is_about(&it.change.component) {
                known.components.push(it.change.component.clone());
            }
        }
        let most = StatusPost::TEXT_CHARACTERS;
        let said = text(page, &page.texts.investigating, &known.components, most);
        if let Some(last) = known.updates.last_mut() {
            last.text = said;
        }
        let changes = worse.iter().map(|it| it.change.after.impact());
        known.impact = changes.fold(known.impact, Impact::max);
        tx.put_status_post(known.key.clone(), known);
        return;
    }
    let is_draft = true;
    let number = open(tx, page, worse, is_draft);
    let key = PostKey {
        page: page.name.clone(),
        number,
    };
    let name = &page.name;
    let said = format!(
        "status page {name} has an outage that is not published: publish it with `reveille status \
         publish {name} {number}`, or see `reveille status show {name}`"
    );
    self_incidents::raise(tx, waiting(&key), &said);
}

/// What a draft is about is over before anybody published it.
pub fn withdraw_draft(tx: &mut StepTransaction<'_>, page: &StatusPageRules) {
    if let Some(known) = draft(tx, page) {
        self_incidents::clear(tx, &waiting(&known.key));
        tx.drop_status_post(&known.key);
    }
}

/// Of posts that are over the oldest are forgotten.
pub fn forget_surplus(tx: &mut StepTransaction<'_>, page: &StatusPageRules) {
    let posts = tx.status_posts_of(&page.name);
    let over = posts.iter().filter(|post| post.state.is_over());
    let surplus = over.clone().count().saturating_sub(StatusPost::OVER_MAX);
    let surplus: Vec<PostKey> = over.take(surplus).map(|post| post.key.clone()).collect();
    for key in surplus {
        tx.drop_status_post(&key);
    }
}

fn ids(became: &[&Became]) -> Vec<Text> {
    let ids = became.iter().map(|it| it.change.component.clone());
    ids.collect()
}

fn text(page: &StatusPageRules, text: &str, components: &[Text], most: usize) -> Text {
    fill(text, page, components, Duration::ZERO, most)
}
