//! Messages that only tell what became of an incident, for those who were paged.
//!
//! They go into mail threads, Slack messages and webhooks, never by SMS, and never ask.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::event::Text;
use crate::engine::ids::{IncidentNumber, PageId};
use crate::engine::incident::{Incident, Status};
use crate::engine::outcome::Outcome;
use crate::engine::page::{Page, PageKind, PageState, UpdateKind};
use crate::engine::reason::Reason;
use crate::engine::ruleset::{ChannelInfo, Medium};
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;
use crate::engine::{page_plan, queueing};

/// Joined alerts are told together after this, and at most once in [`JOINED_INTERVAL`].
const JOINED_AFTER: Duration = Duration::seconds(15);
const JOINED_INTERVAL: Duration = Duration::minutes(1);

/// A new alert joined: those who were paged are told before long, several alerts at once.
pub fn joined(tx: &mut StepTransaction<'_>, number: IncidentNumber) {
    let due = tx.now.steady + JOINED_AFTER;
    tx.edit_incident(&number, |incident| {
        if incident.status != Status::Resolved && incident.update_due.is_none() {
            incident.update_due = Some(due);
        }
    });
}

/// Tells everybody who was paged, and the copies, once per place.
pub fn tell(tx: &mut StepTransaction<'_>, number: IncidentNumber, news: UpdateKind) {
    let incident = tx.known_incident(number);
    let mut told: BTreeSet<(Medium, Text)> = BTreeSet::new();
    // The first message to a place is the one that is changed or threaded under.
    for page in tx.pages_of(number) {
        if is_own_act(tx, &incident, &page, news) {
            continue;
        }
        // A bundle is a message of its own, and shows nothing of joined alerts.
        let is_first = match page.kind {
            PageKind::Bundle => news != UpdateKind::Joined,
            PageKind::Page | PageKind::Copy | PageKind::Update { .. } => {
                is_told(&page) && told.insert((page.medium, page.address.clone()))
            }
        };
        if !is_told(&page) || !is_first || !is_news(tx, &incident, &page) {
            continue;
        }
        tell_one(tx, &incident, &page, news);
    }
}

/// Of a test page only programs and messages that can be changed are told that it is over: a
/// program keeps it open otherwise, and a button would show nothing.
fn is_news(tx: &StepTransaction<'_>, incident: &Incident, page: &Page) -> bool {
    let channel = taken_by(tx, page);
    let is_changed = channel.is_some_and(|channel| channel.capabilities.updates);
    !incident.is_test_page() || is_changed || page.medium == Medium::Webhook
}

/// The channel that took the message last, if the settings still have it.
fn taken_by<'rules>(tx: &StepTransaction<'rules>, page: &Page) -> Option<&'rules ChannelInfo> {
    let mut taken = page.attempts.iter().rev();
    let last = taken.find(|known| known.outcome.is_some_and(Outcome::is_sent))?;
    tx.rules.channel(&last.channel)
}

fn is_told(page: &Page) -> bool {
    let is_kind = match page.kind {
        PageKind::Page | PageKind::Bundle | PageKind::Copy => true,
        PageKind::Update { .. } => false,
    };
    let is_out = match page.state {
        PageState::Sending => may_have_arrived(page),
        PageState::Sent | PageState::Delivered => true,
        PageState::Failed | PageState::Cancelled => false,
    };
    is_kind && is_out && page.medium != Medium::Sms
}

/// Whether an attempt has it, or had it without an answer: what is unsure is repeated word for
/// word, with the news of then.
fn may_have_arrived(page: &Page) -> bool {
    let mut attempts = page.attempts.iter();
    page.in_flight().is_some() || attempts.any(|known| known.outcome == Some(Outcome::Unknown))
}

fn tell_one(
    tx: &mut StepTransaction<'_>,
    incident: &Arc<Incident>,
    page: &Arc<Page>,
    news: UpdateKind,
) {
    let is_busy = page.state == PageState::Sending || has_update_under_way(tx, page);
    if is_busy {
        tx.edit_page(&page.id, |page| page.has_update_waiting = true);
        return;
    }
    let now = tx.now.steady;
    let Some(channel) = taken_by(tx, page).cloned() else {
        return;
    };
    // A bundle is changed in its place or left as it is: notices would undo what it is for.
    if page.kind == PageKind::Bundle && !channel.capabilities.updates {
        return;
    }
    if news == UpdateKind::Joined {
        let edits = channel.capabilities.updates;
        let interval = if edits {
            JOINED_INTERVAL
        } else {
            incident.join_interval
        };
        if page.updated.is_some_and(|at| now.since(at) < interval) {
            tx.edit_incident(&incident.number, |incident| {
                incident.update_due = Some(now + interval);
            });
            return;
        }
    }
    let kind = PageKind::Update { of: page.id, news };
    let incidents = match page.kind {
        PageKind::Bundle => page.incidents.clone(),
        PageKind::Page | PageKind::Copy | PageKind::Update { .. } => {
            vec![page_plan::reference(incident)]
        }
    };
    let update = page_plan::new_page(tx, incident, kind, incidents, &page.why);
    let id = update.id;
    tx.put_page(
        id,
        Page {
            recipient: page.recipient.clone(),
            medium: page.medium,
            address: page.address.clone(),
            told_until: Some(page.told()),
            ..update
        },
    );
    tx.edit_page(&page.id, |page| {
        page.updated = Some(now);
        page.has_update_waiting = false;
    });
    queueing::queue(tx, id, &channel.name, Reason::UpdateSent);
}

fn has_update_under_way(tx: &StepTransaction<'_>, page: &Page) -> bool {
    let Some(number) = page.incidents.first().map(|incident| incident.number) else {
        return false;
    };
    tx.pages_of(number).iter().any(|other| {
        matches!(other.kind, PageKind::Update { of, .. } if of == page.id)
            && other.state == PageState::Sending
    })
}

/// A message is out: what became of its incident meanwhile is told now.
pub fn message_is_out(tx: &mut StepTransaction<'_>, id: PageId) {
    let Some(page) = tx.page(&id) else { return };
    if !page.has_update_waiting {
        return;
    }
    tx.edit_page(&id, |page| page.has_update_waiting = false);
    let Some((incident, news)) = present_news(tx, &page) else {
        return;
    };
    let page = tx.known_page(id);
    if !is_own_act(tx, &incident, &page, news) {
        tell_one(tx, &incident, &page, news);
    }
}

/// What is to be said of a message's incidents as they stand now. Of a bundle some may be in
/// history already, and what is over has been told of.
fn present_news(tx: &StepTransaction<'_>, page: &Page) -> Option<(Arc<Incident>, UpdateKind)> {
    let known = page.incidents.iter();
    let known: Vec<Arc<Incident>> = known
        .filter_map(|known| tx.incident(&known.number))
        .collect();
    let open = known.iter().find(|incident| incident.is_open());
    let incident = open.or(known.first())?;
    let news = match incident.status {
        Status::Triggered if page.kind == PageKind::Bundle => UpdateKind::Triggered,
        Status::Triggered => UpdateKind::Joined,
        Status::Acknowledged => UpdateKind::Acknowledged,
        Status::Resolved => UpdateKind::Resolved,
    };
    Some((incident.clone(), news))
}

/// A notice that waited has a slot. It shows its incident as it stands now: so it tells what came
/// after it too, and nothing is left to be told once more.
pub fn leaves(tx: &mut StepTransaction<'_>, page: &Page) {
    let PageKind::Update { of, .. } = page.kind else {
        return;
    };
    let about = tx.page(&of).filter(|about| about.has_update_waiting);
    let Some(about) = about.filter(|_| page.attempts.is_empty()) else {
        return;
    };
    let Some((incident, news)) = present_news(tx, &about) else {
        return;
    };
    if is_own_act(tx, &incident, &about, news) {
        return;
    }
    tx.edit_page(&of, |about| about.has_update_waiting = false);
    tx.edit_page(&page.id, |page| page.kind = PageKind::Update { of, news });
}

/// Whether the reader did what would be told. Nobody is told by mail of an act of theirs; what is
/// changed in its place, and what programs read, is kept up to date.
fn is_own_act(
    tx: &StepTransaction<'_>,
    incident: &Incident,
    page: &Page,
    news: UpdateKind,
) -> bool {
    let handled = match news {
        UpdateKind::Acknowledged => incident.acknowledged.as_ref(),
        UpdateKind::Resolved => incident.resolved.as_ref(),
        UpdateKind::Joined | UpdateKind::Triggered => None,
    };
    let by = handled.and_then(|handled| handled.user.as_ref());
    by.is_some() && by == page.recipient.user() && !is_kept_up_to_date(tx, page)
}

fn is_kept_up_to_date(tx: &StepTransaction<'_>, page: &Page) -> bool {
    let channel = page.attempts.last();
    let channel = channel.and_then(|attempt| tx.rules.channel(&attempt.channel));
    match page.medium {
        Medium::Webhook | Medium::Console => true,
        Medium::Email | Medium::Sms | Medium::Slack => {
            channel.is_some_and(|channel| channel.capabilities.updates)
        }
    }
}

/// An update reached its end: a newer state may wait to be shown on the same message.
pub fn page_finished(tx: &mut StepTransaction<'_>, page: &Page) {
    let PageKind::Update { of, .. } = page.kind else {
        return;
    };
    // Nothing refers to an update: it goes to history at once, or they would gather for as long as
    // the incident is open.
    let is_over = tx
        .page(&page.id)
        .is_some_and(|page| page.state != PageState::Sending);
    if is_over {
        tx.archive_page(page.id);
    }
    message_is_out(tx, of);
}
