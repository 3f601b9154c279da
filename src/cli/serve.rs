//! `serve`: settings from all layers, then the router runs.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Args;

use super::context::Context;
use super::report::Failure;
use crate::app::{self, ApplyRules, ServeOptions};
use crate::config;
use crate::telemetry::Shape;

#[derive(Debug, Args)]
pub struct Serve {
    /// Folder of the rule documents [default: the settings' `rules`]
    #[arg(long, value_name = "DIR")]
    rules: Option<String>,
    /// Address and port [default: the settings' `listen`]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Put the rules folder in force when it differs from the rules in force
    #[arg(long)]
    apply: bool,
}

/// Reads the settings and runs until told to stop.
pub fn run(serve: &Serve, context: &Context) -> anyhow::Result<ExitCode> {
    let options = options(serve, context)?;
    app::serve(options)
}

pub(super) fn options(serve: &Serve, context: &Context) -> Result<ServeOptions, Failure> {
    let flags = [("rules", &serve.rules), ("listen", &serve.listen)];
    let flags: BTreeMap<&'static str, String> = flags
        .into_iter()
        .filter_map(|(key, value)| Some((key, value.clone()?)))
        .collect();
    let loaded = config::load(&context.sources(flags))
        .map_err(|faults| Failure::Usage(format!("the settings have errors\n{faults}")))?;
    Ok(ServeOptions {
        settings: loaded.settings,
        warnings: loaded.warnings,
        apply: match serve.apply {
            true => ApplyRules::Always,
            false => ApplyRules::IfEmpty,
        },
        environment: context.environment.clone(),
        shape: match std::io::stderr().is_terminal() {
            true => Shape::Text,
            false => Shape::Json,
        },
    })
}
