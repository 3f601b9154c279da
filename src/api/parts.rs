//! The alerts and the pages of an incident, wherever they are: those in the state and those in
//! history are one list, in the order of their ids.
//!
//! An incident that closes between the two looks may show an alert twice, and never hides one.

use std::sync::Arc;

use crate::engine;
use crate::engine::ids::{AlertId, IncidentNumber, PageId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::runtime::handle::View;
use crate::store::{Span, Store};

use super::ports::ApiState;
use super::problem::Problem;
use super::wire::List;
use super::wire::alert::{self, Alert};

/// Alerts of an incident above an id, lowest first.
pub async fn alerts(
    state: &ApiState,
    incident: &Incident,
    after: u64,
    limit: usize,
) -> Result<List<Alert>, Problem> {
    let number = incident.number;
    let look = move |view: View<'_>| -> Vec<(u64, Alert)> {
        let first = AlertId(after.saturating_add(1));
        let known = view.state.alerts_from(number, first).take(limit);
        known
            .map(|known| (known.id.0, alert::alert(known)))
            .collect()
    };
    let active = state.handle.read(look).await?;
    let closed = closed_alerts(state, number, after, limit).await?;
    let closed = closed.iter();
    let closed = closed.map(|known| (known.id.0, alert::closed(known)));
    let found = merged(active, closed, limit);
    let last = found.last().map(|(id, _)| id.to_string());
    let next = last.filter(|_| found.len() >= limit);
    let items = found.into_iter().map(|(_, alert)| alert).collect();
    Ok(List { items, next })
}

/// By id. What left between the two looks, or left and came back, is in both: as it is now.
fn merged<T>(
    mut active: Vec<(u64, T)>,
    closed: impl Iterator<Item = (u64, T)>,
    limit: usize,
) -> Vec<(u64, T)> {
    active.extend(closed);
    active.sort_by_key(|(id, _)| *id);
    active.dedup_by_key(|(id, _)| *id);
    active.truncate(limit);
    active
}

/// Alerts of an incident that left it, or that it had when it closed.
pub async fn closed_alerts(
    state: &ApiState,
    number: IncidentNumber,
    after: u64,
    limit: usize,
) -> Result<Vec<engine::alert::Alert>, Problem> {
    let look = move |store: &dyn Store, partition| {
        store.closed_alerts(partition, number, Span::After(after), limit)
    };
    state.history(look).await
}

/// Pages of an incident.
pub async fn pages(
    state: &ApiState,
    number: IncidentNumber,
    span: Span,
    limit: usize,
) -> Result<Vec<Arc<Page>>, Problem> {
    let look = move |view: View<'_>| -> Vec<Arc<Page>> {
        let state = view.state;
        match span {
            Span::After(id) => {
                let known = state.pages_in(number, PageId(id.saturating_add(1))..);
                known.take(limit).cloned().collect()
            }
            Span::Before(id) => {
                let known = state.pages_in(number, ..PageId(id)).rev();
                known.take(limit).cloned().collect()
            }
        }
    };
    let mut pages = state.handle.read(look).await?;
    let look =
        move |store: &dyn Store, partition| store.closed_pages(partition, number, span, limit);
    pages.extend(state.history(look).await?.into_iter().map(Arc::new));
    pages.sort_by_key(|page| page.id);
    pages.dedup_by_key(|page| page.id);
    if matches!(span, Span::Before(_)) {
        pages.reverse();
    }
    pages.truncate(limit);
    Ok(pages)
}

/// How many pages an incident has.
pub async fn pages_total(state: &ApiState, number: IncidentNumber) -> Result<u64, Problem> {
    let look = move |view: View<'_>| view.state.pages_of(number).count();
    let known = state.handle.read(look).await?;
    let look = move |store: &dyn Store, partition| store.closed_pages_total(partition, number);
    Ok((known + state.history(look).await?) as u64)
}

#[cfg(test)]
mod tests {
    use super::merged;

    #[test]
    fn an_alert_in_both_parts_is_listed_once_as_it_is_now() {
        let active = vec![(2, "now"), (5, "now")];
        let closed = [(1, "then"), (2, "then"), (7, "then")];
        let expected = [(1, "then"), (2, "now"), (5, "now")];
        assert_eq!(merged(active, closed.into_iter(), 3), expected);
    }
}
