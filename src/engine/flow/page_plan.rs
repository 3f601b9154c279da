//! A page in the making: its record, and why a contact cannot be used.

use std::sync::Arc;

use crate::engine::delivery;
use crate::engine::entry_body::PageEntry;
use crate::engine::ids::{ChannelName, ContactName, IncidentNumber, PageId, UserName};
use crate::engine::incident::{Incident, PageCause};
use crate::engine::notes::why_detail;
use crate::engine::page::{IncidentRef, Page, PageKind, PageState, Recipient};
use crate::engine::reason::Reason;
use crate::engine::records::EntryDetail;
use crate::engine::ruleset::{ChannelTarget, Contact, Medium};
use crate::engine::time::MonotonicTime;
use crate::engine::transaction::StepTransaction;

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
    if delivery::is_stopped(tx, &contact.address) {
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
    if delivery::start_on_next_channel(tx, id, reason) {
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
    let body = PageEntry::ContactUnusable {
        user: plan.user.clone(),
        contact: plan.contact.clone(),
    };
    note_plan(tx, plan, None, (reason, body));
}

fn note_bundle(tx: &mut StepTransaction<'_>, plan: &Plan<'_>, page: PageId) {
    let count = u32::try_from(plan.incidents.len()).unwrap_or(u32::MAX);
    let body = PageEntry::Bundled(count);
    note_plan(tx, plan, Some(page), (Reason::Bundled, body));
}

/// Writes a line into the story of each incident of a plan.
fn note_plan(
    tx: &mut StepTransaction<'_>,
    plan: &Plan<'_>,
    page: Option<PageId>,
    (reason, body): (Reason, PageEntry),
) {
    for (incident, why) in &plan.incidents {
        let detail = EntryDetail {
            user: Some(plan.user.as_str().into()),
            contact: Some(plan.contact.as_str().into()),
            page,
            ..why_detail(why)
        };
        tx.note_in_detail(incident.number, reason, body.clone(), detail);
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
    if !delivery::start_on_next_channel(tx, id, Reason::ChannelTargetPaged) {
        delivery::fail_if_hopeless(tx, id);
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
