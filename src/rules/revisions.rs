//! Revisions of rules: a rule set as it is kept, with the files as they were applied and who
//! applied them, and what a new one changes against it.

use std::error::Error;

use serde::{Deserialize, Serialize};

use super::diff::diff;
use super::{Documents, SourceFile};
use crate::engine::ids::Revision;
use crate::engine::input::Actor;
use crate::engine::time::Timestamp;

/// A rule set as the store keeps it.
#[derive(Serialize, Deserialize)]
struct StoredRules {
    #[serde(flatten)]
    info: RevisionInfo,
    /// The documents in the form of the rules room.
    documents: String,
    /// The files byte for byte, without keys in clear. Revisions of older builds have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files: Option<Vec<SourceFile>>,
}

/// Who puts rules in force, when and why.
#[derive(Clone, Serialize, Deserialize)]
pub struct RevisionInfo {
    pub author: Actor,
    pub at: Timestamp,
    pub message: String,
}

/// A stored rule set with its documents read.
pub struct StoredRevision {
    pub revision: Revision,
    pub info: RevisionInfo,
    pub documents: Documents,
    pub files: Option<Vec<SourceFile>>,
}

/// The stored form of a revision cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the stored rules of revision {name} are damaged")]
pub struct Damaged {
    pub name: String,
    source: Box<dyn Error + Send + Sync>,
}

/// The stored form; [`read`] reads it.
pub fn write(
    documents: &Documents,
    files: Option<Vec<SourceFile>>,
    info: &RevisionInfo,
) -> Vec<u8> {
    let stored = StoredRules {
        info: info.clone(),
        documents: documents.to_json(),
        files,
    };
    serde_json::to_vec(&stored).expect("strings and a number have a JSON form")
}

/// Reads the stored form of the revision with this name.
pub fn read(name: &str, bytes: &[u8]) -> Result<StoredRevision, Damaged> {
    let read = || -> Result<StoredRevision, Box<dyn Error + Send + Sync>> {
        let stored: StoredRules = serde_json::from_slice(bytes)?;
        Ok(StoredRevision {
            revision: Revision(name.parse()?),
            documents: Documents::from_json(&stored.documents)?,
            files: stored.files,
            info: stored.info,
        })
    };
    read().map_err(|source| Damaged {
        name: name.to_owned(),
        source,
    })
}

impl StoredRevision {
    /// What new documents change, in words; where nothing does, the files whose text is another.
    pub fn differences(&self, new: &Documents, files: Option<&[SourceFile]>) -> Vec<String> {
        let differences = diff(&self.documents, new);
        if differences.is_empty() {
            return self.other_texts(files);
        }
        differences.iter().map(ToString::to_string).collect()
    }

    /// The files whose text is another although they mean the same; nothing where the old text is
    /// not known.
    fn other_texts(&self, new: Option<&[SourceFile]>) -> Vec<String> {
        let (Some(old), Some(new)) = (&self.files, new) else {
            return Vec::new();
        };
        let text_of = |files: &[SourceFile], path: &str| {
            let file = files.iter().find(|file| file.path == path);
            file.map(|file| file.text.clone())
        };
        let gone = old.iter().filter(|file| text_of(new, &file.path).is_none());
        let other = new
            .iter()
            .filter(|file| text_of(old, &file.path).as_deref() != Some(&file.text));
        let line = |file: &SourceFile| {
            format!(
                "file {}: only comments, order or layout differ; the rules mean the same",
                file.path
            )
        };
        gone.chain(other).map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::documents;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "a.yaml".to_owned(),
            text: text.to_owned(),
        }
    }

    fn info() -> RevisionInfo {
        RevisionInfo {
            author: Actor::router(),
            at: Timestamp(0),
            message: String::new(),
        }
    }

    #[test]
    fn a_revision_of_an_older_build_has_no_files() {
        let files = [file("users: {} # ours\n")];
        let (documents, _) = documents::read(&files);
        let bytes = write(&documents, None, &info());
        assert!(!String::from_utf8_lossy(&bytes).contains("files\":null"));
        assert_eq!(read("1", &bytes).unwrap().files, None);
        let bytes = write(&documents, Some(files.to_vec()), &info());
        assert_eq!(read("2", &bytes).unwrap().files, Some(files.to_vec()));
    }

    #[test]
    fn another_text_is_named_where_the_old_one_is_known() {
        let (documents, _) = documents::read(&[file("users: {}\n")]);
        let kept = |files| read("1", &write(&documents, files, &info())).unwrap();
        let old = kept(Some(vec![file("users: {}\n")]));
        assert!(old.other_texts(Some(&[file("users: {}\n")])).is_empty());
        let told = old.other_texts(Some(&[file("# x\nusers: {}\n")]));
        assert!(
            told[0].starts_with("file a.yaml: only comments"),
            "{told:?}"
        );
        assert_eq!(old.other_texts(Some(&[])).len(), 1);
        assert!(kept(None).other_texts(Some(&[])).is_empty());
    }
}
