//! The revisions of rules in the store, and rules read with secrets resolved and compiled for this
//! process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;

use crate::api::credentials::stored_keys;
use crate::api::ports::Sight;
use crate::document::{Code, Diagnostic, render};
use crate::engine::ids::{IntegrationName, Revision};
use crate::engine::ruleset::RuleSet;
use crate::engine::strength::Strength;
use crate::rules::diff::diff;
use crate::rules::keys::KeySource;
use crate::rules::revisions::{self, Damaged, RevisionInfo, StoredRevision};
use crate::rules::{Documents, Environment, Fit, SourceFile, compile, documents, sources, starter};
use crate::runtime::handle::NewRules;
use crate::store::{self, DocumentKind, Store, revision_name};
use crate::text::hash;

/// Rules that were compiled or can be put in force, and what is odd about them.
pub struct NotedRules<R> {
    pub rules: R,
    pub warnings: Vec<String>,
    /// Worth saying, and nothing that somebody must look at.
    pub hint: Option<String>,
}

/// Stored rule sets and the process they are compiled for.
pub struct RevisionStore {
    store: Arc<dyn Store>,
    environment: Environment,
    variables: BTreeMap<String, String>,
}

impl RevisionStore {
    /// Revisions in this store; `variables` are those of the process.
    pub fn new(
        store: Arc<dyn Store>,
        environment: Environment,
        variables: BTreeMap<String, String>,
    ) -> Self {
        Self {
            store,
            environment,
            variables,
        }
    }

    /// The latest rule set, if there is any.
    pub fn latest(&self) -> anyhow::Result<Option<StoredRevision>> {
        let found = self.store.documents(DocumentKind::Rules, None, 1)?;
        let Some((name, bytes)) = found.into_iter().next() else {
            return Ok(None);
        };
        Ok(Some(revisions::read(&name, &bytes)?))
    }

    /// The revision with this number, if it is kept.
    pub fn at(&self, revision: Revision) -> Result<Option<StoredRevision>, store::Error> {
        let name = revision_name(revision);
        let Some(bytes) = self.store.document(DocumentKind::Rules, &name)? else {
            return Ok(None);
        };
        revisions::read(&name, &bytes).map(Some).map_err(damaged)
    }

    /// So many revisions before this one, or of the latest.
    pub fn list(
        &self,
        before: Option<Revision>,
        limit: usize,
    ) -> Result<Vec<StoredRevision>, store::Error> {
        let before = before.map(revision_name);
        let documents = self
            .store
            .documents(DocumentKind::Rules, before.as_deref(), limit)?;
        let read = |(name, bytes): (String, Vec<u8>)| revisions::read(&name, &bytes);
        let stored = documents.into_iter().map(read);
        stored.collect::<Result<_, _>>().map_err(damaged)
    }

    /// Compiles rules that are in force already: what no longer fits is a warning.
    pub fn compile_stored(&self, stored: &StoredRevision) -> anyhow::Result<NotedRules<RuleSet>> {
        let environment = self.environment_for(&stored.documents, Fit::Stored);
        let compiled = compile(&stored.documents, &environment);
        let (warnings, hint) = lines(&compiled.faults, &stored.documents);
        let rules = compiled.rules.with_context(|| {
            format!(
                "the stored rules of revision {} do not compile",
                stored.revision
            )
        })?;
        Ok(NotedRules {
            rules: RuleSet {
                revision: stored.revision,
                ..rules
            },
            warnings,
            hint,
        })
    }

    /// What files change against a stored set, as sentences.
    pub fn differences(&self, old: &StoredRevision, files: &[SourceFile]) -> Vec<String> {
        let (mut new, _) = documents::read(files);
        new.replace_literal_keys();
        let texts = sources::without_literal_keys(files);
        old.differences(&new, texts.as_deref())
    }

    /// Checks and compiles files; the faults are ready to print.
    pub fn prepare(
        &self,
        files: &[SourceFile],
        info: &RevisionInfo,
        expected: Option<Revision>,
    ) -> Result<NotedRules<NewRules>, Vec<String>> {
        let source = |fault: &Diagnostic| {
            files
                .iter()
                .find(|file| file.path == fault.path)
                .map(|file| file.text.as_str())
        };
        let faults = |faults: Vec<Diagnostic>| -> Vec<String> {
            faults
                .iter()
                .map(|fault| render(fault, source(fault)))
                .collect()
        };
        let checked = self.check(files, Sight::WithMachine).map_err(faults)?;
        let (warnings, hint) = lines(&checked.warnings, &checked.documents);
        Ok(NotedRules {
            warnings,
            hint,
            rules: checked.pack(info, expected),
        })
    }

    /// Reads and compiles files with their keys; all faults if there is an error.
    pub fn check(
        &self,
        files: &[SourceFile],
        sight: Sight,
    ) -> Result<CheckedRules, Vec<Diagnostic>> {
        let (mut documents, mut faults) = documents::read(files);
        let environment = match sight {
            Sight::WithMachine => self.environment_for(&documents, Fit::Strict),
            // No key is known, as in a check on another machine.
            Sight::DocumentsOnly => self.environment.clone(),
        };
        let compiled = compile(&documents, &environment);
        faults.extend(compiled.faults);
        faults.sort_by(|one, other| one.place().cmp(&other.place()));
        match compiled
            .rules
            .filter(|_| !faults.iter().any(Diagnostic::is_error))
        {
            None => Err(faults),
            Some(rules) => {
                documents.replace_literal_keys();
                Ok(CheckedRules {
                    documents,
                    files: sources::without_literal_keys(files),
                    rules,
                    warnings: faults,
                })
            }
        }
    }

    /// Integrations with a key of their own in the store. They only word a warning, so that a store
    /// that cannot be read is told where it matters.
    fn made_keys(&self) -> BTreeSet<IntegrationName> {
        let keys = stored_keys(&*self.store).unwrap_or_default();
        keys.into_iter().map(|key| key.integration).collect()
    }

    /// The environment with the hashes of the keys that the documents name.
    fn environment_for(&self, documents: &Documents, fit: Fit) -> Environment {
        let mut keys: BTreeMap<IntegrationName, Vec<[u8; 32]>> = BTreeMap::new();
        let mut key_strengths = BTreeMap::new();
        for reference in documents.key_references() {
            let key = match &reference.source {
                KeySource::Env(name) => self.variables.get(name).cloned(),
                KeySource::File(path) => std::fs::read_to_string(path).ok(),
                KeySource::Literal(key) => Some(key.clone()),
                // The documents say it themselves.
                KeySource::Hash(_) => None,
            };
            let key = key
                .map(|key| key.trim().to_owned())
                .filter(|key| !key.is_empty());
            if let Some(key) = key {
                key_strengths.insert(reference.source.to_string(), Strength::of(&key));
                keys.entry(reference.integration)
                    .or_default()
                    .push(hash::sha256(&key));
            }
        }
        Environment {
            keys: Some(keys),
            key_strengths,
            made_keys: self.made_keys(),
            fit,
            ..self.environment.clone()
        }
    }
}

/// Warnings as lines of the log, and what is worth saying but no warning: that the senders of the
/// starter rules have no keys yet is no mistake of anybody.
fn lines(warnings: &[Diagnostic], documents: &Documents) -> (Vec<String>, Option<String>) {
    let is_unset = |fault: &&Diagnostic| fault.code == Code::KeyUnset;
    let unset = warnings.iter().filter(is_unset).count();
    if unset == 0 || !is_starter(documents) {
        return (warnings.iter().map(as_line).collect(), None);
    }
    let others = warnings.iter().filter(|fault| !is_unset(fault));
    let hint = format!(
        "{unset} integrations of the starter rules have no key yet; when you connect a sender, \
         make one with `reveille key create NAME`"
    );
    (others.map(as_line).collect(), Some(hint))
}

fn is_starter(documents: &Documents) -> bool {
    let (starter, _) = documents::read(&starter::files());
    // Their rotation begins in the week of the first start.
    let mut differences = diff(&starter, documents).into_iter();
    differences.all(|difference| difference.kind == "schedule")
}

/// A fault as one line of the log.
fn as_line(fault: &Diagnostic) -> String {
    format!("{fault}; {}", fault.help)
}

/// Files that were read and compiled.
pub struct CheckedRules {
    pub documents: Documents,
    /// As they may be kept; `None` where a key might be left in them.
    pub files: Option<Vec<SourceFile>>,
    pub rules: RuleSet,
    pub warnings: Vec<Diagnostic>,
}

impl CheckedRules {
    /// The same, to be put in force.
    pub fn pack(self, info: &RevisionInfo, expected: Option<Revision>) -> NewRules {
        NewRules {
            document: revisions::write(&self.documents, self.files, info),
            rules: self.rules,
            expected,
            record: None,
        }
    }
}

/// Damage as the store tells of it.
fn damaged(error: Damaged) -> store::Error {
    let key = format!("rules {}", error.name);
    let cause = format!("{:#}", anyhow::Error::from(error));
    store::Error::Damaged { key, cause }
}
