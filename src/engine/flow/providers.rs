//! Watched providers: what a look at a status page means for alerts and for what is remembered.
//!
//! One alert an incident over all its updates, under the page's own id. What is open at the first
//! look is shown and, where the rules want it, paged; what is over when it is first seen pages
//! nobody. Nothing is over because it cannot be read.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::decision::Refusal;
use crate::engine::event::Text;
use crate::engine::ids::ProviderName;
use crate::engine::input::PageLook;
use crate::engine::provider::ProviderState;
use crate::engine::provider_rules::Provider;
use crate::engine::reason::Reason;
use crate::engine::status_report::{Listing, StatusReport};
use crate::engine::transaction::StepTransaction;
use crate::engine::{provider_alerts, provider_components, provider_incidents, provider_reading};

/// A look at a page that could be read.
pub struct Looked<'look> {
    pub rules: &'look Provider,
    pub report: &'look StatusReport,
    /// Nothing was known of it before.
    pub is_first: bool,
    /// Single components flip on such pages.
    pub flips: bool,
}

/// Components of a page below which a smaller number of them means little.
const COMPONENTS_MIN: u64 = 4;

/// Takes in a look at a provider's page. Whether the next one matters though it finds the same.
pub fn looked_at(tx: &mut StepTransaction<'_>, name: &ProviderName, look: PageLook) -> bool {
    let rules = tx.rules;
    let Some(rules) = rules.providers.get(name) else {
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
    if let Some(why) = doubt(&known, &report) {
        provider_reading::unreadable(tx, &known, why);
        return true;
    }
    let mut provider = (*known).clone();
    provider_reading::readable(tx, &mut provider);
    let looked = Looked {
        rules,
        report: &report,
        is_first: known.first_read_at.is_none(),
        flips,
    };
    describe(tx, &mut provider, &report, kind);
    let is_open = provider_incidents::compare(tx, &mut provider, &looked);
    let is_down = provider_components::compare(tx, &mut provider, &looked);
    if provider != *known {
        tx.put_provider(name.clone(), provider);
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
    let new = report.unknown_words.iter();
    let new = new.filter(|word| !provider.unknown_words.contains(word));
    let new: BTreeSet<&Text> = new.collect();
    provider.unknown_words.extend(new.into_iter().cloned());
}

/// Why a page that can be read is not believed: it is another page, or most of it is gone.
fn doubt(known: &ProviderState, report: &StatusReport) -> Option<Text> {
    let page = known.page.as_ref()?;
    if *page != report.page {
        let (before, now) = (&known.page_name, &report.name);
        let accept = format!(
            "if it is the right one, run `reveille providers accept {}`",
            known.name
        );
        let why = if before == now {
            format!("another page called {now:?} is under its address; {accept}")
        } else {
            format!("the page under its address was {before:?} and is {now:?} now; {accept}")
        };
        return Some(why.into());
    }
    let components = report.components.len() as u64;
    let accept = format!(
        "if that is right, run `reveille providers accept {}`",
        known.name
    );
    if known.components_total >= COMPONENTS_MIN && components * 2 < known.components_total {
        let before = known.components_total;
        let why = format!("it lists {components} components and had {before}; {accept}");
        return Some(why.into());
    }
    let had_incidents = known.past.iter().any(|past| !past.is_withdrawn);
    if report.listing == Listing::WithHistory && report.incidents.is_empty() && had_incidents {
        return Some(format!("its whole history of incidents is gone; {accept}").into());
    }
    None
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
}
