//! `incidents` and `show`: look.

use clap::Args;
use serde_json::Value;

use super::arguments::Numbered;
use super::context::Context;
use super::remote::Call;
use super::render;
use super::report::{Failure, Report};

#[derive(Debug, Args)]
pub struct List {
    /// triggered, acknowledged, resolved or all; may be given several times
    #[arg(long, value_name = "STATUS", value_delimiter = ',',
          value_parser = ["triggered", "acknowledged", "resolved", "open", "all"],
          default_value = "open")]
    status: Vec<String>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// high or low
    #[arg(long, value_parser = ["high", "low"])]
    urgency: Option<String>,
    /// Only those that involve this user, or `me`
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Maximum number of incidents
    #[arg(long, value_name = "COUNT", default_value_t = 50,
          value_parser = clap::value_parser!(u64).range(1..=500))]
    limit: u64,
}

/// Lists incidents, newest first.
pub async fn list(list: &List, context: &Context) -> Result<Report, Failure> {
    let call = Call::get(&["v1", "incidents"])
        .query("status", statuses(&list.status))
        .query("service", list.service.as_ref())
        .query("urgency", list.urgency.as_ref())
        .query("user", list.user.as_ref())
        .query("limit", Some(list.limit));
    let answer = context.remote()?.call(call).await?;
    let text = render::incident::incidents(&answer, &context.into());
    let is_cut = answer.get("next").is_some_and(|next| !next.is_null());
    let report = Report::new(answer, text);
    Ok(if is_cut {
        report.remark("the list is incomplete: raise --limit or add filters")
    } else {
        report
    })
}

/// `all` is the same as not asking.
fn statuses(statuses: &[String]) -> Option<String> {
    let is_all = statuses.iter().any(|status| status == "all");
    (!is_all).then(|| statuses.join(","))
}

/// Shows one incident in full: also the alerts and pages that do not fit into its first answer.
pub async fn show(show: &Numbered, context: &Context) -> Result<Report, Failure> {
    let number = show.number.to_string();
    let call = Call::get(&["v1", "incidents", &number]);
    let remote = context.remote()?;
    let mut answer = remote.call(call).await?;
    for (part, total) in [("alerts", "alerts_total"), ("pages", "pages_total")] {
        let shown = answer
            .get(part)
            .and_then(Value::as_array)
            .map_or(0, Vec::len);
        let total = answer.get(total).and_then(Value::as_u64).unwrap_or(0);
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        if shown < total {
            let path = ["v1", "incidents", &number, part];
            let limit = [("limit", Some("500".to_owned()))];
            let items = remote.first_items(&path, &limit, total).await?;
            answer[part] = items.into();
        }
    }
    let text = render::incident::incident(&answer, &context.into());
    Ok(Report::new(answer, text))
}

/// The numbers of the incidents in a list.
pub fn numbers(items: &[Value]) -> Vec<u64> {
    let numbers = items.iter().filter_map(|item| item.get("number"));
    numbers.filter_map(Value::as_u64).collect()
}
