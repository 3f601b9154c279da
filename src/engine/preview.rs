//! What would happen to an event, with nothing stored and nobody paged.
//!
//! It shows the first round as it would go if nobody acknowledged and every page were taken.

use super::State;
use super::alert::Matchable;
use super::event::{Action, Event, EventTime, Text};
use super::ids::{
    ChannelName, ContactName, IntegrationName, PolicyName, RouteName, ScheduleName, UserName,
};
use super::key;
use super::reason::Reason;
use super::routing::Route;
use super::ruleset::{Policy, RuleSet, Target};
use super::time::{Duration, Now};
use super::urgency::Urgency;

/// One decision, for one route on which the event lands.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    pub route: RouteName,
    pub policy: Option<PolicyName>,
    pub service: Option<Text>,
    pub urgency: Urgency,
    pub group_key: Text,
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
    /// Policy step, from 1; `None` is the fallback.
    pub step: Option<u32>,
}

/// The decisions on an event, in the order of the tree, for the time `now`.
pub fn preview(
    state: &State,
    rules: &RuleSet,
    integration: &IntegrationName,
    event: &Event,
    now: Now,
) -> Vec<Preview> {
    let fields = Matchable {
        integration,
        content: &event.content,
    };
    let identity = key::joined(&[integration.as_str(), &event.dedup_key]);
    let routes = rules.tree.routes(&fields);
    let of = |route| one(state, rules, route, (&fields, &identity), now);
    let mut previews: Vec<Preview> = routes.iter().map(|route| of(route)).collect();
    if let Some(reason) = held_back(state, rules, integration, event, now) {
        for preview in &mut previews {
            preview.page = false;
            preview.pages.clear();
            preview.reasons.insert(0, reason.meaning().to_owned());
        }
    }
    previews
}

/// Why the event would page nobody whatever its route.
fn held_back(
    state: &State,
    rules: &RuleSet,
    integration: &IntegrationName,
    event: &Event,
    now: Now,
) -> Option<Reason> {
    let fields = Matchable {
        integration,
        content: &event.content,
    };
    let is_silenced = state.silences().any(|silence| {
        silence.is_active
            && silence
                .matchers
                .iter()
                .all(|matcher| matcher.matches(&fields))
    });
    let max_age = rules
        .integrations
        .get(integration)
        .map(|known| known.max_age);
    let is_old = match (event.spoken, max_age) {
        (EventTime::OccurredAt(Some(moment)), Some(max_age)) => now.wall.since(moment) > max_age,
        (EventTime::OccurredAt(_) | EventTime::StateAsserted { .. }, _) => false,
    };
    match event.action {
        Action::Acknowledge => Some(Reason::SourceAcknowledged),
        Action::Resolve => Some(Reason::SourceResolved),
        Action::Change => Some(Reason::ChangeEvent),
        Action::Trigger if is_old => Some(Reason::HeldOld),
        Action::Trigger if is_silenced => Some(Reason::Silenced),
        Action::Trigger => None,
        Action::Ignore => Some(Reason::MappingIgnores),
    }
}

fn one(
    state: &State,
    rules: &RuleSet,
    route: &Route,
    (fields, identity): (&Matchable<'_>, &str),
    now: Now,
) -> Preview {
    let (group_key, _) = route.group_by.key(&route.name, fields, identity);
    let content = fields.content;
    let label = || content.labels.get("service").cloned();
    let service = route
        .service
        .clone()
        .or_else(|| content.service.clone())
        .or_else(label);
    let mut preview = Preview {
        route: route.name.clone(),
        policy: route.policy.clone(),
        service,
        urgency: route.urgency.of(&content.severity),
        group_key,
        page: false,
        pages: Vec::new(),
        reasons: Vec::new(),
    };
    let policy = route
        .policy
        .as_ref()
        .and_then(|name| rules.policies.get(name));
    match (route.page, policy) {
        (false, _) => preview
            .reasons
            .push(Reason::RouteDoesNotPage.meaning().to_owned()),
        (true, None) => preview
            .reasons
            .push(Reason::NoAcknowledgmentExpected.meaning().to_owned()),
        (true, Some(policy)) => {
            Walk {
                state,
                rules,
                now,
                wait: route.group_wait,
            }
            .policy(policy, &mut preview);
        }
    }
    preview.page = !preview.pages.is_empty();
    preview
}

/// The walk through a policy; `wait` is how long after the event it has come.
struct Walk<'a> {
    state: &'a State,
    rules: &'a RuleSet,
    now: Now,
    wait: Duration,
}

impl Walk<'_> {
    fn policy(mut self, policy: &Policy, preview: &mut Preview) {
        let runs_all = preview.urgency == Urgency::High || policy.escalate_low;
        for (index, step) in policy.steps.iter().enumerate() {
            let number = u32::try_from(index + 1).ok();
            let is_named = self.targets(&step.targets, number, preview);
            if is_named {
                self.wait = Duration(self.wait.0 + step.wait.0);
                if !runs_all {
                    preview.reasons.push(Reason::StepsOver.meaning().to_owned());
                    return;
                }
            } else {
                let text = format!("step {}: {}", index + 1, Reason::NobodyOnCall.meaning());
                preview.reasons.push(text);
            }
        }
        if policy.repeat > 0 {
            preview.reasons.push(match policy.repeat {
                1 => "1 more round follows".to_owned(),
                more => format!("{more} more rounds follow"),
            });
        }
        if runs_all || preview.pages.is_empty() {
            self.targets(&policy.fallback, None, preview);
        }
    }

    /// Adds the pages of a step. Whether it names anybody.
    fn targets(&self, targets: &[Target], step: Option<u32>, preview: &mut Preview) -> bool {
        let mut is_named = false;
        for target in targets {
            is_named |= match target {
                Target::User(user) => self.person(user, None, step, preview),
                Target::Schedule(name) => self.schedule(name, step, preview),
                Target::Channel(target) => {
                    let is_known = self.rules.channel(&target.channel).is_some();
                    if is_known {
                        preview.pages.push(PreviewPage {
                            user: None,
                            contact: None,
                            channel: target.channel.clone(),
                            address: target.address.clone(),
                            after: self.wait,
                            step,
                        });
                    } else {
                        let text = format!("{target}: {}", Reason::NoChannel.meaning());
                        preview.reasons.push(text);
                    }
                    is_known
                }
            };
        }
        is_named
    }

    fn schedule(&self, name: &ScheduleName, step: Option<u32>, preview: &mut Preview) -> bool {
        let Some(schedule) = self.rules.schedules.get(name) else {
            return false;
        };
        let at = self.now.wall + self.wait;
        let passed_over = self.state.passed_over(name, self.rules, at);
        preview.reasons.extend(passed_over);
        match schedule.person_at(at, &self.state.overrides_of(name, self.rules)) {
            Some(user) => self.person(&user, Some(name), step, preview),
            None => {
                preview
                    .reasons
                    .push(format!("schedule {name} has nobody on call at {at}"));
                false
            }
        }
    }

    fn person(
        &self,
        name: &UserName,
        schedule: Option<&ScheduleName>,
        step: Option<u32>,
        preview: &mut Preview,
    ) -> bool {
        let Some(user) = self.rules.users.get(name) else {
            preview
                .reasons
                .push(format!("user/{name}: {}", Reason::TargetGone.meaning()));
            return false;
        };
        let place = step.map_or("the fallback".to_owned(), |step| format!("step {step}"));
        let by = schedule.map(|name| format!(", on call on schedule {name}"));
        preview
            .reasons
            .push(format!("{place} pages {name}{}", by.unwrap_or_default()));
        for notify in user.notify.steps(preview.urgency) {
            for contact in &notify.via {
                let Some(contact) = self.rules.contact(name, contact) else {
                    continue;
                };
                let mut channels = self.rules.channels_for(contact.medium);
                let Some(channel) = channels.find(|channel| channel.reaches_people) else {
                    let text = format!(
                        "{name} by {}: {}",
                        contact.name,
                        Reason::NoChannel.meaning()
                    );
                    preview.reasons.push(text);
                    continue;
                };
                preview.pages.push(PreviewPage {
                    user: Some(name.clone()),
                    contact: Some(contact.name.clone()),
                    channel: channel.name.clone(),
                    address: contact.address.clone(),
                    after: Duration(self.wait.0 + notify.after.0),
                    step,
                });
            }
        }
        true
    }
}
