//! What waits for the slots of each channel, and what has them: derived from the pages.

use std::collections::{BTreeMap, BTreeSet};

use super::super::event::Text;
use super::super::ids::{AttemptId, ChannelName, IntegrationName, PageId};
use super::super::page::Page;
use super::super::time::MonotonicTime;
use super::super::urgency::Urgency;

/// Pages that wait, by endpoint and integration; who came first stands first.
pub type Waiting = BTreeMap<Text, BTreeMap<IntegrationName, BTreeSet<(MonotonicTime, PageId)>>>;

/// One channel's pages that wait, and its attempts under way.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    high: Waiting,
    low: Waiting,
    waiting: usize,
    /// When each began, and to which endpoint.
    under_way: BTreeMap<AttemptId, (MonotonicTime, Text)>,
    by_endpoint: BTreeMap<Text, usize>,
}

impl Lane {
    /// What waits at this urgency.
    pub fn waiting_at(&self, urgency: Urgency) -> &Waiting {
        match urgency {
            Urgency::High => &self.high,
            Urgency::Low => &self.low,
        }
    }

    /// How many pages wait.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// When the attempts under way began.
    pub fn begun(&self) -> impl Iterator<Item = MonotonicTime> {
        self.under_way.values().map(|(began, _)| *began)
    }

    /// How many attempts are under way to an endpoint.
    pub fn under_way_to(&self, endpoint: &str) -> usize {
        self.by_endpoint.get(endpoint).copied().unwrap_or_default()
    }

    fn waiting_mut(&mut self, urgency: Urgency) -> &mut Waiting {
        match urgency {
            Urgency::High => &mut self.high,
            Urgency::Low => &mut self.low,
        }
    }

    fn queue(&mut self, page: &Page, endpoint: &Text, since: MonotonicTime) {
        let waiting = self.waiting_mut(page.urgency);
        let integrations = waiting.entry(endpoint.clone()).or_default();
        let pages = integrations.entry(page.integration.clone()).or_default();
        self.waiting += usize::from(pages.insert((since, page.id)));
    }

    fn unqueue(&mut self, page: &Page, endpoint: &Text, since: MonotonicTime) {
        let waiting = self.waiting_mut(page.urgency);
        let Some(integrations) = waiting.get_mut(endpoint) else {
            return;
        };
        let mut is_removed = false;
        if let Some(pages) = integrations.get_mut(&page.integration) {
            is_removed = pages.remove(&(since, page.id));
            if pages.is_empty() {
                integrations.remove(&page.integration);
            }
        }
        if integrations.is_empty() {
            waiting.remove(endpoint);
        }
        self.waiting -= usize::from(is_removed);
    }

    fn begin(&mut self, attempt: AttemptId, began: MonotonicTime, endpoint: &Text) {
        self.under_way.insert(attempt, (began, endpoint.clone()));
        *self.by_endpoint.entry(endpoint.clone()).or_default() += 1;
    }

    fn end(&mut self, attempt: AttemptId, endpoint: &Text) {
        self.under_way.remove(&attempt);
        if let Some(count) = self.by_endpoint.get_mut(endpoint) {
            *count -= 1;
            if *count == 0 {
                self.by_endpoint.remove(endpoint);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting == 0 && self.under_way.is_empty()
    }
}

/// The lanes of all channels that have anything to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Lanes(BTreeMap<ChannelName, Lane>);

impl Lanes {
    pub fn get(&self, channel: &ChannelName) -> Option<&Lane> {
        self.0.get(channel)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&ChannelName, &Lane)> {
        self.0.iter()
    }

    pub fn put(&mut self, page: &Page) {
        if page.queued.is_empty() && page.in_flight().is_none() {
            return;
        }
        let endpoint = page.endpoint();
        for queued in &page.queued {
            let lane = self.0.entry(queued.channel.clone()).or_default();
            lane.queue(page, &endpoint, queued.since);
        }
        for attempt in page.under_way() {
            let lane = self.0.entry(attempt.channel.clone()).or_default();
            lane.begin(attempt.id, attempt.started, &endpoint);
        }
    }

    pub fn remove(&mut self, page: &Page) {
        if page.queued.is_empty() && page.in_flight().is_none() {
            return;
        }
        let endpoint = page.endpoint();
        for queued in &page.queued {
            self.edit(&queued.channel, |lane| {
                lane.unqueue(page, &endpoint, queued.since);
            });
        }
        for attempt in page.under_way() {
            self.edit(&attempt.channel, |lane| lane.end(attempt.id, &endpoint));
        }
    }

    fn edit(&mut self, channel: &ChannelName, edit: impl FnOnce(&mut Lane)) {
        if let Some(lane) = self.0.get_mut(channel) {
            edit(lane);
            if lane.is_empty() {
                self.0.remove(channel);
            }
        }
    }
}
