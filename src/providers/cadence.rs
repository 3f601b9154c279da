//! How often a page is asked: as the rules say, or more often while something is open than when it
//! has been quiet for long. Never in step with others, never sooner than the page itself allows.

use crate::engine::time::Duration;

/// Where the rules leave it open: the wait between looks once it has been quiet for so long.
const QUIET: [(Duration, Duration); 3] = [
    (Duration::hours(24), Duration::minutes(5)),
    (Duration::hours(6), Duration::minutes(3)),
    (Duration::hours(1), Duration::minutes(2)),
];

/// A page that asks to be left alone is left alone for so long at least and at most.
const LEAVE_MIN: Duration = Duration::minutes(1);
const LEAVE_MAX: Duration = Duration::hours(1);

/// After so many failures in a row it is asked less often.
const FAILURES_MANY: u32 = 10;
const FAILING: Duration = Duration::minutes(5);

/// Bytes a day beyond which a page is asked less often.
pub const BYTES_A_DAY: u64 = 1 << 30;
const OVER_BUDGET: Duration = Duration::minutes(15);

/// What the next look depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Situation {
    /// As the rules say.
    pub every: Option<Duration>,
    /// As the kind of page wants it.
    pub kind_every: Option<Duration>,
    /// For how long nothing has been open.
    pub quiet_for: Duration,
    /// Something is open, or the last look is to be confirmed.
    pub is_busy: bool,
    /// Looks in a row that failed.
    pub failures: u32,
    /// What `Retry-After` or a 429 asks for.
    pub leave_for: Option<Duration>,
    pub bytes_today: u64,
}

const USUAL: Duration = Duration::minutes(1);

/// The wait until the next look; `chance` is spread over 0 to `u64::MAX`.
pub fn wait(situation: Situation, chance: u64) -> Duration {
    let usual = situation.kind_every.unwrap_or(USUAL);
    let mut wait = match situation.every {
        Some(every) => every,
        None if situation.is_busy => usual,
        None => {
            let quiet = QUIET
                .iter()
                .find(|(after, _)| situation.quiet_for >= *after);
            quiet.map_or(usual, |(_, wait)| usual.max(*wait))
        }
    };
    if situation.failures >= FAILURES_MANY {
        wait = wait.max(FAILING);
    }
    if situation.bytes_today > BYTES_A_DAY {
        wait = wait.max(OVER_BUDGET);
    }
    if let Some(leave) = situation.leave_for {
        wait = wait.max(leave.clamp(LEAVE_MIN, LEAVE_MAX));
        // Not sooner than it asked.
        return Duration(wait.0 + spread(wait, chance) / 2);
    }
    Duration(wait.0 - wait.0 / 20 + spread(wait, chance) / 2)
}

/// Up to a fifth of the wait.
fn spread(wait: Duration, chance: u64) -> u64 {
    let fifth = u128::from(wait.0 / 5);
    let part = fifth * u128::from(chance) / u128::from(u64::MAX);
    u64::try_from(part).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(situation: Situation) -> (Duration, Duration) {
        (wait(situation, 0), wait(situation, u64::MAX))
    }

    #[test]
    fn a_page_is_asked_as_the_rules_say_or_as_it_is_busy() {
        let quiet = |quiet_for| Situation {
            quiet_for,
            ..Situation::default()
        };
        let cases = [
            ("at first", quiet(Duration::ZERO), 57_000, 63_000),
            ("an hour", quiet(Duration::hours(1)), 114_000, 126_000),
            ("long quiet", quiet(Duration::days(9)), 285_000, 315_000),
            (
                "something is open",
                Situation {
                    is_busy: true,
                    ..quiet(Duration::days(9))
                },
                57_000,
                63_000,
            ),
            (
                "the rules",
                Situation {
                    every: Some(Duration::minutes(10)),
                    is_busy: true,
                    ..Situation::default()
                },
                570_000,
                630_000,
            ),
            (
                "a small server",
                Situation {
                    kind_every: Some(Duration::minutes(2)),
                    ..Situation::default()
                },
                114_000,
                126_000,
            ),
            (
                "it fails all the time",
                Situation {
                    failures: 10,
                    ..Situation::default()
                },
                285_000,
                315_000,
            ),
            (
                "it sent too much today",
                Situation {
                    bytes_today: BYTES_A_DAY + 1,
                    ..Situation::default()
                },
                855_000,
                945_000,
            ),
        ];
        for (what, situation, first, last) in cases {
            let expected = (Duration(first), Duration(last));
            assert_eq!(between(situation), expected, "{what}");
        }
    }

    #[test]
    fn a_page_that_asks_to_be_left_alone_is_never_asked_sooner() {
        for (asked, least) in [
            (Duration::seconds(5), Duration::minutes(1)),
            (Duration::minutes(20), Duration::minutes(20)),
            (Duration::days(2), Duration::hours(1)),
        ] {
            let situation = Situation {
                leave_for: Some(asked),
                ..Situation::default()
            };
            let (first, last) = between(situation);
            assert_eq!(first, least);
            assert!(last > first && last.0 <= first.0 + first.0 / 10);
        }
    }
}
