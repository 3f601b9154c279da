//! `clock confirm`: say that the server's clock is right after it jumped ahead.

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::remote::Call;
use super::render;
use super::report::{Failure, Report};
use crate::engine::time::Duration;

#[derive(Debug, Subcommand)]
pub enum Clock {
    /// Confirm that the server's clock is right: what is too old by it is purged from now on
    Confirm,
}

/// Confirms the clock.
pub async fn run(command: Clock, context: &Context) -> Result<Report, Failure> {
    let Clock::Confirm = command;
    let call = Call::post(&["v1", "clock", "confirm"], &json!({}));
    let answer = context.remote()?.call(call).await?;
    let now = render::text(&answer, "now");
    let text = match answer["jump_seconds"].as_u64() {
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
