//! Open files: how many the process may have, and how many its parts may use at most.
//!
//! A process without descriptors can neither accept a connection nor make one. So what listeners
//! take is kept below what is left when all channels work at once and the store has its files.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{info, warn};

use super::listener::Limits;
use super::places::{LEAVING_MAX, PlaceLimits};
use crate::config::Settings;

/// Standard streams, the runtime, signals, the store, the listeners, and files that are read for a
/// moment: rules, certificates, the names of hosts.
const OF_THE_PROCESS: usize = 96;
/// Both address families are tried when a connection is made.
const BY_ATTEMPT: usize = 2;
/// The heartbeat, and the answers to buttons in Slack.
const OTHER_CALLS: usize = 32;

/// With fewer connections a listening address serves nobody reliably.
const CONNECTIONS_MIN: usize = 32;

/// The limit is lower than the router can work with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the process may open only {limit} files, and needs {needed}: raise the limit \
     (LimitNOFILE=4096 in the systemd unit, ulimit -n 4096 in a shell), or lower the concurrency \
     of channels"
)]
pub struct TooFew {
    limit: usize,
    needed: usize,
}

/// Raises the limit as far as it goes, and makes the limits of listeners fit below it.
pub fn arrange(settings: &Settings) -> Result<Limits, TooFew> {
    let limit = raise();
    let more = [settings.listen_public, settings.listen_status];
    let listeners = 1 + more.iter().flatten().count();
    let others = OF_THE_PROCESS + of_channels(settings);
    let fitting = fit(limit, others, listeners)?;
    let connections = fitting.connections.places;
    let wanted = Limits::default().connections.places;
    if connections < wanted {
        let needed = others + listeners * of_listener(wanted);
        warn!(
            files.limit = limit,
            files.needed = needed,
            connections.limit = connections,
            connections.wanted = wanted,
            "few files may be open: each listening address serves fewer connections; raise \
             LimitNOFILE"
        );
    } else {
        info!(files.limit = limit, "files that may be open");
    }
    Ok(fitting)
}

/// The soft limit becomes the hard one. What holds in the end.
fn raise() -> usize {
    let found = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: found.maximum,
        maximum: found.maximum,
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        // What there is may be enough.
        Err(_) => found.current,
    };
    let current = current.and_then(|limit| usize::try_from(limit).ok());
    current.unwrap_or(usize::MAX)
}

/// What all channels use when all their places are taken.
fn of_channels(settings: &Settings) -> usize {
    let of_each = settings.channels.iter().map(|channel| {
        let idle = channel.provider.idle_connections();
        idle.map_or(0, |idle| BY_ATTEMPT * channel.concurrency + idle)
    });
    of_each.sum::<usize>() + OTHER_CALLS
}

/// What a listening address uses with so many connections, those that still end included.
fn of_listener(connections: usize) -> usize {
    connections + Limits::default().reserved.places + LEAVING_MAX
}

fn fit(limit: usize, others: usize, listeners: usize) -> Result<Limits, TooFew> {
    let whole = Limits::default();
    let beside = others + listeners * of_listener(0);
    let each = limit.saturating_sub(beside) / listeners;
    let places = each.min(whole.connections.places);
    if places < CONNECTIONS_MIN {
        let needed = others + listeners * of_listener(CONNECTIONS_MIN);
        return Err(TooFew { limit, needed });
    }
    let share = whole.connections.share * places / whole.connections.places;
    Ok(Limits {
        connections: PlaceLimits { places, share },
        ..whole
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::configured::Configured;
    use crate::channels::webhook;

    #[test]
    fn what_all_parts_may_use_together_stays_below_the_limit() {
        for listeners in [1, 2, 3] {
            for others in [100, 300, 900] {
                for limit in [usize::MAX, 100_000, 2_048, 1_024, 512, 256, 64, 0] {
                    match fit(limit, others, listeners) {
                        Ok(fitting) => {
                            let places = fitting.connections.places;
                            assert!(others + listeners * of_listener(places) <= limit);
                            assert!((CONNECTIONS_MIN..=352).contains(&places));
                            assert!(fitting.connections.share * 4 <= places);
                            assert!(fitting.connections.share >= 8);
                        }
                        Err(fault) => assert!(fault.needed > limit, "{fault}"),
                    }
                }
            }
        }
    }

    #[test]
    fn a_high_limit_lowers_nothing_and_one_of_1024_little() {
        assert_eq!(fit(65_536, 300, 2), Ok(Limits::default()));
        assert_eq!(fit(1_024, 300, 1), Ok(Limits::default()));
        let two = fit(1_024, 300, 2).map(|fitting| fitting.connections.places);
        assert_eq!(two, Ok(298));
    }

    #[test]
    fn the_refusal_says_both_numbers_and_the_cure() {
        let words = fit(200, 200, 1).expect_err("too few").to_string();
        assert!(words.contains("only 200 files, and needs 296"), "{words}");
        assert!(words.contains("LimitNOFILE"), "{words}");
    }

    #[test]
    fn each_place_of_a_channel_counts_and_the_console_needs_none() {
        let mut settings = Settings::default();
        let alone = of_channels(&settings);
        assert_eq!(alone, OTHER_CALLS);
        let mut webhook = Configured::console();
        webhook.concurrency = 100;
        webhook.provider = std::sync::Arc::new(webhook::Settings {
            name: "hooks".into(),
            secret: "whsec_word".into(),
        });
        settings.channels.push(webhook);
        assert_eq!(of_channels(&settings), alone + 200);
    }
}
