//! Looking at incidents: open ones from the state first, then closed ones from history.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;

use crate::engine::headline;
use crate::engine::ids::IncidentNumber;
use crate::engine::incident::{Incident, Status};
use crate::engine::time::Now;
use crate::runtime::handle::View;
use crate::store::{self, Cursor, Partition, Span, Store};

use super::auth::Caller;
use super::extract::{Json, Path, Query};
use super::names;
use super::parse::{self, Paging};
use super::parts;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::wire::{self, ITEMS_MAX, List};

/// Looks at the state or history that one answer may cost; a list that is thinned out by its
/// filters then goes on with its cursor.
const LOOKS_MAX: usize = 10;

/// Alerts and pages shown with an incident.
pub const SHOWN_MAX: usize = 100;

/// What a list of incidents can be asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// `triggered`, `acknowledged`, `resolved`, `open`, or several with commas.
    status: Option<String>,
    service: Option<String>,
    urgency: Option<String>,
    /// A name, or `me`.
    user: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Where a list of incidents stands: in the state or in history, below a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListCursor {
    Open(u64),
    Closed(u64),
}

impl ListCursor {
    fn read(text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text else {
            return Ok(Self::Open(u64::MAX));
        };
        let read = match text.split_at_checked(1) {
            Some(("o", number)) => number.parse().ok().map(Self::Open),
            Some(("c", number)) => number.parse().ok().map(Self::Closed),
            Some(_) | None => None,
        };
        read.ok_or_else(|| parse::unknown_cursor(text))
    }

    fn text(self) -> String {
        match self {
            Self::Open(number) => format!("o{number}"),
            Self::Closed(number) => format!("c{number}"),
        }
    }
}

/// Which incidents a list is about.
#[derive(Debug, PartialEq)]
struct Filter {
    /// Empty means all.
    statuses: Vec<Status>,
    service: Option<String>,
    urgency: Option<String>,
    user: Option<String>,
}

impl Filter {
    fn read(query: &ListQuery) -> Result<Self, Problem> {
        let words = query.status.as_deref().unwrap_or("").split(',');
        let mut statuses = Vec::new();
        for word in words.map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "triggered" => statuses.push(Status::Triggered),
                "acknowledged" => statuses.push(Status::Acknowledged),
                "resolved" => statuses.push(Status::Resolved),
                "open" => statuses.extend([Status::Triggered, Status::Acknowledged]),
                _ => {
                    return Err(Problem::invalid(format!(
                        "status {word:?} is unknown; \
                         use triggered, acknowledged, resolved or open"
                    )));
                }
            }
        }
        let urgency = query.urgency.clone();
        if let Some(word) = &urgency {
            parse::urgency(word)?;
        }
        Ok(Self {
            statuses,
            urgency,
            service: query.service.clone(),
            user: query.user.clone(),
        })
    }

    fn wants(&self, status: Status) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status)
    }

    fn takes(&self, incident: &Incident) -> bool {
        let is_same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        self.wants(incident.status)
            && is_same(&self.service, incident.service.as_deref())
            && is_same(&self.urgency, Some(incident.urgency.as_str()))
            && self
                .user
                .as_deref()
                .is_none_or(|user| concerns(incident, user))
    }
}

/// Whether a person was to be paged about it, or took it.
fn concerns(incident: &Incident, user: &str) -> bool {
    let handled = [&incident.acknowledged, &incident.resolved];
    let mut handlers = handled.into_iter().flatten();
    incident.runs.iter().any(|run| run.user.as_str() == user)
        || handlers.any(|by| by.user.as_ref().is_some_and(|name| name.as_str() == user))
}

/// Some items, and where the list goes on.
type Looked = (Vec<wire::incident::Incident>, Option<ListCursor>);

/// List incidents, open ones first
#[utoipa::path(
    get, path = "/v1/incidents", security(("token" = ["viewer"])),
    params(ListQuery), responses((status = 200, body = List<wire::incident::Incident>))
)]
pub async fn list(
    State(state): State<AppState>,
    caller: Caller,
    Query(mut query): Query<ListQuery>,
) -> Result<Json<List<wire::incident::Incident>>, Problem> {
    query.user = caller.user_asked_for(query.user)?;
    let filter = Arc::new(Filter::read(&query)?);
    let limit = parse::limit(query.limit);
    let mut next = Some(ListCursor::read(query.cursor.as_deref())?);
    let mut items = Vec::new();
    for _ in 0..LOOKS_MAX {
        let Some(cursor) = next else { break };
        let wanted = limit - items.len();
        let filter = filter.clone();
        let (mut found, after) = match cursor {
            ListCursor::Open(before) => {
                let look = move |view: View<'_>| open(view, &filter, before, wanted);
                state.handle.read(look).await?
            }
            ListCursor::Closed(before) => {
                let look = move |store: &dyn Store, partition| {
                    closed(store, partition, &filter, before, wanted)
                };
                state.history(look).await?
            }
        };
        items.append(&mut found);
        next = after;
        if items.len() >= limit {
            break;
        }
    }
    let is_first = query.cursor.is_none();
    if items.is_empty() && next.is_none() && is_first {
        check_names(&state, &query).await?;
    }
    let next = next.map(ListCursor::text);
    Ok(Json(List { items, next }))
}

/// Nothing was found: was it asked for under a name that nobody has? A user who has left the rules
/// still has a past, and a service may be known from a label only.
async fn check_names(state: &ApiState, query: &ListQuery) -> Result<(), Problem> {
    let rules = state.handle.rules();
    if let Some(name) = query.user.as_deref() {
        names::user(&rules, name)?;
    }
    let Some(name) = query.service.as_deref() else {
        return Ok(());
    };
    let newest = state.handle.read(|view| {
        let newest = view.state.incidents().rev().take(ITEMS_MAX);
        let services = newest.filter_map(|incident| incident.service.as_deref());
        services.map(str::to_owned).collect::<Vec<_>>()
    });
    let look = |store: &dyn Store, partition| {
        let closed = store.closed_incidents(partition, None, ITEMS_MAX)?;
        let services = closed
            .iter()
            .filter_map(|incident| incident.service.as_deref());
        Ok(services.map(str::to_owned).collect::<Vec<_>>())
    };
    let mut known: BTreeSet<String> = newest.await?.into_iter().collect();
    known.extend(state.history(look).await?);
    let nodes = rules.tree.all().into_iter();
    known.extend(nodes.filter_map(|node| node.route.service.as_deref().map(str::to_owned)));
    if known.contains(name) {
        return Ok(());
    }
    Err(names::unknown(
        "service",
        name,
        known.iter().map(String::as_str),
    ))
}

fn open(view: View<'_>, filter: &Filter, before: u64, wanted: usize) -> Looked {
    let known = view.state.incidents_in(..IncidentNumber(before)).rev();
    let mut items = Vec::new();
    let mut last = None;
    for incident in known.take(ITEMS_MAX) {
        last = Some(incident.number.0);
        if filter.takes(incident) {
            items.push(wire::incident::incident_in(view.state, incident, view.now));
        }
        if items.len() >= wanted {
            break;
        }
    }
    let rest = last.and_then(|last| {
        let mut rest = view.state.incidents_in(..IncidentNumber(last));
        rest.next_back().map(|_| ListCursor::Open(last))
    });
    let history = filter
        .wants(Status::Resolved)
        .then_some(ListCursor::Closed(u64::MAX));
    (items, rest.or(history))
}

fn closed(
    store: &dyn Store,
    partition: Partition,
    filter: &Filter,
    before: u64,
    wanted: usize,
) -> Result<Looked, store::Error> {
    let before = (before < u64::MAX).then_some(Cursor(before));
    let read = store.closed_incidents(partition, before, ITEMS_MAX)?;
    let is_last = read.len() < ITEMS_MAX;
    let mut items = Vec::new();
    for (index, incident) in read.iter().enumerate() {
        if filter.takes(incident) {
            let headline = headline::of_closed(incident);
            let now = Now::default();
            items.push(wire::incident::incident(incident, headline, now));
        }
        if items.len() >= wanted {
            let is_over = is_last && index + 1 == read.len();
            let next = (!is_over).then_some(ListCursor::Closed(incident.number.0));
            return Ok((items, next));
        }
    }
    let last = read.last().filter(|_| !is_last);
    Ok((
        items,
        last.map(|incident| ListCursor::Closed(incident.number.0)),
    ))
}

/// An incident of the state or of history.
pub async fn find(state: &ApiState, number: IncidentNumber) -> Result<Arc<Incident>, Problem> {
    let in_state = state
        .handle
        .read(move |view| view.state.incident(number).cloned());
    if let Some(incident) = in_state.await? {
        return Ok(incident);
    }
    let look = move |store: &dyn Store, partition| store.closed_incident(partition, number);
    let closed = state.history(look).await?;
    closed
        .map(Arc::new)
        .ok_or_else(|| Problem::not_found("incident", format_args!("#{number}")))
}

/// One incident
#[utoipa::path(
    get, path = "/v1/incidents/{number}", security(("token" = ["viewer"])),
    responses((status = 200, body = wire::incident::Incident))
)]
pub async fn show(
    State(state): State<AppState>,
    Path(number): Path<String>,
) -> Result<Json<wire::incident::Incident>, Problem> {
    let number = IncidentNumber(parse::number("incident", &number)?);
    let incident = find(&state, number).await?;
    let known = incident.clone();
    let look = move |view: View<'_>| wire::incident::incident_in(view.state, &known, view.now);
    let mut shown = state.handle.read(look).await?;
    let alerts = parts::alerts(&state, &incident, 0, SHOWN_MAX).await?;
    let pages = parts::pages(&state, number, Span::ALL, SHOWN_MAX).await?;
    shown.alerts = Some(alerts.items);
    shown.pages_total = Some(parts::pages_total(&state, number).await?);
    shown.pages = Some(pages.iter().map(|page| wire::page::page(page)).collect());
    Ok(Json(shown))
}

/// List its alerts
#[utoipa::path(
    get, path = "/v1/incidents/{number}/alerts", security(("token" = ["viewer"])),
    params(Paging), responses((status = 200, body = List<wire::alert::Alert>))
)]
pub async fn alerts(
    State(state): State<AppState>,
    Path(number): Path<String>,
    Query(query): Query<Paging>,
) -> Result<Json<List<wire::alert::Alert>>, Problem> {
    let number = IncidentNumber(parse::number("incident", &number)?);
    let (after, limit) = query.read()?;
    let incident = find(&state, number).await?;
    Ok(Json(parts::alerts(&state, &incident, after, limit).await?))
}

/// Its pages
#[utoipa::path(
    get, path = "/v1/incidents/{number}/pages", security(("token" = ["viewer"])),
    params(Paging), responses((status = 200, body = List<wire::page::Page>))
)]
pub async fn pages(
    State(state): State<AppState>,
    Path(number): Path<String>,
    Query(query): Query<Paging>,
) -> Result<Json<List<wire::page::Page>>, Problem> {
    let number = IncidentNumber(parse::number("incident", &number)?);
    let (after, limit) = query.read()?;
    find(&state, number).await?;
    let pages = parts::pages(&state, number, Span::After(after), limit).await?;
    let items = pages.iter().map(|page| wire::page::page(page)).collect();
    Ok(Json(List::page(items, limit, |page| page.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::records::{Change, Record};
    use crate::engine::ruleset::RuleSet;
    use crate::engine::samples;
    use crate::engine::state;

    fn state_of(numbers: std::ops::RangeInclusive<u64>) -> state::State {
        let mut state = state::State::default();
        for number in numbers {
            let mut incident = samples::triggered_incident();
            incident.number = IncidentNumber(number);
            if number % 2 == 0 {
                incident.status = Status::Acknowledged;
            }
            state.apply(&[Change::Put(Record::Incident(Arc::new(incident)))]);
        }
        state
    }

    fn look(
        state: &state::State,
        query: &ListQuery,
        before: u64,
        wanted: usize,
    ) -> (Vec<u64>, Option<ListCursor>) {
        let rules = std::sync::Arc::new(RuleSet::default());
        let view = View {
            state,
            rules: &rules,
            now: Now::default(),
        };
        let (items, next) = open(view, &Filter::read(query).unwrap(), before, wanted);
        (items.iter().map(|item| item.number).collect(), next)
    }

    #[test]
    fn open_incidents_come_newest_first_and_history_after_them() {
        let state = state_of(1..=5);
        let all = ListQuery::default();
        let history = Some(ListCursor::Closed(u64::MAX));
        assert_eq!(
            look(&state, &all, u64::MAX, 2),
            (vec![5, 4], Some(ListCursor::Open(4)))
        );
        assert_eq!(
            look(&state, &all, 4, 2),
            (vec![3, 2], Some(ListCursor::Open(2)))
        );
        assert_eq!(look(&state, &all, 2, 2), (vec![1], history));
        assert_eq!(look(&state, &all, 2, 1), (vec![1], history));
        let open = ListQuery {
            status: Some("open".to_owned()),
            ..ListQuery::default()
        };
        assert_eq!(look(&state, &open, 2, 2), (vec![1], None));
    }

    #[test]
    fn one_look_is_bounded_whatever_the_filter_lets_through() {
        let state = state_of(1..=1_200);
        let none = ListQuery {
            service: Some("nowhere".to_owned()),
            ..ListQuery::default()
        };
        let (items, next) = look(&state, &none, u64::MAX, 100);
        assert_eq!((items.len(), next), (0, Some(ListCursor::Open(701))));
    }

    #[test]
    fn filters_take_what_they_name_and_refuse_unknown_words() {
        let state = state_of(1..=4);
        let with = |status: &str| ListQuery {
            status: Some(status.to_owned()),
            ..ListQuery::default()
        };
        assert_eq!(look(&state, &with("acknowledged"), u64::MAX, 9).0, [4, 2]);
        assert_eq!(
            look(&state, &with("triggered, acknowledged"), u64::MAX, 9)
                .0
                .len(),
            4
        );
        assert!(Filter::read(&with("opened")).is_err());
        let urgency = ListQuery {
            urgency: Some("huge".to_owned()),
            ..ListQuery::default()
        };
        assert!(Filter::read(&urgency).is_err());
    }

    #[test]
    fn a_cursor_survives_its_text_and_a_strange_one_is_refused() {
        for cursor in [ListCursor::Open(7), ListCursor::Closed(u64::MAX)] {
            assert_eq!(ListCursor::read(Some(&cursor.text())), Ok(cursor));
        }
        for text in ["", "x1", "o", "o-1", "💥1", "1042"] {
            assert!(ListCursor::read(Some(text)).is_err(), "{text}");
        }
    }
}
