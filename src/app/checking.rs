//! Checks of our own: what tries them is made here, and answers to the API.

use std::sync::Arc;

use anyhow::Context;
use tokio::task::JoinHandle;

use super::{channels, secrets};
use crate::api::ports::{Checks, Pending};
use crate::api::problem::Problem;
use crate::api::wire::check::{CheckTried, RememberedTry, outcome};
use crate::checks::probe::CheckProbe;
use crate::checks::runner::{CheckRunner, RunnerParts};
use crate::config::Settings;
use crate::engine::ids::OwnCheckName;
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
) -> anyhow::Result<Arc<CheckRunner>> {
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
    let trying = runner.clone();
    background.push(supervisor.keep("checks", move || trying.clone().run()));
    Ok(runner)
}

impl Checks for CheckRunner {
    fn last_try(&self, name: &OwnCheckName) -> RememberedTry {
        let last = Self::last_try(self, name).unwrap_or_default();
        RememberedTry {
            state: last.state.as_str(),
            since: last.since,
            at: last.at,
            next_at: last.next_at,
            is_good: last.is_good,
            said: last.said.map(|said| said.to_string()),
            took: last.took,
        }
    }

    fn try_now<'port>(
        &'port self,
        name: &'port OwnCheckName,
    ) -> Pending<'port, Result<Option<CheckTried>, Problem>> {
        Box::pin(async move {
            let tried = Self::try_now(self, name).await;
            let tried = tried.map_err(|refused| Problem::too_many_tries(refused.to_string()))?;
            Ok(tried.map(|tried| CheckTried {
                name: name.to_string(),
                outcome: outcome(tried.found.is_ok()).to_owned(),
                said: tried.found.unwrap_or_else(|fault| fault.why),
                latency_ms: tried.took.0,
            }))
        })
    }
}
