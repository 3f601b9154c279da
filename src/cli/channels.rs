//! `channels check`: ask each channel whether it would take a message.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::remote::{Call, Remote};
use super::render::{self, rules::warnings};
use super::report::{Failure, Report, Verdict, list_as};

#[derive(Debug, Subcommand)]
pub enum Channels {
    /// Check whether channels would accept a message; exit code 1 when one would not
    Check(Check),
}

#[derive(Debug, Args)]
pub struct Check {
    /// Only this channel
    name: Option<String>,
}

/// Checks one or all.
pub async fn run(command: Channels, context: &Context) -> Result<Report, Failure> {
    let Channels::Check(check) = command;
    let remote = context.remote()?;
    let answer = remote.call(Call::get(&["v1", "channels"])).await?;
    let wanted: Vec<&Value> = render::items(&answer)
        .iter()
        .filter(|channel| {
            let name = render::text(channel, "name");
            check.name.as_ref().is_none_or(|wanted| *wanted == name)
        })
        .collect();
    if let (Some(name), true) = (&check.name, wanted.is_empty()) {
        let known = render::items(&answer)
            .iter()
            .map(|channel| render::text(channel, "name"));
        let known = known.collect::<Vec<_>>().join(", ");
        let message = format!("no channel {name}: the settings have {known}");
        return Err(Failure::NotSo(message));
    }
    let mut checks = Vec::new();
    let mut remarks = warnings(&answer);
    for channel in wanted {
        let check = check_one(&remote, channel).await?;
        remarks.extend(warnings(&check));
        checks.push(check);
    }
    Ok(report(checks, remarks, context))
}

/// The answer to the check, with what is known of the channel.
async fn check_one(remote: &Remote, channel: &Value) -> Result<Value, Failure> {
    let name = render::text(channel, "name");
    let call = Call::post(&["v1", "channels", &name, "check"], &json!({}));
    let answer = remote.call(call).await?;
    let mut both = channel.clone();
    if let (Some(both), Some(answer)) = (both.as_object_mut(), answer.as_object()) {
        both.remove("outcome");
        both.extend(answer.clone());
    }
    Ok(both)
}

fn report(checks: Vec<Value>, mut remarks: Vec<String>, context: &Context) -> Report {
    let text = render::admin::checks(&checks, &context.into());
    let verdict = match checks.iter().all(render::admin::is_healthy) {
        true => Verdict::Done,
        false => Verdict::NotSo,
    };
    remarks.dedup();
    let report = Report::new(list_as("items", checks), text).verdict(verdict);
    remarks.into_iter().fold(report, |report, remark| {
        report.remark(format!("WARNING: {remark}"))
    })
}
