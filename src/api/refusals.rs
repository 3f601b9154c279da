//! Requests in the name of a provider that are refused for their signature or key: replies, buttons
//! and delivery reports. Each is counted and logged with the cause. Where they keep coming from
//! somebody who seems to be the provider, people answer their pages and are not heard: one
//! self-incident says so.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::channels::inbound::{Origin, Refusal};
use crate::engine::cause::Cause;
use crate::engine::ids::ChannelName;
use crate::engine::incident::SelfIncident;
use crate::engine::input::Input;
use crate::engine::time::{Duration, Timestamp};
use crate::runtime::handle::Handle;
use crate::telemetry::Metrics;

/// So many within [`WINDOW`] are no accident.
const REPORTED_AFTER: usize = 3;

const WINDOW: Duration = Duration::hours(1);

/// What was refused recently.
pub struct Refusals {
    metrics: Arc<Metrics>,
    recent: Mutex<BTreeMap<ChannelName, VecDeque<Timestamp>>>,
}

impl Refusals {
    /// Refusals that are counted there.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self {
            metrics,
            recent: Mutex::default(),
        }
    }

    /// Takes note of a refused request.
    pub async fn note(
        &self,
        channel: &ChannelName,
        refusal: &Refusal,
        (handle, now): (&Handle, Timestamp),
    ) {
        let Refusal { what, cause, .. } = refusal;
        self.metrics.request_refused(channel.as_str());
        tracing::warn!(channel.name = %channel, error = cause, "{what} is refused");
        if refusal.origin != Origin::LikelyProvider || !self.is_repeated(channel, now) {
            return;
        }
        let text = format!("{what} of channel {channel} is refused repeatedly: {cause}");
        let input = Input::Raise {
            trouble: SelfIncident::new(Cause::RepliesRefused, channel.as_str()),
            text: text.into(),
        };
        if let Err(error) = handle.command(input).await {
            tracing::warn!(
                %error, channel.name = %channel, "refused requests could not be reported"
            );
        }
    }

    /// Whether this one is the third within an hour.
    fn is_repeated(&self, channel: &ChannelName, now: Timestamp) -> bool {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let times = recent.entry(channel.clone()).or_default();
        times.push_back(now);
        times.retain(|at| now.since(*at) <= WINDOW);
        while times.len() > REPORTED_AFTER {
            times.pop_front();
        }
        times.len() == REPORTED_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_refusals_within_an_hour_are_reported() {
        let refusals = Refusals::new(Arc::new(Metrics::new()));
        let minute = |minute: i64| Timestamp(minute * 60_000);
        let (sms, chat) = (ChannelName::from("sms"), ChannelName::from("chat"));
        assert!(!refusals.is_repeated(&sms, minute(0)));
        assert!(!refusals.is_repeated(&sms, minute(1)));
        assert!(!refusals.is_repeated(&chat, minute(1)));
        assert!(refusals.is_repeated(&sms, minute(2)));
        assert!(refusals.is_repeated(&sms, minute(3)));
        assert!(
            !refusals.is_repeated(&sms, minute(70)),
            "the others are long ago"
        );
    }
}
