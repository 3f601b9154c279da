//! What the parts cost, each by itself: `cargo bench --bench parts`, or `-- --quick` in short.
//!
//! The loader in `benches/load` measures whole processes. Here are a step of the engine, the
//! reading of each format, the look at who is on call, stored forms, and a commit.
//! `docs/performance.md` says what each group means.

mod commits;
mod engine;
mod folder;
mod formats;
mod rules;
mod schedules;
mod stored;

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};

/// As the binary does: `docs/decisions/0047`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn settings() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(30)
}

criterion_group! {
    name = parts;
    config = settings();
    targets = engine::steps, formats::bodies, schedules::looks, stored::forms, commits::groups
}
criterion_main!(parts);
