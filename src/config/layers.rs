//! The layers of settings: flags over environment over file, and where the file is found.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::document::section::SecretSource;
use crate::document::{Code, Diagnostics, Entry, MapSchema, Node, Position, Value, toml};
use crate::text::suggest;

use super::Faults;
use super::settings::{SCHEMA, SECTIONS};

/// The prefix of all variables.
const PREFIX: &str = "REVEILLE_";

/// The tables of which there may be several: they are set in the file only.
const CHANNEL: &str = "channel";

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
    /// The value of each key from the highest layer that has it.
    pub document: Node,
    /// What the files of positions are: the file, then flags and variables.
    pub origins: Vec<String>,
}

impl<'sources> Layers<'sources> {
    /// Finds and reads the file, and lays flags and variables over it.
    pub fn read(sources: &'sources Sources) -> Result<Self, Faults> {
        let mut faults = Diagnostics::default();
        let found = find(sources, &mut faults);
        let (file, text) = found.unzip();
        let shown = file.as_ref().map(|file| file.display().to_string());
        let origins = vec![shown.unwrap_or_default()];
        let document = toml::parse(&text.unwrap_or_default(), 0, &mut faults);
        let Some(mut document) = document.filter(|_| !faults.has_error()) else {
            return Err(Faults(faults.finish(&[&origins[0]])));
        };
        let mut layers = Self {
            sources,
            document: Node::empty(0),
            origins,
        };
        layers.lay_over(&mut document, &SCHEMA, "");
        layers.document = document;
        Ok(layers)
    }

    /// Sets what flags and variables set in a table and in the sections beneath it.
    fn lay_over(&mut self, table: &mut Node, schema: &'static MapSchema, prefix: &str) {
        let foreign = schema.foreign.iter().map(|(word, _)| word);
        let keys = schema.keys.iter().filter(|key| **key != CHANNEL);
        for key in keys.chain(foreign) {
            let path = format!("{prefix}{key}");
            if let Some((_, section)) = SECTIONS.iter().find(|(name, _)| *name == path) {
                let mut node = table.get(key).cloned().unwrap_or_else(|| Node::empty(0));
                let count = self.origins.len();
                self.lay_over(&mut node, section, &format!("{path}."));
                if self.origins.len() > count {
                    set(table, key, node);
                }
            } else if let Some((text, origin)) = self.above_file(&path) {
                let file = u32::try_from(self.origins.len()).unwrap_or(u32::MAX);
                self.origins.push(origin);
                let mut node = Node::empty(file);
                node.value = Value::Text(text);
                set(table, key, node);
            }
        }
    }

    /// The text of a flag or a variable for a key such as `watch.policy`, and which it is.
    fn above_file(&self, key: &str) -> Option<(String, String)> {
        if let Some(text) = self.sources.flags.get(key) {
            return Some((text.clone(), format!("flag --{key}")));
        }
        let variable = variable_of(key);
        let text = self.sources.environment.get(&variable)?;
        Some((text.clone(), format!("environment {variable}")))
    }

    /// The variables and files of the process for secrets, unless those are left alone.
    pub fn secrets(&self) -> Option<SecretSource<'sources>> {
        match self.sources.secrets {
            Secrets::Resolve => Some(SecretSource {
                environment: &self.sources.environment,
                read_file: |path| std::fs::read_to_string(path).map_err(|error| error.to_string()),
            }),
            Secrets::Leave => None,
        }
    }

    /// Variables with our prefix that set nothing. Only a warning: the environment is shared.
    pub fn report_unknown_variables(&self, faults: &mut Diagnostics) {
        let of_sections = SECTIONS.iter().flat_map(|(name, schema)| {
            let keys = schema.keys.iter();
            keys.map(move |key| variable_of(&format!("{name}.{key}")))
        });
        let of_root = SCHEMA.keys.iter().filter(|key| **key != CHANNEL);
        let of_root = of_root.map(|key| variable_of(key));
        let known: Vec<String> = of_root.chain(of_sections).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let is_other = |variable: &str| {
            let rest = &variable[PREFIX.len()..];
            OTHER_VARIABLES
                .iter()
                .any(|other| rest == *other || (rest.starts_with(other) && is_platform(other)))
        };
        let variables = self.sources.environment.keys();
        for variable in variables
            .filter(|variable| variable.starts_with(PREFIX))
            .filter(|variable| !known.contains(&variable.as_str()) && !is_other(variable))
        {
            let message = format!("environment {variable} is not a setting");
            let help = suggest::nearest(variable, &known).map_or_else(
                || "remove it".to_owned(),
                |near| format!("did you mean {near}?"),
            );
            faults.warning(Code::BadSetting, Position::NOWHERE, message, help);
        }
    }
}

/// The file of settings and its text, if there is one.
fn find(sources: &Sources, faults: &mut Diagnostics) -> Option<(PathBuf, String)> {
    let candidates = match &sources.config {
        Some(config) => std::slice::from_ref(config),
        None => &sources.files,
    };
    for path in candidates {
        match std::fs::read_to_string(path) {
            Ok(text) => return Some((path.clone(), text)),
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound && sources.config.is_none() => {}
            Err(error) => {
                let message = format!("failed to read settings from {}: {error}", path.display());
                let help = "choose a readable file with --config";
                faults.error(Code::BadSetting, Position::NOWHERE, message, help);
                return None;
            }
        }
    }
    None
}

/// Puts a value under a key of a table; what is no table is left as it is.
fn set(table: &mut Node, key: &str, node: Node) {
    if let Value::Map(entries) = &mut table.value {
        entries.retain(|entry| entry.key != key);
        entries.push(Entry {
            at: node.at,
            key: key.to_owned(),
            node,
        });
    }
}

/// `REVEILLE_SERVICE_…` and `REVEILLE_PORT…` are set for containers beside a service of our name.
fn is_platform(name: &str) -> bool {
    name == "SERVICE_" || name == "PORT"
}

fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_uppercase().replace('.', "_"))
}
