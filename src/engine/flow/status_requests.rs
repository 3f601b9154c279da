//! What people do on our own status pages: posts of theirs, updates, and states that they set.

use std::collections::BTreeSet;

use crate::engine::actor::Actor;
use crate::engine::decision::Refusal;
use crate::engine::event::Text;
use crate::engine::status_act::{NewPost, SaidUpdate, StatusAct, StatusActKind};
use crate::engine::status_component::{ComponentKey, StateByHand, StateCause, StatusComponent};
use crate::engine::status_page_rules::{ComponentRules, StatusPageRules};
use crate::engine::status_post::{PostKey, PostKind, PostState, PostedChange, StatusPost};
use crate::engine::status_report::{ComponentState, Impact};
use crate::engine::status_state::ByRule;
use crate::engine::status_texts::fill;
use crate::engine::time::{Duration, Timestamp};
use crate::engine::transaction::StepTransaction;
use crate::engine::{self_incidents, status_components, status_posts};

/// A state that an update sets holds until its post is over, and at most for so long.
const SET_BY_POST_FOR: Duration = Duration::days(30);

/// Nobody sets a state for longer.
const SET_FOR_MAX: Duration = Duration::days(365);

/// Does it; the answer is the number of the post, if it is about one.
pub fn act(tx: &mut StepTransaction<'_>, act: StatusAct) -> Result<Option<u64>, Refusal> {
    let rules = tx.rules;
    let page = rules.status_pages.pages.get(&act.page);
    let page = page.ok_or_else(|| Refusal::unknown("status page", &act.page))?;
    let by = rules.with_full_name(act.actor);
    match act.kind {
        StatusActKind::Post(new) => post(tx, page, new, &by).map(Some),
        StatusActKind::Update { post, said } => {
            update(tx, page, post, said, &by)?;
            Ok(Some(post))
        }
        StatusActKind::Edit {
            post,
            update,
            title,
            text,
        } => {
            edit(tx, page, post, update, (title, text))?;
            Ok(Some(post))
        }
        StatusActKind::Publish { post } => {
            publish(tx, page, post)?;
            Ok(Some(post))
        }
        StatusActKind::Delete { post } => {
            delete(tx, page, post)?;
            Ok(Some(post))
        }
        StatusActKind::Set {
            component,
            state,
            until,
        } => {
            let component = component_called(page, &component)?;
            check_until(tx.now.wall, until)?;
            set(tx, page, component, state, (by, until));
            Ok(None)
        }
        StatusActKind::FollowRules { component } => {
            let component = component_called(page, &component)?;
            let key = page.key(component);
            status_components::follow_rules(tx, BTreeSet::from([key]));
            Ok(None)
        }
    }
}

fn component_called<'rules>(
    page: &'rules StatusPageRules,
    name: &'rules str,
) -> Result<&'rules ComponentRules, Refusal> {
    let mut called = page.components_called(name);
    let Some(component) = called.next() else {
        return Err(Refusal::unknown("component", name));
    };
    match called.next() {
        None => Ok(component),
        Some(other) => {
            let help = format!(
                "it may be {:?} or {:?}; write its group, as `group / name`, or its id",
                component.full_name(),
                other.full_name()
            );
            Err(Refusal::invalid("component", name, help))
        }
    }
}

fn check_until(now: Timestamp, until: Timestamp) -> Result<(), Refusal> {
    if until <= now {
        return Err(Refusal::invalid("until", &until, "it is over already"));
    }
    if until > now + SET_FOR_MAX {
        return Err(Refusal::invalid("until", &until, "a year from now at most"));
    }
    Ok(())
}

fn known_post(
    tx: &StepTransaction<'_>,
    page: &StatusPageRules,
    number: u64,
) -> Result<StatusPost, Refusal> {
    let key = PostKey {
        page: page.name.clone(),
        number,
    };
    let post = tx.status_post(&key);
    let post = post.ok_or_else(|| Refusal::unknown("post", &key))?;
    Ok((*post).clone())
}

fn post(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    new: NewPost,
    by: &Actor,
) -> Result<u64, Refusal> {
    let now = tx.now.wall;
    check_window(&new)?;
    check_length("title", &new.title, StatusPost::TITLE_CHARACTERS)?;
    if new.title.trim().is_empty() {
        return Err(Refusal::invalid("title", "\"\"", "readers need one"));
    }
    let posts = tx.status_posts_of(&page.name);
    let open = posts.iter().filter(|post| !post.state.is_over()).count();
    if open >= StatusPost::OPEN_MAX {
        let help = "resolve or delete some of them first";
        return Err(Refusal::invalid("number of open posts", &open, help));
    }
    let key = status_posts::next_key(tx, page);
    let state = new.said.state.unwrap_or(new.kind.first_state());
    let mut post = StatusPost {
        key,
        kind: new.kind,
        title: new.title,
        state,
        impact: match new.kind {
            PostKind::Maintenance => Impact::Maintenance,
            PostKind::Incident | PostKind::Announcement => Impact::None,
        },
        is_automatic: false,
        is_draft: new.is_draft,
        created_at: now,
        started_at: new.scheduled_for.unwrap_or(now),
        monitoring_at: None,
        resolved_at: None,
        scheduled_for: new.scheduled_for,
        scheduled_until: new.scheduled_until,
        components: Vec::new(),
        updates: Vec::new(),
        update_due_at: None,
        is_overdue: false,
        changed_at: now,
    };
    say(tx, page, &mut post, new.said, by)?;
    let number = post.key.number;
    keep(tx, page, post);
    Ok(number)
}

fn check_window(new: &NewPost) -> Result<(), Refusal> {
    match (new.kind, new.scheduled_for, new.scheduled_until) {
        (PostKind::Maintenance, Some(from), Some(until)) if from < until => Ok(()),
        (PostKind::Maintenance, Some(_), Some(until)) => {
            let help = "a maintenance ends after it begins";
            Err(Refusal::invalid("end of the window", &until, help))
        }
        (PostKind::Maintenance, ..) => {
            let help = "a maintenance has both its begin and its end";
            Err(Refusal::invalid("window", "that is not whole", help))
        }
        (_, None, None) => Ok(()),
        (kind, ..) => {
            let help = "only a maintenance has a window";
            Err(Refusal::invalid("window of a post of kind", &kind, help))
        }
    }
}

fn check_length(what: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length > most {
        let help = format!("{most} characters at most");
        return Err(Refusal::invalid(
            what,
            &format!("of {length} characters"),
            help,
        ));
    }
    Ok(())
}

fn update(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    number: u64,
    said: SaidUpdate,
    by: &Actor,
) -> Result<(), Refusal> {
    let mut post = known_post(tx, page, number)?;
    if post.updates.len() >= StatusPost::UPDATES_MAX {
        let help = "this post has as many updates as are kept; write another post";
        return Err(Refusal::invalid("update of post", &number, help));
    }
    say(tx, page, &mut post, said, by)?;
    keep(tx, page, post);
    Ok(())
}

/// Adds an update, and sets the states that it says.
fn say(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    post: &mut StatusPost,
    said: SaidUpdate,
    by: &Actor,
) -> Result<(), Refusal> {
    let now = tx.now.wall;
    let state = said.state.unwrap_or(post.state);
    if !post.kind.may_be(state) {
        let help = format!("a post of kind {} is never so", post.kind);
        return Err(Refusal::invalid("state", &state, help));
    }
    let mut named = Vec::new();
    for (name, component_state) in &said.components {
        named.push((component_called(page, name)?, *component_state));
    }
    let mut changes = Vec::new();
    for (component, component_state) in &named {
        let key = page.key(component);
        let before = tx.status_component(&key);
        let before = before.map_or(ComponentState::Operational, |known| known.state);
        let after = component_state.unwrap_or(before);
        changes.push(PostedChange {
            component: component.id.clone(),
            before,
            after,
        });
    }
    let mut components = post.components.clone();
    components.extend(changes.iter().map(|change| change.component.clone()));
    let text = match said.text {
        Some(text) => text,
        None => default_text(page, state, &components, now.since(post.started_at))?,
    };
    check_length("text", &text, StatusPost::TEXT_CHARACTERS)?;
    let worst = changes.iter().map(|change| change.after.impact());
    let worst = worst.fold(post.impact, Impact::max);
    post.impact = said.impact.unwrap_or(match post.kind {
        PostKind::Maintenance => Impact::Maintenance,
        PostKind::Incident | PostKind::Announcement => worst,
    });
    post.add(state, text, changes, (by.clone(), now));
    status_posts::promise(tx, page, post, said.next_within);
    if !post.is_draft {
        let until = now + SET_BY_POST_FOR;
        for (component, component_state) in named {
            if let Some(state) = component_state {
                set(tx, page, component, state, (by.clone(), until));
            }
        }
    }
    Ok(())
}

/// What the rules have to say for a state.
fn default_text(
    page: &StatusPageRules,
    state: PostState,
    components: &[Text],
    lasted: Duration,
) -> Result<Text, Refusal> {
    let texts = &page.texts;
    let text = match state {
        PostState::Investigating => &texts.investigating,
        PostState::Monitoring => &texts.monitoring,
        PostState::Resolved => &texts.resolved,
        PostState::InProgress => &texts.in_progress,
        PostState::Completed => &texts.completed,
        PostState::Identified
        | PostState::Postmortem
        | PostState::Scheduled
        | PostState::Verifying => {
            let help = "there is no text for this state; write one";
            return Err(Refusal::invalid(
                "update without a text in state",
                &state,
                help,
            ));
        }
    };
    if components.is_empty() {
        let help = "the text of the rules names components; name some, or write a text";
        return Err(Refusal::invalid(
            "update without components in state",
            &state,
            help,
        ));
    }
    let most = StatusPost::TEXT_CHARACTERS;
    Ok(fill(text, page, components, lasted, most))
}

/// Keeps a post, with what follows from it for its components.
fn keep(tx: &mut StepTransaction<'_>, page: &StatusPageRules, post: StatusPost) {
    let components = post.components.iter().map(|id| ComponentKey {
        page: page.name.clone(),
        id: id.clone(),
    });
    let components: BTreeSet<ComponentKey> = components.collect();
    let is_over = post.state.is_over();
    tx.put_status_post(post.key.clone(), post);
    status_posts::forget_surplus(tx, page);
    if is_over {
        // What its updates said of components was about this post.
        let set = components.into_iter().filter(|key| {
            let known = tx.status_component(key);
            known.is_some_and(|known| known.by_hand.is_some())
        });
        let set = set.collect();
        status_components::follow_rules(tx, set);
    } else {
        status_components::review(tx, components);
    }
}

/// Sets a state by hand.
fn set(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    component: &ComponentRules,
    state: ComponentState,
    (by, until): (Actor, Timestamp),
) {
    let now = tx.now.wall;
    let key = page.key(component);
    let known = tx.status_component(&key);
    let mut known = known.map_or_else(
        || StatusComponent::new(key, component.full_name(), ComponentState::Operational, now),
        |known| (*known).clone(),
    );
    if known.state != state {
        let causes = vec![StateCause::ByHand { by: by.clone() }];
        known.enter(state, causes, now);
    }
    known.pending = None;
    known.by_hand = Some(StateByHand { by, at: now, until });
    tx.put_status_component(known.key.clone(), known);
}

fn edit(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    number: u64,
    update: Option<u64>,
    (title, text): (Option<Text>, Option<Text>),
) -> Result<(), Refusal> {
    let mut post = known_post(tx, page, number)?;
    let now = tx.now.wall;
    if let Some(title) = title {
        check_length("title", &title, StatusPost::TITLE_CHARACTERS)?;
        if title.trim().is_empty() {
            return Err(Refusal::invalid("title", "\"\"", "readers need one"));
        }
        post.title = title;
    }
    if let Some(text) = text {
        check_length("text", &text, StatusPost::TEXT_CHARACTERS)?;
        let meant = update.unwrap_or(post.last_update().number);
        let known = post.updates.iter_mut().find(|known| known.number == meant);
        let known = known.ok_or_else(|| Refusal::unknown("update", &meant))?;
        known.text = text;
        known.edited_at = Some(now);
    }
    post.changed_at = now;
    tx.put_status_post(post.key.clone(), post);
    Ok(())
}

/// Readers see a draft from now on. What it says of components is true from now on as well.
fn publish(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    number: u64,
) -> Result<(), Refusal> {
    let mut post = known_post(tx, page, number)?;
    if !post.is_draft {
        let help = "it is published already";
        return Err(Refusal::invalid("publishing post", &number, help));
    }
    let now = tx.now.wall;
    post.is_draft = false;
    post.created_at = now;
    post.changed_at = now;
    for update in &mut post.updates {
        update.at = update.at.max(now);
    }
    self_incidents::clear(tx, &status_posts::waiting(&post.key));
    let said = post.last_update().clone();
    let waiting: Vec<(&ComponentRules, ByRule)> = waiting(tx, page, &post);
    let mut changes = said.components.clone();
    changes.retain(|change| page.component(&change.component).is_some());
    for (component, by_rule) in waiting {
        let known = tx.status_component(&page.key(component));
        let before = known.map_or(ComponentState::Operational, |known| known.state);
        changes.retain(|change| change.component != component.id);
        changes.push(PostedChange {
            component: component.id.clone(),
            before,
            after: by_rule.state,
        });
        let known = tx.status_component(&page.key(component));
        if let Some(known) = known {
            let mut known = (*known).clone();
            known.enter(by_rule.state, by_rule.causes, now);
            tx.put_status_component(known.key.clone(), known);
        }
    }
    if !post.is_automatic {
        let until = now + SET_BY_POST_FOR;
        for change in &changes {
            if change.before != change.after
                && let Some(component) = page.component(&change.component)
            {
                set(tx, page, component, change.after, (said.by.clone(), until));
            }
        }
    }
    if let Some(last) = post.updates.last_mut() {
        last.components = changes;
    }
    status_posts::promise(tx, page, &mut post, None);
    keep(tx, page, post);
    Ok(())
}

/// Components whose state waits for this draft.
fn waiting<'rules>(
    tx: &StepTransaction<'_>,
    page: &'rules StatusPageRules,
    post: &StatusPost,
) -> Vec<(&'rules ComponentRules, ByRule)> {
    let named = post.components.iter();
    let named = named.filter_map(|id| page.component(id));
    let waiting = named.filter_map(|component| {
        let known = tx.status_component(&page.key(component))?;
        let pending = known.pending.as_ref().filter(|it| it.due.is_none())?;
        let by_rule = ByRule {
            state: pending.state,
            causes: pending.causes.clone(),
        };
        Some((component, by_rule))
    });
    waiting.collect()
}

fn delete(
    tx: &mut StepTransaction<'_>,
    page: &StatusPageRules,
    number: u64,
) -> Result<(), Refusal> {
    let post = known_post(tx, page, number)?;
    self_incidents::clear(tx, &status_posts::waiting(&post.key));
    self_incidents::clear(tx, &status_posts::overdue(&post.key));
    tx.drop_status_post(&post.key);
    let keys = post.components.iter().map(|id| ComponentKey {
        page: page.name.clone(),
        id: id.clone(),
    });
    status_components::review(tx, keys.collect());
    Ok(())
}
