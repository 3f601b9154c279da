//! Lines about pages in the timelines of their incidents.

use crate::engine::ids::{ChannelName, PageId, UserName};
use crate::engine::incident::{PageCause, Position};
use crate::engine::page::{Page, Recipient};
use crate::engine::reason::Reason;
use crate::engine::records::{EntryDetail, EntryKind};
use crate::engine::transaction::StepTransaction;

/// Writes a line about a page into the stories of its incidents. Of a bundled page only the first
/// one's: the others name the page.
pub fn note_page(
    tx: &mut StepTransaction<'_>,
    id: PageId,
    reason: Reason,
    text: &str,
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
    let kind = if detail.attempt.is_some() {
        EntryKind::Attempt
    } else {
        EntryKind::Page
    };
    if let Some(incident) = page.incidents.first() {
        tx.note_in_detail(incident.number, kind, reason, text, detail);
    }
}

/// The recipient as a story names it.
pub fn who(page: &Page) -> String {
    match &page.recipient {
        Recipient::User { user, contact } => format!("{user} by {contact} ({})", page.medium),
        Recipient::Channel { channel } if page.address.is_empty() => format!("channel/{channel}"),
        Recipient::Channel { .. } => page.address.to_string(),
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

pub fn person_detail(user: &UserName) -> EntryDetail {
    EntryDetail {
        user: Some(user.as_str().into()),
        ..EntryDetail::default()
    }
}
