//! The only place that names concrete stores, channels and the real clock.

use std::collections::BTreeMap;
use std::process::ExitCode;

use crate::config::{Settings, Warning};
use crate::engine::time::Wall;
use crate::runtime::clock;
use crate::telemetry::Shape;

/// What `serve` was asked for.
pub struct ServeOptions {
    pub settings: Settings,
    /// Found while the settings were read; to be logged when the log is set up.
    pub warnings: Vec<Warning>,
    pub apply: ApplyRules,
    /// For keys in rule documents and the first admin token.
    pub environment: BTreeMap<String, String>,
    /// Of the log.
    pub shape: Shape,
}

/// What a start does when the rules folder differs from the rules in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyRules {
    /// Only into an empty store; otherwise the difference is named.
    IfEmpty,
    /// The folder is put in force.
    Always,
}

/// Runs the router until it is told to stop.
pub fn serve(options: ServeOptions) -> anyhow::Result<ExitCode> {
    let ServeOptions {
        environment, shape, ..
    } = options;
    let filter = environment.get("REVEILLE_LOG").map(String::as_str);
    crate::telemetry::start(filter, shape)?;
    anyhow::bail!("serving is not built in yet")
}

/// The present, for commands that show or read times.
pub fn wall_now() -> Wall {
    clock::wall_now()
}
