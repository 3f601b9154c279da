//! `send`: post an event. It is on disk before it is sent, so that neither an absent server nor a
//! killed command loses it. Where nothing can be written it is sent all the same.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::outbox::{NO_HOME, Outbox, Under};
use super::report::{Failure, Report};
use super::spool::Spool;
use super::times;
use super::values::label;
use crate::text::{hash, hex};

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("act").args(["resolve", "acknowledge", "flush"]))]
pub struct Send {
    /// What is wrong, in one line
    #[arg(long, value_name = "TEXT",
          required_unless_present_any = ["resolve", "acknowledge", "flush"])]
    summary: Option<String>,
    /// critical, error, warning or info
    #[arg(long, value_name = "WORD")]
    severity: Option<String>,
    /// The dedup key, which identifies the alert [default: made from source, summary and labels]
    #[arg(long, value_name = "KEY",
          required_if_eq_any = [("resolve", "true"), ("acknowledge", "true")])]
    key: Option<String>,
    /// The affected machine or program
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// A label; may be given several times
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// A link for the people who are paged; may be given several times
    #[arg(long = "link", value_name = "URL")]
    links: Vec<String>,
    /// Resolve the alert
    #[arg(long)]
    resolve: bool,
    /// Acknowledge the alert
    #[arg(long)]
    acknowledge: bool,
    /// Only send what is queued on disk
    #[arg(long)]
    flush: bool,
    /// Send everything that is queued for this server with REVEILLE_KEY, whichever key it was for
    #[arg(long, requires = "flush")]
    with_this_key: bool,
    /// How long to retry while the server is down; after that the event stays queued on disk
    #[arg(long, value_name = "LENGTH", default_value = "30s")]
    retry_for: String,
    /// Where events wait [default: $XDG_STATE_HOME/reveille/spool or ~/.local/state/reveille/spool]
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
}

/// Keeps the event where that is possible, then sends it and all that waits.
pub async fn run(send: &Send, context: &Context) -> Result<Report, Failure> {
    let retry_for = times::length(&send.retry_for).map_err(Failure::Usage)?;
    let Some(key) = context.variable("REVEILLE_KEY") else {
        let message = "REVEILLE_KEY is not set: export an integration key, \
                       from `reveille key create INTEGRATION` or the rules";
        return Err(Failure::Usage(message.to_owned()));
    };
    let remote = context.remote_as(Some(key))?;
    let server = remote.server();
    let spool = spool_root(send, context).map(|root| Spool::new(&root, &server));
    if send.flush && spool.is_none() {
        return Err(Failure::Usage(format!("{NO_HOME}: give --spool DIR")));
    }
    let mut outbox = Outbox::new(remote, spool, hex::encode(&hash::sha256(key)));
    outbox.under = match send.with_this_key {
        true => Under::PresentKey,
        false => Under::OwnKey,
    };
    if !send.flush {
        let id = event_id(context);
        let event = event(send, &id, context);
        outbox.take_in(server, event, (&id, context.now));
    }
    outbox.pass().await;
    for pause in pauses(Duration::from_millis(retry_for.0)) {
        if !outbox.is_worth_another_pass() {
            break;
        }
        tokio::time::sleep(pause).await;
        outbox.pass().await;
    }
    outbox.report()
}

/// Where events wait; `None` where the environment names no place, as under many monitors.
fn spool_root(send: &Send, context: &Context) -> Option<PathBuf> {
    if let Some(spool) = &send.spool {
        return Some(spool.clone());
    }
    let state = context
        .variable("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(context.variable("HOME")?).join(".local/state")));
    state.map(|state| state.join("reveille/spool"))
}

/// Different on every machine and for every event; the hasher's keys come from the system's chance.
fn event_id(context: &Context) -> String {
    let chance = RandomState::new().build_hasher().finish();
    format!("send-{:x}-{chance:016x}", context.now.0)
}

fn event(send: &Send, id: &str, context: &Context) -> Value {
    let action = match (send.resolve, send.acknowledge) {
        (true, _) => "resolve",
        (false, true) => "acknowledge",
        (false, false) => "trigger",
    };
    let mut event = json!({
        "action": action,
        "id": id,
        // It may wait: its age is measured from now.
        "occurred_at": context.now.to_string(),
    });
    let texts = [
        ("summary", &send.summary),
        ("severity", &send.severity),
        ("dedup_key", &send.key),
        ("source", &send.source),
    ];
    for (name, value) in texts {
        if let Some(value) = value {
            event[name] = value.as_str().into();
        }
    }
    for (name, value) in &send.labels {
        event["labels"][name] = value.as_str().into();
    }
    if !send.links.is_empty() {
        let links = send.links.iter().map(|href| json!({ "href": href }));
        event["links"] = links.collect();
    }
    event
}

/// Pauses that grow to 15 s and together last `total`.
fn pauses(total: Duration) -> Vec<Duration> {
    let mut left = total;
    let mut pause = Duration::from_secs(1);
    let mut pauses = Vec::new();
    while !left.is_zero() {
        let next = pause.min(left);
        pauses.push(next);
        left -= next;
        pause = (pause * 2).min(Duration::from_secs(15));
    }
    pauses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_with_the_time_given() {
        let seconds = |total: u64| {
            let pauses = pauses(Duration::from_secs(total));
            pauses.iter().map(Duration::as_secs).collect::<Vec<_>>()
        };
        assert_eq!(seconds(0), Vec::<u64>::new());
        assert_eq!(seconds(30), [1, 2, 4, 8, 15]);
        assert_eq!(seconds(60), [1, 2, 4, 8, 15, 15, 15]);
    }
}
