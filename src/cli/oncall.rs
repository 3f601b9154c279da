//! `oncall`: who is on call.

use clap::Args;

use super::context::Context;
use super::remote::Call;
use super::render;
use super::report::{Failure, Report};
use crate::api::wire::oncall::OnCall;

#[derive(Debug, Args)]
pub struct Oncall {
    /// At this time [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Only this schedule
    #[arg(long, value_name = "NAME")]
    schedule: Option<String>,
    /// Only where this user, or `me`, is on call; exit code 1 if nowhere
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
}

/// Names the people on call.
pub async fn run(oncall: &Oncall, context: &Context) -> Result<Report, Failure> {
    let at = oncall
        .at
        .as_deref()
        .map(|at| context.next(at))
        .transpose()?;
    let call = Call::get(&["v1", "oncall"])
        .query("at", at)
        .query("schedule", oncall.schedule.as_ref())
        .query("user", oncall.user.as_ref());
    let (on_call, answer): (OnCall, _) = context.remote()?.fetch(call).await?;
    let user = oncall.user.as_deref();
    let text = render::people::on_call(&on_call, user, &context.into());
    let is_nowhere = user.is_some() && on_call.schedules.is_empty();
    Ok(Report::new(answer, text).so(!is_nowhere))
}
