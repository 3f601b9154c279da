//! Rule sets as the store keeps them: what they mean, the files as they were applied, and who
//! applied them.

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::api::ports::RevisionDocuments;
use crate::api::wire::rules::{FilesOrigin, RuleFile};
use crate::engine::ids::Revision;
use crate::engine::input::Actor;
use crate::engine::time::Timestamp;
use crate::rules::{Documents, SourceFile, sources};
use crate::store;

/// A rule set as the store keeps it.
#[derive(Serialize, Deserialize)]
struct StoredRules {
    author: Actor,
    at: Timestamp,
    message: String,
    /// The documents in the form of the rules room.
    documents: String,
    /// The files byte for byte, without keys in clear. Revisions of older builds have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files: Option<Vec<SourceFile>>,
}

/// Who puts rules in force, when and why.
pub struct RevisionInfo {
    pub author: Actor,
    pub at: Timestamp,
    pub message: String,
}

/// A stored rule set with its documents read.
pub struct Kept {
    pub revision: Revision,
    pub signed: RevisionInfo,
    pub documents: Documents,
    pub files: Option<Vec<SourceFile>>,
}

/// The stored form; [`read`] reads it.
pub fn write(
    documents: &Documents,
    files: Option<Vec<SourceFile>>,
    signed: &RevisionInfo,
) -> Vec<u8> {
    let stored = StoredRules {
        author: signed.author.clone(),
        at: signed.at,
        message: signed.message.clone(),
        documents: documents.to_json(),
        files,
    };
    serde_json::to_vec(&stored).expect("strings and a number have a JSON form")
}

/// Reads the stored form of the revision with this name.
pub fn read(name: &str, bytes: &[u8]) -> anyhow::Result<Kept> {
    let what = || format!("the stored rules of revision {name} are damaged");
    let stored: StoredRules = serde_json::from_slice(bytes).with_context(what)?;
    Ok(Kept {
        revision: Revision(name.parse().with_context(what)?),
        documents: Documents::from_json(&stored.documents).with_context(what)?,
        files: stored.files,
        signed: RevisionInfo {
            author: stored.author,
            at: stored.at,
            message: stored.message,
        },
    })
}

/// Damage as the store tells of it.
pub fn damaged(name: &str, error: &anyhow::Error) -> store::Error {
    store::Error::Damaged {
        key: format!("rules {name}"),
        cause: format!("{error:#}"),
    }
}

impl Kept {
    /// A line of the history, without files.
    pub fn listed(self) -> RevisionDocuments {
        RevisionDocuments {
            revision: self.revision,
            author: self.signed.author,
            at: self.signed.at,
            message: self.signed.message,
            files: Vec::new(),
            origin: FilesOrigin::AsApplied,
            hashed_keys: 0,
        }
    }

    /// With its files: those that were applied, or written anew where they are not kept.
    pub fn exported(mut self) -> RevisionDocuments {
        let (files, origin) = match self.files.take() {
            Some(files) => (files, FilesOrigin::AsApplied),
            None => (self.documents.export(), FilesOrigin::WrittenAnew),
        };
        let hashed_keys = sources::hashed_keys(&files);
        let files = files.into_iter();
        let files = files.map(|SourceFile { path, text }| RuleFile { path, text });
        RevisionDocuments {
            files: files.collect(),
            origin,
            hashed_keys,
            ..self.listed()
        }
    }

    /// The files whose text is another although they mean the same; nothing where the old text is
    /// not known.
    pub fn other_texts(&self, new: Option<&[SourceFile]>) -> Vec<String> {
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

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "a.yaml".to_owned(),
            text: text.to_owned(),
        }
    }

    fn signed() -> RevisionInfo {
        RevisionInfo {
            author: Actor::router(),
            at: Timestamp(0),
            message: String::new(),
        }
    }

    #[test]
    fn a_revision_of_an_older_build_has_no_files_and_is_written_anew() {
        let files = [file("users: {} # ours\n")];
        let (documents, _) = crate::rules::documents::read(&files);
        let bytes = write(&documents, None, &signed());
        assert!(!String::from_utf8_lossy(&bytes).contains("files\":null"));
        let old = read("1", &bytes).unwrap().exported();
        assert_eq!(old.origin, FilesOrigin::WrittenAnew);
        assert_eq!(old.files[0].text, "users: {}\n");

        let bytes = write(&documents, Some(files.to_vec()), &signed());
        let new = read("2", &bytes).unwrap().exported();
        assert_eq!(new.origin, FilesOrigin::AsApplied);
        assert_eq!(new.files[0].text, files[0].text);
    }

    #[test]
    fn another_text_is_named_where_the_old_one_is_known() {
        let (documents, _) = crate::rules::documents::read(&[file("users: {}\n")]);
        let kept = |files| read("1", &write(&documents, files, &signed())).unwrap();
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
