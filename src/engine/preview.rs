//! What would happen to events: steps on a copy of the state, so that a preview cannot say anything
//! else than what then happens.
//!
//! In the copy time goes on as if nobody acknowledged, and every page were delivered at once, until
//! the fallback was paged for the first time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::State;
use super::alert::Matchable;
use super::decision::{Answer, Decision, Effect, SendRequest};
use super::event::{Event, Text};
use super::ids::{
    ChannelName, ContactName, IncidentNumber, IntegrationName, PolicyName, RouteName, TaskId,
    UserName,
};
use super::incident::{Escalation, Incident, PageCause, Position};
use super::input::{Input, Pick, Report, TimerKey};
use super::key;
use super::outcome::Outcome;
use super::page::{Page, PageKind, PageState, Recipient};
use super::reason::Reason;
use super::records::{Change, Entry, EntryKind, Receipt};
use super::routing::Route;
use super::ruleset::RuleSet;
use super::step;
use super::task::{Stride, TaskKind};
use super::time::{Duration, MonotonicTime, Now};
use super::urgency::Urgency;

/// Pages that are shown of all incidents together; the time of the copy ends with them.
pub const PAGES_MAX: usize = 500;
/// Steps that are made on the copy.
const STEPS_MAX: usize = 20_000;
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
    /// Sentences, each why something would or would not be done.
    pub reasons: Vec<String>,
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
    let mut copy = Copy::new(state, rules, now);
    copy.catch_up_silences();
    let receipts = copy.take_in(integration, events);
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
    let decisions = events.iter().zip(&receipts).map(|(event, receipt)| {
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

/// A copy of the state in which time goes on.
struct Copy<'rules> {
    state: State,
    rules: &'rules RuleSet,
    began: Now,
    now: Now,
    steps: usize,
    /// Incidents whose timers are followed.
    followed: BTreeSet<IncidentNumber>,
    pages: Vec<(IncidentNumber, PreviewPage)>,
    entries: BTreeMap<IncidentNumber, Vec<Arc<Entry>>>,
}

impl<'rules> Copy<'rules> {
    fn new(state: State, rules: &'rules RuleSet, now: Now) -> Self {
        Self {
            state,
            rules,
            began: now,
            now,
            steps: 0,
            followed: BTreeSet::new(),
            pages: Vec::new(),
            entries: BTreeMap::new(),
        }
    }

    fn step(&mut self, input: Input) -> Decision {
        self.steps += 1;
        let decision = step(&self.state, self.rules, input, self.now);
        self.state.apply(&decision.changes);
        for change in &decision.changes {
            if let Change::Entry(entry) = change {
                let entries = self.entries.entry(entry.incident).or_default();
                entries.push(entry.clone());
            }
        }
        decision
    }

    /// Silences that begin or end until the present of the copy.
    fn catch_up_silences(&mut self) {
        let wall = self.now.wall;
        let is_due = |silence: &&Arc<super::records::Silence>| {
            silence.next_due().is_some_and(|due| due <= wall)
        };
        let due = self.state.silences().filter(is_due);
        let due: Vec<_> = due.map(|silence| silence.id).collect();
        for id in due {
            self.step(Input::Due(TimerKey::Silence(id)));
            self.finish_tasks(None);
        }
    }

    fn take_in(&mut self, integration: &IntegrationName, events: &[Event]) -> Vec<Arc<Receipt>> {
        let input = Input::Events {
            integration: integration.clone(),
            events: events.to_vec(),
        };
        let decision = self.step(input);
        let mut receipts = receipts(decision.answer);
        receipts.extend(self.finish_tasks(decision.later));
        receipts
    }

    /// Goes on with what steps left; the answer is the receipts of this request.
    fn finish_tasks(&mut self, request: Option<TaskId>) -> Vec<Arc<Receipt>> {
        let mut all = Vec::new();
        while self.steps < STEPS_MAX {
            let tasks = self.state.tasks();
            let Some((_, task)) = tasks.next_after(None, &BTreeSet::new()) else {
                break;
            };
            let is_asked = match tasks.get(task).map(|task| &task.kind) {
                Some(TaskKind::Events(part)) => request == Some(part.request),
                Some(_) | None => false,
            };
            let stride = Stride::Full;
            let decision = self.step(Input::GoOn { task, stride });
            if is_asked {
                all.extend(receipts(decision.answer));
            }
        }
        all
    }

    /// Lets time go on until nothing of the followed incidents is to come.
    fn run(&mut self) {
        loop {
            self.deliver();
            let is_enough = self.pages.len() >= PAGES_MAX || self.steps >= STEPS_MAX;
            let Some((at, key)) = self.next_due().filter(|_| !is_enough) else {
                return;
            };
            let passed = at.since(self.now.steady);
            self.now = Now {
                wall: self.now.wall + passed,
                steady: self.now.steady + passed,
                ..self.now
            };
            self.catch_up_silences();
            self.step(Input::Due(key));
            self.finish_tasks(None);
        }
    }

    /// Every page of the followed incidents that waits has its place, leaves and arrives.
    fn deliver(&mut self) {
        while self.steps < STEPS_MAX
            && let Some(pick) = self.next_pick()
        {
            let decision = self.step(Input::Place(pick));
            for effect in decision.effects {
                match effect {
                    Effect::Send(request) => self.arrives(&request),
                    Effect::Cancel(_) | Effect::Probe(_) => {}
                }
            }
        }
    }

    fn next_pick(&self) -> Option<Pick> {
        let mut pages = self.followed_pages();
        pages.find_map(|page| {
            let queued = page.queued.first()?;
            Some(Pick {
                page: page.id,
                channel: queued.channel.clone(),
            })
        })
    }

    fn followed_pages(&self) -> impl Iterator<Item = &Arc<Page>> {
        let pages = |number: &IncidentNumber| self.state.pages_of(*number);
        self.followed.iter().flat_map(pages)
    }

    fn arrives(&mut self, request: &SendRequest) {
        let page = self.state.page(request.page).cloned();
        let page = page.expect("a page with an attempt under way is kept");
        match page.kind {
            PageKind::Page | PageKind::Bundle => self.record(&page, request),
            PageKind::Copy | PageKind::Update { .. } => {}
        }
        self.step(Input::Outcome(Report {
            attempt: request.attempt,
            outcome: Outcome::Delivered,
            latency_ms: 0,
            provider_message: None,
            reference: None,
            was_started: true,
        }));
    }

    fn record(&mut self, page: &Page, request: &SendRequest) {
        let (user, contact) = match &page.recipient {
            Recipient::User { user, contact } => (Some(user.clone()), Some(contact.clone())),
            Recipient::Channel { .. } => (None, None),
        };
        for shown in &page.incidents {
            if !self.followed.contains(&shown.number) {
                continue;
            }
            // A bundled page is about each of its incidents for a reason of its own.
            let incident = self.state.incident(shown.number);
            let run = incident.and_then(|incident| {
                let mut runs = incident.runs.iter();
                runs.find(|run| Some(&run.user) == user.as_ref())
            });
            let why = run.map_or(&page.why, |run| &run.why);
            let planned = PreviewPage {
                user: user.clone(),
                contact: contact.clone(),
                channel: request.channel.clone(),
                address: request.address.clone(),
                after: self.now.steady.since(self.began.steady),
                step: step_of(why),
                is_fallback: why.position == Position::Fallback,
                round: why.round + 1,
            };
            self.pages.push((shown.number, planned));
        }
    }

    /// The next timer of the followed incidents, of their pages or of the people they page.
    fn next_due(&self) -> Option<(MonotonicTime, TimerKey)> {
        let followed = self
            .followed
            .iter()
            .filter_map(|number| self.state.incident(*number));
        let incidents = followed.clone().filter_map(|incident| {
            let due = self.due_of(incident)?;
            Some((due, TimerKey::Incident(incident.number)))
        });
        let is_under_way = |page: &&Arc<Page>| page.state == PageState::Sending;
        let pages = self.followed_pages().filter(is_under_way);
        let pages = pages.filter_map(|page| Some((page.next_due()?, TimerKey::Page(page.id))));
        let runs = followed.clone().flat_map(|incident| &incident.runs);
        let held = runs.filter(|run| !run.held.is_empty());
        let bundles = held.filter_map(|run| {
            let due = self.state.person(&run.user)?.bundle_due?;
            Some((due, TimerKey::Person(run.user.clone())))
        });
        // A silence that holds one of them ends.
        let is_held = followed.clone().any(|incident| incident.is_silenced);
        let silences = self
            .state
            .silences()
            .filter(|silence| is_held && silence.is_active);
        let silences = silences.map(|silence| {
            let at = self.now.steady + silence.until.since(self.now.wall);
            (at, TimerKey::Silence(silence.id))
        });
        let all = incidents.chain(pages).chain(bundles).chain(silences);
        all.min_by_key(|(at, _)| *at)
    }

    /// When the next thing happens to an incident. Once the fallback was paged, only the notify
    /// steps of whoever it names are still of interest, until it is paged again.
    fn due_of(&self, incident: &Incident) -> Option<MonotonicTime> {
        let escalation = &incident.escalation;
        let was_fallback_paged =
            escalation.position == Position::Fallback && escalation.started >= self.began.steady;
        if !incident.is_open() {
            return None;
        }
        if !was_fallback_paged {
            return incident.next_due();
        }
        let runs = incident.runs.iter().filter_map(|run| run.due);
        runs.min()
            .filter(|due| escalation.due.is_none_or(|again| *due < again))
    }

    fn decision(
        &self,
        route: &Route,
        (event, fields): (&Event, &Matchable<'_>),
        receipt: &Receipt,
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
        let number = receipt.incidents.iter().find(is_of_group).copied();
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
            page: !pages.is_empty(),
            reasons: self.reasons(route, receipt, number),
            group_key,
            pages,
        }
    }

    fn reasons(
        &self,
        route: &Route,
        receipt: &Receipt,
        number: Option<IncidentNumber>,
    ) -> Vec<String> {
        let reason = if route.page {
            receipt.reason
        } else {
            Reason::RouteDoesNotPage
        };
        let mut reasons = vec![reason.meaning().to_owned()];
        let entries = number.and_then(|number| self.entries.get(&number));
        let is_told = |entry: &&Arc<Entry>| match entry.kind {
            EntryKind::Escalation | EntryKind::Page => true,
            EntryKind::Incident | EntryKind::Alert | EntryKind::Attempt | EntryKind::Person => {
                false
            }
        };
        let told = entries.into_iter().flatten().filter(is_told);
        reasons.extend(told.map(|entry| entry.text.to_string()));
        let surplus = reasons.len().saturating_sub(REASONS_MAX);
        if surplus > 0 {
            reasons.truncate(REASONS_MAX);
            reasons.push(format!("{surplus} more"));
        }
        if self.pages.len() >= PAGES_MAX || self.steps >= STEPS_MAX {
            reasons.push(format!("the preview ends here: {} pages", self.pages.len()));
        }
        reasons
    }
}

fn receipts(answer: Answer) -> Vec<Arc<Receipt>> {
    match answer {
        Answer::Receipts(receipts) => receipts,
        Answer::None
        | Answer::Acted(_)
        | Answer::Sms(_)
        | Answer::Opened(_)
        | Answer::Silence { .. }
        | Answer::Override(_)
        | Answer::Done
        | Answer::Refused(_) => Vec::new(),
    }
}

fn step_of(why: &PageCause) -> Option<u32> {
    match why.position {
        Position::Step(index) => u32::try_from(index + 1).ok(),
        Position::Before | Position::Fallback | Position::Reassigned => None,
    }
}
