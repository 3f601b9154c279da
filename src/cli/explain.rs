//! `explain`: why somebody was or was not paged, for an incident, a receipt or a person.

use clap::Args;

use super::context::Context;
use super::remote::{Call, Remote};
use super::render::{self, View};
use super::report::{Failure, Report, list_as};
use super::values::incident_or_receipt;
use crate::api::wire::entry::{Entry, Explained};
use crate::api::wire::receipt::Receipt;
use crate::engine::time::Timestamp;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["subject", "user"]))]
pub struct Explain {
    /// An incident's number, or a receipt such as r12
    #[arg(value_name = "N|RECEIPT", value_parser = incident_or_receipt)]
    subject: Option<String>,
    /// Everything about this person, or `me`
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Start time, with --user
    #[arg(long, value_name = "TIME", default_value = "8h", requires = "user")]
    since: String,
}

/// Tells the story.
pub async fn run(explain: &Explain, context: &Context) -> Result<Report, Failure> {
    let since = context.last(&explain.since)?;
    let remote = context.remote()?;
    let view = View::from(context);
    if let Some(user) = &explain.user {
        return person(&remote, user, since, &view).await;
    }
    let subject = explain.subject.as_deref().unwrap_or_default();
    match subject.strip_prefix('#').unwrap_or(subject).parse::<u64>() {
        Ok(number) => incident(&remote, number, &view).await,
        Err(_) => receipt(&remote, subject, &view).await,
    }
}

/// The lines that name a person, and the events of that time that paged nobody.
async fn person(
    remote: &Remote,
    user: &str,
    since: Timestamp,
    view: &View,
) -> Result<Report, Failure> {
    let call = Call::get(&["v1", "explain"])
        .query("user", Some(user))
        .query("since", Some(since));
    let (explained, answer): (Explained, _) = remote.fetch(call).await?;
    let mut text = if explained.items.is_empty() {
        let since = render::time_format::local(since, view);
        format!("nothing recorded since {since}")
    } else {
        render::timeline::story(&explained.items, view)
    };
    let quiet = render::timeline::quiet(&explained.receipts, view);
    if !quiet.is_empty() {
        text.push_str("\n\nevents that paged nobody\n");
        text.push_str(&quiet);
    }
    let is_cut = explained.truncated;
    let cut = is_cut.then_some("not everything is shown: use a later --since");
    Ok(Report::new(answer, text).remarks(cut))
}

async fn incident(remote: &Remote, number: u64, view: &View) -> Result<Report, Failure> {
    let number = number.to_string();
    let path = ["v1", "incidents", &number, "timeline"];
    let (entries, items): (Vec<Entry>, _) = remote.items(&path, &[]).await?;
    let text = render::timeline::story(&entries, view);
    Ok(Report::new(list_as("items", items), text))
}

/// The event's own end, and the story of the incident that it belongs to.
async fn receipt(remote: &Remote, id: &str, view: &View) -> Result<Report, Failure> {
    let call = Call::get(&["v1", "receipts", id]);
    let (receipt, answer): (Receipt, _) = remote.fetch(call).await?;
    let text = render::timeline::receipt(&receipt, view);
    let story = |number| format!("for the full story: reveille explain {number}");
    Ok(Report::new(answer, text).remarks(receipt.incident.map(story)))
}
