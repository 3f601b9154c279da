//! Watched providers: what a look at a status page means for alerts and for what is remembered.
//!
//! One alert an incident over all its updates, under the page's own id. What is open at the first
//! look is shown and, where the rules want it, paged; what is over when it is first seen pages
//! nobody. Nothing is over because it cannot be read.

use std::sync::Arc;

use crate::engine::decision::Refusal;
use crate::engine::event::Text;
use crate::engine::follow_up::FollowUp;
use crate::engine::ids::ProviderName;
use crate::engine::input::PageLook;
use crate::engine::provider::ProviderState;
use crate::engine::provider_look::LookContext;
use crate::engine::provider_rules::ComponentsById;
use crate::engine::reason::Reason;
use crate::engine::status_report::{Listing, StatusReport};
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;
use crate::engine::{
    dependents, provider_alerts, provider_components, provider_incidents, provider_reading,
};

/// Components of a page below which a smaller number of them means little.
const COMPONENTS_MIN: u64 = 4;

/// An empty list in place of what was open is not believed for so long.
const DOUBTED_FOR: Duration = Duration::hours(6);

/// Takes in a look at a provider's page under this address. Whether the next one matters though it
/// finds the same.
pub fn looked_at(
    tx: &mut StepTransaction<'_>,
    (name, url): (&ProviderName, &str),
    look: PageLook,
) -> bool {
    let rules = tx.rules.providers.get(name);
    let Some(rules) = rules.filter(|rules| *rules.page.url == *url) else {
        // The rules changed while the page was asked.
        return false;
    };
    let known = tx.provider(name);
    let known = known.unwrap_or_else(|| {
        let url = rules.page.url.clone();
        Arc::new(ProviderState::new(name.clone(), url))
    });
    let (report, kind, flips) = match look {
        PageLook::Unreadable(why) => {
            provider_reading::unreadable(tx, &known, why);
            return false;
        }
        PageLook::Read {
            report,
            kind,
            flips,
        } => (report, kind, flips),
    };
    if let Some(why) = doubt(&known, &report, tx.now.steady) {
        let mut known = (*known).clone();
        if is_without_history(&report) {
            known.doubted_since.get_or_insert(tx.now.steady);
        }
        provider_reading::unreadable(tx, &Arc::new(known), why);
        return true;
    }
    let mut provider = (*known).clone();
    provider_reading::readable(tx, &mut provider);
    provider.doubted_since = None;
    if is_without_history(&report) {
        // It is believed now: what was over is no reason for another doubt.
        provider.past.clear();
    }
    let looked = LookContext {
        rules,
        report: &report,
        components: ComponentsById::of(&report.components),
        is_first: known.first_read_at.is_none(),
        flips,
    };
    describe(tx, &mut provider, &report, kind);
    let is_open = provider_incidents::compare(tx, &mut provider, &looked);
    let is_down = provider_components::compare(tx, &mut provider, &looked);
    if provider != *known {
        tx.put_provider(name.clone(), provider);
        dependents::begin_review(tx, name);
        tx.follow_up(FollowUp::OwnAlerts(name.clone()));
    }
    is_open || is_down
}

/// What the page says of itself.
fn describe(
    tx: &StepTransaction<'_>,
    provider: &mut ProviderState,
    report: &StatusReport,
    kind: Text,
) {
    provider.first_read_at.get_or_insert(tx.now.wall);
    provider.page = Some(report.page.clone());
    provider.page_name = report.name.clone();
    provider.kind = kind;
    provider.components_total = report.components.len() as u64;
    // A word is said once, and stays said.
    for word in &report.unknown_words {
        let has_room = provider.unknown_words.len() < ProviderState::WORDS_MAX;
        if has_room && !provider.unknown_words.contains(word) {
            provider.unknown_words.push(word.clone());
        }
    }
}

/// Why a page that can be read is not believed: it is another page, or most of it is gone.
fn doubt(known: &ProviderState, report: &StatusReport, now: MonotonicTime) -> Option<Text> {
    let page = known.page.as_ref()?;
    let accept = format!("run `reveille providers accept {}`", known.name);
    if *page != report.page {
        let (before, now) = (&known.page_name, &report.name);
        let why = if before == now {
            format!("another page called {now:?} is under its address; if it is right, {accept}")
        } else {
            format!(
                "the page under its address was {before:?} and is {now:?} now; if that is right, \
                 {accept}"
            )
        };
        return Some(why.into());
    }
    let (before, now_has) = (known.components_total, report.components.len() as u64);
    let is_collapsed = before >= COMPONENTS_MIN && now_has * 2 < before;
    if is_collapsed || (before > 0 && now_has == 0) {
        let why =
            format!("it lists {now_has} components and had {before}; if that is right, {accept}");
        return Some(why.into());
    }
    // A list of what is open and what ended a moment ago may be empty for good reasons: the doubt
    // ends by itself, and without anything open there is nothing to lose.
    let since = known.doubted_since;
    let is_fresh = since.is_none_or(|since| now.since(since) < DOUBTED_FOR);
    let had_history = known.past.iter().any(|past| !past.is_withdrawn);
    if is_without_history(report) && had_history && is_fresh && !known.incidents.is_empty() {
        let why = format!("its whole history of incidents is gone; if that is right, {accept}");
        return Some(why.into());
    }
    None
}

/// Whether it lists nothing, though it lists what is over.
fn is_without_history(report: &StatusReport) -> bool {
    report.listing == Listing::WithHistory && report.incidents.is_empty()
}

/// The page that is under the address now is the right one: the next look is believed.
pub fn accept_page(tx: &mut StepTransaction<'_>, name: &ProviderName) -> Result<(), Refusal> {
    if !tx.rules.providers.contains_key(name) {
        return Err(Refusal::unknown("provider", name));
    }
    let Some(known) = tx.provider(name) else {
        return Ok(());
    };
    let mut provider = (*known).clone();
    provider.page = None;
    provider.past.clear();
    // Rows that cannot be read are as right as the rest: what is missing beside them is over.
    provider.skipped_incidents = u64::MAX;
    provider.skipped_components = u64::MAX;
    tx.put_provider(name.clone(), provider);
    Ok(())
}

/// Other rules are in force: alerts of providers that are no longer watched, or that have another
/// address, are over.
pub fn rules_changed(tx: &mut StepTransaction<'_>) {
    let gone: Vec<Arc<ProviderState>> = tx
        .state
        .providers()
        .filter(|known| {
            let rules = tx.rules.providers.get(&known.name);
            rules.is_none_or(|rules| rules.page.url != known.url)
        })
        .cloned()
        .collect();
    for provider in gone {
        let keys: Vec<Text> = provider.alert_keys().cloned().collect();
        for key in keys {
            provider_alerts::end(tx, &provider, &key, Reason::ProviderGone);
        }
        provider_reading::forget(tx, &provider);
        tx.drop_provider(&provider.name);
    }
    provider_reading::review(tx);
    dependents::rules_changed(tx);
}
