//! Lines about pages in the timelines of their incidents.

use crate::engine::entry_body::{EntryBody, PageEntry};
use crate::engine::ids::{ChannelName, IncidentNumber, PageId, UserName};
use crate::engine::incident::{PageCause, Position};
use crate::engine::page::{Page, Recipient};
use crate::engine::reason::Reason;
use crate::engine::records::EntryDetail;
use crate::engine::transaction::StepTransaction;

/// Writes a line about a page into the stories of its incidents. Of a bundled page only the first
/// one's: the others name the page.
pub fn note_page(
    tx: &mut StepTransaction<'_>,
    id: PageId,
    reason: Reason,
    body: impl Into<EntryBody>,
    fill: impl FnOnce(&mut EntryDetail),
) {
    let page = tx.known_page(id);
    let mut detail = EntryDetail {
        page: Some(id),
        ..why_detail(&page.why)
    };
    if let Recipient::User { user, contact } = &page.recipient {
        detail.user = Some(user.as_str().into());
        detail.contact = Some(contact.as_str().into());
    }
    fill(&mut detail);
    if let Some(incident) = page.incidents.first() {
        tx.note_in_detail(incident.number, reason, body, detail);
    }
}

/// The detail that says why somebody is paged.
pub fn why_detail(why: &PageCause) -> EntryDetail {
    let step = match why.position {
        Position::Step(index) => u32::try_from(index + 1).ok(),
        Position::Before | Position::Fallback | Position::Reassigned => None,
    };
    EntryDetail {
        route: Some(why.route.as_str().into()),
        policy: why.policy.as_ref().map(|name| name.as_str().into()),
        step,
        schedule: why
            .schedule
            .as_ref()
            .map(|schedule| schedule.as_str().into()),
        ..EntryDetail::default()
    }
}

/// What the channel said of the attempt that ended last.
pub fn last_words<'page>(page: &'page Page, name: &ChannelName) -> Option<&'page str> {
    let attempts = page.attempts.iter().rev();
    let mut ended =
        attempts.filter(|attempt| attempt.channel == *name && attempt.outcome.is_some());
    ended.next()?.provider_message.as_deref()
}

/// Writes a line about a person into the story of an incident.
pub fn note_person(
    tx: &mut StepTransaction<'_>,
    number: IncidentNumber,
    user: &UserName,
    reason: Reason,
    body: PageEntry,
) {
    let detail = EntryDetail {
        user: Some(user.as_str().into()),
        ..EntryDetail::default()
    };
    tx.note_in_detail(number, reason, body, detail);
}
