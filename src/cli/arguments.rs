//! The grammar of the command line. Each command's own options stand in its file.

use std::sync::LazyLock;

use clap::{Args, Parser, Subcommand};

use super::context::Global;
use super::{
    ack, act, channels, clock, explain, incidents, key, manual, oncall, overrides, page, rules,
    send, serve, silence, store, token,
};
use crate::rules::zones::bundled_version;

/// Wake the right person when something breaks.
#[derive(Debug, Parser)]
#[command(
    name = "reveille",
    version = VERSION.as_str(),
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = AFTER_HELP
)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// With the version of the bundled time zones.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let time_zones = bundled_version();
    format!("{} (time zones {time_zones})", env!("CARGO_PKG_VERSION"))
});

const AFTER_HELP: &str = "\
Environment:
  REVEILLE_URL    the server [default: http://127.0.0.1:8080]
  REVEILLE_TOKEN  an API token [default: the file admin-token in the data directory]
  REVEILLE_KEY    an integration key, for send
  REVEILLE_CA     a file of CA certificates to trust, as --ca
  REVEILLE_LOG    what serve logs [default: info]

Times are RFC 3339, 03:10 or \"mon 09:00\" on the local clock, or a duration such as 8h.
Exit codes: 0 done, 1 negative result, 2 usage, 3 server unreachable or refused.";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the router
    Serve(serve::Serve),
    /// Check, compare, apply and list the history of rules
    #[command(subcommand)]
    Rules(rules::Rules),
    /// List incidents
    Incidents(incidents::List),
    /// Show one incident
    Show(Numbered),
    /// Explain why somebody was or was not paged
    Explain(explain::Explain),
    /// Acknowledge incidents
    Ack(ack::Ack),
    /// Unacknowledge an incident: its escalation starts over
    Unack(Numbered),
    /// Resolve incidents
    Resolve(Several),
    /// Acknowledge an incident and be reminded later
    Snooze(act::Snooze),
    /// Start the next step of an incident now
    Escalate(Numbered),
    /// Reassign an incident
    Reassign(act::Reassign),
    /// Add a note to an incident
    Note(act::Note),
    /// Page somebody manually
    Page(page::Page),
    /// Show who is on call
    Oncall(oncall::Oncall),
    /// Put somebody else on call for a while
    #[command(subcommand)]
    Override(overrides::Overrides),
    /// Hold the pages of matching alerts for a while
    #[command(subcommand)]
    Silence(silence::Silence),
    /// Post an event with REVEILLE_KEY; queued on disk while the server is down
    Send(send::Send),
    /// API tokens
    #[command(subcommand)]
    Token(token::Token),
    /// Keys of integrations
    #[command(subcommand)]
    Key(key::Key),
    /// Channels
    #[command(subcommand)]
    Channels(channels::Channels),
    /// The server's clock
    #[command(subcommand)]
    Clock(clock::Clock),
    /// Check a data directory, and save what can be read of it; no router may be running in it
    #[command(subcommand)]
    Store(store::Store),
    /// Check whether the server is ready; needs no token
    Health,
    /// Print a shell completion script
    Completions(manual::Completions),
    /// Print the manual page of the program or of a command
    Man(manual::Man),
}

/// A command about one incident.
#[derive(Debug, Args)]
pub struct Numbered {
    /// The incident's number
    #[arg(value_name = "N", value_parser = incident_number)]
    pub number: u64,
}

/// A command about incidents.
#[derive(Debug, Args)]
pub struct Several {
    /// The incidents' numbers
    #[arg(value_name = "N", value_parser = incident_number, required = true)]
    pub numbers: Vec<u64>,
}

/// `1042` or `#1042`.
pub fn incident_number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let number = digits.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "an incident has a number, such as 1042".to_owned())
}

/// `1042`, `#1042` or `r12`.
pub fn incident_or_receipt(text: &str) -> Result<String, String> {
    let receipt = text.strip_prefix('r').map(str::parse::<u64>);
    match (receipt, incident_number(text)) {
        (Some(Ok(_)), _) | (_, Ok(_)) => Ok(text.to_owned()),
        (Some(Err(_)) | None, Err(_)) => {
            Err("write the number of an incident, such as 1042, or a receipt, such as r12".into())
        }
    }
}

/// The id of something that a list shows with one, or a revision.
pub fn id(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "write its number, as the list shows it".to_owned())
}

/// `team=payments`.
pub fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        Some(_) | None => Err("write a label as name=value".to_owned()),
    }
}

/// `user/ana`, `policy/ops`.
pub fn target(text: &str) -> Result<String, String> {
    const KINDS: [&str; 4] = ["user/", "policy/", "schedule/", "channel/"];
    let is_good = KINDS.iter().any(|kind| {
        let name = text.strip_prefix(kind);
        name.is_some_and(|name| !name.is_empty())
    });
    if is_good {
        Ok(text.to_owned())
    } else {
        Err("write user/NAME, policy/NAME, schedule/NAME or channel/NAME/ADDRESS".to_owned())
    }
}
