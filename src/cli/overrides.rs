//! `override`: let somebody stand in on a schedule.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::remote::{Call, Remote};
use super::render::{self, time_format};
use super::report::{Failure, Report, list_as};
use super::times;
use super::values::id;
use crate::api::wire::oncall::{OnCall, Override};
use crate::engine::time::Timestamp;

#[derive(Debug, Subcommand)]
pub enum Overrides {
    /// Put somebody on call for a time
    Add(AddOverrideArgs),
    /// List overrides
    List {
        /// Only this schedule [default: all]
        schedule: Option<String>,
    },
    /// Remove an override
    Remove {
        /// The override's id, as `list` shows it
        #[arg(value_parser = id)]
        id: u64,
        /// The schedule, if it is no longer in the rules
        #[arg(long, value_name = "NAME")]
        schedule: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct AddOverrideArgs {
    /// The schedule
    schedule: String,
    /// Who is on call instead
    #[arg(long, value_name = "NAME")]
    user: String,
    #[command(flatten)]
    span: TimeRange,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// From when until when.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("end").required(true).args(["for_", "until"]))]
pub struct TimeRange {
    /// Start [default: now]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Duration
    #[arg(long = "for", value_name = "LENGTH")]
    pub for_: Option<String>,
    /// End
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

impl TimeRange {
    /// Writes the span into a body; the answer is its end. What is measured from now is measured by
    /// the server's clock, which need not be ours.
    pub fn write(&self, body: &mut Value, context: &Context) -> Result<Timestamp, Failure> {
        let from = match &self.from {
            Some(from) => context.next(from)?,
            None => context.now,
        };
        if self.from.is_some() {
            body["from"] = from.to_string().into();
        }
        let until = match (&self.for_, &self.until) {
            (Some(length), _) => {
                let length = times::length(length).map_err(Failure::Usage)?;
                body["for"] = length.to_string().into();
                from + length
            }
            (None, Some(until)) => {
                let until = context.next(until)?;
                body["until"] = until.to_string().into();
                until
            }
            (None, None) => return Err(Failure::Usage("give --for or --until".to_owned())),
        };
        if until <= from {
            return Err(Failure::Usage(format!(
                "it would end at {until}, before it starts at {from}: give a later end"
            )));
        }
        Ok(until)
    }
}

/// Adds, lists or removes.
pub async fn run(command: Overrides, context: &Context) -> Result<Report, Failure> {
    match command {
        Overrides::Add(add) => self::add(&add, context).await,
        Overrides::List { schedule } => list(schedule.as_deref(), context).await,
        Overrides::Remove { id, schedule } => remove(id, schedule, context).await,
    }
}

async fn add(add: &AddOverrideArgs, context: &Context) -> Result<Report, Failure> {
    let mut body = json!({ "user": add.user, "reason": add.reason });
    let until = add.span.write(&mut body, context)?;
    let path = ["v1", "schedules", &add.schedule, "overrides"];
    let call = Call::post(&path, &body);
    let (override_, answer): (Override, _) = context.remote()?.fetch(call).await?;
    let text = format!(
        "{} is on call on {} until {} (override {})",
        add.user,
        add.schedule,
        time_format::both(until, &context.into()),
        override_.id
    );
    Ok(Report::new(answer, text))
}

async fn list(schedule: Option<&str>, context: &Context) -> Result<Report, Failure> {
    let remote = context.remote()?;
    let (overrides, items) = known(&remote, schedule).await?;
    let text = render::people::overrides(&overrides, &context.into());
    Ok(Report::new(list_as("items", items), text))
}

/// The overrides of one schedule, or of all, with what was sent of them.
async fn known(
    remote: &Remote,
    schedule: Option<&str>,
) -> Result<(Vec<Override>, Vec<Value>), Failure> {
    let schedules = match schedule {
        Some(schedule) => vec![schedule.to_owned()],
        None => schedules(remote).await?,
    };
    let (mut overrides, mut items) = (Vec::new(), Vec::new());
    for schedule in schedules {
        let path = ["v1", "schedules", &schedule, "overrides"];
        let (read, sent) = remote.items::<Override>(&path, &[]).await?;
        overrides.extend(read);
        items.extend(sent);
    }
    Ok((overrides, items))
}

async fn schedules(remote: &Remote) -> Result<Vec<String>, Failure> {
    let (on_call, _): (OnCall, _) = remote.fetch(Call::get(&["v1", "oncall"])).await?;
    let schedules = on_call.schedules.into_iter();
    Ok(schedules.map(|schedule| schedule.name).collect())
}

async fn remove(id: u64, schedule: Option<String>, context: &Context) -> Result<Report, Failure> {
    let remote = context.remote()?;
    let schedule = match schedule {
        Some(schedule) => schedule,
        None => schedule_of(&remote, id).await?,
    };
    let number = id.to_string();
    let path = ["v1", "schedules", &schedule, "overrides", &number];
    remote.call(Call::delete(&path)).await?;
    let value = json!({ "id": id, "schedule": schedule, "removed": true });
    Ok(Report::new(
        value,
        format!("override {id} on {schedule} is removed"),
    ))
}

async fn schedule_of(remote: &Remote, id: u64) -> Result<String, Failure> {
    let (overrides, _) = known(remote, None).await?;
    let known = overrides.into_iter().find(|known| known.id == id);
    known
        .map(|known| known.schedule)
        .ok_or_else(|| Failure::NotSo(format!("no override {id}: see `override list`")))
}
