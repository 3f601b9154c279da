//! A provider's page that cannot be read: what it would say is unknown, and said to be.
//!
//! A page that cannot be read for ten minutes is told with low urgency. Where many pages become
//! unreadable together, the trouble is ours or that of whoever hosts them: that is one
//! self-incident, and no provider's.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::cause::Cause;
use crate::engine::dependents;
use crate::engine::event::Text;
use crate::engine::ids::ProviderName;
use crate::engine::incident::SelfIncident;
use crate::engine::provider::{ProviderState, UnreadablePage};
use crate::engine::provider_rules::shown_url;
use crate::engine::self_incidents::{clear, is_told, occurrences, raise};
use crate::engine::time::Duration;
use crate::engine::transaction::StepTransaction;

/// Pages that became unreadable within so long of each other did so together.
const TOGETHER: Duration = Duration::minutes(5);

/// So many pages at least, and more than one in so many, are many.
const MANY_MIN: usize = 5;
const MANY_ONE_IN: usize = 5;

/// So many pages of one kind at least, if they are all there are of it.
const PLATFORM_MIN: usize = 3;

/// The page could not be read at this look.
pub fn unreadable(tx: &mut StepTransaction<'_>, provider: &Arc<ProviderState>, why: Text) {
    let known = provider.unreadable.as_ref();
    if known.is_some_and(|page| page.why == why) {
        return;
    }
    let mut provider = (**provider).clone();
    let (since, since_at, is_reviewed) = match known {
        Some(page) => (page.since, page.since_at, page.is_reviewed),
        None => (tx.now.steady, tx.now.wall, false),
    };
    provider.unreadable = Some(UnreadablePage {
        since,
        since_at,
        why,
        is_reviewed,
    });
    tx.put_provider(provider.name.clone(), provider);
}

/// The page can be read again.
pub fn readable(tx: &mut StepTransaction<'_>, provider: &mut ProviderState) {
    if provider.unreadable.take().is_none() {
        return;
    }
    forget(tx, provider);
    review_without(tx, Some(&provider.name));
}

/// Ends what is said of many pages where it no longer holds, and tells of those that are left.
pub fn review(tx: &mut StepTransaction<'_>) {
    review_without(tx, None);
}

fn review_without(tx: &mut StepTransaction<'_>, readable: Option<&ProviderName>) {
    let kinds = tx.state.providers();
    let kinds = kinds.filter(|known| readable.is_none_or(|name| known.name == *name));
    // Of all pages, and of those of one kind.
    let mut subjects: BTreeSet<Text> = kinds.map(|known| known.kind.clone()).collect();
    subjects.insert("".into());
    for subject in subjects {
        let trouble = SelfIncident::new(Cause::ProvidersUnreadable, subject);
        if occurrences(tx, &trouble) == 0 {
            continue;
        }
        let left = unreadable_pages(tx, readable);
        let of_kind = |page: &&Arc<ProviderState>| *page.kind == *trouble.subject;
        let is_all = trouble.subject.is_empty();
        let goes_on = if is_all {
            is_many(left.len(), tx.rules.providers.len())
        } else {
            let all = tx.state.providers().filter(of_kind).count();
            let unreadable = left.iter().filter(of_kind).count();
            unreadable >= PLATFORM_MIN && unreadable == all
        };
        if goes_on {
            continue;
        }
        clear(tx, &trouble);
        let left = left.iter().filter(|page| is_all || of_kind(page));
        let left: Vec<Arc<ProviderState>> =
            left.filter(|page| is_reviewed(page)).cloned().collect();
        for page in left {
            tell(tx, &page);
        }
    }
}

/// Whether so many of all are many.
fn is_many(count: usize, total: usize) -> bool {
    count >= MANY_MIN && count * MANY_ONE_IN > total
}

/// Nothing more is said of this page.
pub fn forget(tx: &mut StepTransaction<'_>, provider: &ProviderState) {
    clear(tx, &trouble(&provider.name));
}

/// A page has been unreadable for long.
pub fn due(tx: &mut StepTransaction<'_>, name: &ProviderName) {
    let provider = tx.provider(name);
    let provider = provider.expect("a provider whose timer is due is in the state");
    let mut provider = (*provider).clone();
    let page = provider.unreadable.as_mut();
    let page = page.expect("only a page that cannot be read has a timer");
    page.is_reviewed = true;
    let since = page.since;
    tx.put_provider(name.clone(), provider.clone());
    dependents::begin_review(tx, name);
    let mut pages = unreadable_pages(tx, Some(name));
    pages.retain(|other| {
        let other = other.unreadable.as_ref().map_or(since, |page| page.since);
        other.max(since).since(other.min(since)) <= TOGETHER
    });
    let count = pages.len() + 1;
    let total = tx.rules.providers.len();
    if is_many(count, total) {
        let text = format!(
            "the status pages of {count} of {total} providers cannot be read; look at this \
             machine's own network first"
        );
        return tell_together(tx, "", &text);
    }
    let of_kind = |page: &&Arc<ProviderState>| page.kind == provider.kind;
    let unreadable_of_kind = pages.iter().filter(of_kind).count() + 1;
    let all_of_kind = tx.state.providers().filter(of_kind).count();
    let is_platform = !provider.kind.is_empty() && unreadable_of_kind >= all_of_kind;
    if is_platform && unreadable_of_kind >= PLATFORM_MIN {
        let kind = &provider.kind;
        let text = format!(
            "all {unreadable_of_kind} status pages of the kind {kind} cannot be read; whoever \
             hosts them may be down"
        );
        return tell_together(tx, kind, &text);
    }
    tell(tx, &provider);
}

fn tell_together(tx: &mut StepTransaction<'_>, subject: &str, text: &str) {
    let together = SelfIncident::new(Cause::ProvidersUnreadable, subject);
    if !is_told(tx, &together) {
        raise(tx, together, text);
    }
}

fn tell(tx: &mut StepTransaction<'_>, provider: &ProviderState) {
    let Some(page) = &provider.unreadable else {
        return;
    };
    let (name, url, why) = (&provider.name, shown_url(&provider.url), &page.why);
    let text = format!(
        "the status page of provider {name} ({url}) cannot be read: {why}; whether {name} has \
         trouble is unknown"
    );
    raise(tx, trouble(name), &text);
}

fn trouble(name: &ProviderName) -> SelfIncident {
    SelfIncident::new(Cause::ProviderUnreadable, name.as_str())
}

fn is_reviewed(provider: &ProviderState) -> bool {
    let page = provider.unreadable.as_ref();
    page.is_some_and(|page| page.is_reviewed)
}

/// All pages but this one that cannot be read now.
fn unreadable_pages(
    tx: &StepTransaction<'_>,
    but: Option<&ProviderName>,
) -> Vec<Arc<ProviderState>> {
    let others = tx.state.providers();
    let others = others.filter(|known| Some(&known.name) != but);
    let others = others.filter(|known| tx.rules.providers.contains_key(&known.name));
    others
        .filter(|known| known.unreadable.is_some())
        .cloned()
        .collect()
}
