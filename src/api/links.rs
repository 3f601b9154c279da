//! What an acknowledge token opens: exactly one page, with its incidents at the generation that was
//! shown. Used by links and by Slack's buttons.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::decision::{Acted, TokenSubject};
use crate::engine::headline;
use crate::engine::ids::{AlertId, IncidentNumber, PageId, UserName};
use crate::engine::incident::{Incident, Status};
use crate::engine::input::{Act, ActOn, Actor, Verb, Via};
use crate::engine::page::{IncidentRef, Page, PageKind};
use crate::engine::ruleset::RuleSet;
use crate::engine::time::{Duration, Timestamp};
use crate::runtime::handle::View;
use crate::signing::ack;
use crate::store::Store;

use super::ports::ApiState;
use super::problem::Problem;
use super::wire::ITEMS_MAX;

/// How long a token acts.
pub const VALID_FOR: Duration = Duration::days(7);

/// Other incidents with the same alerts that are offered.
const LINKED_MAX: usize = 10;

/// A page that a token opened, as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedLink {
    pub page: Arc<Page>,
    /// In the order of the page; those of which nothing is kept any more are left out.
    pub incidents: Vec<Arc<Incident>>,
    /// Other open incidents with one of their alerts.
    pub linked: Vec<Arc<Incident>>,
    /// What fires in each of all these now.
    pub headlines: BTreeMap<IncidentNumber, String>,
    /// Too old to act; it still shows.
    pub is_expired: bool,
}

impl OpenedLink {
    /// The person to whom the page went.
    pub fn user(&self) -> Option<&UserName> {
        self.page.recipient.user()
    }

    /// What an incident is called now, on one line.
    pub fn headline(&self, incident: &Incident) -> String {
        let known = self.headlines.get(&incident.number).cloned();
        known.unwrap_or_else(|| headline::of_closed(incident))
    }

    /// How many incidents of the page have this status, at the generation that it showed.
    pub fn count(&self, status: Status) -> usize {
        let known = self.incidents.iter();
        known
            .filter(|one| one.status == status && self.is_shown(one))
            .count()
    }

    /// Whether the page showed this incident, at this generation.
    pub fn is_shown(&self, incident: &Incident) -> bool {
        self.page.incidents.contains(&IncidentRef {
            number: incident.number,
            generation: incident.generation,
        })
    }

    /// Whether anything can still be done with the token.
    pub fn can_act(&self) -> bool {
        let open = self.count(Status::Triggered) + self.count(Status::Acknowledged);
        !self.is_expired && open > 0
    }
}

/// The page that a token opens; `None` if we never made it or keep nothing of it.
pub async fn open(state: &ApiState, token: &str) -> Result<Option<OpenedLink>, Problem> {
    let Some(id) = ack::page_of(token) else {
        return Ok(None);
    };
    let Some(page) = page(state, id).await? else {
        return Ok(None);
    };
    if !is_ours(&state.links_secret, token, &page) {
        return Ok(None);
    }
    let incidents = incidents(state, &page).await?;
    let numbers: Vec<_> = incidents.iter().map(|one| one.number).collect();
    let look = move |view: View<'_>| linked(view, &numbers);
    let linked = state.handle.read(look).await?;
    let headlines = headlines(state, incidents.iter().chain(&linked)).await?;
    let is_expired = is_expired(&page, state.now());
    Ok(Some(OpenedLink {
        page,
        incidents,
        linked,
        headlines,
        is_expired,
    }))
}

fn is_expired(page: &Page, now: Timestamp) -> bool {
    now.since(page.created_at) >= VALID_FOR
}

fn is_ours(secret: &[u8; 32], token: &str, page: &Page) -> bool {
    let subject = TokenSubject {
        page: page.id,
        generation: generation(page),
        user: page.recipient.user().cloned(),
    };
    ack::verify(secret, token, &subject)
}

/// The generation to which the token of a page is bound; a bundled page has no single one.
fn generation(page: &Page) -> u64 {
    match page.kind {
        PageKind::Bundle => 0,
        PageKind::Page | PageKind::Update { .. } | PageKind::Copy => {
            page.incidents.first().map_or(0, |shown| shown.generation)
        }
    }
}

async fn page(state: &ApiState, id: PageId) -> Result<Option<Arc<Page>>, Problem> {
    let look = move |view: View<'_>| view.state.page(id).cloned();
    if let Some(page) = state.handle.read(look).await? {
        return Ok(Some(page));
    }
    let look = move |store: &dyn Store, partition| store.closed_page(partition, id);
    Ok(state.history(look).await?.map(Arc::new))
}

/// The incidents of a page, from the state or from history.
async fn incidents(state: &ApiState, page: &Page) -> Result<Vec<Arc<Incident>>, Problem> {
    let numbers: Vec<_> = page.incidents.iter().map(|shown| shown.number).collect();
    let mut known = BTreeMap::new();
    for part in numbers.chunks(ITEMS_MAX) {
        let part = part.to_vec();
        let look = move |view: View<'_>| -> Vec<_> {
            let found = part.iter().map(|number| view.state.incident(*number));
            found.flatten().cloned().collect()
        };
        let found = state.handle.read(look).await?;
        known.extend(found.into_iter().map(|one| (one.number, one)));
    }
    let is_missing = |number: &&IncidentNumber| !known.contains_key(*number);
    let missing: Vec<_> = numbers.iter().filter(is_missing).copied().collect();
    if !missing.is_empty() {
        let look = move |store: &dyn Store, partition| {
            let found = missing
                .iter()
                .map(|number| store.closed_incident(partition, *number));
            found.collect::<Result<Vec<_>, _>>()
        };
        let found = state.history(look).await?.into_iter().flatten();
        known.extend(found.map(|one| (one.number, Arc::new(one))));
    }
    Ok(numbers
        .iter()
        .filter_map(|number| known.remove(number))
        .collect())
}

/// What fires in each of these now.
async fn headlines(
    state: &ApiState,
    incidents: impl Iterator<Item = &Arc<Incident>>,
) -> Result<BTreeMap<IncidentNumber, String>, Problem> {
    let all: Vec<Arc<Incident>> = incidents.cloned().collect();
    let mut headlines = BTreeMap::new();
    for part in all.chunks(ITEMS_MAX) {
        let part = part.to_vec();
        let look = move |view: View<'_>| -> Vec<(IncidentNumber, String)> {
            let headline = |one: &Arc<Incident>| (one.number, view.state.headline(one));
            part.iter().map(headline).collect()
        };
        headlines.extend(state.handle.read(look).await?);
    }
    Ok(headlines)
}

/// Other open incidents to which one of the first alerts of these belongs.
fn linked(view: View<'_>, numbers: &[IncidentNumber]) -> Vec<Arc<Incident>> {
    let mut found: BTreeMap<IncidentNumber, Arc<Incident>> = BTreeMap::new();
    let mut looked: Vec<AlertId> = Vec::new();
    for number in numbers {
        for alert in view.state.alerts_of(*number) {
            if looked.len() >= ITEMS_MAX || found.len() >= LINKED_MAX {
                return found.into_values().collect();
            }
            looked.push(alert.id);
            let others = alert
                .incidents
                .iter()
                .filter(|other| !numbers.contains(other));
            let others = others.filter_map(|other| view.state.incident(*other));
            let open = others.filter(|other| other.is_open());
            found.extend(open.map(|other| (other.number, other.clone())));
        }
    }
    found.into_values().collect()
}

/// Does something with all incidents of a page, at the generation that it showed.
pub async fn act(
    state: &ApiState,
    page: PageId,
    actor: Actor,
    verb: Verb,
) -> Result<Vec<Acted>, Problem> {
    let on = ActOn::Page(page);
    Ok(state.handle.ask(Act { actor, on, verb }, None).await?)
}

/// Acknowledges one incident of a page, at the generation that it showed.
pub async fn acknowledge_one(
    state: &ApiState,
    opened: &OpenedLink,
    number: IncidentNumber,
    actor: Actor,
) -> Result<Vec<Acted>, Problem> {
    let mut shown = opened.incidents.iter();
    if !shown.any(|known| known.number == number && opened.is_shown(known)) {
        return Err(Problem::not_found(
            "incident of this page",
            format_args!("#{number}"),
        ));
    }
    acknowledge(state, number, actor).await
}

/// Acknowledges an incident that shares an alert with those of the page.
pub async fn acknowledge_linked(
    state: &ApiState,
    opened: &OpenedLink,
    number: IncidentNumber,
    actor: Actor,
) -> Result<Vec<Acted>, Problem> {
    if !opened.linked.iter().any(|known| known.number == number) {
        return Err(Problem::not_found(
            "linked incident",
            format_args!("#{number}"),
        ));
    }
    acknowledge(state, number, actor).await
}

/// A number is never used again, so that it stands for one generation.
async fn acknowledge(
    state: &ApiState,
    number: IncidentNumber,
    actor: Actor,
) -> Result<Vec<Acted>, Problem> {
    let on = ActOn::Incidents(vec![number]);
    let verb = Verb::Acknowledge;
    Ok(state.handle.ask(Act { actor, on, verb }, None).await?)
}

/// The person of a page as somebody who acts.
pub fn person(user: &UserName, via: Via) -> Actor {
    Actor {
        name: user.as_str().into(),
        user: Some(user.clone()),
        via,
    }
}

/// Somebody who says who they are, because the page went to a channel target. If the rules know
/// the name, it is taken for that user; nobody verified it, and the name says so.
pub fn named(rules: &RuleSet, said: &str, via: Via) -> Actor {
    let is_said = |user: &&UserName| user.as_str().eq_ignore_ascii_case(said);
    let user = rules.users.keys().find(is_said).cloned();
    let actor = Actor {
        name: said.into(),
        user,
        via,
    };
    rules.with_full_name(actor).as_typed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::samples;

    fn opened() -> OpenedLink {
        OpenedLink {
            page: Arc::new(samples::sent_page()),
            incidents: vec![Arc::new(samples::triggered_incident())],
            linked: Vec::new(),
            headlines: BTreeMap::new(),
            is_expired: false,
        }
    }

    #[test]
    fn a_token_acts_while_its_generation_is_open_and_young() {
        assert!(opened().can_act());
        let expired = OpenedLink {
            is_expired: true,
            ..opened()
        };
        assert!(!expired.can_act());
        let change = |change: fn(&mut Incident)| {
            let mut incident = samples::triggered_incident();
            change(&mut incident);
            OpenedLink {
                incidents: vec![Arc::new(incident)],
                ..opened()
            }
        };
        assert!(change(|one| one.status = Status::Acknowledged).can_act());
        assert!(!change(|one| one.status = Status::Resolved).can_act());
        assert!(
            !change(|one| one.generation = 2).can_act(),
            "another generation"
        );
    }

    #[test]
    fn a_token_is_bound_for_seven_days() {
        let page = samples::sent_page();
        let last = page.created_at + Duration(VALID_FOR.0 - 1);
        assert!(!is_expired(&page, last));
        assert!(is_expired(&page, last + Duration(1)));
    }

    #[test]
    fn a_typed_name_is_marked_as_not_verified_and_taken_for_the_user_whom_it_names() {
        let mut rules = RuleSet::default();
        let user = crate::engine::ruleset::User {
            full_name: "Ana Silva".into(),
            time_zone: jiff::tz::TimeZone::UTC,
            contacts: Vec::new(),
            notify: crate::engine::ruleset::Notify::default(),
            test_page: None,
        };
        rules.users.insert("ana".into(), user);
        let ana = named(&rules, "ANA", Via::Link);
        assert_eq!(ana.user, Some("ana".into()));
        let typed = "Ana Silva (typed, not verified)";
        assert_eq!(&*ana.name, typed);
        assert_eq!(&*rules.with_full_name(ana).name, typed);
        let stranger = named(&rules, "Zoe from ops", Via::Link);
        let typed = "Zoe from ops (typed, not verified)";
        assert_eq!((&*stranger.name, stranger.user), (typed, None));
    }
}
