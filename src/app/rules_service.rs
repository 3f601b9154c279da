//! The rulebook that the API asks: what rules change in the present, and the history of revisions.

use std::sync::Arc;

use super::revision_store::{CheckedRules, RevisionStore};
use crate::api::ports::{Change, Rulebook, Sight};
use crate::api::wire::rules::{
    FilesOrigin, OnCallMove, RevisionLine, RuleFault, RuleFile, Rules, RulesChange,
};
use crate::document::Diagnostic;
use crate::engine::calendar::Override;
use crate::engine::ids::Revision;
use crate::engine::ruleset::RuleSet;
use crate::engine::touched::touched;
use crate::rules::moves::moves_on_call;
use crate::rules::revisions::{RevisionInfo, StoredRevision};
use crate::rules::{SourceFile, sources};
use crate::runtime::clock;
use crate::runtime::handle::{Handle, NewRules};
use crate::store;

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

    fn changes(&self, checked: &CheckedRules) -> RulesChange {
        let present = self.handle.rules();
        let old = self.revisions.at(present.revision).ok().flatten();
        let differences =
            old.map(|old| old.differences(&checked.documents, checked.files.as_deref()));
        let overrides = self.overrides();
        let moves = moves_on_call(&present, &checked.rules, clock::wall_now(), &overrides);
        let touched = self.touched(&present, &checked.rules);
        RulesChange {
            revision: present.revision.0,
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

    fn diff(&self, files: &[RuleFile], sight: Sight) -> Result<RulesChange, Vec<RuleFault>> {
        let checked = self
            .revisions
            .check(&source_files(files), sight)
            .map_err(|faults| all(&faults))?;
        Ok(self.changes(&checked))
    }

    fn prepare(
        &self,
        files: Vec<RuleFile>,
        change: Change,
    ) -> Result<(NewRules, RulesChange), Vec<RuleFault>> {
        let mut checked = self
            .revisions
            .check(&source_files(&files), Sight::WithMachine)
            .map_err(|faults| all(&faults))?;
        if change.origin == FilesOrigin::WrittenAnew {
            checked.files = None;
        }
        let changes = self.changes(&checked);
        let info = RevisionInfo {
            author: change.author,
            at: change.at,
            message: change.message,
        };
        Ok((checked.pack(&info, change.expected), changes))
    }

    fn documents(&self, revision: Revision) -> Result<Option<Rules>, store::Error> {
        Ok(self.revisions.at(revision)?.map(exported))
    }

    fn revisions(
        &self,
        before: Option<Revision>,
        limit: usize,
    ) -> Result<Vec<RevisionLine>, store::Error> {
        let current = self.handle.rules().revision;
        let lines = self.revisions.list(before, limit)?.into_iter();
        let lines = lines.map(|stored| RevisionLine {
            revision: stored.revision.0,
            author: (&stored.info.author).into(),
            at: stored.info.at.to_string(),
            message: stored.info.message,
            current: stored.revision == current,
        });
        Ok(lines.collect())
    }
}

/// With its files: those that were applied, or written anew where they are not kept.
fn exported(stored: StoredRevision) -> Rules {
    let (files, origin) = match stored.files {
        Some(files) => (files, FilesOrigin::AsApplied),
        None => (stored.documents.export(), FilesOrigin::WrittenAnew),
    };
    let hashed_keys = sources::hashed_keys(&files);
    let files = files.into_iter();
    let files = files.map(|SourceFile { path, text }| RuleFile { path, text });
    Rules {
        revision: stored.revision.0,
        author: (&stored.info.author).into(),
        at: stored.info.at.to_string(),
        message: stored.info.message,
        files: files.collect(),
        origin,
        hashed_keys,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::input::Actor;
    use crate::engine::time::Timestamp;
    use crate::rules::{documents, revisions};

    #[test]
    fn a_revision_of_an_older_build_has_no_files_and_is_written_anew() {
        let info = RevisionInfo {
            author: Actor::router(),
            at: Timestamp(0),
            message: String::new(),
        };
        let files = [SourceFile {
            path: "a.yaml".to_owned(),
            text: "users: {} # ours\n".to_owned(),
        }];
        let (documents, _) = documents::read(&files);
        let stored = |files| {
            let bytes = revisions::write(&documents, files, &info);
            exported(revisions::read("1", &bytes).unwrap())
        };
        let old = stored(None);
        assert_eq!(old.origin, FilesOrigin::WrittenAnew);
        assert_eq!(old.files[0].text, "users: {}\n");
        let new = stored(Some(files.to_vec()));
        assert_eq!(new.origin, FilesOrigin::AsApplied);
        assert_eq!(new.files[0].text, files[0].text);
    }
}
