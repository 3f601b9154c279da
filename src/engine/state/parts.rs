//! Reading the alerts and the pages of an incident, silences and overrides, and how far the clock
//! is believed.

use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use super::State;
use super::tasks::Tasks;
use crate::engine::alert::Alert;
use crate::engine::calendar::Override;
use crate::engine::entry_body::IgnoredOverride;
use crate::engine::headline;
use crate::engine::ids::{AlertId, IncidentNumber, OverrideId, PageId, ScheduleName, SilenceId};
use crate::engine::incident::Incident;
use crate::engine::page::Page;
use crate::engine::records::{Silence, UnconfirmedJump};
use crate::engine::ruleset::RuleSet;
use crate::engine::time::{Duration, MonotonicTime, Timestamp};
use crate::text::one_line;

/// Lists come in the order of their ids where nothing else is said.
impl State {
    /// What earlier inputs left to later steps.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// The headline of an incident, on one line.
    pub fn headline(&self, incident: &Incident) -> String {
        let first = self.alerts_by_rank(incident.number).next();
        let title = headline::title(incident, first.map(|alert| &**alert));
        headline::counted(&one_line(&title), incident.alerts.firing)
    }

    /// The alerts of an open incident.
    pub fn alerts_of(&self, number: IncidentNumber) -> impl Iterator<Item = &Arc<Alert>> {
        self.alerts_from(number, AlertId(0))
    }

    /// The alerts of an open incident from this id on.
    pub fn alerts_from(
        &self,
        number: IncidentNumber,
        first: AlertId,
    ) -> impl Iterator<Item = &Arc<Alert>> {
        let range = (number, first)..=(number, AlertId(u64::MAX));
        let members = self.index.members.range(range);
        members.filter_map(|(_, id)| self.alerts.get(id))
    }

    /// The alerts of an open incident as messages show them: the most pressing first.
    pub fn alerts_by_rank(&self, number: IncidentNumber) -> impl Iterator<Item = &Arc<Alert>> {
        let ranked = self.index.ranked.range(headline::ranks(number));
        ranked.filter_map(|(_, _, id)| self.alerts.get(id))
    }

    /// Every alert of every incident from this one of this incident on.
    pub fn members_from(
        &self,
        number: IncidentNumber,
        first: AlertId,
    ) -> impl Iterator<Item = (IncidentNumber, AlertId)> {
        self.index.members.range((number, first)..).copied()
    }

    /// Alerts without an incident, from this id on.
    pub fn alerts_without_incident(&self, first: AlertId) -> impl Iterator<Item = AlertId> {
        self.index.alone.range(first..).copied()
    }

    /// The alerts of an incident that began to fire in it after a moment.
    pub fn alerts_entered_after(
        &self,
        number: IncidentNumber,
        at: MonotonicTime,
    ) -> impl Iterator<Item = AlertId> {
        let range = (number, at + Duration(1), AlertId(0))
            ..=(number, MonotonicTime(u64::MAX), AlertId(u64::MAX));
        self.index.entered.range(range).map(|(_, _, id)| *id)
    }

    /// The pages of an incident, bundles included.
    pub fn pages_of(&self, number: IncidentNumber) -> impl DoubleEndedIterator<Item = &Arc<Page>> {
        self.pages_in(number, ..)
    }

    /// The pages of an incident whose ids are in this range; `rev()` gives the newest first.
    pub fn pages_in(
        &self,
        number: IncidentNumber,
        ids: impl RangeBounds<PageId>,
    ) -> impl DoubleEndedIterator<Item = &Arc<Page>> {
        let bound = |bound: Bound<&PageId>, end: PageId| match bound {
            Bound::Unbounded => Bound::Included((number, end)),
            Bound::Included(_) | Bound::Excluded(_) => bound.map(|id| (number, *id)),
        };
        let first = bound(ids.start_bound(), PageId(0));
        let last = bound(ids.end_bound(), PageId(u64::MAX));
        let pages = self.index.pages.range((first, last));
        pages.filter_map(|(_, id)| self.pages.get(id))
    }

    /// A jump of the wall clock ahead that is not confirmed yet.
    pub fn jump(&self) -> Option<UnconfirmedJump> {
        self.jump
    }

    /// The wall time up to which anything may be forgotten: the present, but for a jump that is
    /// not confirmed.
    pub fn past(&self, wall: Timestamp) -> Timestamp {
        self.jump.map_or(wall, |jump| wall.minus(jump.by))
    }

    /// A silence, also one that ended a few days ago.
    pub fn silence(&self, id: SilenceId) -> Option<&Arc<Silence>> {
        self.silences.get(&id)
    }

    /// Silences that have not ended.
    pub fn silences(&self) -> impl Iterator<Item = &Arc<Silence>> {
        self.shown_silences()
            .filter(|silence| silence.ended_at.is_none())
    }

    /// Whether another silence may be set; one that takes the place of another always may.
    pub fn has_room_for_silence(&self, replaces: Option<SilenceId>) -> bool {
        let replaced = replaces.and_then(|id| self.silence(id));
        let is_free = replaced.is_some_and(|silence| silence.ended_at.is_none());
        is_free || self.silences().count() < Silence::MAX
    }

    /// Silences, also those that ended a few days ago.
    pub fn shown_silences(&self) -> impl DoubleEndedIterator<Item = &Arc<Silence>> {
        self.silences.values()
    }

    /// An override that has not ended.
    pub fn override_by_id(&self, id: OverrideId) -> Option<&Arc<Override>> {
        self.overrides.get(&id)
    }

    /// Overrides of all schedules that have not ended.
    pub fn overrides(&self) -> impl Iterator<Item = &Arc<Override>> {
        self.overrides.values()
    }

    /// Overrides of one schedule, as the calendar wants them: without those of people who are gone.
    pub fn overrides_of(&self, schedule: &ScheduleName, rules: &RuleSet) -> Vec<Override> {
        let own = self
            .overrides
            .values()
            .filter(|known| known.schedule == *schedule && rules.can_stand_in(known));
        own.map(|known| (**known).clone()).collect()
    }

    /// Overrides of one schedule that are passed over at a moment.
    pub fn ignored_overrides(
        &self,
        schedule: &ScheduleName,
        rules: &RuleSet,
        at: Timestamp,
    ) -> Vec<IgnoredOverride> {
        let own = self
            .overrides
            .values()
            .filter(|known| known.schedule == *schedule && known.covers(at));
        own.filter(|known| !rules.can_stand_in(known))
            .map(|known| IgnoredOverride {
                id: known.id,
                user: known.user.clone(),
            })
            .collect()
    }
}
