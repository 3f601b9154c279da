//! What a start does with the rules folder: put it in force in an empty store, name the difference
//! otherwise.

use std::path::Path;

use anyhow::Context;

use super::options::ApplyRules;
use super::revision_store::RevisionStore;
use crate::config::Settings;
use crate::engine::input::Actor;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::Timestamp;
use crate::rules::revisions::RevisionInfo;
use crate::rules::{SourceFile, starter};
use crate::runtime::clock;
use crate::runtime::handle::NewRules;

/// Bytes of rule documents read from a folder.
const FOLDER_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The rules with which the process starts.
pub struct Start {
    pub in_force: RuleSet,
    /// To be put in force before the first request is taken.
    pub to_apply: Option<NewRules>,
    /// What is to be said about it.
    pub said: Vec<String>,
    /// What somebody should look at.
    pub warnings: Vec<String>,
}

/// Decides which rules are in force. The inner error holds faults ready to print.
pub fn decide(
    revisions: &RevisionStore,
    settings: &Settings,
    apply: ApplyRules,
) -> anyhow::Result<Result<Start, Vec<String>>> {
    let stored = revisions.latest()?;
    let folder = read_folder(&settings.rules)?;
    let Some(stored) = stored else {
        let source = if folder.is_some() {
            "the documents of the rules folder"
        } else {
            "the starter rules"
        };
        let files = folder.unwrap_or_else(|| starter::files_at(clock::wall_now()));
        return Ok(first(revisions, &files, source));
    };
    let compiled = revisions.compile_stored(&stored)?;
    let mut start = Start {
        in_force: compiled.rules,
        to_apply: None,
        said: compiled.hint.into_iter().collect(),
        warnings: compiled.warnings,
    };
    let files = folder.unwrap_or_default();
    let differences = match files.is_empty() {
        true => Vec::new(),
        false => revisions.differences(&stored, &files),
    };
    if differences.is_empty() {
        return Ok(Ok(start));
    }
    let in_force = start.in_force.revision;
    if apply == ApplyRules::Always {
        let ready = match revisions.prepare(&files, &signed("serve --apply"), Some(in_force)) {
            Ok(ready) => ready,
            Err(faults) => return Ok(Err(faults)),
        };
        start.to_apply = Some(ready.rules);
        start.warnings = ready.warnings;
        start.said = ready.hint.into_iter().collect();
    } else {
        let folder = settings.rules.display();
        start.said.push(format!(
            "{folder} differs from revision {in_force} in force; run `reveille rules apply \
             {folder}` to apply it:"
        ));
        let lines = differences.into_iter().take(20);
        start.said.extend(lines.map(|line| format!("  {line}")));
    }
    Ok(Ok(start))
}

fn first(
    revisions: &RevisionStore,
    files: &[SourceFile],
    source: &str,
) -> Result<Start, Vec<String>> {
    let ready = revisions.prepare(files, &signed(&format!("first start with {source}")), None)?;
    let mut said = vec![format!("{source} are applied as the first revision")];
    said.extend(ready.hint);
    Ok(Start {
        in_force: RuleSet::default(),
        to_apply: Some(ready.rules),
        said,
        warnings: ready.warnings,
    })
}

fn signed(message: &str) -> RevisionInfo {
    let at: Timestamp = clock::wall_now();
    RevisionInfo {
        author: Actor::router(),
        at,
        message: message.to_owned(),
    }
}

/// The documents of a folder in the order of their names; `None` if there is no such folder.
fn read_folder(folder: &Path) -> anyhow::Result<Option<Vec<SourceFile>>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    let failed = || format!("failed to read the rules folder {}", folder.display());
    let mut files = Vec::new();
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).with_context(failed)? {
        let path = entry.with_context(failed)?.path();
        let is_document = path
            .extension()
            .is_some_and(|end| end == "yaml" || end == "yml");
        if !is_document {
            continue;
        }
        bytes += path.metadata().with_context(failed)?.len();
        anyhow::ensure!(
            bytes <= FOLDER_BYTES_MAX,
            "the rules folder {} contains more than {FOLDER_BYTES_MAX} bytes of documents",
            folder.display()
        );
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("failed to read {}", path.display()))?;
        files.push(SourceFile {
            path: name.unwrap_or_default(),
            text,
        });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok((!files.is_empty()).then_some(files))
}
