//! The life of rules: read with secrets resolved, compiled for this process, kept as revisions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;

use super::revision_store::{self, Kept, RevisionInfo};
use super::rules_folder::documents_of;
use crate::api::auth::stored_keys;
use crate::api::ports::{Change, Prepared, RevisionDocuments, RuleDifferences, Rulebook, Sight};
use crate::api::wire::rules::{FilesOrigin, OnCallMove, RuleFault, RuleFile};
use crate::document::{Code, Diagnostic, render};
use crate::engine::calendar::Override;
use crate::engine::ids::{IntegrationName, Revision};
use crate::engine::ruleset::RuleSet;
use crate::engine::strength::Strength;
use crate::engine::touched::touched;
use crate::rules::diff::{diff, moves_on_call};
use crate::rules::keys::KeySource;
use crate::rules::{Documents, Environment, Fit, SourceFile, compile, sources, starter};
use crate::runtime::clock;
use crate::runtime::handle::{Handle, NewRules};
use crate::store::{self, DocumentKind, Store, revision_name};
use crate::text::hash;

/// Compiled rules, and what no longer fits the settings.
pub struct CompiledStored {
    pub rules: RuleSet,
    pub warnings: Vec<String>,
    /// Worth saying, and nothing that somebody must look at.
    pub hint: Option<String>,
}

/// Checked rules that can be put in force, and what is odd about them.
pub struct CompiledRules {
    pub new: NewRules,
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
    pub fn latest(&self) -> anyhow::Result<Option<Kept>> {
        let found = self.store.documents(DocumentKind::Rules, None, 1)?;
        let Some((name, bytes)) = found.into_iter().next() else {
            return Ok(None);
        };
        Ok(Some(revision_store::read(&name, &bytes)?))
    }

    fn at(&self, revision: Revision) -> Result<Option<Kept>, store::Error> {
        let name = revision_name(revision);
        let Some(bytes) = self.store.document(DocumentKind::Rules, &name)? else {
            return Ok(None);
        };
        revision_store::read(&name, &bytes)
            .map(Some)
            .map_err(|error| revision_store::damaged(&name, &error))
    }

    /// Compiles rules that are in force already: what no longer fits is a warning.
    pub fn compile_stored(&self, kept: &Kept) -> anyhow::Result<CompiledStored> {
        let environment = self.environment_for(&kept.documents, Fit::Stored);
        let compiled = compile(&kept.documents, &environment);
        let (warnings, hint) = lines(&compiled.faults, &kept.documents);
        let rules = compiled.rules.with_context(|| {
            format!(
                "the stored rules of revision {} do not compile",
                kept.revision
            )
        })?;
        Ok(CompiledStored {
            rules: RuleSet {
                revision: kept.revision,
                ..rules
            },
            warnings,
            hint,
        })
    }

    /// What files change against a stored set, as sentences.
    pub fn differences(&self, old: &Kept, files: &[SourceFile]) -> Vec<String> {
        let mut new = documents_of(files);
        new.replace_literal_keys();
        let texts = sources::without_literal_keys(files);
        differences(old, &new, texts.as_deref())
    }

    /// Checks and compiles files; the faults are ready to print.
    pub fn prepare(
        &self,
        files: &[SourceFile],
        signed: &RevisionInfo,
        expected: Option<Revision>,
    ) -> Result<CompiledRules, Vec<String>> {
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
        Ok(CompiledRules {
            warnings,
            hint,
            new: pack(checked, signed, expected),
        })
    }

    /// Reads and compiles files with their keys; all faults if there is an error.
    fn check(&self, files: &[SourceFile], sight: Sight) -> Result<Checked, Vec<Diagnostic>> {
        let (mut documents, mut faults) = crate::rules::documents::read(files);
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
                Ok(Checked {
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
    diff(&documents_of(&starter::files()), documents).is_empty()
}

/// A fault as one line of the log.
fn as_line(fault: &Diagnostic) -> String {
    format!("{fault}; {}", fault.help)
}

/// Files that were read and compiled.
struct Checked {
    documents: Documents,
    /// As they may be kept; `None` where a key might be left in them.
    files: Option<Vec<SourceFile>>,
    rules: RuleSet,
    warnings: Vec<Diagnostic>,
}

/// What changes, in words; where nothing does, the files whose text is another.
fn differences(old: &Kept, new: &Documents, texts: Option<&[SourceFile]>) -> Vec<String> {
    let differences = diff(&old.documents, new);
    if differences.is_empty() {
        return old.other_texts(texts);
    }
    differences.iter().map(ToString::to_string).collect()
}

fn pack(checked: Checked, signed: &RevisionInfo, expected: Option<Revision>) -> NewRules {
    NewRules {
        document: revision_store::write(&checked.documents, checked.files, signed),
        rules: checked.rules,
        expected,
        record: None,
    }
}

/// The stored revisions and the rules in force, as the API asks for them.
pub struct RulesService {
    revisions: RevisionStore,
    handle: Handle,
}

impl RulesService {
    /// The service over what is in force behind this handle.
    pub fn new(revisions: RevisionStore, handle: Handle) -> Self {
        Self { revisions, handle }
    }

    /// The overrides in force: under one nobody moves whatever the rules say. Blocks, as all of the
    /// rulebook does.
    fn overrides(&self) -> Vec<Override> {
        let read = self.handle.read(|view| {
            view.state
                .overrides()
                .map(|known| (**known).clone())
                .collect()
        });
        // A driver that has ended puts nothing in force either.
        tokio::runtime::Handle::current()
            .block_on(read)
            .unwrap_or_default()
    }

    /// What the change touches of the present. Blocks as well.
    fn touched(&self, old: &Arc<RuleSet>, new: &RuleSet) -> Vec<String> {
        let (old, new) = (Arc::clone(old), new.clone());
        let read = self
            .handle
            .read(move |view| touched(view.state, &old, &new));
        tokio::runtime::Handle::current()
            .block_on(read)
            .unwrap_or_default()
    }

    fn changes(&self, checked: &Checked) -> RuleDifferences {
        let present = self.handle.rules();
        let old = self.revisions.at(present.revision).ok().flatten();
        let differences =
            old.map(|old| differences(&old, &checked.documents, checked.files.as_deref()));
        let overrides = self.overrides();
        let moves = moves_on_call(&present, &checked.rules, clock::wall_now(), &overrides);
        let touched = self.touched(&present, &checked.rules);
        RuleDifferences {
            differences: differences
                .unwrap_or_default()
                .into_iter()
                .chain(touched)
                .collect(),
            on_call: moves
                .into_iter()
                .map(|moved| OnCallMove {
                    schedule: moved.schedule.to_string(),
                    before: moved.before.map(|user| user.to_string()),
                    after: moved.after.map(|user| user.to_string()),
                })
                .collect(),
            warnings: checked.warnings.iter().map(fault).collect(),
        }
    }
}

impl Rulebook for RulesService {
    fn check(&self, files: &[RuleFile], sight: Sight) -> Vec<RuleFault> {
        match self.revisions.check(&source_files(files), sight) {
            Ok(checked) => checked.warnings.iter().map(fault).collect(),
            Err(faults) => faults.iter().map(fault).collect(),
        }
    }

    fn diff(&self, files: &[RuleFile], sight: Sight) -> Result<RuleDifferences, Vec<RuleFault>> {
        let checked = self
            .revisions
            .check(&source_files(files), sight)
            .map_err(|faults| all(&faults))?;
        Ok(self.changes(&checked))
    }

    fn prepare(&self, files: Vec<RuleFile>, change: Change) -> Result<Prepared, Vec<RuleFault>> {
        let mut checked = self
            .revisions
            .check(&source_files(&files), Sight::WithMachine)
            .map_err(|faults| all(&faults))?;
        if change.origin == FilesOrigin::WrittenAnew {
            checked.files = None;
        }
        let changes = self.changes(&checked);
        let signed = RevisionInfo {
            author: change.author,
            at: change.at,
            message: change.message,
        };
        Ok(Prepared {
            rules: pack(checked, &signed, change.expected),
            changes,
        })
    }

    fn documents(&self, revision: Revision) -> Result<Option<RevisionDocuments>, store::Error> {
        let kept = self.revisions.at(revision)?;
        Ok(kept.map(Kept::exported))
    }

    fn revisions(
        &self,
        before: Option<Revision>,
        limit: usize,
    ) -> Result<Vec<RevisionDocuments>, store::Error> {
        let before = before.map(revision_name);
        let store = &self.revisions.store;
        let found = store.documents(DocumentKind::Rules, before.as_deref(), limit)?;
        found
            .into_iter()
            .map(|(name, bytes)| {
                let kept = revision_store::read(&name, &bytes)
                    .map_err(|error| revision_store::damaged(&name, &error))?;
                Ok(kept.listed())
            })
            .collect()
    }
}

fn source_files(files: &[RuleFile]) -> Vec<SourceFile> {
    let source = |file: &RuleFile| SourceFile {
        path: file.path.clone(),
        text: file.text.clone(),
    };
    files.iter().map(source).collect()
}

fn all(faults: &[Diagnostic]) -> Vec<RuleFault> {
    faults.iter().map(fault).collect()
}

/// A fault as the API shows it.
pub fn fault(fault: &Diagnostic) -> RuleFault {
    RuleFault {
        code: fault.code.as_str().to_owned(),
        severity: fault.severity.to_string(),
        path: fault.path.clone(),
        line: fault.line,
        column: fault.column,
        message: fault.message.clone(),
        help: fault.help.clone(),
    }
}
