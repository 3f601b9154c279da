//! What every command is given: global options, environment, time, and whom it talks to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use jiff::tz::TimeZone;

use super::remote::Remote;
use super::report::Failure;
use super::times::{self, Direction};
use crate::config::{self, Secrets, Sources};
use crate::engine::time::Timestamp;

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// One JSON value.
    Json,
    /// For people.
    #[default]
    Table,
}

/// Options that every command takes.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Global {
    /// Output format
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Output,
    /// Settings file [default: ./reveille.toml, else /etc/reveille/reveille.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Directory of the store, where `admin-token` is [default: the settings' `data`]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<String>,
    /// File of CA certificates to trust in addition to the system's [default: REVEILLE_CA]
    #[arg(long, global = true, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// What the terminal is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How wide a line may be; `None` without a terminal: then nothing is cut.
    pub columns: Option<usize>,
    pub has_colour: bool,
}

impl Look {
    /// Without a terminal.
    pub const PLAIN: Self = Self {
        columns: None,
        has_colour: false,
    };
}

/// What every command is given.
pub struct Context {
    pub global: Global,
    pub environment: BTreeMap<String, String>,
    pub now: Timestamp,
    pub zone: TimeZone,
    pub look: Look,
    /// Asks a question that is answered with yes or no; `None` without a terminal.
    pub ask: Option<fn(&str) -> bool>,
}

const DEFAULT_URL: &str = "http://127.0.0.1:8080";

impl Context {
    /// Where settings are read from, with flags of a command.
    pub fn sources(&self, flags: BTreeMap<&'static str, String>) -> Sources {
        let mut flags = flags;
        if let Some(data) = &self.global.data {
            flags.insert("data", data.clone());
        }
        Sources {
            config: self.global.config.clone(),
            flags,
            environment: self.environment.clone(),
            files: Sources::standard_files(),
            secrets: Secrets::Resolve,
        }
    }

    /// The server's address, from `REVEILLE_URL`.
    pub fn url(&self) -> &str {
        self.variable("REVEILLE_URL").unwrap_or(DEFAULT_URL)
    }

    /// A variable that is set to something.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let value = self.environment.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    /// The server, as whoever `REVEILLE_TOKEN` or the file `admin-token` says we are.
    pub fn remote(&self) -> Result<Remote, Failure> {
        if let Some(token) = self.variable("REVEILLE_TOKEN") {
            return self.remote_as(Some(token));
        }
        let data = config::data_directory(&self.sources(BTreeMap::new()))
            .map_err(|faults| Failure::Usage(faults.to_string()))?;
        let path = data.join("admin-token");
        match std::fs::read_to_string(&path) {
            Ok(token) => self.remote_as(Some(token.trim())),
            Err(error) => Ok(self.stranger()?.with_hint(format!(
                "no token: set REVEILLE_TOKEN, or point --data at the server's data directory \
                 ({} cannot be read: {error})",
                path.display()
            ))),
        }
    }

    /// The server, as whoever has the token.
    pub fn remote_as(&self, token: Option<&str>) -> Result<Remote, Failure> {
        let variable = || self.variable("REVEILLE_CA").map(PathBuf::from);
        let ca = self.global.ca.clone().or_else(variable);
        Remote::new(self.url(), token, ca.as_deref())
    }

    /// The server, as nobody.
    pub fn stranger(&self) -> Result<Remote, Failure> {
        self.remote_as(None)
    }

    /// Reads a time that is to come.
    pub fn next(&self, text: &str) -> Result<Timestamp, Failure> {
        times::moment(text, Direction::Next, self.now, &self.zone).map_err(Failure::Usage)
    }

    /// Reads a time that has been.
    pub fn last(&self, text: &str) -> Result<Timestamp, Failure> {
        times::moment(text, Direction::Last, self.now, &self.zone).map_err(Failure::Usage)
    }
}
