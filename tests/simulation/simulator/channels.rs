//! The channels of a run.

use reveille::engine::ids::ChannelName;
use reveille::engine::ruleset::{Capabilities, ChannelInfo, Medium};

use super::random::Random;

/// Mail, Slack, one or two SMS gateways, webhooks, and the console last.
pub fn channels(random: &mut Random) -> Vec<ChannelInfo> {
    let mut channels = vec![
        channel("mail", Medium::Email, 20),
        channel("slack", Medium::Slack, 20),
        channel("twilio", Medium::Sms, 3),
    ];
    channels[0].capabilities.threads = true;
    channels[1].capabilities.threads = true;
    channels[1].capabilities.updates = true;
    channels[1].capabilities.probes = true;
    channels[1].capabilities.probes_login = true;
    channels[2].capabilities.receipts = true;
    if random.chance(400) {
        let mut second = channel("gateway", Medium::Sms, 3);
        second.capabilities.probes = random.chance(500);
        channels.push(second);
    }
    channels.push(ChannelInfo {
        is_one_endpoint: false,
        ..channel("hooks", Medium::Webhook, 50)
    });
    channels.push(ChannelInfo {
        reaches_people: false,
        ..channel(ChannelName::CONSOLE, Medium::Console, 50)
    });
    for channel in &mut channels {
        // The usual numbers: with a few slots only, a storm waits for minutes, as it must.
        let is_shared = channel.is_one_endpoint;
        channel.concurrency = if is_shared {
            *random.pick(&[8, 32])
        } else {
            32
        };
    }
    channels
}

fn channel(name: &str, medium: Medium, names: usize) -> ChannelInfo {
    ChannelInfo::new(
        name.into(),
        medium,
        Capabilities {
            incidents_named_max: names,
            ..Capabilities::default()
        },
    )
}
