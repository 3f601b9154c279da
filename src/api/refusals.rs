//! Requests in the name of a provider that are refused for their signature or key: replies, buttons
//! and delivery reports. Each is counted and logged with the cause. Where they keep coming from
//! somebody who seems to be the provider, people answer their pages and are not heard: one
//! self-incident says so.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::ids::ChannelName;
use crate::engine::incident::Trouble;
use crate::engine::input::Input;
use crate::engine::time::{Millis, Wall};
use crate::engine::trouble::Cause;

use super::borders::ApiState;

/// So many within [`WINDOW`] are no accident.
const KEEPS_COMING: usize = 3;

const WINDOW: Millis = Millis::hours(1);

/// Whose request it seems to be, beside its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seems {
    /// It knows what only the provider and we know, such as the account, or is signed at all.
    Theirs,
    /// Anybody on the internet may have sent it.
    Anybodys,
}

/// Counts a refused request.
type Count = Arc<dyn Fn(&ChannelName) + Send + Sync>;

/// What was refused of late.
pub struct Refusals {
    count: Count,
    late: Mutex<BTreeMap<ChannelName, VecDeque<Wall>>>,
}

impl Default for Refusals {
    fn default() -> Self {
        Self::new(Arc::new(|_| {}))
    }
}

impl Refusals {
    /// Refusals that are counted so.
    pub fn new(count: Count) -> Self {
        Self {
            count,
            late: Mutex::default(),
        }
    }

    /// Whether with this one they keep coming.
    fn keep_coming(&self, channel: &ChannelName, now: Wall) -> bool {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let times = late.entry(channel.clone()).or_default();
        times.push_back(now);
        times.retain(|at| now.since(*at) <= WINDOW);
        while times.len() > KEEPS_COMING {
            times.pop_front();
        }
        times.len() == KEEPS_COMING
    }
}

/// Takes note of a refused request: `what` it was, and why it was refused.
pub async fn note(state: &ApiState, channel: &ChannelName, what: &str, cause: &str, seems: Seems) {
    (state.refusals.count)(channel);
    tracing::warn!(channel.name = %channel, cause, "{what} is refused");
    let is_kept_up = seems == Seems::Theirs && state.refusals.keep_coming(channel, state.now());
    if !is_kept_up {
        return;
    }
    let text = format!("{what} of channel {channel} is refused again and again: {cause}");
    let input = Input::Raise {
        trouble: Trouble {
            cause: Cause::RepliesRefused,
            subject: channel.as_str().into(),
        },
        text: text.into(),
    };
    if let Err(error) = state.handle.control(input).await {
        tracing::warn!(%error, channel.name = %channel, "refused requests could not be reported");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_refusals_within_an_hour_keep_coming() {
        let refusals = Refusals::default();
        let minute = |minute: i64| Wall(minute * 60_000);
        let (sms, chat) = (ChannelName::from("sms"), ChannelName::from("chat"));
        assert!(!refusals.keep_coming(&sms, minute(0)));
        assert!(!refusals.keep_coming(&sms, minute(1)));
        assert!(!refusals.keep_coming(&chat, minute(1)));
        assert!(refusals.keep_coming(&sms, minute(2)));
        assert!(refusals.keep_coming(&sms, minute(3)));
        assert!(
            !refusals.keep_coming(&sms, minute(70)),
            "the others are long ago"
        );
    }
}
