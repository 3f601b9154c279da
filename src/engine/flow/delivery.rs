//! Pages and their attempts: which channel is used, what an outcome leads to, retries and failover.

use std::sync::Arc;

use crate::engine::event::Text;
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::{ChannelName, ContactName, IncidentNumber, PageId, UserName};
use crate::engine::incident::{Incident, PageCause};
use crate::engine::notes::{note_page, who, why_detail};
use crate::engine::page::{IncidentRef, Page, PageKind, PageState, Recipient, Retry};
use crate::engine::reason::Reason;
use crate::engine::records::{EntryDetail, EntryKind};
use crate::engine::ruleset::{ChannelInfo, ChannelTarget, Contact, Medium};
use crate::engine::time::MonotonicTime;
use crate::engine::transaction::StepTransaction;
use crate::engine::{channel_health, queueing};

/// A page to a contact that is to be planned.
pub struct Plan<'a> {
    pub kind: PageKind,
    /// Each with its own reason.
    pub incidents: Vec<(IncidentRef, PageCause)>,
    pub user: &'a UserName,
    pub contact: &'a ContactName,
    pub notify_step: usize,
}

/// What became of planning a page.
pub enum Planned {
    Started(PageId),
    /// Its channel can be used later, and a retry waits for that; the next contact is used as well.
    Later,
    /// The contact cannot be used; the reason stands in the story.
    Unusable,
}

/// An incident at its present generation.
pub fn reference(incident: &Incident) -> IncidentRef {
    IncidentRef {
        number: incident.number,
        generation: incident.generation,
    }
}

/// Plans a page to a contact and starts its first attempt.
pub fn page_contact(
    tx: &mut StepTransaction<'_>,
    incident: &Arc<Incident>,
    plan: &Plan<'_>,
    reason: Reason,
) -> Planned {
    let Some(contact) = tx.rules.contact(plan.user, plan.contact).cloned() else {
        note_unusable(tx, plan, Reason::TargetGone);
        return Planned::Unusable;
    };
    if is_stopped(tx, &contact.address) {
        note_unusable(tx, plan, Reason::ContactStopped);
        return Planned::Unusable;
    }
    // A bundle says more than that the contact does not work.
    let is_single = plan.kind == PageKind::Page;
    if is_single && incident.is_about_contact(plan.user, plan.contact) {
        note_unusable(tx, plan, Reason::ContactUnreachable);
        return Planned::Unusable;
    }
    let medium = contact.medium;
    let id = put_contact_page(tx, incident, plan, contact);
    if start_on_next_channel(tx, id, reason) {
        if plan.kind == PageKind::Bundle {
            note_bundle(tx, plan, id);
        }
        return Planned::Started(id);
    }
    let has_retry = tx.page(&id).is_some_and(|page| !page.retries.is_empty());
    if has_retry {
        tx.edit_page(&id, |page| page.failed_over = true);
        return Planned::Later;
    }
    tx.edit_page(&id, |page| page.state = PageState::Failed);
    let has_channel = tx.rules.channels_for(medium).next().is_some();
    let reason = if has_channel {
        Reason::ChannelDown
    } else {
        Reason::NoChannel
    };
    note_unusable(tx, plan, reason);
    Planned::Unusable
}

/// Puts a page to a contact in the state; nothing of it leaves by that.
pub fn put_contact_page(
    tx: &mut StepTransaction<'_>,
    incident: &Arc<Incident>,
    plan: &Plan<'_>,
    contact: Contact,
) -> PageId {
    let (_, why) = plan.incidents.first().expect("a page is about an incident");
    let incidents = plan.incidents.iter().map(|(known, _)| *known).collect();
    let page = Page {
        recipient: Recipient::User {
            user: plan.user.clone(),
            contact: plan.contact.clone(),
        },
        notify_step: plan.notify_step,
        told_until: match plan.kind {
            PageKind::Page => told_until(tx, incident.number, plan.user),
            PageKind::Bundle | PageKind::Update { .. } | PageKind::Copy => None,
        },
        ..new_page(tx, incident, plan.kind, incidents, why)
    };
    let id = page.id;
    let page = Page {
        medium: contact.medium,
        address: contact.address,
        ..page
    };
    tx.put_page(id, page);
    id
}

fn note_unusable(tx: &mut StepTransaction<'_>, plan: &Plan<'_>, reason: Reason) {
    let text = format!(
        "{} cannot be paged by {}: {}",
        plan.user,
        plan.contact,
        reason.meaning()
    );
    for (incident, why) in &plan.incidents {
        let detail = EntryDetail {
            user: Some(plan.user.as_str().into()),
            contact: Some(plan.contact.as_str().into()),
            ..why_detail(why)
        };
        let kind = EntryKind::Page;
        tx.note_in_detail(incident.number, kind, reason, text.clone(), detail);
    }
}

fn note_bundle(tx: &mut StepTransaction<'_>, plan: &Plan<'_>, page: PageId) {
    let text: Text = match plan.incidents.len() {
        1 => "paged in a combined message (1 incident)".into(),
        count => format!("paged in a combined message ({count} incidents)").into(),
    };
    for (incident, why) in &plan.incidents {
        let detail = EntryDetail {
            user: Some(plan.user.as_str().into()),
            contact: Some(plan.contact.as_str().into()),
            page: Some(page),
            ..why_detail(why)
        };
        let (kind, reason) = (EntryKind::Page, Reason::Bundled);
        tx.note_in_detail(incident.number, kind, reason, text.clone(), detail);
    }
}

/// A page with nothing filled in but what all kinds share.
pub fn new_page(
    tx: &mut StepTransaction<'_>,
    incident: &Incident,
    kind: PageKind,
    incidents: Vec<IncidentRef>,
    why: &PageCause,
) -> Page {
    Page {
        id: tx.next_page(),
        kind,
        incidents,
        recipient: Recipient::Channel {
            channel: ChannelName::CONSOLE.into(),
        },
        medium: Medium::Console,
        address: "".into(),
        urgency: incident.urgency,
        integration: incident.integration.clone(),
        why: why.clone(),
        notify_step: 0,
        state: PageState::Sending,
        created_at: tx.now.wall,
        created: tx.now.steady,
        attempts: Vec::new(),
        queued: Vec::new(),
        retries: Vec::new(),
        plain_text_only: false,
        failed_over: false,
        reference: None,
        has_update_waiting: false,
        updated: None,
        told_until: None,
        is_withdrawn: false,
    }
}

/// Pages an address on a channel that a step names; it has no contacts and no page limit.
pub fn page_channel_target(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    target: &ChannelTarget,
    why: &PageCause,
) {
    let incident = tx.known_incident(number);
    let Some(medium) = medium_of(tx, &target.channel) else {
        return;
    };
    let page = new_page(
        tx,
        &incident,
        PageKind::Page,
        vec![reference(&incident)],
        why,
    );
    let id = page.id;
    let channel = target.channel.clone();
    let address = target.address.clone();
    tx.put_page(
        id,
        Page {
            recipient: Recipient::Channel { channel },
            medium,
            address,
            ..page
        },
    );
    if !start_on_next_channel(tx, id, Reason::ChannelTargetPaged) {
        fail_if_hopeless(tx, id);
    }
}

/// The medium of a channel: the console's own where it carries several.
pub fn medium_of(tx: &StepTransaction<'_>, channel: &ChannelName) -> Option<Medium> {
    let info = tx.rules.channel(channel)?;
    if info.media.contains(&Medium::Console) {
        return Some(Medium::Console);
    }
    info.media.first().copied()
}

/// Waits for a place on the first channel that was not tried and can be used now. Whether there
/// is one; a channel that can be used later gets a retry.
pub fn start_on_next_channel(tx: &mut StepTransaction<'_>, id: PageId, reason: Reason) -> bool {
    let page = tx.known_page(id);
    if has_stopped(tx, &page) {
        let text = format!("{} answered STOP", who(&page));
        note_page(tx, id, Reason::ContactStopped, &text, |_| {});
        return false;
    }
    let endpoint = page.endpoint();
    for channel in candidates(tx, &page) {
        let mut retries = page.retries.iter();
        let is_tried = page.attempts_on(&channel.name) > 0
            || page.is_queued_on(&channel.name)
            || retries.any(|retry| retry.channel == channel.name);
        if is_tried {
            continue;
        }
        match channel_health::availability(tx, &channel, &endpoint) {
            channel_health::Availability::Open => {
                queueing::queue(tx, id, &channel.name, reason);
                return true;
            }
            channel_health::Availability::Later { at, reason } => {
                retry_later(tx, id, &channel.name, at, reason);
            }
        }
    }
    false
}

/// Whether whoever has this address answered STOP.
fn is_stopped(tx: &StepTransaction<'_>, address: &Text) -> bool {
    let sender = tx.sender(address);
    sender.is_some_and(|sender| sender.is_stopped)
}

/// Whether a page would be texted to a phone that answered STOP: a contact of somebody, or only
/// the target of a channel.
pub fn has_stopped(tx: &StepTransaction<'_>, page: &Page) -> bool {
    page.medium == Medium::Sms && is_stopped(tx, &page.address)
}

/// The channels that may carry a page, in order.
pub fn candidates(tx: &StepTransaction<'_>, page: &Page) -> Vec<ChannelInfo> {
    if let Recipient::Channel { channel } = &page.recipient {
        return tx.rules.channel(channel).cloned().into_iter().collect();
    }
    let first = page
        .incidents
        .first()
        .and_then(|known| tx.incident(&known.number));
    let avoid = first.and_then(|incident| incident.about.as_ref()?.channel());
    let channels = tx.rules.channels_for(page.medium);
    let usable = channels.filter(|c| c.reaches_people && Some(&c.name) != avoid.as_ref());
    usable.cloned().collect()
}

pub fn retry_later(
    tx: &mut StepTransaction<'_>,
    id: PageId,
    channel: &ChannelName,
    at: MonotonicTime,
    reason: Reason,
) {
    let retry = Retry {
        channel: channel.clone(),
        due: at,
        spends: false,
    };
    tx.edit_page(&id, |page| page.retries.push(retry));
    let text = format!("{channel}: {}", reason.meaning());
    note_page(tx, id, reason, &text, |_| {});
}

/// Gives a page up that has no attempt in flight and no retry.
pub fn fail_if_hopeless(tx: &mut StepTransaction<'_>, id: PageId) {
    let page = tx.known_page(id);
    if page.state == PageState::Sending && !page.is_pending() {
        tx.edit_page(&id, |page| {
            page.state = if page.is_withdrawn {
                PageState::Cancelled
            } else {
                PageState::Failed
            };
        });
        let page = tx.page(&id).expect("a page that was just changed is kept");
        tx.follow_up(FollowUp::PageGivenUp(page));
    }
}

/// The page's channel did not do it in time or at all: the next channel of the medium, or else the
/// person's next notify step, is used at once.
pub fn move_on(tx: &mut StepTransaction<'_>, id: PageId, is_target_refused: bool) {
    let page = tx.known_page(id);
    let is_wanted = page.asks() && !page.is_withdrawn && tx.still_asks(&page);
    // Another channel may have taken it meanwhile.
    if !is_wanted || page.failed_over || page.state != PageState::Sending {
        return;
    }
    if !is_target_refused && start_on_next_channel(tx, id, Reason::FailoverChannel) {
        return;
    }
    tx.edit_page(&id, |page| page.failed_over = true);
    if is_target_refused {
        tx.edit_page(&id, |page| {
            page.queued.clear();
            page.retries.clear();
        });
    }
    let page = tx.known_page(id);
    tx.follow_up(FollowUp::ContactFailed(page));
}

/// When a person was last told of an incident, before this moment; `None` if never.
fn told_until(
    tx: &StepTransaction<'_>,
    number: IncidentNumber,
    user: &UserName,
) -> Option<MonotonicTime> {
    let pages = tx.pages_of(number);
    let told = pages.iter().filter(|page| {
        page.recipient.user() == Some(user) && page.asks() && page.created < tx.now.steady
    });
    told.map(|page| page.told()).max()
}
