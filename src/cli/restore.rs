//! `restore`: a data directory made of a backup, without a server; or a backup that is only
//! checked.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use clap::Args;

use super::backup::report;
use super::context::Context;
use super::progress_bar::BytesBar;
use super::report::{Failure, Report};
use crate::app::backup::{self, RestorePhase};
use crate::config;

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup; the directory given by --data must not exist, or be empty
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only verify the file; nothing is written
    #[arg(long)]
    check: bool,
}

/// Restores or checks.
pub fn run(arguments: &RestoreArgs, context: &Context) -> Result<Report, Failure> {
    let file = &*arguments.file;
    let total = fs::metadata(file).ok().map(|file| file.len());
    let bar = BytesBar::new(total, "verifying");
    let mut tell = |phase, bytes| {
        bar.doing(match phase {
            RestorePhase::Verifying => "verifying",
            RestorePhase::Writing => "writing",
            RestorePhase::Comparing => "comparing",
        });
        bar.at(bytes);
    };
    if arguments.check {
        let manifest = backup::verify(file, &mut tell).map_err(Failure::NotSo)?;
        return Ok(report(file, &manifest, "whole"));
    }
    let data = config::data_directory(&context.sources(BTreeMap::new()))
        .map_err(|faults| Failure::Usage(faults.to_string()))?;
    let manifest = backup::restore(file, &data, &mut tell).map_err(Failure::NotSo)?;
    let data = data.display();
    Ok(report(file, &manifest, "restored").remark(format!(
        "restored into {data}; start with --data {data}, or the settings' `data`"
    )))
}
