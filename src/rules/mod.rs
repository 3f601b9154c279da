//! Rule documents: read, check, compare, compile; pure.
//!
//! [`documents::read`] turns files into [`Documents`], [`compile`] turns those into a
//! [`RuleSet`] for the engine. Both report everything that is wrong at once, each [`Diagnostic`]
//! with its place and help. Stored documents are compiled with [`Fit::Stored`], so that settings
//! that have changed since never prevent a start.

mod checks;
mod dependencies;
pub mod diff;
pub mod documents;
pub mod export;
pub mod keys;
pub mod limits;
pub mod revisions;
pub mod sources;
pub mod starter;
mod status_pages;
pub mod web_address;
pub mod zones;

mod fixed_zones;
mod integration_keys;
mod integrations;
mod mapping;
mod matchers;
pub mod moves;
mod names;
mod notify;
mod policies;
mod post_texts;
pub mod providers;
mod route_values;
mod routes;
mod schedules;
mod shadowing;
mod shares;
mod targets;
mod users;
mod windows;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Code, Diagnostic, Diagnostics};
use crate::engine::ids::IntegrationName;
use crate::engine::ruleset::{ChannelInfo, Medium, RuleSet, Settings};
use crate::engine::strength::Strength;

pub use documents::{Documents, SourceFile};

use documents::Section;
use names::Names;
use web_address::WebAddresses;
use zones::Zones;

/// What the process knows and documents are checked against.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// In the order in which they are tried; the console stands last.
    pub channels: Vec<ChannelInfo>,
    pub settings: Settings,
    /// SHA-256 of the keys that [`Documents::key_references`] names, as far as they could be read.
    /// `None` when nobody has tried: then nothing is said about unset ones.
    pub keys: Option<BTreeMap<IntegrationName, Vec<[u8; 32]>>>,
    /// How strong the keys are that could be read, by the reference as it is written.
    pub key_strengths: BTreeMap<String, Strength>,
    /// Integrations that a key made while the router ran opens.
    pub made_keys: BTreeSet<IntegrationName>,
    /// What web addresses can be called.
    pub web_addresses: WebAddresses,
    /// By which names of time zones are resolved.
    pub zones: Zones,
    pub fit: Fit,
}

/// How documents and settings must fit together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// New documents: a missing channel is an error.
    #[default]
    Strict,
    /// Documents in force, which were once accepted: whatever no longer fits is a warning, what it
    /// concerns is left out or skipped by the engine, and there always are rules.
    Stored,
}

impl Environment {
    /// Whether some channel carries the medium.
    fn carries(&self, medium: Medium) -> bool {
        let mut channels = self.channels.iter();
        channels.any(|channel| channel.media.contains(&medium))
    }
}

/// What came of compiling.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// `None` if there is an error among the faults. The revision is still to be set.
    pub rules: Option<RuleSet>,
    /// All errors and warnings, by file, line and column.
    pub faults: Vec<Diagnostic>,
}

/// Checks documents wholly and compiles them.
pub fn compile(documents: &Documents, environment: &Environment) -> Compiled {
    let mut faults = Diagnostics::default();
    let names = Names::collect(documents, &mut faults);
    let mut context = Context {
        documents,
        names,
        environment,
        faults,
    };
    environment.zones.report_age(&mut context.faults);
    let rules = context.rule_set();
    if environment.fit == Fit::Stored {
        context.faults.make_warnings();
    }
    let has_error = documents.is_incomplete() || context.faults.has_error();
    Compiled {
        rules: (!has_error).then_some(rules),
        faults: context.faults.finish(&documents.paths()),
    }
}

/// Reads and compiles files in one go, for those who need no keys: the faults of both together.
pub fn check(files: &[SourceFile], environment: &Environment) -> (Documents, Compiled) {
    let (documents, mut faults) = documents::read(files);
    let has_error = faults.iter().any(Diagnostic::is_error);
    let mut compiled = compile(&documents, environment);
    faults.append(&mut compiled.faults);
    faults.sort_by(|one, other| one.place().cmp(&other.place()));
    let rules = compiled.rules.filter(|_| !has_error);
    (documents, Compiled { rules, faults })
}

/// What compiling needs at hand. Each kind of thing has its file; each always makes a value, as
/// good as it can, and the faults decide whether it is used.
struct Context<'doc> {
    documents: &'doc Documents,
    names: Names<'doc>,
    environment: &'doc Environment,
    faults: Diagnostics,
}

impl Context<'_> {
    fn rule_set(&mut self) -> RuleSet {
        let users = self.users();
        let schedules = self.schedules();
        let integrations = self.integrations();
        let providers = self.providers();
        let services = self.services();
        self.check_channels();
        let checks = self.checks();
        let status_pages = self.status_pages();
        let tree = self.tree();
        let root_policy = tree.root().and_then(|root| root.policy.clone());
        let policies = self.policies(root_policy.as_ref());
        RuleSet {
            users,
            schedules,
            policies,
            integrations,
            providers,
            services,
            checks,
            status_pages,
            tree,
            channels: self.environment.channels.clone(),
            settings: self.settings(),
            ..RuleSet::default()
        }
    }

    /// The settings, without a `[watch]` policy that does not exist.
    fn settings(&mut self) -> Settings {
        let mut settings = self.environment.settings.clone();
        let Some(policy) = settings.watch_policy.clone() else {
            return settings;
        };
        if !self
            .names
            .of(Section::Policies)
            .contains_key(policy.as_str())
            && !self.documents.is_incomplete()
        {
            let at = self.documents.roots().next().map(|root| root.at);
            let message = format!("the settings' [watch] policy {policy:?} does not exist");
            let help = "add this policy, or change `policy` under [watch] in reveille.toml";
            let at = at.unwrap_or_default();
            self.faults.error(Code::UnknownPolicy, at, message, help);
            settings.watch_policy = None;
        }
        settings
    }
}
