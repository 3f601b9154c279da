//! Incidents of a provider's page, from look to look: what is new, worse, over or gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::event::Text;
use crate::engine::provider::{PastIncident, ProviderAlert, ProviderState, WatchedIncident};
use crate::engine::provider_alerts::{self, AlertText};
use crate::engine::provider_components::{self, ToldAlert};
use crate::engine::provider_look::LookContext;
use crate::engine::provider_rules::{ComponentsById, FEED_KIND, ProviderRules};
use crate::engine::reason::Reason;
use crate::engine::status_report::{Impact, Listing, ReportPhase, ReportedIncident, StatusReport};
use crate::engine::time::Timestamp;
use crate::engine::transaction::StepTransaction;
use crate::engine::urgency::Urgency;

/// An open incident that is not listed at so many looks in a row is over.
const LOOKS_MISSING: u32 = 2;

/// Compares the incidents with those that were open. Whether the next look matters though it finds
/// the same.
pub fn compare(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    looked: &LookContext<'_>,
) -> bool {
    let mut known = std::mem::take(&mut provider.incidents);
    let now = tx.now.wall;
    for report in &looked.report.incidents {
        let before = known.remove(&report.id);
        if is_open(report, now) {
            let watched = match before {
                Some(before) => follow(tx, provider, looked, (report, before)),
                // Those that are known have their place.
                None if provider.incidents.len() + known.len() >= ProviderState::INCIDENTS_MAX => {
                    continue;
                }
                None => begin(tx, provider, looked, report),
            };
            provider.incidents.insert(report.id.clone(), watched);
        } else if let Some(before) = before {
            end(tx, provider, &before, Reason::SourceResolved);
            remember(provider, past(report, Some(now)));
        } else if report.phase == ReportPhase::Closed {
            remember(provider, past(report, None));
        }
    }
    end_missing(tx, provider, looked, known)
}

/// Open incidents that the page does not list: over at the second look without them, unless they
/// may be among those that could not be read.
fn end_missing(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    looked: &LookContext<'_>,
    missing: BTreeMap<Text, WatchedIncident>,
) -> bool {
    let skipped = looked.report.skipped_incidents as u64;
    if missing.is_empty() {
        provider.skipped_incidents = skipped;
        return false;
    }
    let is_whole = skipped <= provider.skipped_incidents;
    let mut again = false;
    for (id, mut watched) in missing {
        watched.missing += u32::from(is_whole);
        if watched.missing < LOOKS_MISSING {
            provider.incidents.insert(id, watched);
            again = true;
            continue;
        }
        let reason = match looked.report.listing {
            // Work that is done leaves a page without another word.
            _ if watched.report.is_maintenance => Reason::ProviderUnlisted,
            Listing::OpenOnly => Reason::ProviderUnlisted,
            Listing::WithHistory => Reason::ProviderWithdrawn,
        };
        end(tx, provider, &watched, reason);
        let mut past = past(&watched.report, None);
        past.ended_at = Some(tx.now.wall);
        past.is_withdrawn = reason == Reason::ProviderWithdrawn;
        remember(provider, past);
    }
    again
}

/// Whether it goes on now; a maintenance by the clock and its window.
pub fn is_open(report: &ReportedIncident, now: Timestamp) -> bool {
    if report.is_maintenance {
        report.is_maintenance_at(now)
    } else {
        report.phase == ReportPhase::Open
    }
}

/// The worst of what the incident says and how the components are that it names and that are used.
fn impact(looked: &LookContext<'_>, report: &ReportedIncident) -> Impact {
    if report.is_maintenance {
        return Impact::Maintenance;
    }
    let named = looked.components.named(report);
    let used = named.filter(|component| looked.rules.filter.has_component(&component.full_name()));
    let of_components = used.map(|component| component.state.impact());
    of_components.fold(report.impact, Ord::max)
}

/// An incident that was not open before.
fn begin(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    looked: &LookContext<'_>,
    report: &Arc<ReportedIncident>,
) -> WatchedIncident {
    let impact = impact(looked, report);
    // A feed hands over items of long ago when newer ones are removed.
    let is_item = looked.rules.page.kind == Some(FEED_KIND);
    let first = provider.first_read_at;
    let is_old = is_item
        && report
            .started_at
            .zip(first)
            .is_some_and(|(at, first)| at < first);
    let alert = if (looked.is_first || is_old) && !looked.rules.pages_on_add {
        Err(Reason::ProviderOpenWhenAdded)
    } else {
        urgency(looked, report, impact)
    };
    WatchedIncident {
        report: Arc::clone(report),
        impact,
        first_seen_at: tx.now.wall,
        missing: 0,
        alert: raise_or_record(tx, provider, looked, (report, impact, alert)),
    }
}

/// What would be decided on an incident of a page if it were new: how bad it is, and how urgent or
/// why it would page nobody.
pub fn as_if_new(
    rules: &ProviderRules,
    page: &StatusReport,
    report: &ReportedIncident,
) -> (Impact, Result<Urgency, Reason>) {
    let looked = LookContext {
        rules,
        report: page,
        components: ComponentsById::of(&page.components),
        is_first: false,
        flips: false,
    };
    let impact = impact(&looked, report);
    (impact, urgency(&looked, report, impact))
}

/// How urgent it is, or why it pages nobody.
fn urgency(
    looked: &LookContext<'_>,
    report: &ReportedIncident,
    impact: Impact,
) -> Result<Urgency, Reason> {
    let names = looked.components.names(report);
    looked.rules.filter.verdict(report, &names)?;
    let urgency = looked.rules.urgency.of(impact);
    urgency.ok_or(Reason::ProviderUrgencyNone)
}

fn raise_or_record(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    looked: &LookContext<'_>,
    (report, impact, alert): (&ReportedIncident, Impact, Result<Urgency, Reason>),
) -> ProviderAlert {
    let urgency = alert.unwrap_or(Urgency::Low);
    let text = text(provider, looked, report, (impact, urgency));
    if let Err(why) = alert {
        provider_alerts::record(tx, provider, text, why);
        return ProviderAlert::None { why, impact };
    }
    match provider_components::take_over(tx, provider, report, None) {
        Some(told) => tell_change(tx, provider, looked, (report, impact), told),
        None => provider_alerts::trigger(tx, looked.rules, text, impact),
    }
}

fn text(
    provider: &ProviderState,
    looked: &LookContext<'_>,
    report: &ReportedIncident,
    how_bad: (Impact, Urgency),
) -> AlertText {
    let names = looked.components.names(report);
    AlertText::incident(looked.rules, &provider.page_name, report, &names, how_bad)
}

/// An incident that was open before and still is.
fn follow(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    looked: &LookContext<'_>,
    (report, before): (&Arc<ReportedIncident>, WatchedIncident),
) -> WatchedIncident {
    let impact = impact(looked, report);
    let is_same = before.report == *report && before.impact == impact;
    let alert = match before.alert {
        alert if is_same && alert.is_raised() => alert,
        ProviderAlert::Raised {
            key,
            worst,
            urgency,
        } => tell_change(
            tx,
            provider,
            looked,
            (report, impact),
            (key, worst, urgency),
        ),
        ProviderAlert::None {
            why: Reason::ProviderOpenWhenAdded,
            impact: first,
        } if impact <= first => ProviderAlert::None {
            why: Reason::ProviderOpenWhenAdded,
            impact: first,
        },
        ProviderAlert::None { why, .. } => match urgency(looked, report, impact) {
            // Why it pages nobody is on record already.
            Err(now) if now == why => ProviderAlert::None { why, impact },
            alert => raise_or_record(tx, provider, looked, (report, impact, alert)),
        },
    };
    WatchedIncident {
        report: Arc::clone(report),
        impact,
        missing: 0,
        alert,
        ..before
    }
}

/// An incident with an alert says something else. One that is worse than was ever told pages again,
/// anything else does not; once told, it stays ours until it ends, whatever the filter says of it
/// by now.
fn tell_change(
    tx: &mut StepTransaction<'_>,
    provider: &mut ProviderState,
    looked: &LookContext<'_>,
    (report, now): (&ReportedIncident, Impact),
    told: ToldAlert,
) -> ProviderAlert {
    let taken = provider_components::take_over(tx, provider, report, Some(told.clone()));
    let (key, worst, told) = taken.unwrap_or(told);
    let urgency = looked.rules.urgency.of(now).unwrap_or(Urgency::Low);
    let urgency = urgency.max(told);
    let text = AlertText {
        key: key.clone(),
        ..text(provider, looked, report, (now.max(worst), urgency))
    };
    if now > worst {
        return provider_alerts::worsen(tx, looked.rules, text, now);
    }
    provider_alerts::rewrite(tx, provider, text);
    ProviderAlert::Raised {
        key,
        worst,
        urgency,
    }
}

fn end(
    tx: &mut StepTransaction<'_>,
    provider: &ProviderState,
    watched: &WatchedIncident,
    reason: Reason,
) {
    if let Some(key) = watched.alert.key() {
        provider_alerts::end(tx, provider, key, reason);
    }
}

fn past(report: &ReportedIncident, seen_at: Option<Timestamp>) -> PastIncident {
    PastIncident {
        id: report.id.clone(),
        title: report.title.clone(),
        impact: report.impact,
        url: report.url.clone(),
        started_at: report.started_at,
        ended_at: report.updated_at.or(seen_at),
        is_withdrawn: false,
    }
}

/// Keeps the latest; one that is edited later is not another one.
fn remember(provider: &mut ProviderState, past: PastIncident) {
    if let Some(known) = provider.past.iter_mut().find(|known| known.id == past.id) {
        *known = past;
    } else {
        provider.past.push(past);
    }
    provider
        .past
        .sort_by_key(|known| std::cmp::Reverse((known.ended_at, known.started_at)));
    provider.past.truncate(ProviderState::PAST_MAX);
}
