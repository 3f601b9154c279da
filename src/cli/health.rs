//! `health`: whether the server can do its work, for whatever watches a container or a host.

use super::context::Context;
use super::remote::{Call, StatusCode, read};
use super::render;
use super::report::{Failure, Report};
use crate::api::wire::process::Health;

/// Asks without a token.
pub async fn run(context: &Context) -> Result<Report, Failure> {
    let remote = context.stranger()?;
    let answer = remote.try_call(Call::get(&["readyz"])).await?;
    let Ok(health) = read::<Health>(&answer.value) else {
        return Err(remote.refusal(&answer));
    };
    let causes = render::joined(&health.causes);
    let is_ready = answer.status == StatusCode::OK;
    let text = match (is_ready, causes.as_str()) {
        (true, _) => "ready".to_owned(),
        (false, "") => "not ready".to_owned(),
        (false, causes) => format!("not ready: {causes}"),
    };
    Ok(Report::new(answer.value, text).so(is_ready))
}
