//! Retries: when they come, and the bucket per channel that keeps an outage from being multiplied.

use crate::engine::health::Health;
use crate::engine::time::{Duration, MonotonicTime};

/// Attempts of one page on one channel.
pub const ATTEMPTS_MAX: usize = 8;
/// A page is not retried after this age.
pub const RETRY_FOR: Duration = Duration::minutes(15);

/// A provider that asks for no longer a wait than this is simply waited for.
pub const SHORT_WAIT: Duration = Duration::seconds(5);

const TOKEN: u64 = 1_000;
const BUCKET: u64 = 20 * TOKEN;
/// Ten tokens a minute.
const REFILL_PER_SECOND: u64 = 10 * TOKEN / 60;
const PER_FIRST_ATTEMPT: u64 = TOKEN / 10;

/// The bucket of a channel that was never used: full.
pub fn full() -> u64 {
    BUCKET
}

fn refill(health: &mut Health, now: MonotonicTime) {
    let passed = now.since(health.budget_counted);
    // Whole seconds only, so that frequent looks lose nothing to rounding.
    let seconds = passed.as_seconds();
    let gained = seconds.saturating_mul(REFILL_PER_SECOND);
    health.budget_thousandths = health.budget_thousandths.saturating_add(gained).min(BUCKET);
    health.budget_counted = health.budget_counted + Duration::seconds(seconds);
}

/// Adds what a first attempt earns.
pub fn earn(health: &mut Health, now: MonotonicTime) {
    refill(health, now);
    health.budget_thousandths = (health.budget_thousandths + PER_FIRST_ATTEMPT).min(BUCKET);
}

/// Takes a token; without one the answer is how long it takes until there is one.
pub fn spend(health: &mut Health, now: MonotonicTime) -> Result<(), Duration> {
    refill(health, now);
    match health.budget_thousandths.checked_sub(TOKEN) {
        Some(left) => {
            health.budget_thousandths = left;
            Ok(())
        }
        None => {
            let missing = TOKEN - health.budget_thousandths;
            let booked = health.budget_counted.since(now);
            let wait = Duration::seconds(missing.div_ceil(REFILL_PER_SECOND));
            Err(Duration(booked.0 + wait.0))
        }
    }
}

/// Takes the token that there will be after the wait that [`spend`] said, so that of many retries
/// each waits once for its own and none asks again and again.
pub fn book(health: &mut Health, now: MonotonicTime, wait: Duration) {
    health.budget_thousandths = 0;
    health.budget_counted = now + wait;
}

/// How long to wait before the attempt after `attempts` on a channel: 1 s, 5 s, 15 s, then every
/// 60 s, ± 20 %.
pub fn retry_wait(attempts: usize, seed: u64) -> Duration {
    let base = match attempts {
        0 | 1 => 1_000,
        2 => 5_000,
        3 => 15_000,
        _ => 60_000,
    };
    let spread = base * 2 / 5;
    Duration(base - spread / 2 + mix(seed) % (spread + 1))
}

/// A well-spread number from a seed (the finisher of splitmix64).
pub fn mix(seed: u64) -> u64 {
    let mut value = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> Health {
        Health::new(MonotonicTime(0))
    }

    #[test]
    fn an_outage_spends_twenty_retries_and_then_ten_a_minute() {
        let mut channel = channel();
        let mut now = MonotonicTime(0);
        let mut spent = 0;
        for _ in 0..600 {
            spent += u32::from(spend(&mut channel, now).is_ok());
            now = now + Duration::seconds(1);
        }
        assert!(
            (115..=120).contains(&spent),
            "20 at once and 10 a minute for 10 minutes: {spent}"
        );
    }

    #[test]
    fn the_only_retry_of_the_day_is_allowed() {
        assert_eq!(spend(&mut channel(), MonotonicTime(0)), Ok(()));
    }

    #[test]
    fn an_empty_bucket_says_when_there_is_a_token() {
        let mut channel = channel();
        while spend(&mut channel, MonotonicTime(0)).is_ok() {}
        let wait = spend(&mut channel, MonotonicTime(0)).expect_err("the bucket is empty");
        assert_eq!(spend(&mut channel, MonotonicTime(0) + wait), Ok(()));
    }

    #[test]
    fn each_booking_waits_for_a_token_of_its_own() {
        let mut channel = channel();
        while spend(&mut channel, MonotonicTime(0)).is_ok() {}
        let mut waits = Vec::new();
        for _ in 0..3 {
            let wait = spend(&mut channel, MonotonicTime(0)).expect_err("the bucket is empty");
            book(&mut channel, MonotonicTime(0), wait);
            waits.push(wait.as_seconds());
        }
        assert_eq!(waits, [7, 14, 21]);
    }

    #[test]
    fn retry_waits_follow_the_schedule_within_a_fifth() {
        for (attempts, base) in [
            (1, 1_000),
            (2, 5_000),
            (3, 15_000),
            (4, 60_000),
            (7, 60_000),
        ] {
            for seed in 0..200 {
                let wait = retry_wait(attempts, seed).0;
                assert!(
                    wait >= base * 4 / 5 && wait <= base * 6 / 5,
                    "{attempts}: {wait}"
                );
            }
        }
    }
}
