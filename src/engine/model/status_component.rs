//! A component of a status page of ours: how it is, why, since when, and how it was each day.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::actor::Actor;
use crate::engine::dependency::Dependency;
use crate::engine::event::Text;
use crate::engine::ids::{AlertId, IntegrationName, StatusPageName};
use crate::engine::status_report::ComponentState;
use crate::engine::time::{Duration, MonotonicTime, Timestamp};
use crate::engine::urgency::{SeverityClass, Urgency};

/// Which component of which page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ComponentKey {
    pub page: StatusPageName,
    /// Of [`ComponentRules`](crate::engine::status_page_rules::ComponentRules).
    pub id: Text,
}

impl fmt::Display for ComponentKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.page, self.id)
    }
}

/// A component as it is published, and what is known of its past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusComponent {
    pub key: ComponentKey,
    /// As the rules call it: `group / name`.
    pub name: Text,
    pub state: ComponentState,
    pub since: Timestamp,
    /// Why it is so, as it was when it became so.
    pub causes: Vec<StateCause>,
    /// What it was before it became unknown.
    pub last_known: ComponentState,
    /// When it was first on the page.
    pub created_at: Timestamp,
    /// What it will be unless that passes before.
    pub pending: Option<PendingState>,
    /// Somebody says how it is; the rules decide again later.
    pub by_hand: Option<StateByHand>,
    /// The latest last, at most [`Self::CHANGES_MAX`].
    pub changes: Vec<StateChange>,
    /// Days on which it was not operational throughout, the latest last.
    pub days: Vec<DayTotals>,
    /// Up to when `days` has everything.
    pub accounted_until: Timestamp,
}

/// Why a component is as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StateCause {
    /// An alert of one of its services fires.
    Alert {
        alert: AlertId,
        integration: IntegrationName,
        service: Text,
        title: Text,
    },
    /// The page of a provider says so of a component, or of an incident.
    Provider { on: Dependency, title: Text },
    /// The page of a provider tells nothing, and why.
    Unreadable { on: Dependency, why: Text },
    /// Maintenance of ours is in progress.
    Maintenance { post: u64, title: Text },
    /// Somebody said so.
    ByHand { by: Actor },
    /// The rules have no such component.
    NotInRules,
}

/// A state that is published later, unless it passes before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingState {
    pub state: ComponentState,
    pub causes: Vec<StateCause>,
    pub since: Timestamp,
    /// When it is published; `None` if it waits until somebody publishes a draft.
    pub due: Option<MonotonicTime>,
}

/// A state that somebody set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateByHand {
    pub by: Actor,
    pub at: Timestamp,
    pub until: Timestamp,
}

/// That a component became something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    pub at: Timestamp,
    pub before: ComponentState,
    pub after: ComponentState,
    pub causes: Vec<StateCause>,
}

/// How long a component was not operational on one day (UTC).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayTotals {
    /// Days since 1970.
    pub day: i64,
    pub degraded: Duration,
    pub partial_outage: Duration,
    pub major_outage: Duration,
    pub maintenance: Duration,
    pub unknown: Duration,
}

const DAY_MS: i64 = 86_400_000;

impl DayTotals {
    /// The first moment of the day.
    pub fn begins(day: i64) -> Timestamp {
        Timestamp(day.saturating_mul(DAY_MS))
    }

    /// The day of a moment.
    pub fn day_of(at: Timestamp) -> i64 {
        at.0.div_euclid(DAY_MS)
    }

    fn of(&mut self, state: ComponentState) -> Option<&mut Duration> {
        match state {
            ComponentState::Operational => None,
            ComponentState::Degraded => Some(&mut self.degraded),
            ComponentState::PartialOutage => Some(&mut self.partial_outage),
            ComponentState::MajorOutage => Some(&mut self.major_outage),
            ComponentState::Maintenance => Some(&mut self.maintenance),
            ComponentState::Unknown => Some(&mut self.unknown),
        }
    }
}

impl StatusComponent {
    /// Changes that are kept.
    pub const CHANGES_MAX: usize = 20;
    /// Causes that are named of one state.
    pub const CAUSES_MAX: usize = 10;
    /// Days that are kept, today among them.
    pub const DAYS: i64 = 90;

    /// One that is new on its page.
    pub fn new(key: ComponentKey, name: Text, state: ComponentState, now: Timestamp) -> Self {
        Self {
            key,
            name,
            state,
            since: now,
            causes: Vec::new(),
            last_known: state,
            created_at: now,
            pending: None,
            by_hand: None,
            changes: Vec::new(),
            days: Vec::new(),
            accounted_until: now,
        }
    }

    /// It becomes something else, at this moment.
    pub fn enter(&mut self, state: ComponentState, causes: Vec<StateCause>, now: Timestamp) {
        self.account(now);
        self.changes.push(StateChange {
            at: now,
            before: self.state,
            after: state,
            causes: causes.clone(),
        });
        let surplus = self.changes.len().saturating_sub(Self::CHANGES_MAX);
        self.changes.drain(..surplus);
        if state == ComponentState::Unknown {
            if self.state != ComponentState::Unknown {
                self.last_known = self.state;
            }
        } else {
            self.last_known = state;
        }
        self.state = state;
        self.since = now;
        self.causes = causes;
        self.pending = None;
    }

    /// Adds the time since the last call to the days in which it was.
    pub fn account(&mut self, now: Timestamp) {
        let mut from = self.accounted_until;
        if now <= from {
            // The clock went back: that time is counted already.
            return;
        }
        self.accounted_until = now;
        let oldest = DayTotals::day_of(now) - Self::DAYS + 1;
        from = from.max(DayTotals::begins(oldest));
        self.days.retain(|known| known.day >= oldest);
        let state = self.state;
        if state == ComponentState::Operational {
            return;
        }
        while from < now {
            let day = DayTotals::day_of(from);
            let until = DayTotals::begins(day + 1).min(now);
            let length = until.since(from);
            if let Some(total) = self.totals_of(day).of(state) {
                *total = Duration(total.0.saturating_add(length.0));
            }
            from = until;
        }
    }

    fn totals_of(&mut self, day: i64) -> &mut DayTotals {
        let place = self.days.binary_search_by_key(&day, |known| known.day);
        let place = place.unwrap_or_else(|place| {
            let totals = DayTotals {
                day,
                ..DayTotals::default()
            };
            self.days.insert(place, totals);
            place
        });
        &mut self.days[place]
    }

    /// When it is looked at next without anything else happening: a pending state.
    pub fn next_due(&self) -> Option<MonotonicTime> {
        self.pending.as_ref()?.due
    }

    /// When the rules decide again.
    pub fn by_hand_until(&self) -> Option<Timestamp> {
        self.by_hand.as_ref().map(|by_hand| by_hand.until)
    }
}

/// A firing alert of services that status pages of ours show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceAlert {
    pub alert: AlertId,
    /// By its own word and those of the routes on which it lands; never empty.
    pub services: Vec<Text>,
    pub class: SeverityClass,
    /// The most urgent that its routes make of it.
    pub urgency: Urgency,
}

impl ServiceAlert {
    /// What it means for a component, if it is urgent enough.
    pub fn state(&self, minimum: Urgency) -> Option<ComponentState> {
        if self.urgency < minimum {
            return None;
        }
        match self.class {
            SeverityClass::Critical => Some(ComponentState::MajorOutage),
            SeverityClass::Error | SeverityClass::Unknown => Some(ComponentState::PartialOutage),
            SeverityClass::Warning => Some(ComponentState::Degraded),
            SeverityClass::Info | SeverityClass::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn component() -> StatusComponent {
        let key = ComponentKey {
            page: "public".into(),
            id: "aaaaaaaaaaaa".into(),
        };
        StatusComponent::new(
            key,
            "API".into(),
            ComponentState::Operational,
            Timestamp(20 * HOUR),
        )
    }

    #[test]
    fn an_outage_over_midnight_is_divided_between_its_days() {
        let mut component = component();
        component.enter(
            ComponentState::MajorOutage,
            Vec::new(),
            Timestamp(22 * HOUR),
        );
        component.enter(
            ComponentState::Operational,
            Vec::new(),
            Timestamp(49 * HOUR),
        );
        component.account(Timestamp(60 * HOUR));
        let lengths = component.days.iter().map(|day| (day.day, day.major_outage));
        assert_eq!(
            lengths.collect::<Vec<_>>(),
            [
                (0, Duration::hours(2)),
                (1, Duration::hours(24)),
                (2, Duration::hours(1))
            ]
        );
    }

    #[test]
    fn days_older_than_ninety_are_forgotten_and_a_clock_set_back_counts_nothing_twice() {
        let mut component = component();
        component.enter(ComponentState::Unknown, Vec::new(), Timestamp(22 * HOUR));
        component.account(Timestamp(23 * HOUR));
        component.account(Timestamp(21 * HOUR));
        component.account(Timestamp(23 * HOUR));
        assert_eq!(component.days[0].unknown, Duration::hours(1));
        component.account(Timestamp(24 * 200 * HOUR));
        assert_eq!(component.days.len(), 89);
        assert!(component.days.iter().all(|day| day.day >= 200 - 89));
    }

    #[test]
    fn what_was_last_known_stays_while_it_is_unknown() {
        let mut component = component();
        let at = |hours: i64| Timestamp((20 + hours) * HOUR);
        component.enter(ComponentState::Degraded, Vec::new(), at(1));
        component.enter(ComponentState::Unknown, Vec::new(), at(2));
        component.enter(ComponentState::Unknown, Vec::new(), at(3));
        assert_eq!(component.last_known, ComponentState::Degraded);
        component.enter(ComponentState::Operational, Vec::new(), at(4));
        assert_eq!(component.last_known, ComponentState::Operational);
    }
}
