//! `send`: post an event. It is on disk before it is sent, so that neither an absent server nor a
//! killed command loses it; earlier events that wait go first.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::arguments::label;
use super::context::Context;
use super::present::{joined, list, story::hashed, text};
use super::remote::{Answer, Call, Remote, StatusCode, Target};
use super::report::{Failure, Report, list_as};
use super::spool::{Spool, Waiting};
use super::times;

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
    /// The dedup key: what is the same alert [default: made from source, summary and labels]
    #[arg(long, value_name = "KEY",
          required_if_eq_any = [("resolve", "true"), ("acknowledge", "true")])]
    key: Option<String>,
    /// Which machine or program it is about
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// A label; may be given several times
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// A link for whoever is paged; may be given several times
    #[arg(long = "link", value_name = "URL")]
    links: Vec<String>,
    /// It is over
    #[arg(long)]
    resolve: bool,
    /// Somebody has it
    #[arg(long)]
    acknowledge: bool,
    /// Only send what waits on disk
    #[arg(long)]
    flush: bool,
    /// How long to try while the server is away; afterwards the event waits on disk
    #[arg(long, value_name = "LENGTH", default_value = "30s")]
    retry_for: String,
    /// Where events wait [default: $XDG_STATE_HOME/reveille/spool or ~/.local/state/reveille/spool]
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
}

/// What became of the events that waited.
#[derive(Default)]
struct Sent {
    receipts: Vec<Value>,
    lines: Vec<String>,
    refused: Vec<String>,
    /// The server is away, with the reason.
    away: Option<String>,
}

/// Keeps the event, then sends all that waits.
pub async fn run(send: &Send, context: &Context) -> Result<Report, Failure> {
    let retry_for = times::length(&send.retry_for).map_err(Failure::Usage)?;
    let Some(key) = context.variable("REVEILLE_KEY") else {
        let message = "REVEILLE_KEY is not set: export an integration key, \
                       from `reveille key create INTEGRATION` or the rules";
        return Err(Failure::Usage(message.to_owned()));
    };
    let remote = Remote::new(Target::with_token(context.url(), key))?;
    let spool = Spool::new(&spool_root(send, context)?, context.url(), key);
    if !send.flush {
        let id = event_id(context);
        spool
            .keep(&event(send, &id, context), &id, context.now)
            .map_err(|error| Failure::Server(error.to_string()))?;
    }
    let mut sent = Sent::default();
    drain(&remote, &spool, &mut sent).await?;
    for pause in pauses(Duration::from_millis(retry_for.0)) {
        if sent.away.is_none() {
            break;
        }
        tokio::time::sleep(pause).await;
        drain(&remote, &spool, &mut sent).await?;
    }
    report(sent, &spool)
}

fn spool_root(send: &Send, context: &Context) -> Result<PathBuf, Failure> {
    if let Some(spool) = &send.spool {
        return Ok(spool.clone());
    }
    let state = context
        .variable("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(context.variable("HOME")?).join(".local/state")));
    state
        .map(|state| state.join("reveille/spool"))
        .ok_or_else(|| {
            Failure::Usage("there is no HOME to keep the event in: give --spool DIR".to_owned())
        })
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

/// Sends what waits, oldest first, until it is all sent or the server is away.
async fn drain(remote: &Remote, spool: &Spool, sent: &mut Sent) -> Result<(), Failure> {
    sent.away = None;
    let disk = |error: std::io::Error| {
        let folder = spool.folder().display();
        Failure::Server(format!("failed to use the spool {folder}: {error}"))
    };
    for waiting in spool.waiting().map_err(disk)? {
        let call = Call::post(&["v1", "events"], &Value::Null).body(waiting.event.clone());
        match remote.try_call(call).await {
            Ok(answer) if answer.status.is_success() => {
                spool.done(&waiting).map_err(disk)?;
                taken(sent, &answer.value);
            }
            Ok(answer) if is_for_good(answer.status) => {
                refuse(remote, spool, sent, &waiting, &answer).map_err(disk)?;
            }
            Ok(answer) => {
                sent.away = Some(remote.refusal(&answer).to_string());
                return Ok(());
            }
            Err(failure) => {
                sent.away = Some(failure.to_string());
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The event itself is not acceptable; a wrong key or an absent server is another matter.
fn is_for_good(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
    )
}

fn taken(sent: &mut Sent, answer: &Value) {
    for receipt in list(answer, "receipts") {
        let incidents = hashed(&joined(receipt, "incidents"));
        let incidents = if incidents.is_empty() {
            String::new()
        } else {
            format!(" {incidents}")
        };
        sent.lines.push(format!(
            "{}{incidents}, dedup key {}, receipt {}",
            text(receipt, "disposition"),
            text(receipt, "dedup_key"),
            text(receipt, "id")
        ));
        sent.receipts.push(receipt.clone());
    }
}

fn refuse(
    remote: &Remote,
    spool: &Spool,
    sent: &mut Sent,
    waiting: &Waiting,
    answer: &Answer,
) -> std::io::Result<()> {
    let aside = spool.set_aside(waiting)?;
    let why = remote.refusal(answer);
    sent.refused
        .push(format!("{why}\n  the event is in {}", aside.display()));
    Ok(())
}

fn report(sent: Sent, spool: &Spool) -> Result<Report, Failure> {
    let Sent {
        receipts,
        lines,
        refused,
        away,
    } = sent;
    let told = if lines.is_empty() {
        String::new()
    } else {
        format!("{}\n", lines.join("\n"))
    };
    if let Some(away) = away {
        let count = spool.waiting().map_or(0, |waiting| waiting.len());
        let events = if count == 1 {
            "event waits"
        } else {
            "events wait"
        };
        return Err(Failure::Server(format!(
            "{told}{away}\n{count} {events} in {}; the next `reveille send` sends them first, \
             `reveille send --flush` only them",
            spool.folder().display()
        )));
    }
    if !refused.is_empty() {
        return Err(Failure::Server(format!("{told}{}", refused.join("\n"))));
    }
    let text = match lines.is_empty() {
        true => "nothing waits".to_owned(),
        false => lines.join("\n"),
    };
    Ok(Report::new(list_as("receipts", receipts), text))
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
