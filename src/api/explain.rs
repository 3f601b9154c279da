//! Why somebody was or was not paged: the lines that name a user, and the events that paged nobody.

use axum::extract::State;
use serde::Deserialize;

use crate::engine::headline;
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::Incident;
use crate::engine::records::{Disposition, Entry, Receipt};
use crate::engine::time::{Duration, Timestamp};
use crate::runtime::handle::View;
use crate::store::{self, Partition, Store};

use super::auth::Caller;
use super::extract::{Json, Query};
use super::names;
use super::parse;
use super::ports::AppState;
use super::problem::Problem;
use super::wire;
use super::wire::ITEMS_MAX;
use super::wire::entry::{Explained, NamedIncident};

/// Incidents of each kind, open and closed, whose stories are read.
const STORIES_MAX: usize = 100;

/// Receipts that paged nobody, shown at once.
const RECEIPTS_MAX: usize = 100;

/// Whose story, and since when.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ExplainQuery {
    /// A name, or `me`.
    user: String,
    /// A length such as `8h` (the default is a day), or RFC 3339.
    since: Option<String>,
}

/// What is looked for.
struct Search {
    user: String,
    since: Timestamp,
}

/// Why somebody was or was not paged
#[utoipa::path(
    get, path = "/v1/explain", security(("token" = ["viewer"])),
    params(ExplainQuery), responses((status = 200, body = Explained))
)]
pub async fn explain(
    State(state): State<AppState>,
    caller: Caller,
    Query(query): Query<ExplainQuery>,
) -> Result<Json<Explained>, Problem> {
    let user = caller.user_asked_for(Some(query.user))?.unwrap_or_default();
    let since = parse::since(query.since.as_deref(), Duration::hours(24), state.now())?;
    let open = state.handle.read(newest_open).await?;
    let search = Search {
        user: user.clone(),
        since,
    };
    let look = move |store: &dyn Store, partition| search.run(store, partition, open);
    let explained = state.history(look).await?;
    // Somebody who has left the rules still has a past.
    if explained.items.is_empty() {
        names::user(&state.handle.rules(), &user)?;
    }
    Ok(Json(explained))
}

/// Number and headline of the newest open incidents.
fn newest_open(view: View<'_>) -> Vec<(IncidentNumber, String)> {
    let newest = view.state.incidents().rev().take(STORIES_MAX);
    newest
        .map(|incident| (incident.number, view.state.headline(incident)))
        .collect()
}

fn named(incident: &Incident) -> (IncidentNumber, String) {
    (incident.number, headline::of_closed(incident))
}

impl Search {
    fn run(
        self,
        store: &dyn Store,
        partition: Partition,
        open: Vec<(IncidentNumber, String)>,
    ) -> Result<Explained, store::Error> {
        let closed = store.closed_incidents(partition, None, STORIES_MAX)?;
        let is_recent = |incident: &&Incident| {
            let end = incident.resolved.as_ref().map(|resolved| resolved.at);
            end.is_none_or(|end| end >= self.since)
        };
        let recent: Vec<_> = closed.iter().filter(is_recent).map(named).collect();
        let mut truncated = open.len() >= STORIES_MAX || recent.len() >= STORIES_MAX;
        let mut lines = Vec::new();
        let mut incidents = Vec::new();
        for (number, headline) in open.into_iter().chain(recent) {
            let (mut own, is_cut) = self.lines(store, partition, number)?;
            truncated |= is_cut;
            if !own.is_empty() {
                let number = number.0;
                incidents.push(NamedIncident { number, headline });
            }
            lines.append(&mut own);
        }
        lines.sort_by_key(|line| line.id);
        truncated |= lines.len() > ITEMS_MAX;
        let newest = lines.len().saturating_sub(ITEMS_MAX);
        let (receipts, is_cut) = self.receipts(store, partition)?;
        Ok(Explained {
            user: self.user,
            since: self.since.to_string(),
            items: lines[newest..].iter().map(wire::entry::entry).collect(),
            incidents,
            receipts,
            truncated: truncated || is_cut,
        })
    }

    fn lines(
        &self,
        store: &dyn Store,
        partition: Partition,
        number: IncidentNumber,
    ) -> Result<(Vec<Entry>, bool), store::Error> {
        let mut lines = store.entries(partition, number, None, ITEMS_MAX)?;
        let is_cut = lines.len() >= ITEMS_MAX;
        lines.retain(|line| line.at >= self.since && self.is_about_user(line));
        Ok((lines, is_cut))
    }

    fn is_about_user(&self, line: &Entry) -> bool {
        line.detail.user.as_deref() == Some(self.user.as_str())
    }

    fn receipts(
        &self,
        store: &dyn Store,
        partition: Partition,
    ) -> Result<(Vec<wire::receipt::Receipt>, bool), store::Error> {
        let read = store.receipts(partition, None, ITEMS_MAX)?;
        let is_cut =
            read.len() >= ITEMS_MAX && read.last().is_some_and(|oldest| oldest.at >= self.since);
        let quiet = read
            .iter()
            .filter(|receipt| receipt.at >= self.since && paged_nobody(receipt))
            .map(wire::receipt::receipt);
        let mut quiet: Vec<_> = quiet.collect();
        let is_cut = is_cut || quiet.len() > RECEIPTS_MAX;
        quiet.truncate(RECEIPTS_MAX);
        Ok((quiet, is_cut))
    }
}

/// Whether an event that might have paged somebody did not, by itself.
fn paged_nobody(receipt: &Receipt) -> bool {
    match receipt.disposition {
        Disposition::Ignored
        | Disposition::Recorded
        | Disposition::HeldOld
        | Disposition::Silenced => true,
        Disposition::Repeated
        | Disposition::Resolved
        | Disposition::Acknowledged
        | Disposition::Joined
        | Disposition::Opened => false,
    }
}
