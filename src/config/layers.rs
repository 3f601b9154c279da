//! The layers of settings: flags over environment over file, and where the file is found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::document::{self, Entries, Value};
use super::fault::{Fault, Faults, Origin, Warning};
use super::units::nearest;

/// The prefix of all variables.
const PREFIX: &str = "REVEILLE_";

/// Variables that are no settings: read by commands, by the log, or at first start. Container
/// platforms set the last two kinds for a service of our name.
const OTHER_VARIABLES: [&str; 8] = [
    "URL",
    "CA",
    "TOKEN",
    "KEY",
    "ADMIN_TOKEN",
    "LOG",
    "SERVICE_",
    "PORT",
];

/// All that settings are read from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`: this file must exist.
    pub config: Option<PathBuf>,
    /// Flags by the key that they set, as `data` or `listen`.
    pub flags: BTreeMap<&'static str, String>,
    /// The environment of the process.
    pub environment: BTreeMap<String, String>,
    /// Looked for in this order when `--config` is not given.
    pub files: Vec<PathBuf>,
    pub secrets: Secrets,
}

/// Whether secrets are looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// One that cannot be found is a fault.
    #[default]
    Resolve,
    /// For commands that need none, on machines that have none: each is empty.
    Leave,
}

impl Sources {
    /// The places where the file is looked for.
    pub fn standard_files() -> Vec<PathBuf> {
        ["reveille.toml", "/etc/reveille/reveille.toml"]
            .map(PathBuf::from)
            .to_vec()
    }
}

/// The layers, read.
pub(super) struct Layers<'sources> {
    sources: &'sources Sources,
    pub file: Option<PathBuf>,
    pub document: Entries,
}

impl<'sources> Layers<'sources> {
    /// Finds and reads the file.
    pub fn read(sources: &'sources Sources) -> Result<Self, Faults> {
        let candidates = match &sources.config {
            Some(config) => std::slice::from_ref(config),
            None => &sources.files,
        };
        for path in candidates {
            match std::fs::read_to_string(path) {
                Ok(text) => {
                    return Ok(Self {
                        sources,
                        file: Some(path.clone()),
                        document: document::parse(&text, path).map_err(Faults)?,
                    });
                }
                Err(error) if is_absent(&error) && sources.config.is_none() => {}
                Err(error) => return Err(Faults(vec![unreadable(path, &error)])),
            }
        }
        Ok(Self {
            sources,
            file: None,
            document: Entries::new(),
        })
    }

    /// The value of a flag or a variable for a key such as `watch.policy`.
    pub fn above_file(&self, key: &str) -> Option<(Value, Origin)> {
        if let Some(text) = self.sources.flags.get(key) {
            return Some((Value::Text(text.clone()), Origin::Flag(format!("--{key}"))));
        }
        let variable = variable_of(key);
        let text = self.sources.environment.get(&variable)?;
        Some((Value::Text(text.clone()), Origin::Environment(variable)))
    }

    /// The variables of the process for secrets, unless those are left alone.
    pub fn secrets(&self) -> Option<&BTreeMap<String, String>> {
        match self.sources.secrets {
            Secrets::Resolve => Some(&self.sources.environment),
            Secrets::Leave => None,
        }
    }

    /// A line of the file.
    pub fn origin(&self, line: usize) -> Option<Origin> {
        let path = self.file.clone()?;
        Some(Origin::File { path, line })
    }

    /// Variables with our prefix that set nothing. Only a warning: the environment is shared.
    pub fn unknown_variables(&self, keys: &[String]) -> Vec<Warning> {
        let known: Vec<String> = keys.iter().map(|key| variable_of(key)).collect();
        let is_other = |variable: &str| {
            let rest = &variable[PREFIX.len()..];
            OTHER_VARIABLES
                .iter()
                .any(|other| rest == *other || (rest.starts_with(other) && is_platform(other)))
        };
        self.sources
            .environment
            .keys()
            .filter(|variable| variable.starts_with(PREFIX))
            .filter(|variable| !known.contains(variable) && !is_other(variable))
            .map(|variable| {
                let hint = nearest(variable, known.iter().map(String::as_str)).map_or_else(
                    || "remove it".to_owned(),
                    |near| format!("did you mean {near}?"),
                );
                Warning(format!("environment {variable} sets nothing: {hint}"))
            })
            .collect()
    }
}

/// `REVEILLE_SERVICE_…` and `REVEILLE_PORT…` are set for containers beside a service of our name.
fn is_platform(name: &str) -> bool {
    name == "SERVICE_" || name == "PORT"
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "_"))
}

fn is_absent(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}

fn unreadable(path: &Path, error: &std::io::Error) -> Fault {
    Fault {
        origin: None,
        message: format!(
            "failed to read settings from {}: {error}; give a readable file with --config",
            path.display()
        ),
    }
}
