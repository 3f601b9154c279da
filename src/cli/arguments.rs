//! The grammar of the command line. Each command's own options stand in its file.

use std::sync::LazyLock;

use clap::{Parser, Subcommand};

use super::context::Global;
use super::values::{Numbered, Several};
use super::{
    ack, act, audit, backup, channels, checks, clock, explain, incidents, key, manual, oncall,
    overrides, page, providers, restore, rules, send, serve, silence, status, store, token,
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
    Rules(rules::RulesCommand),
    /// List incidents
    Incidents(incidents::IncidentsArgs),
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
    Snooze(act::SnoozeArgs),
    /// Start the next step of an incident now
    Escalate(Numbered),
    /// Reassign an incident
    Reassign(act::ReassignArgs),
    /// Add a note to an incident
    Note(act::NoteArgs),
    /// Page somebody manually
    Page(page::PageArgs),
    /// Show who is on call
    Oncall(oncall::Oncall),
    /// Put somebody else on call for a while
    #[command(subcommand)]
    Override(overrides::Overrides),
    /// Hold the pages of matching alerts for a while
    #[command(subcommand)]
    Silence(silence::SilenceCommand),
    /// Post an event with REVEILLE_KEY; queued on disk while the server is down
    Send(send::Send),
    /// API tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Keys of integrations
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// The audit of administrative acts
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Channels
    #[command(subcommand)]
    Channels(channels::ChannelsCommand),
    /// Our own status pages
    #[command(subcommand)]
    Status(status::StatusCommand),
    /// Checks of our own
    #[command(subcommand)]
    Checks(checks::ChecksCommand),
    /// Watched providers and their status pages
    #[command(subcommand)]
    Providers(providers::ProvidersCommand),
    /// The server's clock
    #[command(subcommand)]
    Clock(clock::ClockCommand),
    /// Take a backup of the running server into a new file
    Backup(backup::BackupArgs),
    /// Make a data directory of a backup, or check one; needs no server
    Restore(restore::RestoreArgs),
    /// Check a data directory, and save what can be read of it; no router may be running in it
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Check whether the server is ready; needs no token
    Health,
    /// Print a shell completion script
    Completions(manual::Completions),
    /// Print the manual page of the program or of a command
    Man(manual::Man),
}
