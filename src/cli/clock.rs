//! `clock confirm`: say that the server's clock is right after it jumped ahead.

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::remote::Call;
use super::report::{Failure, Report};
use crate::api::wire::process::ConfirmedClock;
use crate::engine::time::Duration;
use crate::text::clean::blanked;

#[derive(Debug, Subcommand)]
pub enum ClockCommand {
    /// Confirm that the server's clock is right: what is too old by it is purged from now on
    Confirm,
}

/// Confirms the clock.
pub async fn run(command: ClockCommand, context: &Context) -> Result<Report, Failure> {
    let ClockCommand::Confirm = command;
    let call = Call::post(&["v1", "clock", "confirm"], &json!({}));
    let (confirmed, answer): (ConfirmedClock, _) = context.remote()?.fetch(call).await?;
    let now = blanked(&confirmed.now);
    let text = match confirmed.jump_seconds {
        Some(seconds) => format!(
            "the server's clock, {now}, is confirmed; it had jumped ahead by {}",
            Duration::seconds(seconds)
        ),
        None => format!(
            "the server's clock, {now}, needs no confirmation: no clock jump is \
            pending"
        ),
    };
    Ok(Report::new(answer, text))
}
