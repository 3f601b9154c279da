//! Where the keys of integrations come from.
//!
//! This room reads no environment and hashes nothing: it names the references, and the process
//! gives hashes back.

use crate::document::{Entry, Node, Position, Value};
use crate::engine::ids::IntegrationName;
use crate::text::{hash, hex};

use super::documents::{Documents, Section};

/// A place from which a key is read.
#[derive(Clone, PartialEq, Eq)]
pub enum KeySource {
    /// `env:NAME`
    Env(String),
    /// `file:PATH`
    File(String),
    /// `sha256:HEX`: the hash of a key, as it stands in a text whose key was taken out.
    Hash(String),
    /// The key itself, which is never stored.
    Literal(String),
}

impl KeySource {
    /// Reads what stands under `key`. Space around a literal key is not part of it. What stands
    /// behind `env:` and can be no name of a variable may be the key itself: it is never shown.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some(("env", name)) if is_variable(name) => Self::Env(name.to_owned()),
            Some(("file", path)) => Self::File(path.to_owned()),
            Some(("sha256", hash)) => Self::Hash(hash.to_owned()),
            Some(_) | None => Self::Literal(text.trim().to_owned()),
        }
    }
}

/// What can be the name of an environment variable.
fn is_variable(name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    !name.is_empty() && name.chars().all(is_part)
}

impl std::fmt::Display for KeySource {
    /// As written; a literal key is never shown.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(formatter, "env:{name}"),
            Self::File(path) => write!(formatter, "file:{path}"),
            Self::Hash(hash) => write!(formatter, "sha256:{hash}"),
            Self::Literal(_) => formatter.write_str("a literal key"),
        }
    }
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, formatter)
    }
}

/// A key of an integration that the process is to read and hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReference {
    pub integration: IntegrationName,
    pub source: KeySource,
    pub path: String,
    pub line: u32,
    pub column: u32,
}

impl KeyReference {
    /// The key itself, where it stands in clear.
    pub fn literal(&self) -> Option<&str> {
        match &self.source {
            KeySource::Literal(key) => Some(key),
            KeySource::Env(_) | KeySource::File(_) | KeySource::Hash(_) => None,
        }
    }
}

impl Documents {
    /// All keys that are to be read, in the order of the documents.
    pub fn key_references(&self) -> Vec<KeyReference> {
        let entries = self.things(Section::Integrations);
        entries
            .flat_map(|entry| self.references_of(entry))
            .collect()
    }

    fn references_of(&self, entry: &Entry) -> Vec<KeyReference> {
        let sources = entry.node.get("key").map(sources).unwrap_or_default();
        let sources = sources.into_iter();
        sources
            .map(|(source, at)| KeyReference {
                integration: entry.key.as_str().into(),
                source,
                path: self.path_of(at).to_owned(),
                line: at.line,
                column: at.column,
            })
            .collect()
    }

    /// Moves literal keys and hashes under `key` to `key_sha256`, as they must be before documents
    /// are stored or compared.
    pub fn replace_literal_keys(&mut self) {
        for tree in self.trees_mut() {
            let Some(integrations) = tree.get_mut(Section::Integrations.key()) else {
                continue;
            };
            if let Value::Map(entries) = &mut integrations.value {
                for entry in entries {
                    hide_literals(&mut entry.node);
                }
            }
        }
    }
}

/// The sources under `key`: one, or a list of them. What is no text is a fault elsewhere.
pub(super) fn sources(node: &Node) -> Vec<(KeySource, Position)> {
    let texts = node.one_or_many().iter();
    texts
        .filter_map(|node| Some((KeySource::parse(node.as_text()?), node.at)))
        .collect()
}

/// Moves the literals and hashes of one integration from `key` to `key_sha256`.
fn hide_literals(integration: &mut Node) {
    let Some(key) = integration.get("key") else {
        return;
    };
    let at = key.at;
    let (kept, hidden): (Vec<_>, Vec<_>) = sources(key)
        .into_iter()
        .partition(|(source, _)| matches!(source, KeySource::Env(_) | KeySource::File(_)));
    if hidden.is_empty() {
        return;
    }
    let kept = kept
        .into_iter()
        .map(|(source, at)| (source.to_string(), at));
    let hashes = hidden.into_iter().filter_map(|(source, at)| match source {
        KeySource::Literal(literal) => Some((hex::encode(&hash::sha256(&literal)), at)),
        KeySource::Hash(hash) => Some((hash, at)),
        KeySource::Env(_) | KeySource::File(_) => None,
    });
    let known = integration.get("key_sha256").map(texts).unwrap_or_default();
    let hashes = known.into_iter().chain(hashes).collect();
    set(integration, "key_sha256", hashes, at);
    set(integration, "key", kept.collect(), at);
}

fn texts(node: &Node) -> Vec<(String, Position)> {
    let nodes = node.one_or_many().iter();
    nodes
        .filter_map(|node| Some((node.as_text()?.to_owned(), node.at)))
        .collect()
}

/// Sets a key to one text or to a list of them; none removes it.
fn set(map: &mut Node, key: &str, texts: Vec<(String, Position)>, at: Position) {
    let Value::Map(entries) = &mut map.value else {
        return;
    };
    let mut nodes: Vec<Node> = texts
        .into_iter()
        .map(|(text, at)| Node {
            at,
            value: Value::Text(text),
        })
        .collect();
    let node = match nodes.len() {
        0 => {
            entries.retain(|entry| entry.key != key);
            return;
        }
        1 => nodes.remove(0),
        _ => Node {
            at,
            value: Value::List(nodes),
        },
    };
    match entries.iter_mut().find(|entry| entry.key == key) {
        Some(entry) => entry.node = node,
        None => entries.push(Entry {
            at,
            key: key.to_owned(),
            node,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::SourceFile;
    use crate::rules::documents::read;

    fn documents(text: &str) -> Documents {
        let (path, text) = ("a.yaml".to_owned(), text.to_owned());
        read(&[SourceFile { path, text }]).0
    }

    #[test]
    fn references_are_named_with_their_places_and_literals_are_not_shown() {
        let documents = documents(
            "integrations:\n  one:\n    key: [env:ONE, file:/run/one]\n  two:\n    key: s3cret\n",
        );
        let found: Vec<String> = documents
            .key_references()
            .iter()
            .map(|found| {
                let (line, column) = (found.line, found.column);
                format!("{} {:?} {line}:{column}", found.integration, found.source)
            })
            .collect();
        assert_eq!(
            found,
            [
                "one env:ONE 3:11",
                "one file:/run/one 3:20",
                "two a literal key 5:10"
            ]
        );
    }

    #[test]
    fn literal_keys_leave_the_documents_and_their_hashes_stay() {
        let mut documents = documents(
            "integrations:\n  one:\n    key: [env:ONE, s3cret]\n  two:\n    key: s3cret\n",
        );
        documents.replace_literal_keys();
        let json = documents.to_json();
        assert!(!json.contains("s3cret"), "{json}");
        let hash = hex::encode(&hash::sha256("s3cret"));
        let one = format!(r#""one":{{"key":"env:ONE","key_sha256":"{hash}"}}"#);
        assert!(json.contains(&one), "{json}");
        assert!(
            json.contains(&format!(r#""two":{{"key_sha256":"{hash}"}}"#)),
            "{json}"
        );
    }
}
