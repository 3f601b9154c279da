//! The command line, one file per command.
//!
//! A command turns its arguments into a `Report` or a `Failure`; only this file prints. Exit
//! codes: 0 done, 1 the thing asked about is not so, 2 usage, 3 server not reached or refused.

mod ack;
mod act;
mod arguments;
mod audit;
mod backup;
mod channels;
mod checks;
mod clock;
mod context;
mod explain;
mod health;
mod incidents;
mod key;
mod manual;
mod oncall;
mod outbox;
mod overrides;
mod page;
mod parsing;
mod progress_bar;
mod providers;
mod remote;
pub mod render;
mod report;
mod restore;
mod rules;
mod rules_folder;
mod rules_local;
mod screen;
mod send;
mod serve;
mod silence;
mod spool;
mod status;
mod store;
mod times;
mod token;
mod values;
mod zone;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::CommandFactory;
use context::{Context, Look, Output};
use parsing::ParsedCommand;
use report::{Failure, Report};

use crate::engine::time::Timestamp;

/// Runs one command.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let ParsedCommand {
        arguments,
        warnings,
    } = match parsing::parse(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Nothing can be told where standard error is closed; the exit code still tells.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    for warning in &warnings {
        write_line(&mut std::io::stderr(), warning, Look::PLAIN);
    }
    let context = context(&arguments, environment);
    match arguments.command {
        Command::Serve(serve) => match serve::run(&serve, &context) {
            Ok(code) => code,
            Err(error) => fail(&error),
        },
        command => finish(&context, dispatch(command, &context)),
    }
}

/// The present; everything in this room takes it from here.
fn now() -> Timestamp {
    crate::app::wall_now()
}

fn context(
    arguments: &Arguments,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Context {
    let environment: BTreeMap<String, String> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let is_terminal = std::io::stdout().is_terminal();
    let look = Look {
        columns: comfy_table::Table::new()
            .width()
            .filter(|_| is_terminal)
            .map(usize::from),
        has_colour: is_terminal && !environment.contains_key("NO_COLOR"),
    };
    Context {
        global: arguments.global.clone(),
        now: now(),
        zone: zone::local(&environment),
        environment,
        look,
        ask: (is_terminal && std::io::stdin().is_terminal()).then_some(ask),
    }
}

fn dispatch(command: Command, context: &Context) -> Result<Report, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Server(format!("failed to start: {error}")))?;
    runtime.block_on(execute(command, context))
}

async fn execute(command: Command, context: &Context) -> Result<Report, Failure> {
    match command {
        Command::Serve(_) => Err(Failure::Usage("serve runs on its own".to_owned())),
        Command::Rules(command) => rules::run(command, context).await,
        Command::Incidents(list) => incidents::list(&list, context).await,
        Command::Show(show) => incidents::show(&show, context).await,
        Command::Explain(explain) => explain::run(&explain, context).await,
        Command::Ack(ack) => ack::run(&ack, context).await,
        Command::Unack(act) => act::unack(&act, context).await,
        Command::Resolve(act) => act::resolve(&act, context).await,
        Command::Snooze(snooze) => act::snooze(&snooze, context).await,
        Command::Escalate(act) => act::escalate(&act, context).await,
        Command::Reassign(reassign) => act::reassign(&reassign, context).await,
        Command::Note(note) => act::note(&note, context).await,
        Command::Page(page) => page::run(&page, context).await,
        Command::Oncall(oncall) => oncall::run(&oncall, context).await,
        Command::Override(command) => overrides::run(command, context).await,
        Command::Silence(command) => silence::run(command, context).await,
        Command::Send(send) => send::run(&send, context).await,
        Command::Token(command) => token::run(command, context).await,
        Command::Key(command) => key::run(command, context).await,
        Command::Audit(command) => audit::run(command, context).await,
        Command::Channels(command) => channels::run(command, context).await,
        Command::Checks(command) => checks::run(command, context).await,
        Command::Status(command) => status::run(command, context).await,
        Command::Providers(command) => providers::run(command, context).await,
        Command::Clock(command) => clock::run(command, context).await,
        Command::Backup(backup) => backup::run(&backup, context).await,
        Command::Restore(restore) => restore::run(&restore, context),
        Command::Store(command) => store::run(command),
        Command::Health => health::run(context).await,
        Command::Completions(completions) => {
            Ok(manual::completions(&completions, Arguments::command()))
        }
        Command::Man(man) => manual::man(&man, Arguments::command()),
    }
}

fn finish(context: &Context, ended: Result<Report, Failure>) -> ExitCode {
    let code = match &ended {
        Ok(report) => report.verdict.exit_code(),
        Err(failure) => ExitCode::from(failure.code()),
    };
    print(
        context,
        ended,
        &mut std::io::stdout(),
        &mut std::io::stderr(),
    );
    code
}

/// Prints how a command ended.
fn print(
    context: &Context,
    ended: Result<Report, Failure>,
    out: &mut impl Write,
    beside: &mut impl Write,
) {
    let report = match ended {
        Ok(report) => report,
        Err(failure) => return write_line(beside, &format!("reveille: {failure}"), Look::PLAIN),
    };
    for remark in &report.remarks {
        write_line(beside, remark, Look::PLAIN);
    }
    let text = match context.global.output {
        Output::Json => screen::json(&report.value),
        Output::Table => report.text,
    };
    if !text.is_empty() {
        write_line(out, &text, context.look);
    }
}

/// `serve` failed; what it says has its causes with it.
fn fail(error: &anyhow::Error) -> ExitCode {
    let told = format!("reveille: {error:#}");
    write_line(&mut std::io::stderr(), &told, Look::PLAIN);
    match error.downcast_ref::<Failure>() {
        Some(failure) => ExitCode::from(failure.code()),
        None => ExitCode::FAILURE,
    }
}

/// A reader that went away (`| head`) is no failure.
fn write_line(out: &mut impl Write, text: &str, look: Look) {
    let _ = writeln!(out, "{}", screen::printable(text, look));
}

/// Asks on the terminal.
fn ask(question: &str) -> bool {
    let mut out = std::io::stderr();
    let question = screen::printable(question, Look::PLAIN);
    let _ = write!(out, "{question} [y/N] ");
    let _ = out.flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

#[cfg(test)]
mod tests;
