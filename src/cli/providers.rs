//! `providers`: what the pages of watched providers say, probes of pages, and the catalogue.

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::Context;
use super::remote::Call;
use super::render::{self, clean};
use super::report::{Failure, Report, list_as};
use crate::api::wire::provider::{ProbedPage, WatchedProvider};
use crate::status::catalogue;

#[derive(Debug, Subcommand)]
pub enum ProvidersCommand {
    /// List the watched providers and what their pages say
    List,
    /// Show a watched provider: what is open, what is over, and what has an alert
    Show {
        /// The provider's name in the rules
        name: String,
    },
    /// Look at a provider's page now, instead of when it is due
    Look {
        /// The provider's name in the rules
        name: String,
    },
    /// Ask a status page what it is, and show what watching it would have done; the server asks
    Probe(ProbeArgs),
    /// Find the addresses of status pages by name; needs no server
    Search {
        /// Part of a name or host
        name: String,
    },
    /// Accept the page that is under a provider's address now
    Accept {
        /// The provider's name in the rules
        name: String,
    },
}

#[derive(Debug, clap::Args)]
pub struct ProbeArgs {
    /// The page's address, such as https://status.example.com
    url: String,
    /// The kind of page; without it the page is asked
    #[arg(long)]
    kind: Option<String>,
    /// A condition on `component` or `title`, as in the rules; may be given several times
    #[arg(long = "match", value_name = "MATCHER")]
    matchers: Vec<String>,
    /// How urgent an impact is, such as minor=high; may be given several times
    #[arg(long, value_name = "IMPACT=URGENCY")]
    urgency: Vec<String>,
}

/// Does one of them.
pub async fn run(command: ProvidersCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        ProvidersCommand::List => list(context).await,
        ProvidersCommand::Show { name } => {
            let call = Call::get(&["v1", "providers", &name]);
            let (shown, answer): (WatchedProvider, _) = context.remote()?.fetch(call).await?;
            Ok(Report::new(
                answer,
                render::providers::one(&shown, &context.into()),
            ))
        }
        ProvidersCommand::Look { name } => {
            let call = Call::post(&["v1", "providers", &name, "look"], &json!({}));
            let (shown, answer): (WatchedProvider, _) = context.remote()?.fetch(call).await?;
            let text = format!(
                "the page of provider {} is looked at now",
                clean(&shown.name)
            );
            Ok(Report::new(answer, text))
        }
        ProvidersCommand::Probe(probe) => probe_page(probe, context).await,
        ProvidersCommand::Search { name } => search(&name, context),
        ProvidersCommand::Accept { name } => {
            let call = Call::post(&["v1", "providers", &name, "accept"], &json!({}));
            let (shown, answer): (WatchedProvider, _) = context.remote()?.fetch(call).await?;
            let text = format!("the page of provider {} is accepted", clean(&shown.name));
            Ok(Report::new(answer, text))
        }
    }
}

async fn list(context: &Context) -> Result<Report, Failure> {
    let remote = context.remote()?;
    let (providers, items): (Vec<WatchedProvider>, _) =
        remote.items(&["v1", "providers"], &[]).await?;
    let text = render::providers::list(&providers, &context.into());
    Ok(Report::new(list_as("items", items), text))
}

async fn probe_page(probe: ProbeArgs, context: &Context) -> Result<Report, Failure> {
    let mut provider = json!({ "url": probe.url });
    if let Some(kind) = probe.kind {
        provider["kind"] = Value::from(kind);
    }
    if !probe.matchers.is_empty() {
        provider["match"] = Value::from(probe.matchers);
    }
    let mut urgency = serde_json::Map::new();
    for given in probe.urgency {
        let Some((impact, word)) = given.split_once('=') else {
            let message = format!("--urgency {given:?} is not IMPACT=URGENCY, such as minor=high");
            return Err(Failure::Usage(message));
        };
        urgency.insert(impact.to_owned(), Value::from(word));
    }
    if !urgency.is_empty() {
        provider["urgency"] = Value::Object(urgency);
    }
    let call = Call::post(
        &["v1", "providers", "probe"],
        &json!({ "provider": provider }),
    );
    let (probed, answer): (ProbedPage, _) = context.remote()?.fetch(call).await?;
    let is_read = probed.problem.is_none();
    let text = render::providers::probed(&probed, &context.into());
    Ok(Report::new(answer, text).so(is_read))
}

fn search(name: &str, context: &Context) -> Result<Report, Failure> {
    let found = catalogue::search(name);
    if found.is_empty() {
        let message = format!(
            "no page in the catalogue is like {name:?}; `reveille providers probe URL` asks any page"
        );
        return Err(Failure::NotSo(message));
    }
    let text = render::providers::catalogue(&found, &context.into());
    let items = found.iter().map(|entry| {
        json!({ "name": entry.name, "url": entry.url, "kind": entry.kind, "seen": entry.seen })
    });
    Ok(Report::new(list_as("items", items.collect()), text))
}
