//! The other acts on incidents: `unack`, `resolve`, `snooze`, `escalate`, `reassign`, `note`.

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::remote::{Call, Remote};
use super::render::{self, time_format};
use super::report::{Failure, Report, list_as};
use super::times;
use super::values::{Numbered, Several, incident_number, target};
use crate::api::wire::incident::Acted;

#[derive(Debug, Args)]
pub struct SnoozeArgs {
    /// The incident's number
    #[arg(value_name = "N", value_parser = incident_number)]
    number: u64,
    /// Duration or until when, such as 1h or 09:00
    #[arg(value_name = "TIME")]
    until: String,
}

#[derive(Debug, Args)]
pub struct ReassignArgs {
    /// The incident's number
    #[arg(value_name = "N", value_parser = incident_number)]
    number: u64,
    /// user/NAME or policy/NAME
    #[arg(value_parser = target)]
    target: String,
}

#[derive(Debug, Args)]
pub struct NoteArgs {
    /// The incident's number
    #[arg(value_name = "N", value_parser = incident_number)]
    number: u64,
    /// The text
    #[arg(required = true)]
    text: Vec<String>,
}

/// Gives an incident back.
pub async fn unack(act: &Numbered, context: &Context) -> Result<Report, Failure> {
    let done = "unacknowledged";
    one(act.number, "unacknowledge", &json!({}), done, context).await
}

/// Starts the next step.
pub async fn escalate(act: &Numbered, context: &Context) -> Result<Report, Failure> {
    one(
        act.number,
        "escalate",
        &json!({}),
        "escalated to the next step",
        context,
    )
    .await
}

/// Hands an incident to somebody else.
pub async fn reassign(reassign: &ReassignArgs, context: &Context) -> Result<Report, Failure> {
    let body = json!({ "to": reassign.target });
    let done = format!("reassigned to {}", reassign.target);
    one(reassign.number, "reassign", &body, &done, context).await
}

/// Writes a note.
pub async fn note(note: &NoteArgs, context: &Context) -> Result<Report, Failure> {
    let body = json!({ "text": note.text.join(" ") });
    one(note.number, "notes", &body, "noted", context).await
}

/// Acknowledges and asks to be reminded.
pub async fn snooze(snooze: &SnoozeArgs, context: &Context) -> Result<Report, Failure> {
    let until = context.next(&snooze.until)?;
    // A length is measured by the server's clock, which need not be ours.
    let body = match times::length(&snooze.until) {
        Ok(length) => json!({ "for": length.to_string() }),
        Err(_) => json!({ "until": until.to_string() }),
    };
    let done = format!(
        "snoozed until {}",
        time_format::both(until, &context.into())
    );
    one(snooze.number, "snooze", &body, &done, context).await
}

/// Ends incidents; each is told, and one that is not there does not keep the others.
pub async fn resolve(act: &Several, context: &Context) -> Result<Report, Failure> {
    let remote = context.remote()?;
    let mut results = Vec::new();
    let mut lines = Vec::new();
    let mut is_so = true;
    for number in &act.numbers {
        match send(&remote, *number, "resolve", &json!({})).await {
            Ok((acted, answer)) => {
                let line = render::incident::acted(&acted, "resolved", &context.into());
                lines.push(line);
                results.push(answer);
            }
            Err(Failure::NotSo(message)) => {
                is_so = false;
                results.push(json!({ "number": number, "error": message }));
                lines.push(format!("#{number}: {message}"));
            }
            Err(other) => return Err(other),
        }
    }
    Ok(Report::new(list_as("results", results), lines.join("\n")).so(is_so))
}

async fn one(
    number: u64,
    act: &str,
    body: &Value,
    done: &str,
    context: &Context,
) -> Result<Report, Failure> {
    let (acted, answer) = send(&context.remote()?, number, act, body).await?;
    let text = render::incident::acted(&acted, done, &context.into());
    Ok(Report::new(answer, text))
}

async fn send(
    remote: &Remote,
    number: u64,
    act: &str,
    body: &Value,
) -> Result<(Acted, Value), Failure> {
    let number = number.to_string();
    let path = ["v1", "incidents", &number, act];
    remote.fetch(Call::post(&path, body)).await
}
