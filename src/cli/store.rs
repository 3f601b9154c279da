//! `store check` and `store save`: what can still be read of a damaged data directory.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::report::{Failure, Report, Verdict};
use crate::app::rescue::{self, Survey};

#[derive(Debug, Subcommand)]
pub enum Store {
    /// Say what of a data directory can be read; changes nothing
    Check {
        /// The data directory; no router may run in it
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Write what of a data directory can be read into a new one
    Save {
        /// The data directory; no router may run in it
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The new data directory; it must not exist yet
        #[arg(value_name = "NEW")]
        new: PathBuf,
    },
}

/// Checks or saves.
pub fn run(command: Store) -> Result<Report, Failure> {
    match command {
        Store::Check { directory } => {
            let survey = rescue::check(&directory).map_err(Failure::NotSo)?;
            let verdict = match survey.is_whole() {
                true => Verdict::Done,
                false => Verdict::NotSo,
            };
            Ok(report(&survey).verdict(verdict))
        }
        Store::Save { directory, new } => {
            let survey = rescue::save(&directory, &new).map_err(Failure::NotSo)?;
            let new = new.display();
            Ok(report(&survey).remark(format!("saved into {new}; start with --data {new}")))
        }
    }
}

fn report(survey: &Survey) -> Report {
    let mut lines: Vec<String> = survey
        .counts
        .iter()
        .map(|(name, count)| format!("{count:>10}  {name}"))
        .collect();
    let missing = survey.missing.iter();
    lines.extend(missing.map(|what| format!("missing: {what}")));
    let unreadable = survey.unreadable.iter();
    lines.extend(unreadable.map(|what| format!("unreadable: {what}")));
    let unnamed = survey.unreadable_total - survey.unreadable.len() as u64;
    if unnamed > 0 {
        lines.push(format!("unreadable: {unnamed} more"));
    }
    if survey.is_whole() {
        lines.push("nothing is damaged or missing".to_owned());
    }
    let value = json!({
        "counts": survey.counts,
        "missing": survey.missing,
        "unreadable": survey.unreadable,
        "unreadable_total": survey.unreadable_total,
        "whole": survey.is_whole(),
    });
    Report::new(value, lines.join("\n"))
}
