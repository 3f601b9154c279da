//! One look at a page: its documents, fetched and read.

use std::hash::{DefaultHasher, Hash, Hasher};

use tokio::sync::Semaphore;

use crate::channels::http::fetch::{Fetched, Fetcher, Validators};
use crate::engine::provider_rules::{JSON_KIND, StatusMapping};
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
            Self::Mapped(_) => JSON_KIND,
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

    /// The address that is asked first.
    pub fn first_document(&self, address: &StatusAddress) -> Option<String> {
        self.documents(address)
            .into_iter()
            .next()
            .map(|document| document.url)
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

/// What is remembered of a document between looks, to ask for no more than what changed.
#[derive(Clone, Debug, Default)]
pub struct DocumentMemory {
    pub validators: Validators,
    /// Of the status and the body; `None` of a document that was not had.
    pub answer_hash: Option<u64>,
    /// It was answered with success at some look.
    pub was_had: bool,
}

/// What a look found.
#[derive(Debug)]
pub enum LookFound {
    /// The same as the last time.
    Same,
    Report(Box<StatusReport>),
    Unreadable(String),
}

impl LookFound {
    /// As the metrics call it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Report(_) => "changed",
            Self::Unreadable(_) => "unreadable",
        }
    }
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

/// Looks at a page. With `anew` nothing is taken for unchanged. It is the same only if each of its
/// documents is.
pub async fn look(
    fetcher: &Fetcher,
    reader: &PageReader,
    (address, now): (&StatusAddress, Timestamp),
    remembered: &mut Vec<DocumentMemory>,
    anew: bool,
) -> LookResult {
    let documents = reader.documents(address);
    let mut look = LookResult::new(LookFound::Same);
    remembered.resize_with(documents.len(), DocumentMemory::default);
    if anew {
        remembered.iter_mut().for_each(DocumentMemory::forget);
    }
    let mut fetched = Vec::new();
    for (document, known) in documents.iter().zip(&*remembered) {
        match fetch(fetcher, document, (known, &known.validators), &mut look).await {
            Ok(answer) => fetched.push(answer),
            Err(why) => return look.with(LookFound::Unreadable(why)),
        }
    }
    let mut pairs = fetched.iter().zip(&*remembered);
    if pairs.all(|(answer, known)| is_unchanged(answer, known)) {
        return look;
    }
    let none = Validators::default();
    for ((document, known), answer) in documents.iter().zip(&*remembered).zip(&mut fetched) {
        // One of them changed, and all are needed to read any.
        if answer.as_ref().is_some_and(|answer| answer.status == 304) {
            match fetch(fetcher, document, (known, &none), &mut look).await {
                Ok(again) => *answer = again,
                Err(why) => return look.with(LookFound::Unreadable(why)),
            }
        }
    }
    let (result, fetched) = read(reader.clone(), address.clone(), fetched, now).await;
    match result {
        Ok(report) => {
            for (known, answer) in remembered.iter_mut().zip(&fetched) {
                known.note(answer);
            }
            look.with(LookFound::Report(Box::new(report)))
        }
        Err(error) => {
            look.is_shape = !matches!(
                error,
                StatusUnreadable::Status(_) | StatusUnreadable::Stale { .. }
            );
            look.with(LookFound::Unreadable(error.to_string()))
        }
    }
}

/// Pages that are read at once: each may be large, and takes a processor while it is read.
static READERS: Semaphore = Semaphore::const_new(4);

/// Reads the documents on a thread that may be kept busy.
async fn read(
    reader: PageReader,
    address: StatusAddress,
    fetched: Vec<Option<Fetched>>,
    now: Timestamp,
) -> (Result<StatusReport, StatusUnreadable>, Vec<Option<Fetched>>) {
    let _turn = READERS.acquire().await;
    let read = move || {
        let answers: Vec<Option<StatusAnswer<'_>>> = fetched
            .iter()
            .map(|fetched| fetched.as_ref().map(answer))
            .collect();
        let source = StatusLook {
            address: &address,
            answers: &answers,
            now,
        };
        let result = reader.read(&source);
        (result, fetched)
    };
    let read = tokio::task::spawn_blocking(read).await;
    match read {
        Ok(read) => read,
        // A panic of a reader is one of this look.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The process ends.
        Err(_) => std::future::pending().await,
    }
}

/// One document; `None` for one that was not had and may be missing. One that was had before is
/// missed: without it the others would mean something else.
async fn fetch(
    fetcher: &Fetcher,
    document: &StatusDocument,
    (known, validators): (&DocumentMemory, &Validators),
    look: &mut LookResult,
) -> Result<Option<Fetched>, String> {
    let must_be_had = document.is_required || known.was_had;
    let fetched = fetcher.fetch(&document.url, validators, DOCUMENT_BYTES_MAX, DEADLINE);
    let fetched = match fetched.await {
        Ok(fetched) => fetched,
        Err(fault) if must_be_had => return Err(fault.to_string()),
        Err(_) => return Ok(None),
    };
    look.note(&fetched);
    let is_refused = fetched.status == 429 || fetched.status >= 500;
    if !fetched.is_whole {
        let mib = DOCUMENT_BYTES_MAX >> 20;
        return Err(format!("its document is larger than {mib} MiB"));
    }
    if is_refused && known.was_had && !document.is_required {
        return Err(format!("{} answered {}", document.url, fetched.status));
    }
    Ok(Some(fetched))
}

fn is_unchanged(answer: &Option<Fetched>, known: &DocumentMemory) -> bool {
    let Some(fetched) = answer else {
        return false;
    };
    // Without a condition 304 says nothing.
    let is_same = |hash| fetched.status == 304 || hash == answer_hash(fetched);
    known.answer_hash.is_some_and(is_same)
}

impl DocumentMemory {
    /// Nothing is taken for unchanged.
    pub fn forget(&mut self) {
        self.validators = Validators::default();
        self.answer_hash = None;
    }

    fn note(&mut self, answer: &Option<Fetched>) {
        let fetched = answer.as_ref();
        let good = fetched.filter(|fetched| fetched.status == 200);
        let validators = good.map(|fetched| fetched.validators.clone());
        self.validators = validators.unwrap_or_default();
        self.answer_hash = fetched.map(answer_hash);
        self.was_had |= good.is_some();
    }
}

impl LookResult {
    fn with(self, found: LookFound) -> Self {
        Self { found, ..self }
    }

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

pub fn answer(fetched: &Fetched) -> StatusAnswer<'_> {
    StatusAnswer {
        status: fetched.status,
        body: &fetched.body,
    }
}

fn answer_hash(fetched: &Fetched) -> u64 {
    let mut hasher = DefaultHasher::new();
    (fetched.status, &fetched.body).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::channels::http::HttpOptions;
    use crate::engine::status_report::ReportPhase;
    use crate::status::kind;
    use crate::test_server::{Call, Reply, Server};

    const NOW: Timestamp = Timestamp(1_800_000_000_000);
    const SUMMARY: &str = r#"{"page":{"id":"p","name":"P","time_zone":"UTC"},"components":[],
        "status":{"indicator":"none"},"incidents":[],"scheduled_maintenances":[]}"#;

    fn incidents(status: &str) -> String {
        format!(
            r#"{{"page":{{"id":"p"}},"incidents":[{{"id":"i","name":"Logins fail","impact":"minor",
            "status":"{status}","incident_updates":[]}}]}}"#
        )
    }

    /// What the list of incidents answers; `None` is a server that hangs up.
    type Shown = Arc<Mutex<Option<Reply>>>;

    /// A page whose summary never changes, and whose list of incidents is as it is shown.
    async fn page() -> (Server, Shown) {
        let shown: Shown = Arc::new(Mutex::new(Some(Reply::new(200, &incidents("monitoring")))));
        let now = shown.clone();
        let answer = move |call: &Call| match call.path() {
            "/api/v2/summary.json" if call.header("if-none-match") == "\"s\"" => {
                Some(Reply::with_header(304, "etag: \"s\"", ""))
            }
            "/api/v2/summary.json" => Some(Reply::with_header(200, "etag: \"s\"", SUMMARY)),
            _ => now.lock().expect("no test panics with it").clone(),
        };
        (Server::answering(answer).await, shown)
    }

    struct Watcher {
        fetcher: Fetcher,
        reader: PageReader,
        address: StatusAddress,
        memory: Vec<DocumentMemory>,
    }

    impl Watcher {
        fn new(url: &str) -> Self {
            let options = HttpOptions {
                clock: Arc::new(|| NOW),
                allow_networks: vec!["127.0.0.1/32".parse().expect("a network")],
                proxy: None,
                extra_roots: Vec::new(),
            };
            Self {
                fetcher: Fetcher::new(options, "a test").expect("a fetcher"),
                reader: PageReader::Kind(kind("statuspage").expect("a kind")),
                address: StatusAddress::parse(url).expect("an address"),
                memory: Vec::new(),
            }
        }

        /// The phase of the one incident; `None` if nothing changed, or why it cannot be read.
        async fn look(&mut self) -> Result<Option<ReportPhase>, String> {
            let at = (&self.address, NOW);
            let looked = look(&self.fetcher, &self.reader, at, &mut self.memory, false).await;
            match looked.found {
                LookFound::Same => Ok(None),
                LookFound::Report(report) => Ok(report.incidents.first().map(|it| it.phase)),
                LookFound::Unreadable(why) => Err(why),
            }
        }
    }

    fn show(shown: &Shown, reply: Option<Reply>) {
        *shown.lock().expect("no test panics with it") = reply;
    }

    #[tokio::test]
    async fn a_page_is_the_same_only_if_each_of_its_documents_is() {
        let (server, shown) = page().await;
        let mut watcher = Watcher::new(&server.url());
        assert_eq!(watcher.look().await, Ok(Some(ReportPhase::Open)));
        assert_eq!(watcher.look().await, Ok(None));
        // The summary says nothing of it.
        show(&shown, Some(Reply::new(200, &incidents("resolved"))));
        assert_eq!(watcher.look().await, Ok(Some(ReportPhase::Closed)));
        assert_eq!(watcher.look().await, Ok(None));
        // The same answer again is no change, whatever its status.
        show(&shown, Some(Reply::new(404, "")));
        assert_eq!(
            watcher.look().await,
            Ok(None),
            "no incidents without the list"
        );
        let calls = server.calls().len();
        assert_eq!(watcher.look().await, Ok(None));
        assert_eq!(server.calls().len(), calls + 2, "nothing was asked twice");
        // Without a list that was there before, nothing open would look as if it were over.
        show(&shown, Some(Reply::new(503, "")));
        let why = watcher.look().await.expect_err("it is missed");
        assert!(
            why.ends_with("/api/v2/incidents.json answered 503"),
            "{why}"
        );
        show(&shown, None);
        assert!(watcher.look().await.is_err());
        show(&shown, Some(Reply::new(200, &incidents("resolved"))));
        assert_eq!(watcher.look().await, Ok(Some(ReportPhase::Closed)));
    }

    #[tokio::test]
    async fn an_answer_that_nothing_changed_is_none_before_anything_was_read() {
        let server = Server::answering(|_| Some(Reply::with_header(304, "x: y", ""))).await;
        let mut watcher = Watcher::new(&server.url());
        assert_eq!(watcher.look().await, Err("it answered 304".to_owned()));
    }

    #[tokio::test]
    async fn a_document_that_may_be_missing_is_no_reason_to_say_nothing() {
        let (server, shown) = page().await;
        show(&shown, None);
        let mut watcher = Watcher::new(&server.url());
        let first = watcher.look().await;
        assert_eq!(first, Ok(None), "a report without incidents");
        assert_eq!(watcher.memory.len(), 2);
        show(&shown, Some(Reply::new(200, &incidents("monitoring"))));
        assert_eq!(watcher.look().await, Ok(Some(ReportPhase::Open)));
    }

    #[tokio::test]
    async fn what_is_unreadable_is_read_anew_the_next_time() {
        let (server, shown) = page().await;
        let mut watcher = Watcher::new(&format!("{}/elsewhere", server.url()));
        watcher.reader = PageReader::Kind(kind("cstate").expect("a kind"));
        show(&shown, Some(Reply::new(200, "<html>")));
        assert!(watcher.look().await.is_err());
        assert!(
            watcher
                .memory
                .iter()
                .all(|known| known.answer_hash.is_none())
        );
        assert!(watcher.look().await.is_err(), "and not the same");
    }
}
