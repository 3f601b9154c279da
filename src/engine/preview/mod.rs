//! What would happen to events: steps on a copy of the state, so that a preview cannot say anything
//! else than what then happens.
//!
//! In the copy time goes on as if nobody acknowledged, and every page were delivered at once, until
//! the fallback was paged for the first time.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::State;
use crate::engine::alert::Matchable;
use crate::engine::entry::Entry;
use crate::engine::entry_body::EntryBody;
use crate::engine::event::{Event, Text};
use crate::engine::ids::{
    ChannelName, ContactName, IncidentNumber, IntegrationName, PolicyName, RouteName, UserName,
};
use crate::engine::incident::Escalation;
use crate::engine::key;
use crate::engine::reason::Reason;
use crate::engine::records::Receipt;
use crate::engine::routing::Route;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::{Duration, Now};
use crate::engine::urgency::Urgency;
use copy::Copy;

mod copy;

/// Pages that are shown of all incidents together; the time of the copy ends with them.
pub const PAGES_MAX: usize = 500;
/// Reasons that are shown of one decision.
const REASONS_MAX: usize = 200;

/// One decision, for one route on which an event lands.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    pub route: RouteName,
    pub policy: Option<PolicyName>,
    pub service: Option<Text>,
    pub urgency: Urgency,
    pub group_key: Text,
    /// The open incident that it would join.
    pub joins: Option<IncidentNumber>,
    /// Whether anybody would be paged.
    pub page: bool,
    pub pages: Vec<PreviewPage>,
    /// Each why something would or would not be done.
    pub reasons: Vec<PreviewReason>,
}

/// Why something would or would not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreviewReason {
    Reason(Reason),
    Entry(Arc<Entry>),
    /// Further reasons that are not shown.
    More(usize),
    /// The preview ends after so many pages; more would happen.
    Cut {
        pages: usize,
    },
}

/// A page that would leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewPage {
    /// `None` for a channel target.
    pub user: Option<UserName>,
    pub contact: Option<ContactName>,
    pub channel: ChannelName,
    pub address: Text,
    /// After the event was accepted.
    pub after: Duration,
    /// Policy step, from 1. `None` is the fallback, or whoever acknowledged what the event joins.
    pub step: Option<u32>,
    pub is_fallback: bool,
    /// From 1.
    pub round: u32,
}

/// The decisions on each of the events of one request, in the order of the tree, if it came at the
/// time `now` and found this state.
pub fn preview(
    state: State,
    rules: &RuleSet,
    integration: &IntegrationName,
    events: &[Event],
    now: Now,
) -> Vec<Vec<Preview>> {
    let known: BTreeMap<IncidentNumber, Escalation> = state
        .incidents()
        .filter(|incident| incident.is_open())
        .map(|incident| (incident.number, incident.escalation.clone()))
        .collect();
    let mut copy = Copy::new(state, rules, integration, now);
    copy.catch_up_silences();
    let receipts = copy.take_in(events);
    let concerned = receipts.iter().flat_map(|receipt| &receipt.incidents);
    for number in concerned {
        let incident = copy.state.incident(*number);
        // What an incident would do anyway is no matter of the event.
        let goes_on_alike =
            incident.is_none_or(|incident| known.get(number) == Some(&incident.escalation));
        if !goes_on_alike {
            copy.followed.insert(*number);
        }
    }
    copy.run();
    let decisions = events.iter().enumerate().map(|(index, event)| {
        let receipt = receipts.get(index).map(|receipt| &**receipt);
        let fields = Matchable {
            integration,
            content: &event.content,
        };
        let routes = rules.tree.routes(&fields);
        let of = |route: &Arc<Route>| copy.decision(route, (event, &fields), receipt, &known);
        routes.iter().map(of).collect()
    });
    decisions.collect()
}

impl Copy<'_> {
    fn decision(
        &self,
        route: &Route,
        (event, fields): (&Event, &Matchable<'_>),
        receipt: Option<&Receipt>,
        known: &BTreeMap<IncidentNumber, Escalation>,
    ) -> Preview {
        let identity = key::joined(&[fields.integration.as_str(), &event.dedup_key]);
        let (group_key, _) = route.group_by.key(&route.name, fields, &identity);
        let content = fields.content;
        let label = || content.labels.get("service").cloned();
        let service = route.service.clone().or_else(|| content.service.clone());
        let is_of_group = |number: &&IncidentNumber| {
            let incident = self.state.incident(**number);
            incident.is_some_and(|incident| incident.group_key == group_key)
        };
        let mut incidents = receipt.into_iter().flat_map(|receipt| &receipt.incidents);
        let number = incidents.find(is_of_group).copied();
        let pages = self
            .pages
            .iter()
            .filter(|(about, _)| Some(*about) == number);
        let pages: Vec<PreviewPage> = pages.map(|(_, page)| page.clone()).collect();
        Preview {
            route: route.name.clone(),
            policy: route.policy.clone(),
            service: service.or_else(label),
            urgency: route.urgency.of(&content.severity),
            joins: number.filter(|number| known.contains_key(number)),
            page: !pages.is_empty() || self.is_cut() && self.is_followed(number),
            reasons: self.reasons(route, receipt, number),
            group_key,
            pages,
        }
    }

    fn reasons(
        &self,
        route: &Route,
        receipt: Option<&Receipt>,
        number: Option<IncidentNumber>,
    ) -> Vec<PreviewReason> {
        let reason = match receipt {
            _ if !route.page => Some(Reason::RouteDoesNotPage),
            Some(receipt) => Some(receipt.reason),
            // There was too much to do before it.
            None => None,
        };
        let reason = reason.map(PreviewReason::Reason);
        let mut reasons: Vec<PreviewReason> = reason.into_iter().collect();
        let entries = number.and_then(|number| self.entries.get(&number));
        let is_told = |entry: &&Arc<Entry>| {
            matches!(entry.body, EntryBody::Escalation(_) | EntryBody::Page(_))
        };
        let told = entries.into_iter().flatten().filter(is_told);
        reasons.extend(told.cloned().map(PreviewReason::Entry));
        let surplus = reasons.len().saturating_sub(REASONS_MAX);
        if surplus > 0 {
            reasons.truncate(REASONS_MAX);
            reasons.push(PreviewReason::More(surplus));
        }
        if self.is_cut() || receipt.is_none() {
            let pages = self.pages.len();
            reasons.push(PreviewReason::Cut { pages });
        }
        reasons
    }

    /// Whether more would happen than is shown.
    fn is_cut(&self) -> bool {
        self.pages.len() >= PAGES_MAX || self.steps >= copy::STEPS_MAX
    }

    fn is_followed(&self, number: Option<IncidentNumber>) -> bool {
        number.is_some_and(|number| self.followed.contains(&number))
    }
}
