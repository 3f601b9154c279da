//! `channels check`: ask each channel whether it would take a message.

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::Context;
use super::remote::Call;
use super::render::{self, joined};
use super::report::{Failure, Report, list_as};
use crate::api::wire::channel::{Channel, Checked};
use crate::text::clean::blanked;

#[derive(Debug, Subcommand)]
pub enum ChannelsCommand {
    /// Check whether channels would accept a message; exit code 1 when one would not
    Check {
        /// Only this channel
        name: Option<String>,
    },
}

/// Checks one or all.
pub async fn run(command: ChannelsCommand, context: &Context) -> Result<Report, Failure> {
    let ChannelsCommand::Check { name } = command;
    let remote = context.remote()?;
    let (channels, items): (Vec<Channel>, _) = remote.items(&["v1", "channels"], &[]).await?;
    let is_wanted = |channel: &Channel| name.as_ref().is_none_or(|name| *name == channel.name);
    if let (Some(name), false) = (&name, channels.iter().any(is_wanted)) {
        let names: Vec<String> = channels.into_iter().map(|channel| channel.name).collect();
        let message = format!("no channel {name}: the settings have {}", joined(&names));
        return Err(Failure::NotSo(message));
    }
    let (mut checks, mut values) = (Vec::new(), Vec::new());
    for (channel, item) in channels.into_iter().zip(items) {
        if is_wanted(&channel) {
            let call = Call::post(&["v1", "channels", &channel.name, "check"], &json!({}));
            let (checked, answer): (Checked, _) = remote.fetch(call).await?;
            checks.push((channel, checked));
            values.push(merged(item, answer));
        }
    }
    Ok(report(&checks, values, context))
}

/// What is known of a channel, with what it said to the check.
fn merged(mut channel: Value, check: Value) -> Value {
    if let (Value::Object(channel), Value::Object(check)) = (&mut channel, check) {
        channel.extend(check);
    }
    channel
}

fn report(checks: &[(Channel, Checked)], values: Vec<Value>, context: &Context) -> Report {
    let text = render::admin::checks(checks, &context.into());
    let is_healthy = |(_, checked): &(Channel, Checked)| {
        let outcome = checked.outcome.as_deref();
        let is_sent = outcome.is_none_or(|outcome| ["delivered", "accepted"].contains(&outcome));
        checked.ok.unwrap_or(is_sent)
    };
    let warnings = checks.iter().flat_map(|(_, checked)| &checked.warnings);
    let mut warnings: Vec<String> = warnings.map(|warning| blanked(warning)).collect();
    warnings.dedup();
    let report = Report::new(list_as("items", values), text).so(checks.iter().all(is_healthy));
    report.remarks(warnings.iter().map(|warning| format!("WARNING: {warning}")))
}
