//! One commit of the embedded store with few and with many events, on the disk of the build and
//! on one whose sync does nothing: the difference is the disk's.
//!
//! What the database takes over from the log, and checkpoints, are made beside the commits, as the
//! process does, and are not in the time.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use reveille::engine::State;
use reveille::engine::ruleset::RuleSet;

use crate::engine::new_alerts;
use crate::folder::{Folder, Syncs, batch, now};
use crate::rules::with_routes;

/// Events of one commit.
const GROUPS: [u64; 3] = [1, 16, 256];

/// Beyond it all begins anew, so that the memory of a long run stays small.
const OPEN_ALERTS_MAX: u64 = 50_000;

pub fn groups(criterion: &mut Criterion) {
    let rules = with_routes(1);
    for (name, syncs) in [("commit", Syncs::ToDisk), ("commit, no sync", Syncs::Not)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        for events in GROUPS {
            group.throughput(Throughput::Elements(events));
            group.bench_function(BenchmarkId::new("events", events), |bencher| {
                let mut writing = Writing::begin(syncs);
                bencher.iter_custom(|commits| {
                    let times = (0..commits).map(|_| writing.commit(&rules, events));
                    times.sum()
                });
            });
        }
        group.finish();
    }
}

/// So often the process looks for what the database has to take over.
const LOOK: Duration = Duration::from_millis(250);

/// New alerts that are committed, group after group.
struct Writing {
    folder: Folder,
    state: State,
    next: u64,
    looked: Instant,
}

impl Writing {
    fn begin(syncs: Syncs) -> Self {
        Self {
            folder: Folder::new(syncs),
            state: State::default(),
            next: 0,
            looked: now(),
        }
    }

    /// Decides on so many events and commits them. Only the commit is timed.
    fn commit(&mut self, rules: &RuleSet, count: u64) -> Duration {
        if self.next + count > OPEN_ALERTS_MAX {
            *self = Self::begin(self.folder.syncs);
        }
        let numbers = self.next..self.next + count;
        self.next += count;
        let changes = new_alerts(&mut self.state, rules, numbers);
        let took = self.folder.commit(&batch(changes));
        if self.looked.elapsed() >= LOOK {
            self.folder.make_checkpoints();
            self.looked = now();
        }
        took
    }
}
