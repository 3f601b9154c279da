//! What is remembered of a check between tries: when it is believed, and when the next try is.

use super::probe::{CheckFault, TriedCheck};
use crate::engine::event::Text;
use crate::engine::own_check::OwnCheck;
use crate::engine::time::{Duration, Timestamp};

/// A failure counts when a second try, so much later, fails as well.
const CONFIRM: Duration = Duration::seconds(5);

/// It is good again after so many good tries in a row.
const GOOD_TRIES: u32 = 2;

/// While it fails it is tried so often at least.
const FAILING_EVERY: Duration = Duration::minutes(1);

/// How a check stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CheckState {
    /// It was not tried yet, or failed once.
    #[default]
    Unknown,
    Good,
    Failing,
}

impl CheckState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "good",
            Self::Failing => "failing",
        }
    }
}

/// A check that is tried again and again.
pub struct CheckWatch {
    pub check: OwnCheck,
    /// The engine has an alert of it.
    pub has_alert: bool,
    /// What its alert says of the provider.
    pub said_unreported: Option<bool>,
    /// The last try failed, and none before it.
    is_suspected: bool,
    good_tries: u32,
    pub last: LastTry,
}

/// The last try, as it is shown.
#[derive(Clone, Debug, Default)]
pub struct LastTry {
    pub state: CheckState,
    /// Since when it stands so.
    pub since: Option<Timestamp>,
    pub at: Option<Timestamp>,
    pub next_at: Option<Timestamp>,
    pub is_good: Option<bool>,
    /// What was answered, or why that was not good.
    pub said: Option<Text>,
    pub took: Option<Duration>,
}

impl CheckWatch {
    /// Watches from now on; `failing_since` is when the alert began that is known of it.
    pub fn new(check: OwnCheck, failing_since: Option<Timestamp>) -> Self {
        let state = match failing_since {
            Some(_) => CheckState::Failing,
            None => CheckState::Unknown,
        };
        Self {
            check,
            has_alert: failing_since.is_some(),
            said_unreported: None,
            is_suspected: false,
            good_tries: 0,
            last: LastTry {
                state,
                since: failing_since,
                ..LastTry::default()
            },
        }
    }

    /// Takes in a try.
    pub fn take(&mut self, tried: &TriedCheck, now: Timestamp) {
        self.last.at = Some(now);
        self.last.took = Some(tried.took);
        self.last.is_good = Some(tried.found.is_ok());
        match &tried.found {
            Ok(said) => {
                self.last.said = Some(said.as_str().into());
                self.is_suspected = false;
                self.good_tries = self.good_tries.saturating_add(1);
                let is_failing = self.last.state == CheckState::Failing;
                if !is_failing || self.good_tries >= GOOD_TRIES {
                    self.stand(CheckState::Good, now);
                }
            }
            Err(CheckFault { why, .. }) => {
                let kind = self.check.target.kind().to_uppercase();
                self.good_tries = 0;
                let is_second = std::mem::replace(&mut self.is_suspected, true);
                let note = match is_second && self.last.state != CheckState::Failing {
                    true => format!(", second try {CONFIRM} later"),
                    false => String::new(),
                };
                self.last.said = Some(format!("{why} ({kind}{note})").into());
                if is_second {
                    self.stand(CheckState::Failing, now);
                }
            }
        }
    }

    fn stand(&mut self, state: CheckState, now: Timestamp) {
        if self.last.state != state {
            self.last.state = state;
            self.last.since = Some(now);
        }
    }

    /// The wait until the next try; `chance` is spread over 0 to `u64::MAX`.
    pub fn wait(&mut self, now: Timestamp, chance: u64) -> Duration {
        let is_failing = self.last.state == CheckState::Failing;
        let wait = match (is_failing, self.is_suspected) {
            (false, true) => CONFIRM,
            (true, _) => spread(self.check.every.min(FAILING_EVERY), chance),
            (false, false) => spread(self.check.every, chance),
        };
        self.last.next_at = Some(now + wait);
        wait
    }
}

/// A tenth around the wait, so that checks do not keep step.
fn spread(wait: Duration, chance: u64) -> Duration {
    let part = u128::from(wait.0 / 10) * u128::from(chance) / u128::from(u64::MAX);
    Duration(wait.0 - wait.0 / 20 + u64::try_from(part).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::Labels;
    use crate::engine::own_check::{CheckTarget, HostPort};
    use crate::engine::urgency::Urgency;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn watch(failing_since: Option<Timestamp>) -> CheckWatch {
        let check = OwnCheck {
            name: "db".into(),
            provider: None,
            target: CheckTarget::Tcp(HostPort {
                host: "db.example.com".into(),
                port: 5432,
            }),
            every: Duration::minutes(10),
            timeout: Duration::seconds(10),
            urgency: Urgency::Low,
            labels: Labels::default(),
            service: None,
        };
        CheckWatch::new(check, failing_since)
    }

    fn tried(found: Result<&str, &str>) -> TriedCheck {
        TriedCheck {
            found: found.map(str::to_owned).map_err(|why| CheckFault {
                why: why.to_owned(),
                is_unreached: true,
            }),
            took: Duration(7),
        }
    }

    /// How it stands after these tries, `+` for a good one.
    fn after(failing_since: Option<Timestamp>, tries: &str) -> CheckState {
        let mut watch = watch(failing_since);
        for sign in tries.chars() {
            let found = if sign == '+' {
                Ok("fine")
            } else {
                Err("refused")
            };
            watch.take(&tried(found), NOW);
        }
        watch.last.state
    }

    #[test]
    fn a_failure_counts_with_the_second_try_and_ends_with_two_good_ones() {
        let cases = [
            (None, "", CheckState::Unknown),
            (None, "-", CheckState::Unknown),
            (None, "+", CheckState::Good),
            (None, "+-", CheckState::Good),
            (None, "+-+-+-", CheckState::Good),
            (None, "--", CheckState::Failing),
            (None, "+--", CheckState::Failing),
            (None, "--+", CheckState::Failing),
            (None, "--+-+-+", CheckState::Failing),
            (None, "--++", CheckState::Good),
            (Some(NOW), "", CheckState::Failing),
            (Some(NOW), "+", CheckState::Failing),
            (Some(NOW), "-+", CheckState::Failing),
            (Some(NOW), "++", CheckState::Good),
        ];
        for (failing_since, tries, expected) in cases {
            assert_eq!(after(failing_since, tries), expected, "{tries:?}");
        }
    }

    #[test]
    fn the_second_try_is_soon_and_said_and_what_fails_is_tried_more_often() {
        let mut watch = watch(None);
        watch.take(&tried(Ok("connected")), NOW);
        assert_eq!(watch.wait(NOW, 0), Duration::seconds(570));
        assert_eq!(watch.wait(NOW, u64::MAX), Duration::seconds(630));
        watch.take(&tried(Err("refused")), NOW);
        assert_eq!(watch.wait(NOW, u64::MAX), CONFIRM);
        watch.take(&tried(Err("refused")), NOW);
        let said = watch.last.said.clone().expect("it was tried");
        assert_eq!(&*said, "refused (TCP, second try 5s later)");
        assert_eq!(watch.wait(NOW, 0), Duration::seconds(57));
        assert_eq!(watch.last.next_at, Some(NOW + Duration::seconds(57)));
    }
}
