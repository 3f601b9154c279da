//! `checks`: how the checks of the rules stand, and tries of one now.

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::remote::Call;
use super::render;
use super::report::{Failure, Report, list_as};
use crate::api::wire::check::{CheckTried, ShownCheck, outcome};

#[derive(Debug, Subcommand)]
pub enum ChecksCommand {
    /// List the checks of the rules and how they stand
    List,
    /// Try a check now; exit code 1 when the try fails
    Try {
        /// The check's name; of a provider's check PROVIDER/NAME
        name: String,
    },
}

/// Does one of them.
pub async fn run(command: ChecksCommand, context: &Context) -> Result<Report, Failure> {
    let remote = context.remote()?;
    match command {
        ChecksCommand::List => {
            let (checks, items): (Vec<ShownCheck>, _) =
                remote.items(&["v1", "checks"], &[]).await?;
            let text = render::checks::list(&checks, &context.into());
            Ok(Report::new(list_as("items", items), text))
        }
        ChecksCommand::Try { name } => {
            let call = Call::post(&["v1", "checks", &name, "try"], &json!({}));
            let (tried, answer): (CheckTried, _) = remote.fetch(call).await?;
            let is_good = tried.outcome == outcome(true);
            Ok(Report::new(answer, render::checks::tried(&tried)).so(is_good))
        }
    }
}
