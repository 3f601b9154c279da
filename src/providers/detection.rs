//! Finding out of which kind a page is, by asking: the body decides, never the path.

use crate::channels::http::fetch::{Fetcher, Validators};
use crate::engine::provider_rules::FEED_KIND;
use crate::engine::time::Duration;
use crate::status::{KINDS, StatusAddress, StatusKind, kind, links};

use super::look::{DOCUMENT_BYTES_MAX, answer};

/// For one address.
const DEADLINE: Duration = Duration::seconds(10);

/// Addresses that are asked at most.
const ADDRESSES_MAX: usize = 24;

/// What was asked, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub url: String,
    /// `200, of no kind that is known`, `404`, or why nothing came.
    pub outcome: String,
}

/// What asking a page found.
pub struct Detected {
    pub kind: Option<&'static StatusKind>,
    /// A feed that the page names, where it is of no kind by itself.
    pub feed: Option<String>,
    /// The host could not be asked to the end: it did not answer, or wants to be left alone.
    pub stopped: Option<String>,
    pub tried: Vec<Tried>,
    pub bytes: u64,
    /// What `Retry-After` asks for.
    pub leave_for: Option<Duration>,
}

/// Asks the addresses at which pages of any kind have their first document, one after the other,
/// until one answers in the shape of a kind.
pub async fn detect(fetcher: &Fetcher, address: &StatusAddress) -> Detected {
    let mut tried: Vec<Tried> = Vec::new();
    let mut bytes = 0;
    for url in addresses(address) {
        let validators = Validators::default();
        let fetched = fetcher.fetch(&url, &validators, DOCUMENT_BYTES_MAX, DEADLINE);
        let fetched = fetched.await;
        bytes += fetched
            .as_ref()
            .map_or(0, |fetched| fetched.body.len() as u64);
        let outcome = match fetched {
            // The other addresses are of the same host.
            Err(fault) => return stopped(tried, url, (fault.to_string(), None), bytes),
            Ok(fetched) if matches!(fetched.status, 429 | 503) => {
                let leave_for = fetched.retry_after.or(Some(Duration::minutes(1)));
                let why = format!("it answered {}", fetched.status);
                return stopped(tried, url, (why, leave_for), bytes);
            }
            Ok(fetched) if !fetched.is_whole => "too large".to_owned(),
            Ok(fetched) => {
                let answer = answer(&fetched);
                let is_asked = |kind: &&&'static StatusKind| {
                    let first = (kind.documents)(address).into_iter().next();
                    first.is_some_and(|document| document.url == url)
                };
                let asked = KINDS.iter().filter(is_asked);
                let found = asked.copied().find(|kind| (kind.recognises)(&answer));
                if let Some(kind) = found {
                    let outcome = format!("{}, {}", fetched.status, kind.name);
                    tried.push(Tried { url, outcome });
                    return Detected {
                        kind: Some(kind),
                        feed: None,
                        stopped: None,
                        tried,
                        bytes,
                        leave_for: None,
                    };
                }
                format!("{}, of no kind that is known", fetched.status)
            }
        };
        tried.push(Tried { url, outcome });
    }
    let feed = named_feed(fetcher, address, &mut tried).await;
    Detected {
        kind: None,
        feed,
        stopped: None,
        tried,
        bytes,
        leave_for: None,
    }
}

fn stopped(
    mut tried: Vec<Tried>,
    url: String,
    (why, leave_for): (String, Option<Duration>),
    bytes: u64,
) -> Detected {
    let outcome = why.clone();
    tried.push(Tried { url, outcome });
    Detected {
        kind: None,
        feed: None,
        stopped: Some(why),
        tried,
        bytes,
        leave_for,
    }
}

/// A feed that the page itself names, and that is one.
async fn named_feed(
    fetcher: &Fetcher,
    address: &StatusAddress,
    tried: &mut Vec<Tried>,
) -> Option<String> {
    let none = Validators::default();
    let fetch = async |url: &str| {
        let fetched = fetcher
            .fetch(url, &none, DOCUMENT_BYTES_MAX, DEADLINE)
            .await;
        fetched
            .ok()
            .filter(|fetched| fetched.is_whole && fetched.status == 200)
    };
    let page = fetch(&address.whole()).await?;
    let feed_kind = kind(FEED_KIND)?;
    for url in links::feeds(&page.body, address) {
        let fetched = fetch(&url).await;
        let is_feed = fetched.is_some_and(|fetched| (feed_kind.recognises)(&answer(&fetched)));
        let outcome = if is_feed { "a feed" } else { "no feed" };
        tried.push(Tried {
            url: url.clone(),
            outcome: outcome.to_owned(),
        });
        if is_feed {
            return Some(url);
        }
    }
    None
}

/// The first documents of all kinds, each once, in the order of the kinds.
fn addresses(address: &StatusAddress) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for kind in KINDS {
        let first = (kind.documents)(address).into_iter().next();
        // Some kinds have their documents elsewhere, whatever the page: only the rules say so.
        let is_own = |url: &str| {
            let asked = StatusAddress::parse(url);
            asked.is_some_and(|asked| asked.host == address.host)
        };
        if let Some(document) = first
            && is_own(&document.url)
            && !addresses.contains(&document.url)
        {
            addresses.push(document.url);
        }
    }
    addresses.truncate(ADDRESSES_MAX);
    addresses
}
