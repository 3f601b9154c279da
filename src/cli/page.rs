//! `page`: page somebody by hand.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::remote::Call;
use super::report::{Failure, Report};
use super::values::target;
use crate::api::wire::incident::Opened;

#[derive(Debug, Args)]
pub struct PageArgs {
    /// user/NAME, policy/NAME, schedule/NAME or channel/NAME/ADDRESS
    #[arg(value_parser = target)]
    target: String,
    /// What it is about
    #[arg(required = true)]
    text: Vec<String>,
    /// high or low
    #[arg(long, value_parser = ["high", "low"], default_value = "high")]
    urgency: String,
}

/// Opens an incident for the target.
pub async fn run(page: &PageArgs, context: &Context) -> Result<Report, Failure> {
    let body = json!({
        "to": page.target,
        "text": page.text.join(" "),
        "urgency": page.urgency,
    });
    let call = Call::post(&["v1", "incidents"], &body);
    let (Opened { number }, answer) = context.remote()?.fetch(call).await?;
    let text = format!("#{number} pages {}", page.target);
    Ok(Report::new(answer, text)
        .remark(format!("see what happens with: reveille explain {number}")))
}
