//! `silence`: hold the pages of matching alerts for a time.

use clap::{Args, Subcommand};
use serde_json::json;

use super::context::Context;
use super::overrides::TimeRange;
use super::remote::Call;
use super::render::{self, time_format};
use super::report::{Failure, Report, list_as};
use super::values::id;

#[derive(Debug, Subcommand)]
pub enum SilenceCommand {
    /// Set a silence
    Add(AddSilenceArgs),
    /// List silences
    List,
    /// End a silence now
    Expire {
        /// The silence's id, as `list` shows it
        #[arg(value_parser = id)]
        id: u64,
    },
}

#[derive(Debug, Args)]
pub struct AddSilenceArgs {
    /// What it covers, such as 'team="payments"'; all must match
    #[arg(value_name = "MATCHER", required_unless_present = "everything")]
    matchers: Vec<String>,
    /// Allow it to cover everything
    #[arg(long)]
    everything: bool,
    #[command(flatten)]
    span: TimeRange,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Adds, lists or expires.
pub async fn run(command: SilenceCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        SilenceCommand::Add(add) => self::add(&add, context).await,
        SilenceCommand::List => list(context).await,
        SilenceCommand::Expire { id } => expire(id, context).await,
    }
}

async fn add(add: &AddSilenceArgs, context: &Context) -> Result<Report, Failure> {
    let mut body = json!({ "matchers": add.matchers, "reason": add.reason });
    if add.everything {
        body["everything"] = true.into();
    }
    let until = add.span.write(&mut body, context)?;
    let call = Call::post(&["v1", "silences"], &body);
    let (silenced, answer) = context.remote()?.fetch(call).await?;
    let until = time_format::both(until, &context.into());
    let text = render::people::silence_set(&silenced, &until);
    Ok(Report::new(answer, text))
}

async fn list(context: &Context) -> Result<Report, Failure> {
    let (silences, items) = context.remote()?.items(&["v1", "silences"], &[]).await?;
    let text = render::people::silences(&silences, &context.into());
    Ok(Report::new(list_as("items", items), text))
}

async fn expire(id: u64, context: &Context) -> Result<Report, Failure> {
    let number = id.to_string();
    let call = Call::delete(&["v1", "silences", &number]);
    context.remote()?.call(call).await?;
    let value = json!({ "id": id, "expired": true });
    Ok(Report::new(
        value,
        format!("silence {id} ended; what it held and is still firing is paged now"),
    ))
}
