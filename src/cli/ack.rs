//! `ack`: take incidents, by number or all of a kind.

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::remote::{Call, Remote};
use super::render::{self, View};
use super::report::{Failure, Report};
use super::values::incident_number;
use crate::api::wire::incident::{Acted, Incident, ManyActed};

/// Incidents of one request.
const NUMBERS_MAX: usize = 1_000;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["numbers", "mine", "service"]))]
pub struct Ack {
    /// The incidents' numbers
    #[arg(value_name = "N", value_parser = incident_number)]
    numbers: Vec<u64>,
    /// All that page me now
    #[arg(long, conflicts_with_all = ["numbers", "service"])]
    mine: bool,
    /// All of this service that nobody has acknowledged
    #[arg(long, value_name = "NAME", conflicts_with = "numbers")]
    service: Option<String>,
    /// Also the incidents that share an alert with them
    #[arg(long)]
    linked: bool,
    /// Act as this user; needs an admin token
    #[arg(long = "as", value_name = "USER")]
    as_user: Option<String>,
}

/// Acknowledges and says what became of each.
pub async fn run(ack: &Ack, context: &Context) -> Result<Report, Failure> {
    let remote = context.remote()?;
    let wanted = wanted(ack, &remote).await?;
    if wanted.is_empty() {
        return Ok(Report::new(
            json!({"results": []}),
            "nothing to acknowledge",
        ));
    }
    let mut results = acknowledge(&remote, &wanted, ack.as_user.as_deref()).await?;
    if ack.linked {
        let linked = linked(&results, &wanted);
        if !linked.is_empty() {
            results.extend(acknowledge(&remote, &linked, ack.as_user.as_deref()).await?);
        }
    }
    Ok(report(&results, ack, &context.into()))
}

async fn wanted(ack: &Ack, remote: &Remote) -> Result<Vec<u64>, Failure> {
    if !ack.numbers.is_empty() {
        return Ok(ack.numbers.clone());
    }
    let user = ack
        .mine
        .then(|| ack.as_user.clone().unwrap_or_else(|| "me".to_owned()));
    let query = [
        ("status", Some("triggered".to_owned())),
        ("service", ack.service.clone()),
        ("user", user),
    ];
    let path = ["v1", "incidents"];
    let (incidents, _): (Vec<Incident>, _) = remote.items(&path, &query).await?;
    Ok(incidents.iter().map(|incident| incident.number).collect())
}

async fn acknowledge(
    remote: &Remote,
    numbers: &[u64],
    as_user: Option<&str>,
) -> Result<Vec<Acted>, Failure> {
    let mut results = Vec::new();
    for part in numbers.chunks(NUMBERS_MAX) {
        let mut body = json!({ "numbers": part });
        if let Some(user) = as_user {
            body["as"] = user.into();
        }
        let call = Call::post(&["v1", "incidents", "acknowledge"], &body);
        let (acted, _): (ManyActed, _) = remote.fetch(call).await?;
        results.extend(acted.results);
    }
    Ok(results)
}

/// Incidents that share an alert with those acknowledged and were not asked for.
fn linked(results: &[Acted], wanted: &[u64]) -> Vec<u64> {
    let linked = results.iter().flat_map(|acted| acted.linked.clone());
    let mut linked: Vec<u64> = linked.filter(|number| !wanted.contains(number)).collect();
    linked.sort_unstable();
    linked.dedup();
    linked
}

fn report(results: &[Acted], ack: &Ack, view: &View) -> Report {
    let lines: Vec<String> = results
        .iter()
        .map(|acted| render::incident::acted(acted, "acknowledged", view))
        .collect();
    let is_so = results.iter().all(render::incident::is_so);
    let has_linked = results.iter().any(|acted| !acted.linked.is_empty());
    let value = json!({ "results": results });
    let more = has_linked && !ack.linked;
    let more = more.then_some("add --linked to acknowledge those as well");
    let report = Report::new(value, lines.join("\n")).so(is_so);
    report.remarks(more)
}
