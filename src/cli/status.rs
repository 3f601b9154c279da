//! `status`: our own status pages: how they are and why, and what people write on them.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::overrides::TimeRange;
use super::remote::Call;
use super::render;
use super::report::{Failure, Report, list_as};
use crate::api::wire::status::{PostRef, ShownComponent, ShownStatusPage};

#[derive(Debug, Subcommand)]
pub enum StatusCommand {
    /// Show our status pages, or everything about one
    Show {
        /// The page's name in the rules
        page: Option<String>,
    },
    /// Write a post about an outage
    Post(PostArgs),
    /// Announce a maintenance
    Maintenance(MaintenanceArgs),
    /// Add an update to a post
    Update(UpdateArgs),
    /// End a post
    Resolve {
        page: String,
        /// The post's number, as `show` tells it
        number: u64,
        /// Markdown; without it the text of the rules
        text: Option<String>,
    },
    /// Publish a draft
    Publish { page: String, number: u64 },
    /// Change the words of a post
    Edit {
        page: String,
        number: u64,
        #[arg(long, value_name = "TEXT", required_unless_present = "text")]
        title: Option<String>,
        /// Of the update
        #[arg(long, value_name = "MARKDOWN")]
        text: Option<String>,
        /// The number of the update; the last one without it
        #[arg(long, value_name = "NUMBER", requires = "text")]
        update: Option<u64>,
    },
    /// Take a post away
    Delete { page: String, number: u64 },
    /// Say how a component is until a moment, whatever the rules say
    Set {
        page: String,
        /// Its name, `group / name` or id
        component: String,
        /// `operational`, `degraded_performance`, `partial_outage`, `major_outage`,
        /// `under_maintenance` or `unknown`
        state: String,
        #[command(flatten)]
        span: TimeRange,
    },
    /// Let the rules say again how a component is
    Follow { page: String, component: String },
    /// Explain why a component is as it is
    Explain { page: String, component: String },
}

#[derive(Debug, Args)]
pub struct PostArgs {
    page: String,
    title: String,
    /// Nothing is broken: it only tells something
    #[arg(long)]
    announcement: bool,
    /// Readers do not see it until it is published
    #[arg(long)]
    draft: bool,
    #[command(flatten)]
    said: SaidArgs,
}

#[derive(Debug, Args)]
pub struct MaintenanceArgs {
    page: String,
    title: String,
    #[command(flatten)]
    span: TimeRange,
    #[command(flatten)]
    said: SaidArgs,
}

#[derive(Debug, Args)]
pub struct UpdateArgs {
    page: String,
    number: u64,
    #[command(flatten)]
    said: SaidArgs,
}

/// What an update says.
#[derive(Debug, Args)]
pub struct SaidArgs {
    /// Markdown; without it the text of the rules for the state
    #[arg(long, value_name = "MARKDOWN")]
    text: Option<String>,
    /// Such as investigating, identified, monitoring, resolved
    #[arg(long)]
    state: Option<String>,
    /// `none`, `minor`, `major` or `critical`
    #[arg(long)]
    impact: Option<String>,
    /// A component, with its state if it is to change: API or API=partial_outage
    #[arg(long = "component", value_name = "NAME[=STATE]")]
    components: Vec<String>,
    /// Promise the next update within so long
    #[arg(long, value_name = "DURATION")]
    next: Option<String>,
}

impl SaidArgs {
    fn body(&self) -> Value {
        let components = self.components.iter().map(|written| {
            let (name, state) = match written.rsplit_once('=') {
                Some((name, state)) => (name, Some(state)),
                None => (written.as_str(), None),
            };
            json!({ "component": name, "state": state })
        });
        json!({
            "text": self.text,
            "state": self.state,
            "impact": self.impact,
            "components": components.collect::<Vec<Value>>(),
            "next_within": self.next,
        })
    }
}

/// Does one of them.
pub async fn run(command: StatusCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        StatusCommand::Show { page } => show(page.as_deref(), context).await,
        StatusCommand::Post(args) => write_post(&args, context).await,
        StatusCommand::Maintenance(args) => announce(&args, context).await,
        StatusCommand::Update(args) => {
            update(&args.page, args.number, &args.said.body(), context).await
        }
        StatusCommand::Resolve { page, number, text } => {
            let body = json!({ "state": "resolved", "text": text });
            update(&page, number, &body, context).await
        }
        StatusCommand::Publish { page, number } => {
            let number = number.to_string();
            let path = ["v1", "status", &page, "posts", &number, "publish"];
            posted(Call::post(&path, &json!({})), "published", context).await
        }
        StatusCommand::Edit {
            page,
            number,
            title,
            text,
            update,
        } => {
            let body = json!({ "title": title, "text": text, "update": update });
            let number = number.to_string();
            let path = ["v1", "status", &page, "posts", &number];
            posted(Call::put(&path, &body), "changed", context).await
        }
        StatusCommand::Delete { page, number } => {
            let shown = number.to_string();
            let path = ["v1", "status", &page, "posts", &shown];
            context.remote()?.call(Call::delete(&path)).await?;
            let value = json!({ "page": page, "number": number, "deleted": true });
            Ok(Report::new(
                value,
                format!("post {number} of {page} is gone"),
            ))
        }
        StatusCommand::Set {
            page,
            component,
            state,
            span,
        } => {
            let mut body = json!({ "state": state });
            if span.from.is_some() {
                let usage = "a state holds from now on: remove --from";
                return Err(Failure::Usage(usage.to_owned()));
            }
            span.write(&mut body, context)?;
            let path = ["v1", "status", &page, "components", &component];
            component_shown(Call::put(&path, &body), context).await
        }
        StatusCommand::Follow { page, component } => {
            let path = ["v1", "status", &page, "components", &component];
            component_shown(Call::delete(&path), context).await
        }
        StatusCommand::Explain { page, component } => {
            let path = ["v1", "status", &page, "components", &component];
            component_shown(Call::get(&path), context).await
        }
    }
}

async fn write_post(args: &PostArgs, context: &Context) -> Result<Report, Failure> {
    let kind = match args.announcement {
        true => "announcement",
        false => "incident",
    };
    let body = json!({ "kind": kind, "title": args.title, "is_draft": args.draft,
        "update": args.said.body() });
    let done = match args.draft {
        true => "written as a draft",
        false => "published",
    };
    post(&args.page, &body, done, context).await
}

async fn announce(args: &MaintenanceArgs, context: &Context) -> Result<Report, Failure> {
    let mut span = json!({});
    let until = args.span.write(&mut span, context)?;
    let from = span["from"].as_str().map(str::to_owned);
    let from = from.unwrap_or_else(|| context.now.to_string());
    let body = json!({ "kind": "maintenance", "title": args.title,
        "scheduled_for": from, "scheduled_until": until.to_string(),
        "update": args.said.body() });
    post(&args.page, &body, "announced", context).await
}

async fn show(page: Option<&str>, context: &Context) -> Result<Report, Failure> {
    let remote = context.remote()?;
    if let Some(page) = page {
        let call = Call::get(&["v1", "status", page]);
        let (page, answer): (ShownStatusPage, _) = remote.fetch(call).await?;
        let text = render::status::page(&page, &context.into());
        return Ok(Report::new(answer, text));
    }
    let (pages, items): (Vec<ShownStatusPage>, _) = remote.items(&["v1", "status"], &[]).await?;
    let text = render::status::pages(&pages, &context.into());
    Ok(Report::new(list_as("items", items), text))
}

async fn post(page: &str, body: &Value, done: &str, context: &Context) -> Result<Report, Failure> {
    posted(
        Call::post(&["v1", "status", page, "posts"], body),
        done,
        context,
    )
    .await
}

async fn update(
    page: &str,
    number: u64,
    body: &Value,
    context: &Context,
) -> Result<Report, Failure> {
    let number = number.to_string();
    let path = ["v1", "status", page, "posts", &number, "updates"];
    posted(Call::post(&path, body), "updated", context).await
}

async fn posted(call: Call<'_>, done: &str, context: &Context) -> Result<Report, Failure> {
    let (post, answer): (PostRef, _) = context.remote()?.fetch(call).await?;
    Ok(Report::new(answer, render::status::posted(&post, done)))
}

async fn component_shown(call: Call<'_>, context: &Context) -> Result<Report, Failure> {
    let (component, answer): (ShownComponent, _) = context.remote()?.fetch(call).await?;
    let text = render::status::component(&component, &context.into());
    Ok(Report::new(answer, text))
}
