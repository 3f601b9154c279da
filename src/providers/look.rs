//! One look at a page: its documents, fetched and read.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::channels::http::fetch::{Fetched, Fetcher, Validators};
use crate::engine::provider_rules::StatusMapping;
use crate::engine::status_report::StatusReport;
use crate::engine::time::{Duration, Timestamp};
use crate::status::{
    StatusAddress, StatusAnswer, StatusDocument, StatusKind, StatusLook, StatusUnreadable, mapping,
};

/// Bytes of a document; what is larger has stopped being a status page.
pub const DOCUMENT_BYTES_MAX: usize = 2 * 1024 * 1024;

/// For one document, redirects and body included.
const DEADLINE: Duration = Duration::seconds(20);

/// How the documents of a page are found and read.
#[derive(Clone)]
pub enum PageReader {
    Kind(&'static StatusKind),
    Mapped(Box<StatusMapping>),
}

impl PageReader {
    /// The word of the kind.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.word,
            Self::Mapped(_) => crate::rules::providers::JSON_KIND,
        }
    }

    /// The kind as people know it.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Kind(kind) => Some(kind.name),
            Self::Mapped(_) => None,
        }
    }

    /// How often the kind wants to be asked.
    pub fn every(&self) -> Option<Duration> {
        match self {
            Self::Kind(kind) => Some(kind.every),
            Self::Mapped(_) => None,
        }
    }

    /// Single components flip on such pages.
    pub fn flips(&self) -> bool {
        matches!(self, Self::Kind(kind) if kind.flips)
    }

    fn documents(&self, address: &StatusAddress) -> Vec<StatusDocument> {
        match self {
            Self::Kind(kind) => (kind.documents)(address),
            Self::Mapped(_) => vec![StatusDocument {
                url: address.whole(),
                is_required: true,
            }],
        }
    }

    fn read(&self, look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
        match self {
            Self::Kind(kind) => (kind.read)(look),
            Self::Mapped(mapping) => mapping::read(mapping, look),
        }
    }
}

/// What is remembered between looks to ask for no more than what changed.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    pub validators: Validators,
    /// Of the first document's body.
    pub body_hash: Option<u64>,
}

/// What a look found.
#[derive(Debug)]
pub enum LookFound {
    /// The same as the last time.
    Same,
    Report(Box<StatusReport>),
    Unreadable(String),
}

/// A look, with what it cost and what it asks for.
#[derive(Debug)]
pub struct LookResult {
    pub found: LookFound,
    pub bytes: u64,
    pub leave_for: Option<Duration>,
    pub moved_to: Option<String>,
    /// The shape or the address was wrong, not the way there.
    pub is_shape: bool,
}

impl LookResult {
    /// Nothing could be said, and why.
    pub fn unreadable(why: &str) -> Self {
        Self::new(LookFound::Unreadable(why.to_owned()))
    }

    fn new(found: LookFound) -> Self {
        Self {
            found,
            bytes: 0,
            leave_for: None,
            moved_to: None,
            is_shape: false,
        }
    }
}

/// Looks at a page. With `anew` nothing is taken for unchanged.
pub async fn look(
    fetcher: &Fetcher,
    reader: &PageReader,
    (address, now): (&StatusAddress, Timestamp),
    remembered: &mut Remembered,
    anew: bool,
) -> LookResult {
    let documents = reader.documents(address);
    let Some((first, others)) = documents.split_first() else {
        return LookResult::new(LookFound::Unreadable("it has no documents".to_owned()));
    };
    let none = Validators::default();
    let validators = if anew { &none } else { &remembered.validators };
    let fetched = fetcher.fetch(&first.url, validators, DOCUMENT_BYTES_MAX, DEADLINE);
    let fetched = match fetched.await {
        Ok(fetched) => fetched,
        Err(fault) => return LookResult::new(LookFound::Unreadable(fault.to_string())),
    };
    let mut look = LookResult::new(LookFound::Same);
    look.note(&fetched);
    if fetched.status == 304 && !anew {
        return look;
    }
    if let Some(why) = too_large(&fetched) {
        look.found = LookFound::Unreadable(why);
        return look;
    }
    let hash = hash(&fetched.body);
    if fetched.status == 200 && remembered.body_hash == Some(hash) && !anew {
        return look;
    }
    let validators = fetched.validators.clone();
    let mut all = vec![Some(fetched)];
    for document in others {
        let fetched = fetcher
            .fetch(&document.url, &none, DOCUMENT_BYTES_MAX, DEADLINE)
            .await;
        let fetched = fetched.ok().filter(|fetched| fetched.is_whole);
        if let Some(fetched) = &fetched {
            look.note(fetched);
        }
        if fetched.is_none() && document.is_required {
            let url = &document.url;
            look.found = LookFound::Unreadable(format!("{url} could not be had"));
            return look;
        }
        all.push(fetched);
    }
    let answers: Vec<Option<StatusAnswer<'_>>> =
        all.iter().map(|one| one.as_ref().map(answer)).collect();
    let source = StatusLook {
        address,
        answers: &answers,
        now,
    };
    look.found = match reader.read(&source) {
        Ok(report) => {
            *remembered = Remembered {
                validators,
                body_hash: Some(hash),
            };
            LookFound::Report(Box::new(report))
        }
        Err(error) => {
            *remembered = Remembered::default();
            look.is_shape = true;
            LookFound::Unreadable(error.to_string())
        }
    };
    look
}

impl LookResult {
    fn note(&mut self, fetched: &Fetched) {
        self.bytes += fetched.body.len() as u64;
        let is_limited = matches!(fetched.status, 429 | 503);
        let asked = fetched.retry_after;
        let leave_for = if is_limited {
            asked.or(Some(Duration::minutes(1)))
        } else {
            None
        };
        self.leave_for = self.leave_for.max(leave_for);
        if self.moved_to.is_none() {
            self.moved_to.clone_from(&fetched.moved_to);
        }
    }
}

fn too_large(fetched: &Fetched) -> Option<String> {
    let mib = DOCUMENT_BYTES_MAX >> 20;
    (!fetched.is_whole).then(|| format!("its document is larger than {mib} MiB"))
}

pub fn answer(fetched: &Fetched) -> StatusAnswer<'_> {
    StatusAnswer {
        status: fetched.status,
        body: &fetched.body,
    }
}

fn hash(body: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}
