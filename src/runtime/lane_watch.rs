//! Looks every ten seconds whether attempts begin and end: an attempt that outlives its deadline,
//! or a page that has a free slot and does not start, is trouble of its channel.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::error;

use crate::engine::cause::Cause;
use crate::engine::ids::ChannelName;
use crate::engine::incident::SelfIncident;
use crate::engine::input::{Input, Pick};
use crate::engine::slots::picks;
use crate::runtime::handle::{Handle, Unavailable};

/// Names the channels with attempts that have outlived their deadline.
pub type StalledAttempts = Arc<dyn Fn() -> Vec<ChannelName> + Send + Sync>;

/// The channels that stall now, for whoever wants to know.
#[derive(Clone, Debug, Default)]
pub struct Stalled(Arc<Mutex<BTreeSet<ChannelName>>>);

impl Stalled {
    /// Whether no channel stalls.
    pub fn is_clean(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    fn replace(&self, channels: BTreeSet<ChannelName>) -> BTreeSet<ChannelName> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *known, channels)
    }
}

/// The looks, one after the other.
pub struct LaneWatch {
    pub handle: Handle,
    pub stalled_attempts: StalledAttempts,
    pub stalled: Stalled,
    /// What could have started at the look before.
    ready: BTreeSet<Pick>,
}

impl LaneWatch {
    /// Nothing was looked at yet.
    pub fn new(handle: Handle, stalled_attempts: StalledAttempts, stalled: Stalled) -> Self {
        Self {
            handle,
            stalled_attempts,
            stalled,
            ready: BTreeSet::new(),
        }
    }

    /// One look. A page that could have started at this one and at the one before has not.
    pub async fn round(&mut self) -> Result<(), Unavailable> {
        let look = self
            .handle
            .read(|view| picks(view.state, view.rules, view.now.steady, &BTreeSet::new()));
        let ready: BTreeSet<Pick> = look.await?.now.into_iter().collect();
        let waiting = ready.intersection(&self.ready);
        let mut channels: BTreeSet<ChannelName> =
            waiting.map(|pick| pick.channel.clone()).collect();
        channels.extend((self.stalled_attempts)());
        self.ready = ready;
        let before = self.stalled.replace(channels.clone());
        for channel in channels.difference(&before) {
            error!(channel.name = %channel, "a channel's queue is stalled");
            self.handle.command(raise(channel)).await?;
        }
        for channel in before.difference(&channels) {
            let trouble = trouble(channel);
            self.handle.command(Input::Clear { trouble }).await?;
        }
        Ok(())
    }
}

fn trouble(channel: &ChannelName) -> SelfIncident {
    SelfIncident::new(Cause::LaneStalled, channel.as_str())
}

fn raise(channel: &ChannelName) -> Input {
    let text = format!(
        "attempts on channel {channel} do not start or do not end; restart the router, which \
         repeats them"
    );
    Input::Raise {
        trouble: trouble(channel),
        text: text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{MemoryStore, Partition};

    /// Answers what is asked of the driver, and tells which troubles were raised and cleared.
    fn serve(handle: &Handle) -> Vec<String> {
        use crate::engine::State;
        use crate::engine::decision::Answer;
        use crate::engine::ruleset::RuleSet;
        use crate::runtime::handle::View;
        use crate::runtime::turn::{Done, Job};
        let taken = handle.take(std::time::Duration::ZERO);
        let view = View {
            state: &State::default(),
            rules: &std::sync::Arc::new(RuleSet::default()),
            now: Default::default(),
        };
        for read in taken.reads {
            read(view);
        }
        let mut told = Vec::new();
        for command in taken.commands {
            if let Job::Input(input) = command.job {
                told.push(match input {
                    Input::Raise { trouble, .. } => format!("raised {}", trouble.subject),
                    Input::Clear { trouble } => format!("cleared {}", trouble.subject),
                    other => panic!("{other:?}"),
                });
                let waiter = command.waiter.expect("somebody waits");
                assert!(waiter.send(Ok(Done::Answer(Answer::Done))).is_ok());
            }
        }
        told
    }

    async fn round(watch: &mut LaneWatch) -> Vec<String> {
        let handle = watch.handle.clone();
        let mut told = Vec::new();
        let round = watch.round();
        tokio::pin!(round);
        loop {
            tokio::select! {
                biased;
                result = &mut round => {
                    assert!(result.is_ok());
                    return told;
                }
                () = tokio::task::yield_now() => told.extend(serve(&handle)),
            }
        }
    }

    #[tokio::test]
    async fn an_attempt_that_does_not_end_raises_a_self_incident_until_it_does() {
        let store = Arc::new(MemoryStore::new());
        let handle = Handle::new(store, Partition::default(), Arc::default());
        let late = Arc::new(Mutex::new(vec![ChannelName::from("sms")]));
        let looked = late.clone();
        let stalled = Stalled::default();
        let stalled_attempts: StalledAttempts = Arc::new(move || looked.lock().unwrap().clone());
        let mut watch = LaneWatch::new(handle, stalled_attempts, stalled.clone());
        assert_eq!(round(&mut watch).await, ["raised sms"]);
        assert!(!stalled.is_clean(), "the heartbeat is withheld");
        assert_eq!(round(&mut watch).await, Vec::<String>::new(), "once");
        late.lock().unwrap().clear();
        assert_eq!(round(&mut watch).await, ["cleared sms"]);
        assert!(stalled.is_clean());
    }
}
