//! What one seed is about. Each run draws which kinds of trouble it has at all, so that some runs
//! are about crashes alone, some about a storm under a broken provider, and few about everything:
//! with all of it at once nothing would ever get far.

use reveille::engine::ruleset::STEP_MAX;
use reveille::engine::ruleset::WeeklyTime;
use reveille::engine::time::{Duration, Timestamp};

use super::random::Random;

/// Moments at which runs begin: ordinary days, and the day before each kind of clock change in the
/// zones that the generated schedules use.
const BEGINNINGS: &[&str] = &[
    "2026-03-02T08:00:00Z",
    "2026-07-14T22:00:00Z",
    "2026-03-28T20:00:00Z",
    "2026-10-24T20:00:00Z",
    "2026-03-07T20:00:00Z",
    "2026-10-31T20:00:00Z",
    "2026-04-04T10:00:00Z",
    "2026-10-03T10:00:00Z",
    "2027-12-31T20:00:00Z",
    "2028-02-28T20:00:00Z",
];

/// The plan of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub begin: Timestamp,
    /// The time with faults.
    pub stormy: Duration,
    /// Thousandths of commits at which the process dies.
    pub crashes: u64,
    /// Thousandths of commits that fail.
    pub failing_commits: u64,
    /// Thousandths of commits that are slow.
    pub slow_commits: u64,
    pub has_clock_jumps: bool,
    pub has_suspensions: bool,
    pub has_low_disk: bool,
    pub has_provider_trouble: bool,
    /// Thousandths of orders that look something up before their socket opens.
    pub look_ups: u64,
    pub has_rule_edits: bool,
    pub has_silences: bool,
    pub has_storms: bool,
    /// Thousandths of pages that a person answers.
    pub diligence: u64,
    pub monitors: u64,
    pub users: u64,
    /// In some runs a step does so little that most of what is divisible goes on in tasks.
    pub step_work_max: u64,
    /// When people in UTC get their test pages: within the time with faults.
    pub test_page: Option<WeeklyTime>,
}

impl Plan {
    /// Draws the plan of a run of so long.
    pub fn draw(random: &mut Random, stormy: Duration) -> Self {
        let begin: jiff::Timestamp = random.pick(BEGINNINGS).parse().expect("a moment");
        let mut some = |most: u64, permille: u64| {
            let is_on = random.chance(permille);
            if is_on { random.between(1, most) } else { 0 }
        };
        let crashes = some(60, 500);
        let failing_commits = some(8, 300);
        let slow_commits = some(50, 300);
        let look_ups = some(400, 600);
        // Some runs are long enough, and nobody answers, for an escalation to be exhausted.
        let is_forsaken = random.chance(30);
        let stormy = if is_forsaken {
            stormy.max(Duration::hours(34))
        } else {
            stormy
        };
        let diligence = *random.pick(&[0, 150, 500, 800, 950]);
        Self {
            begin: begin.into(),
            stormy,
            crashes,
            failing_commits,
            slow_commits,
            look_ups,
            has_clock_jumps: random.chance(250),
            has_suspensions: random.chance(200),
            has_low_disk: random.chance(150),
            has_provider_trouble: random.chance(700),
            has_rule_edits: random.chance(500),
            has_silences: random.chance(500),
            has_storms: random.chance(250),
            diligence: if is_forsaken { 0 } else { diligence },
            monitors: if is_forsaken { 1 } else { random.between(1, 5) },
            users: random.between(1, 5),
            step_work_max: *random.pick(&[STEP_MAX, STEP_MAX, STEP_MAX, 5_000, 500, 100]),
            test_page: random.chance(300).then(|| test_page(random, begin, stormy)),
        }
    }
}

fn test_page(random: &mut Random, begin: jiff::Timestamp, stormy: Duration) -> WeeklyTime {
    let after = random.below((stormy.0 / 60_000).max(1));
    let after = i64::try_from(after).expect("runs are short");
    let moment = begin + jiff::SignedDuration::from_mins(after);
    let time = jiff::tz::TimeZone::UTC.to_datetime(moment);
    let minute = i16::from(time.hour()) * 60 + i16::from(time.minute());
    WeeklyTime {
        weekday: time.weekday(),
        minute: minute.unsigned_abs(),
    }
}
