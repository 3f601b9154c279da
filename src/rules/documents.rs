//! A set of rule documents: reading files, the stored form, and looking things up by name.
//!
//! A set keeps which file each thing stands in, so that an export recreates the files. What the
//! documents mean is decided by [`super::compile`].

use serde::{Deserialize, Serialize};

use crate::document::{
    Code, Diagnostic, Diagnostics, Entry, MapReader, MapSchema, Node, Position, Value, yaml,
};

use super::limits;

/// One file of rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// As faults name it.
    pub path: String,
    pub text: String,
}

/// The documents of one rule set. Equal when the same things stand in the same files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documents {
    files: Vec<File>,
    /// A file could not be read: what is missing may stand in it.
    is_incomplete: bool,
}

/// The tree of one file; its root is a map of sections.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct File {
    path: String,
    document: Node,
}

/// The form in which documents are stored.
#[derive(Serialize, Deserialize)]
struct Stored<Files> {
    format: u32,
    files: Files,
}

/// The number of the stored form.
const FORMAT: u32 = 1;

/// The kinds of named things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Users,
    Schedules,
    Policies,
    Integrations,
    Providers,
    Services,
    Checks,
    StatusPages,
}

impl Section {
    /// All of them, in the order in which documents are written.
    pub const ALL: [Self; 8] = [
        Self::Users,
        Self::Schedules,
        Self::Policies,
        Self::Integrations,
        Self::Providers,
        Self::Services,
        Self::Checks,
        Self::StatusPages,
    ];

    /// The top-level key.
    pub fn key(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Schedules => "schedules",
            Self::Policies => "policies",
            Self::Integrations => "integrations",
            Self::Providers => "providers",
            Self::Services => "services",
            Self::Checks => "checks",
            Self::StatusPages => "status_pages",
        }
    }

    /// One of them, in words.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Users => "user",
            Self::Schedules => "schedule",
            Self::Policies => "policy",
            Self::Integrations => "integration",
            Self::Providers => "provider",
            Self::Services => "service",
            Self::Checks => "check",
            Self::StatusPages => "status page",
        }
    }
}

/// The keys of a file.
const FILE: MapSchema = MapSchema {
    what: "a rules file",
    keys: &[
        "users",
        "schedules",
        "policies",
        "integrations",
        "providers",
        "services",
        "checks",
        "status_pages",
        "route",
        "routes",
    ],
    foreign: &[
        (
            "receivers",
            "people go under `users`, and who is paged when goes under `policies`",
        ),
        (
            "inhibit_rules",
            "not supported; use a route with `page: false`",
        ),
        ("global", "channels and limits go in reveille.toml"),
        (
            "templates",
            "message templates are not supported; remove it",
        ),
        (
            "time_intervals",
            "use `only` on the layers of a schedule, or a silence",
        ),
        (
            "mute_time_intervals",
            "use `only` on the layers of a schedule, or a silence",
        ),
    ],
    may_be_empty: true,
};

/// Why a stored set cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    #[error("stored rules are damaged: {0}; restore a backup or apply the rules again")]
    Damaged(#[from] serde_json::Error),
    #[error(
        "stored rules have format {found}, newer than {FORMAT}; use the version that wrote them"
    )]
    Newer { found: u32 },
}

/// Reads all files; what is wrong in one does not hide what is wrong in another.
pub fn read(files: &[SourceFile]) -> (Documents, Vec<Diagnostic>) {
    let mut sorted: Vec<&SourceFile> = files.iter().collect();
    sorted.sort_by(|one, other| one.path.cmp(&other.path));
    let mut faults = Diagnostics::default();
    let mut documents = Documents::default();
    for (index, source) in sorted.iter().take(limits::FILES).enumerate() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let read = read_file(source, index, &mut faults);
        documents.is_incomplete |= read.is_none();
        documents.files.push(File {
            path: source.path.clone(),
            document: read.unwrap_or_else(|| Node::empty(index)),
        });
    }
    if sorted.len() > limits::FILES {
        let message = format!("there are more than {} files", limits::FILES);
        let help = "combine them into fewer files";
        faults.error(Code::TooMany, Position::default(), message, help);
    }
    let list = faults.finish(&documents.paths());
    (documents, list)
}

fn read_file(source: &SourceFile, index: u32, faults: &mut Diagnostics) -> Option<Node> {
    let at = Position {
        file: index,
        line: 1,
        column: 1,
    };
    if source.text.len() > limits::FILE_BYTES {
        let message = format!("the file is larger than {} bytes", limits::FILE_BYTES);
        faults.error(Code::TooMany, at, message, "split it into several files");
        return None;
    }
    let root = yaml::parse(&source.text, index, faults)?;
    if root.value == Value::Null {
        return Some(Node::empty(index));
    }
    let has_shape = matches!(root.value, Value::Map(_));
    MapReader::open(&root, &FILE, faults);
    has_shape.then_some(root)
}

impl Documents {
    /// Reads the stored form.
    pub fn from_json(text: &str) -> Result<Self, StoredError> {
        let stored: Stored<Vec<File>> = serde_json::from_str(text)?;
        if stored.format > FORMAT {
            let found = stored.format;
            return Err(StoredError::Newer { found });
        }
        let mut files = stored.files;
        for (file, index) in files.iter_mut().zip(0..) {
            file.document.set_file(index);
        }
        Ok(Self {
            files,
            is_incomplete: false,
        })
    }

    /// The stored form; the order of maps is kept.
    pub fn to_json(&self) -> String {
        let stored = Stored {
            format: FORMAT,
            files: &self.files,
        };
        serde_json::to_string(&stored).expect("trees of texts, numbers, lists and maps are JSON")
    }

    /// Whether a file could not be read, so that what is missing may stand in it.
    pub fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    /// The files by their index in positions.
    pub fn paths(&self) -> Vec<&str> {
        self.files.iter().map(|file| file.path.as_str()).collect()
    }

    /// The path of the file in which a position lies.
    pub fn path_of(&self, at: Position) -> &str {
        let index = usize::try_from(at.file).unwrap_or(usize::MAX);
        self.files.get(index).map_or("", |file| &file.path)
    }

    /// The files with their trees.
    pub fn trees(&self) -> impl Iterator<Item = (&str, &Node)> {
        let files = self.files.iter();
        files.map(|file| (file.path.as_str(), &file.document))
    }

    /// The trees, to change them.
    pub(super) fn trees_mut(&mut self) -> impl Iterator<Item = &mut Node> {
        self.files.iter_mut().map(|file| &mut file.document)
    }

    /// Everything of a kind, in the order of the files.
    pub fn things(&self, section: Section) -> impl Iterator<Item = &Entry> {
        self.sections(section.key()).flat_map(Node::entries)
    }

    /// The root routes; more than one is a fault.
    pub fn roots(&self) -> impl Iterator<Item = &Entry> {
        let files = self.files.iter();
        files
            .flat_map(|file| file.document.entries())
            .filter(|entry| entry.key == "route" && entry.node.value != Value::Null)
    }

    /// The lists of routes that files add beneath the root.
    pub fn added_routes(&self) -> impl Iterator<Item = &Node> {
        self.sections("routes")
    }

    /// The values under a top-level key.
    pub(super) fn sections(&self, key: &'static str) -> impl Iterator<Item = &Node> {
        let files = self.files.iter();
        files.filter_map(move |file| file.document.get(key))
    }
}
