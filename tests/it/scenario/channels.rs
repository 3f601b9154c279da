//! Channels that answer as scripted.

use std::collections::{BTreeSet, VecDeque};

use reveille::engine::ids::ChannelName;
use reveille::engine::outcome::{Capacity, Outcome, Validity};
use reveille::engine::ruleset::{Capabilities, ChannelInfo, Medium};
use reveille::engine::time::Duration;

/// How a channel answers one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// After a tenth of a second.
    Says(Outcome),
    /// After so long.
    Late(Duration, Outcome),
    /// Nothing until the attempt's deadline; then it is unknown.
    Silence,
    /// Nothing, ever.
    Lost,
    /// Looks up and connects for so long before the first byte; what is withdrawn never leaves.
    LooksUp(Duration, Outcome),
}

/// Accepted at once.
pub const ACCEPTED: Play = Play::Says(Outcome::Accepted);

/// The script of one channel.
#[derive(Debug)]
pub struct Fake {
    pub next: VecDeque<Play>,
    pub default: Play,
    pub probe: Outcome,
    /// How long a probe takes for its answer.
    pub probe_after: Duration,
    pub capacity: Capacity,
    pub certificate: Option<Validity>,
    /// Addresses that it does not take.
    pub refused: BTreeSet<String>,
    /// Addresses for which it answers as if our login were bad, as gateways do with 403.
    pub denied: BTreeSet<String>,
    /// Addresses for which it asks to wait a minute.
    pub throttled: BTreeSet<String>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            next: VecDeque::new(),
            default: ACCEPTED,
            probe: Outcome::Accepted,
            probe_after: Duration(100),
            capacity: Capacity::Enough,
            certificate: None,
            refused: BTreeSet::new(),
            denied: BTreeSet::new(),
            throttled: BTreeSet::new(),
        }
    }
}

impl Fake {
    /// How the next attempt is answered.
    pub fn play(&mut self, address: &str) -> Play {
        if self.refused.contains(address) {
            return Play::Says(Outcome::RefusedTarget);
        }
        if self.denied.contains(address) {
            return Play::Says(Outcome::RefusedCredential);
        }
        if self.throttled.contains(address) {
            let wait = Duration::minutes(1);
            return Play::Says(Outcome::Throttled { wait });
        }
        self.next.pop_front().unwrap_or(self.default)
    }
}

/// The channels of a usual installation, the console last.
pub fn usual() -> Vec<ChannelInfo> {
    let named = |names| Capabilities {
        incidents_named_max: names,
        ..Capabilities::default()
    };
    let threads = Capabilities {
        threads: true,
        ..named(20)
    };
    let chat = Capabilities {
        updates: true,
        buttons: true,
        probes: true,
        probes_login: true,
        ..threads
    };
    vec![
        channel("mail", Medium::Email, threads),
        channel("slack", Medium::Slack, chat),
        channel("twilio", Medium::Sms, named(3)),
        ChannelInfo {
            is_one_endpoint: false,
            ..channel("hooks", Medium::Webhook, named(50))
        },
        ChannelInfo {
            reaches_people: false,
            ..channel(ChannelName::CONSOLE, Medium::Console, named(50))
        },
    ]
}

/// The usual channels with a second SMS gateway.
pub fn with_second_sms() -> Vec<ChannelInfo> {
    let mut channels = usual();
    let second = ChannelInfo {
        name: "gateway".into(),
        ..channels[2].clone()
    };
    channels.insert(3, second);
    channels
}

fn channel(name: &str, medium: Medium, capabilities: Capabilities) -> ChannelInfo {
    ChannelInfo::new(name.into(), medium, capabilities)
}
