//! Checks of our own: what tries them is made here.

use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinHandle;

use super::{channels, secrets};
use crate::checks::probe::CheckProbe;
use crate::checks::runner::{CheckRunner, RunnerParts};
use crate::config::Settings;
use crate::runtime::clock::Clock;
use crate::runtime::handle::Handle;
use crate::runtime::supervise::Supervisor;
use crate::telemetry::Metrics;

/// Begins to try the checks of the rules.
pub fn start(
    settings: &Settings,
    (handle, supervisor): (&Handle, &Supervisor),
    (clock, metrics): (Clock, Arc<Metrics>),
    background: &mut Vec<JoinHandle<()>>,
) -> anyhow::Result<()> {
    let probe = CheckProbe::new(channels::http_options(settings), clock);
    let probe = probe.context("failed to set up the checks")?;
    let chance = || {
        let mut bytes = [0; 8];
        secrets::fill(&mut bytes);
        u64::from_be_bytes(bytes)
    };
    let held = metrics.clone();
    let around = RunnerParts {
        chance: Arc::new(chance),
        on_try: Arc::new(move |outcome| metrics.check_run(outcome)),
        on_own_trouble: Arc::new(move |count| held.set_checks_held(count)),
    };
    let parts = (handle.clone(), supervisor.clone());
    let runner = CheckRunner::new(probe, parts, clock, around);
    background.push(supervisor.keep("checks", move || runner.clone().run()));
    Ok(())
}
