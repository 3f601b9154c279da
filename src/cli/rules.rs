//! `rules`: check, compare, apply and look back at rules.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::remote::{Call, Remote, StatusCode, read};
use super::render;
use super::report::{Failure, Report, list_as};
use super::rules_folder::{self, Overwrite};
use super::rules_local;
use super::values::{id, label};
use crate::api::wire::preview::Preview;
use crate::api::wire::rules::{RevisionLine, RuleFault, RuleFile, Rules, RulesChange};
use crate::app::time_zones;
use crate::config::{self, Secrets};
use crate::rules::{SourceFile, starter};

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Report all errors in a folder of rules; needs no server
    Check(Folder),
    /// Write commented starter rules into a folder; needs no server
    Init(Folder),
    /// Show what a folder of rules would change
    Diff(Folder),
    /// Put a folder of rules in force
    Apply(Apply),
    /// Write the rules in force into a folder, as they were applied
    Export(Export),
    /// List the revisions
    History,
    /// Put an earlier revision in force again
    Rollback(RollbackArgs),
    /// Show what would happen to an event: route, policy, people and contacts, and why
    Test(Test),
}

#[derive(Debug, Args)]
pub struct Folder {
    /// The folder
    #[arg(value_name = "DIR", default_value = "rules")]
    folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct Apply {
    #[command(flatten)]
    folder: Folder,
    /// Why, for the history
    #[arg(short, long, value_name = "MSG", default_value = "")]
    message: String,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    folder: Folder,
    /// Replace files that exist with different content
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The revision's number
    #[arg(value_name = "REV", value_parser = id)]
    revision: u64,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub struct Test {
    /// A file with an event in JSON; - is standard input
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// A label; may be given several times; `severity` is the event's severity too
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
    /// The severity
    #[arg(long, value_name = "WORD")]
    severity: Option<String>,
    /// As if it came at this time [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// As if this integration had sent it
    #[arg(long, value_name = "NAME")]
    integration: Option<String>,
    /// The file is in the integration's own format
    #[arg(long, requires_all = ["event", "integration"],
          conflicts_with_all = ["labels", "severity"])]
    raw: bool,
}

/// Does what is asked with rules.
pub async fn run(command: RulesCommand, context: &Context) -> Result<Report, Failure> {
    match command {
        RulesCommand::Check(folder) => check(&folder, context),
        RulesCommand::Init(folder) => init(&folder, context),
        RulesCommand::Diff(folder) => diff(&folder, context).await,
        RulesCommand::Apply(apply) => self::apply(&apply, context).await,
        RulesCommand::Export(export) => self::export(&export, context).await,
        RulesCommand::History => history(context).await,
        RulesCommand::Rollback(rollback) => self::rollback(&rollback, context).await,
        RulesCommand::Test(test) => self::test(&test, context).await,
    }
}

fn check(folder: &Folder, context: &Context) -> Result<Report, Failure> {
    let files = rules_folder::read(&folder.folder)?;
    let mut sources = context.sources(BTreeMap::new());
    sources.secrets = Secrets::Leave;
    let loaded = config::load(&sources)
        .map_err(|faults| Failure::Usage(format!("the settings have errors\n{faults}")))?;
    let (zones, warning) = time_zones::load(loaded.settings.time_zones, &context.environment);
    let faults = rules_local::check(&files, &loaded.settings, &zones);
    let mut report = if faults.is_empty() {
        let count = files.len();
        let word = if count == 1 { "file" } else { "files" };
        Report::new(
            json!({ "faults": [] }),
            format!("{count} {word}, no errors"),
        )
    } else {
        faulty(&faults, folder, &files, context)
    };
    report.text.push_str(&format!("\ntime zones {zones}"));
    report.value["time_zones"] = json!(zones.to_string());
    Ok(report.remarks(warning.map(|warning| format!("warning: {warning}"))))
}

/// Faults as a report; warnings alone are no failure.
fn faulty(
    faults: &[RuleFault],
    folder: &Folder,
    files: &[SourceFile],
    context: &Context,
) -> Report {
    let text = rules_local::render(faults, &folder.folder, files, context.look);
    let report = Report::new(json!({ "faults": faults }), text);
    report.so(!rules_local::has_error(faults))
}

/// What the server says to a rule set: what it changes, also as it was sent, or its faults.
enum Judged {
    Good(RulesChange, Value),
    Faulty(Vec<RuleFault>),
}

async fn judge(remote: &Remote, call: Call<'_>) -> Result<Judged, Failure> {
    let answer = remote.try_call(call).await?;
    if answer.status.is_success() {
        return Ok(Judged::Good(read(&answer.value)?, answer.value));
    }
    let is_about_rules = matches!(
        answer.status,
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
    );
    match read::<Vec<RuleFault>>(&answer.value["faults"]) {
        Ok(faults) if is_about_rules && !faults.is_empty() => Ok(Judged::Faulty(faults)),
        Ok(_) | Err(_) => Err(remote.refusal(&answer)),
    }
}

async fn diff(folder: &Folder, context: &Context) -> Result<Report, Failure> {
    let files = rules_folder::read(&folder.folder)?;
    let remote = context.remote()?;
    let call = Call::post(&["v1", "rules", "diff"], &rules_folder::body(&files));
    Ok(match judge(&remote, call).await? {
        Judged::Faulty(faults) => faulty(&faults, folder, &files, context),
        Judged::Good(change, answer) => {
            let told = render::rules::differences(&change);
            let text = if told.is_empty() {
                "no differences from the rules in force".to_owned()
            } else {
                told
            };
            with_warnings(Report::new(answer, text), &change)
        }
    })
}

fn with_warnings(report: Report, change: &RulesChange) -> Report {
    let warnings = change.warnings.iter().map(render::rules::warning);
    report.remarks(warnings.map(|warning| format!("warning: {warning}")))
}

async fn apply(apply: &Apply, context: &Context) -> Result<Report, Failure> {
    can_agree(apply.yes, context)?;
    let files = rules_folder::read(&apply.folder.folder)?;
    let remote = context.remote()?;
    let body = rules_folder::body(&files);
    let change = match judge(&remote, Call::post(&["v1", "rules", "diff"], &body)).await? {
        Judged::Good(change, _) => change,
        Judged::Faulty(faults) => return Ok(faulty(&faults, &apply.folder, &files, context)),
    };
    let revision = change.revision;
    let told = render::rules::differences(&change);
    if told.is_empty() {
        let text = "these rules are already in force";
        return Ok(Report::new(
            json!({ "revision": revision, "differences": [] }),
            text,
        ));
    }
    if !is_agreed(apply.yes, context, &change, &told) {
        return Err(Failure::NotSo("nothing was applied".to_owned()));
    }
    let message = (!apply.message.is_empty()).then_some(&apply.message);
    let call = Call::put(&["v1", "rules"], &body)
        .query("message", message)
        .if_match(Some(revision));
    Ok(match judge(&remote, call).await? {
        Judged::Faulty(faults) => faulty(&faults, &apply.folder, &files, context),
        Judged::Good(applied, answer) => {
            let text = format!("{told}\nrevision {} is in force", applied.revision);
            with_warnings(Report::new(answer, text), &applied)
        }
    })
}

/// Whoever changes the rules agrees beforehand or can be asked.
fn can_agree(yes: bool, context: &Context) -> Result<(), Failure> {
    if context.ask.is_none() && !yes {
        let message = "no terminal to ask for confirmation on: add --yes to apply the rules";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(())
}

/// A change that moves who is on call now is asked about.
fn is_agreed(yes: bool, context: &Context, change: &RulesChange, told: &str) -> bool {
    match context.ask {
        Some(ask) if !change.on_call.is_empty() && !yes => ask(&format!("{told}\nApply this?")),
        Some(_) | None => true,
    }
}

async fn export(export: &Export, context: &Context) -> Result<Report, Failure> {
    let call = Call::get(&["v1", "rules"]);
    let (rules, answer): (Rules, _) = context.remote()?.fetch(call).await?;
    let remarks = render::rules::export_remarks(&rules);
    let files = rules.files.into_iter();
    let files = files.map(|RuleFile { path, text }| SourceFile { path, text });
    let files: Vec<SourceFile> = files.collect();
    if files.is_empty() {
        return Err(Failure::NotSo(
            "no rules are in force: apply some first".to_owned(),
        ));
    }
    let overwrite = match export.force {
        true => Overwrite::Always,
        false => Overwrite::Never,
    };
    let folder = &export.folder.folder;
    let written = rules_folder::write(folder, &files, overwrite)?;
    let text = format!(
        "revision {} is in {}: {}",
        rules.revision,
        folder.display(),
        written.join(", ")
    );
    Ok(Report::new(answer, text).remarks(remarks))
}

/// Writes the starter rules where no rules are.
fn init(folder: &Folder, context: &Context) -> Result<Report, Failure> {
    let folder = &folder.folder;
    let shown = folder.display();
    if let Some(found) = rules_folder::any_rules(folder)? {
        return Err(Failure::NotSo(format!(
            "{shown} already contains rules ({found}): nothing was written; edit those, or give \
             another folder"
        )));
    }
    let written = rules_folder::write(folder, &starter::files_at(context.now), Overwrite::Never)?;
    let text = format!(
        "the starter rules are in {shown}: {}\n\nPut your people, their contacts and your teams \
         into these files. Then:\n\n    reveille rules check {shown}\n    reveille rules apply \
         {shown}\n\nThe first start of `reveille serve` applies the folder `rules` by itself.",
        written.join(", ")
    );
    let folder = folder.display().to_string();
    Ok(Report::new(
        json!({ "folder": folder, "files": written }),
        text,
    ))
}

async fn history(context: &Context) -> Result<Report, Failure> {
    let path = ["v1", "rules", "revisions"];
    let (revisions, items): (Vec<RevisionLine>, _) = context.remote()?.items(&path, &[]).await?;
    let text = render::rules::history(&revisions, &context.into());
    Ok(Report::new(list_as("items", items), text))
}

async fn rollback(rollback: &RollbackArgs, context: &Context) -> Result<Report, Failure> {
    can_agree(rollback.yes, context)?;
    let remote = context.remote()?;
    if !rollback.yes && !is_rollback_agreed(rollback, context, &remote).await? {
        return Err(Failure::NotSo("nothing was applied".to_owned()));
    }
    let body = json!({ "revision": rollback.revision });
    let call = Call::post(&["v1", "rules", "rollback"], &body);
    let (change, answer): (RulesChange, _) = remote.fetch(call).await?;
    let told = render::rules::differences(&change);
    let line = format!(
        "revision {} is in force, with the rules of revision {}",
        change.revision, rollback.revision
    );
    let text = if told.is_empty() {
        line
    } else {
        format!("{told}\n{line}")
    };
    Ok(with_warnings(Report::new(answer, text), &change))
}

/// As for `apply`; faults of a revision that no longer fits are told when it is put in force.
async fn is_rollback_agreed(
    rollback: &RollbackArgs,
    context: &Context,
    remote: &Remote,
) -> Result<bool, Failure> {
    let number = rollback.revision.to_string();
    let path = ["v1", "rules", "revisions", &number];
    let (old, _): (Rules, _) = remote.fetch(Call::get(&path)).await?;
    let body = json!({ "files": old.files });
    let call = Call::post(&["v1", "rules", "diff"], &body);
    Ok(match judge(remote, call).await? {
        Judged::Faulty(_) => true,
        Judged::Good(change, _) => {
            let told = render::rules::differences(&change);
            is_agreed(false, context, &change, &told)
        }
    })
}

async fn test(test: &Test, context: &Context) -> Result<Report, Failure> {
    let at = test.at.as_deref().map(|at| context.next(at)).transpose()?;
    let call = if test.raw {
        Call::post(&["v1", "route"], &Value::Null)
            .body(event_text(test)?)
            .query("integration", test.integration.as_ref())
            .query("raw", Some("1"))
            .query("at", at)
    } else {
        let mut event = event(test)?;
        if let Some(at) = at {
            event["at"] = at.to_string().into();
        }
        if let Some(integration) = &test.integration {
            event["integration"] = integration.as_str().into();
        }
        Call::post(&["v1", "route"], &event)
    };
    let (preview, answer): (Preview, _) = context.remote()?.fetch(call).await?;
    let text = render::rules::decisions(&preview);
    Ok(Report::new(answer, text))
}

/// The event of the file, or a made-up one, with the labels of the flags.
fn event(test: &Test) -> Result<Value, Failure> {
    let mut event = match &test.event {
        None => json!({ "action": "trigger", "summary": "a test" }),
        Some(path) => serde_json::from_str(&event_text(test)?)
            .map_err(|error| Failure::Usage(format!("{} is not JSON: {error}", path.display())))?,
    };
    if !event.is_object() {
        return Err(Failure::Usage(
            "the event must be one JSON object".to_owned(),
        ));
    }
    let labelled = test.labels.iter().rfind(|(name, _)| name == "severity");
    let severity = test.severity.as_ref();
    if let Some(severity) = severity.or(labelled.map(|(_, severity)| severity)) {
        event["severity"] = severity.as_str().into();
    }
    if !test.labels.is_empty() && !event["labels"].is_object() {
        event["labels"] = json!({});
    }
    for (name, value) in &test.labels {
        event["labels"][name] = value.as_str().into();
    }
    Ok(event)
}

fn event_text(test: &Test) -> Result<String, Failure> {
    let path = test.event.clone().unwrap_or_default();
    let read = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(&path)
    };
    read.map_err(|error| Failure::Usage(format!("failed to read {}: {error}", path.display())))
}
