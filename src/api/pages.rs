//! Pages: of one incident, open or closed, or of all that are open.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;

use crate::engine::ids::IncidentNumber;
use crate::engine::page::{Page, PageState};
use crate::runtime::handle::View;
use crate::store::Span;

use super::auth::Caller;
use super::extract::{Json, Query};
use super::names;
use super::parse;
use super::parts;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire::{self, ITEMS_MAX, List};

/// What a list of pages can be asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PagesQuery {
    incident: Option<u64>,
    /// A name, or `me`.
    user: Option<String>,
    state: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

impl PagesQuery {
    fn check(&self) -> Result<(), Problem> {
        let Some(word) = self.state.as_deref() else {
            return Ok(());
        };
        let states = [
            PageState::Sending,
            PageState::Sent,
            PageState::Delivered,
            PageState::Failed,
            PageState::Cancelled,
        ];
        if states.iter().any(|state| state.as_str() == word) {
            return Ok(());
        }
        Err(Problem::invalid(format!(
            "state {word:?} is unknown; use sending, sent, delivered, failed or cancelled"
        )))
    }

    fn takes(&self, page: &Page) -> bool {
        let user = page
            .recipient
            .user()
            .map(crate::engine::ids::UserName::as_str);
        let is_same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        is_same(&self.user, user) && is_same(&self.state, Some(page.state.as_str()))
    }
}

/// List the pages of open incidents, or of one incident
///
/// Newest first. With `incident` also those in history; without it only those in the state,
/// because history is kept by incident.
#[utoipa::path(
    get, path = "/v1/pages", security(("token" = ["viewer"])),
    params(PagesQuery), responses((status = 200, body = List<wire::page::Page>))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(mut query): Query<PagesQuery>,
) -> Result<Json<List<wire::page::Page>>, Problem> {
    query.user = caller.user_asked_for(query.user)?;
    query.check()?;
    let limit = parse::limit(query.limit);
    let before = parse::cursor(query.cursor.as_deref())?.unwrap_or(u64::MAX);
    let rules = state.handle.rules();
    let asked = query.user.clone();
    let list = pages(&state, query, (before, limit)).await?;
    // Somebody who has left the rules still has a past.
    if let Some(name) = asked.filter(|_| list.items.is_empty()) {
        names::user(&rules, &name)?;
    }
    Ok(Json(list))
}

async fn pages(
    state: &ApiState,
    query: PagesQuery,
    (before, limit): (u64, usize),
) -> Result<List<wire::page::Page>, Problem> {
    if let Some(number) = query.incident {
        let span = Span::Before(before);
        let pages = parts::pages(state, IncidentNumber(number), span, ITEMS_MAX).await?;
        return Ok(part(&pages, &query, limit));
    }
    let look = move |view: View<'_>| under_way(view, &query, before, limit);
    Ok(state.handle.read(look).await?)
}

/// Of at most [`ITEMS_MAX`] pages of an incident those that are asked for.
fn part(pages: &[Arc<Page>], query: &PagesQuery, limit: usize) -> List<wire::page::Page> {
    let mut list = chosen(pages.iter(), query, limit);
    if list.next.is_none() && pages.len() >= ITEMS_MAX {
        list.next = pages.last().map(|page| page.id.to_string());
    }
    list
}

fn under_way(
    view: View<'_>,
    query: &PagesQuery,
    before: u64,
    limit: usize,
) -> List<wire::page::Page> {
    let pages = view.state.pages().rev().filter(|page| page.id.0 < before);
    chosen(pages, query, limit)
}

/// Those of the first [`ITEMS_MAX`] pages that are asked for.
fn chosen<'page>(
    pages: impl Iterator<Item = &'page Arc<Page>>,
    query: &PagesQuery,
    limit: usize,
) -> List<wire::page::Page> {
    let choose = |page: &&Arc<Page>| query.takes(page).then(|| wire::page::page(page));
    List::chosen(pages, limit, |page| page.id.0, choose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ids::PageId;
    use crate::engine::records::{Change, Record};
    use crate::engine::ruleset::RuleSet;
    use crate::engine::samples;
    use crate::engine::time::Now;

    #[test]
    fn the_pages_of_an_incident_are_all_listed_however_many_there_are() {
        let all: Vec<Arc<Page>> = (1..=1_234_u64)
            .rev()
            .map(|id| {
                let state = if id % 100 == 0 {
                    PageState::Failed
                } else {
                    PageState::Sent
                };
                Arc::new(Page {
                    id: PageId(id),
                    state,
                    ..samples::sent_page()
                })
            })
            .collect();
        for (state, expected) in [(None, 1_234), (Some("failed"), 12)] {
            for limit in [1, 7, 100, 500] {
                let mut before = u64::MAX;
                let mut seen: Vec<u64> = Vec::new();
                loop {
                    let query = PagesQuery {
                        state: state.map(str::to_owned),
                        ..PagesQuery::default()
                    };
                    let older = all.iter().filter(|page| page.id.0 < before);
                    let looked: Vec<_> = older.take(ITEMS_MAX).cloned().collect();
                    let list = part(&looked, &query, limit);
                    assert!(list.items.len() <= limit);
                    seen.extend(list.items.iter().map(|page| page.id));
                    let Some(next) = list.next else { break };
                    before = next.parse().unwrap();
                }
                assert_eq!(seen.len(), expected, "{state:?} {limit}");
                assert!(seen.is_sorted_by(|newer, older| newer > older));
            }
        }
    }

    #[test]
    fn pages_come_newest_first_and_none_is_shown_twice_or_left_out() {
        let mut state = crate::engine::State::default();
        for id in 1..=5 {
            let page = Page {
                id: PageId(id),
                ..samples::sent_page()
            };
            state.apply(&[Change::Put(Record::Page(Arc::new(page)))]);
        }
        let rules = std::sync::Arc::new(RuleSet::default());
        let view = View {
            state: &state,
            rules: &rules,
            now: Now::default(),
        };
        let mut seen = Vec::new();
        let mut before = u64::MAX;
        loop {
            let list = under_way(view, &PagesQuery::default(), before, 2);
            seen.extend(list.items.iter().map(|page| page.id));
            let Some(next) = list.next else { break };
            before = next.parse().unwrap();
        }
        assert_eq!(seen, [5, 4, 3, 2, 1]);
        let other = PagesQuery {
            user: Some("bo".to_owned()),
            ..PagesQuery::default()
        };
        assert!(under_way(view, &other, u64::MAX, 2).items.is_empty());
    }
}
