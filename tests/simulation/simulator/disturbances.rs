//! Faults from outside of the process: providers' moods, clocks, sleep, a full disk, kill -9.

use reveille::engine::time::{Duration, Timestamp};

use super::history::Seen;
use super::marks::Mark;
use super::world::{Happening, World};

const MEBIBYTE: u64 = 1024 * 1024;

impl World {
    pub fn disturb(&mut self) {
        if self.is_calm {
            return;
        }
        let pause = self.random.span(Duration::seconds(20), Duration::hours(1));
        self.soon(pause, Happening::Disturbance);
        self.figures.faults += 1;
        match self.random.below(10) {
            0..=4 if self.plan.has_provider_trouble => self.change_a_mood(),
            5 if self.plan.has_clock_jumps => self.clock_jumps(),
            6 if self.plan.has_suspensions => self.falls_asleep(),
            7 if self.plan.has_low_disk => self.change_the_disk(),
            8 if self.plan.crashes > 0 && self.process.is_some() => {
                self.die(Mark::CrashBeforeCommit);
            }
            _ => {}
        }
    }

    fn change_a_mood(&mut self) {
        // Sometimes all at once, as when the network is gone.
        let is_all = self.random.chance(80);
        let at = self.random.below(self.providers.len() as u64) as usize;
        let mut moods = Vec::new();
        for (number, (name, provider)) in self.providers.iter_mut().enumerate() {
            if number == at || is_all {
                provider.change_mood();
                moods.push((name.clone(), provider.mood));
            }
        }
        for (channel, mood) in moods {
            self.note(format_args!("{channel} is {mood:?}"));
            self.show(&Seen::Mood { mood });
        }
    }

    fn clock_jumps(&mut self) {
        let by = self.random.span(Duration::seconds(1), Duration::days(400));
        let is_back = self.random.chance(500);
        let is_noticed = by > Duration::minutes(1);
        let by = i64::try_from(by.0).unwrap_or(i64::MAX);
        let by = if is_back { -by } else { by };
        self.note(format_args!("the clock jumps by {by} ms"));
        self.clock.origin = Timestamp(self.clock.origin.0 + by);
        self.marks.hit_if(is_back && is_noticed, Mark::ClockBack);
        self.marks.hit_if(!is_back && is_noticed, Mark::ClockAhead);
        self.show(&Seen::ClockJumped);
    }

    /// The machine sleeps: wall time goes on, the monotonic clock does not, nothing happens.
    fn falls_asleep(&mut self) {
        if self.asleep_until.is_some() {
            return;
        }
        let length = self.random.span(Duration::seconds(2), Duration::hours(10));
        self.note(format_args!("asleep for {length}"));
        self.asleep_until = Some(Duration(self.passed.0 + length.0));
        self.clock.slept = Duration(self.clock.slept.0 + length.0);
        self.marks.hit(Mark::Suspended);
        self.soon(length, Happening::Wakes);
        self.show(&Seen::ClockJumped);
    }

    fn change_the_disk(&mut self) {
        let free = *self.random.pick(&[
            None,
            None,
            Some(10_000 * MEBIBYTE),
            Some(700 * MEBIBYTE),
            Some(100 * MEBIBYTE),
        ]);
        self.note(format_args!("free on disk: {free:?}"));
        self.store.set_free_bytes(free);
    }
}
