//! `incidents` and `show`: look.

use clap::Args;

use super::context::Context;
use super::remote::Call;
use super::render;
use super::report::{Failure, Report};
use super::values::Numbered;
use crate::api::wire::{self, incident::Incident};

#[derive(Debug, Args)]
pub struct IncidentsArgs {
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
pub async fn list(list: &IncidentsArgs, context: &Context) -> Result<Report, Failure> {
    let call = Call::get(&["v1", "incidents"])
        .query("status", statuses(&list.status))
        .query("service", list.service.as_ref())
        .query("urgency", list.urgency.as_ref())
        .query("user", list.user.as_ref())
        .query("limit", Some(list.limit));
    let (list, answer): (wire::List<Incident>, _) = context.remote()?.fetch(call).await?;
    let text = render::incident::incidents(&list.items, &context.into());
    let is_cut = list.next.is_some();
    let cut = is_cut.then_some("the list is incomplete: raise --limit or add filters");
    Ok(Report::new(answer, text).remarks(cut))
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
    let (mut incident, mut answer): (Incident, _) = remote.fetch(call).await?;
    let limit = [("limit", Some("500".to_owned()))];
    let total = count(incident.alerts_total);
    if incident.alerts.as_ref().map_or(0, Vec::len) < total {
        let path = ["v1", "incidents", &number, "alerts"];
        let (alerts, items) = remote.first_items(&path, &limit, total).await?;
        incident.alerts = Some(alerts);
        answer["alerts"] = items.into();
    }
    let total = count(incident.pages_total.unwrap_or(0));
    if incident.pages.as_ref().map_or(0, Vec::len) < total {
        let path = ["v1", "incidents", &number, "pages"];
        let (pages, items) = remote.first_items(&path, &limit, total).await?;
        incident.pages = Some(pages);
        answer["pages"] = items.into();
    }
    let text = render::incident::incident(&incident, &context.into());
    Ok(Report::new(answer, text))
}

fn count(total: u64) -> usize {
    usize::try_from(total).unwrap_or(usize::MAX)
}
