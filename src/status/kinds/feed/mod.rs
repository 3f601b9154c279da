//! Any RSS, Atom or JSON feed: one item is an incident or an update of one.
//!
//! A feed has no word for how things are now: *well* means that nothing open is known.

use crate::engine::event::Text;
use crate::engine::status_report::{Impact, Listing, ReportPhase, ReportedIncident, StatusReport};
use crate::engine::time::{Duration, Timestamp};
use crate::status::closing_words::{marked, stated, told};
use crate::status::draft::{self, ReportDraft};
use crate::status::feed::{FeedDocument, FeedItem, is_feed, parse};
use crate::status::fields::{link, made_id, scalar, succeeded};
use crate::status::plain_text::plain_text;
use crate::status::{StatusDocument, StatusKind, StatusLook, StatusUnreadable};
use crate::text::truncate::distinct;

const WORD: &str = "feed";

/// The kind as it stands in the table.
pub static FEED: StatusKind = StatusKind {
    word: WORD,
    name: "RSS, Atom or JSON feed",
    documents: |address| vec![StatusDocument::required(address.whole())],
    recognises: |answer| is_feed(answer.body),
    read,
    every: Duration::minutes(2),
    flips: false,
};

/// Words of titles by which an item announces work and no outage.
const MAINTENANCE: &[&str] = &[
    "maintenance",
    "scheduled",
    "planned",
    "upgrade",
    "restart",
    "migration",
];

/// Words of titles that tell of trouble, whatever else stands there.
const TROUBLE: &[&str] = &[
    "outage",
    "error",
    "errors",
    "down",
    "degraded",
    "degradation",
    "unavailable",
    "failing",
    "failure",
    "failures",
    "failed",
    "incident",
    "elevated",
    "delay",
    "delays",
    "delayed",
    "disruption",
    "issue",
    "issues",
    "problem",
    "problems",
    "slow",
    "unplanned",
    "unscheduled",
];

/// Characters of an id; a longer one ends in its hash.
const ID_CHARACTERS_MAX: usize = 300;

/// Items that are read, the newest: what is older is history.
const ITEMS_MAX: usize = 100;

/// Items of one service that are further apart are of two events, where the feed has no ids.
const GAP: Duration = Duration::hours(48);

fn read(look: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let document = parse(succeeded(look, 0, WORD)?.body, WORD)?;
    let groups = grouped(&document);
    let mut draft = ReportDraft::default();
    for _ in document.items.iter().filter(|item| is_bad(item)) {
        draft.incident(None);
    }
    // As in the document: what was said last stands first.
    for group in groups.iter().rev() {
        draft.incident(Some(group.incident(look.now)));
    }
    let is_withdrawing = groups
        .iter()
        .any(|group| group.shape == GuidShape::UptimeKuma);
    let listing = if is_withdrawing {
        Listing::OpenOnly
    } else {
        Listing::WithHistory
    };
    let known = |text: &str| (!text.is_empty()).then(|| one_line(text));
    let name = known(&document.title).unwrap_or_else(|| look.host());
    let page = known(&document.id).or_else(|| known(&document.link));
    draft.finish(page.unwrap_or_else(|| name.clone()), name, listing)
}

fn one_line(text: &str) -> Text {
    scalar(&plain_text(text, 1_000).into()).unwrap_or_default()
}

fn is_bad(item: &FeedItem) -> bool {
    item.guid.is_empty() && item.link.is_empty() && item.title.trim().is_empty()
}

/// What a guid looks like, by the software that writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GuidShape {
    /// It is the incident's own.
    Stable,
    /// `…/#service-region_1784232600`: one for each update, with the time of it.
    AwsUpdate,
    /// `address#update`: what stands before the mark, or the link, is the incident's.
    BetterStack,
    /// `i12-1784232600`: the number is the incident's.
    UptimeKuma,
    /// A hash that changes with every update; the link stays.
    CachetHash,
    Missing,
}

/// What an incident is known by, and the shape by which that was found.
fn identity(item: &FeedItem, page: &str) -> (String, GuidShape) {
    let guid = item.guid.as_str();
    let is_link_own = is_own_link(&item.link, page);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((before, mark)) = guid.split_once('#') {
        if let Some((service, _)) = mark.rsplit_once('_').filter(|(_, time)| is_digits(time)) {
            return (service.to_owned(), GuidShape::AwsUpdate);
        }
        if is_link_own {
            return (item.link.clone(), GuidShape::BetterStack);
        }
        if is_own_link(before, page) {
            return (before.to_owned(), GuidShape::BetterStack);
        }
    }
    if let Some((number, _)) = guid.strip_prefix('i').and_then(|rest| rest.split_once('-'))
        && is_digits(number)
    {
        return (format!("i{number}"), GuidShape::UptimeKuma);
    }
    let is_hash = matches!(guid.len(), 32 | 40 | 64) && guid.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash && is_link_own {
        return (item.link.clone(), GuidShape::CachetHash);
    }
    if !guid.is_empty() {
        return (guid.to_owned(), GuidShape::Stable);
    }
    if is_link_own {
        return (item.link.clone(), GuidShape::Stable);
    }
    let title = title_key(&item.title);
    let date = first_date(item).map(|date| date.to_string());
    let id = made_id(&[&title, &date.unwrap_or_default()]);
    (id.to_string(), GuidShape::Missing)
}

/// Whether a link leads to one incident, and not to the page or a list.
fn is_own_link(link: &str, page: &str) -> bool {
    let bare = |link: &str| {
        let link = link.split_once("://").map_or(link, |(_, rest)| rest);
        link.trim_end_matches('/').to_owned()
    };
    let link = bare(link);
    let Some((_, path)) = link.split_once('/') else {
        return false;
    };
    let has_digit = path.bytes().any(|byte| byte.is_ascii_digit());
    link != bare(page) && (path.contains('/') || path.contains('=') || has_digit)
}

/// A title without what changes from update to update.
fn title_key(title: &str) -> String {
    const ENDS: &[&str] = &[
        " went down",
        " is down",
        " recovered",
        " is back up",
        " (resolved)",
    ];
    let title = plain_text(title, 300).to_lowercase();
    let mut title = title.trim();
    while let Some((_, rest)) = title
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        title = rest.trim();
    }
    let end = ENDS.iter().find_map(|end| title.strip_suffix(end));
    let title = end.unwrap_or(title).chars();
    title.filter(|letter| letter.is_alphanumeric()).collect()
}

fn first_date(item: &FeedItem) -> Option<Timestamp> {
    item.published.or(item.updated)
}

/// The items of one incident, the oldest first.
struct ItemGroup<'feed> {
    id: String,
    shape: GuidShape,
    link: &'feed str,
    title: String,
    items: Vec<&'feed FeedItem>,
}

/// The incidents of a feed, that with the newest item last.
fn grouped(document: &FeedDocument) -> Vec<ItemGroup<'_>> {
    let mut items: Vec<&FeedItem> = document.items.iter().filter(|item| !is_bad(item)).collect();
    // The newest are in front, unless the dates say otherwise.
    let first = items.first().and_then(|item| first_date(item));
    let last = items.last().and_then(|item| first_date(item));
    if first.zip(last).is_some_and(|(first, last)| first < last) {
        items.reverse();
    }
    items.truncate(ITEMS_MAX);
    items.reverse();
    if items.iter().all(|item| first_date(item).is_some()) {
        items.sort_by_key(|item| first_date(item));
    }
    let mut groups: Vec<ItemGroup<'_>> = Vec::new();
    for item in items {
        let (id, shape) = identity(item, &document.link);
        let link = if is_own_link(&item.link, &document.link) {
            item.link.as_str()
        } else {
            ""
        };
        let title = title_key(&item.title);
        let known = groups.iter().rposition(|group| {
            (group.id == id && !group.is_long_before(item))
                || (!link.is_empty() && group.link == link)
                || group.is_continued_by(shape, &title, item)
        });
        match known.map(|at| groups.remove(at)) {
            Some(mut group) => {
                group.items.push(item);
                groups.push(group);
            }
            None => groups.push(ItemGroup {
                id,
                shape,
                link,
                title,
                items: vec![item],
            }),
        }
    }
    groups
}

impl ItemGroup<'_> {
    /// Whether a feed without ids means another event of the same service.
    fn is_long_before(&self, item: &FeedItem) -> bool {
        let last = self.items.last().and_then(|last| first_date(last));
        let gap = last.zip(first_date(item));
        self.shape == GuidShape::AwsUpdate && gap.is_some_and(|(last, next)| last.apart(next) > GAP)
    }

    /// Whether an item with a new id speaks of this incident: it is open and has the same title.
    /// Troubles of the same name come again, so what is closed or long ago is another one.
    fn is_continued_by(&self, shape: GuidShape, title: &str, item: &FeedItem) -> bool {
        const DAYS: Duration = Duration::days(7);
        let last = self.items.last().and_then(|last| first_date(last));
        let gap = last.zip(first_date(item));
        shape != GuidShape::AwsUpdate
            && !title.is_empty()
            && self.title == title
            && gap.is_none_or(|(last, next)| last.apart(next) <= DAYS)
            && self.newest_state().phase != ReportPhase::Closed
    }

    fn newest_state(&self) -> ItemState {
        self.items
            .last()
            .map_or_else(ItemState::open, |item| ItemState::of(item))
    }

    fn incident(&self, now: Timestamp) -> ReportedIncident {
        let mut state = self.newest_state();
        let started_at = self.items.iter().filter_map(|item| first_date(item)).min();
        let dates = self
            .items
            .iter()
            .filter_map(|item| item.updated.max(item.published));
        let updated_at = dates.max();
        let is_ended_by_gap = self.shape == GuidShape::AwsUpdate
            && updated_at.is_some_and(|updated| now.since(updated) > GAP);
        if is_ended_by_gap {
            state.phase = ReportPhase::Closed;
        }
        let newest = self.items.last();
        let title = newest.map(|item| one_line(&item.title)).unwrap_or_default();
        let text = newest.map(|item| item.text.as_str()).unwrap_or_default();
        let text: Text = plain_text(text, ReportedIncident::TEXT_CHARACTERS).into();
        let url = newest.map(|item| item.link.as_str()).unwrap_or_default();
        let is_first_of_chain = self.shape == GuidShape::AwsUpdate;
        let chain = started_at.filter(|_| is_first_of_chain);
        let id = match chain {
            Some(started) => format!("{}@{started}", self.id),
            None => self.id.clone(),
        };
        let title = if title.is_empty() {
            one_line(&text)
        } else {
            title
        };
        ReportedIncident {
            text,
            url: link(&url.into(), ""),
            impact: match (state.is_maintenance, state.phase) {
                (true, _) => Impact::Maintenance,
                (false, ReportPhase::Closed) => Impact::None,
                (false, ReportPhase::Open | ReportPhase::Scheduled) => Impact::Minor,
            },
            phase: state.phase,
            state_word: state.word.into(),
            is_maintenance: state.is_maintenance,
            started_at,
            updated_at,
            ..draft::incident(distinct(&id, ID_CHARACTERS_MAX).into(), title)
        }
    }
}

/// Where an incident is, as an item tells it.
struct ItemState {
    phase: ReportPhase,
    word: &'static str,
    is_maintenance: bool,
}

impl ItemState {
    fn open() -> Self {
        Self {
            phase: ReportPhase::Open,
            word: "",
            is_maintenance: false,
        }
    }

    /// What a mark in the title says, else the newest state in the text, else a category, else the
    /// last clause of title or text that speaks of it.
    fn of(item: &FeedItem) -> Self {
        let title = plain_text(&item.title, 1_000);
        let text = plain_text(&item.text, 20_000);
        let mark = marked(&title).filter(|(phase, ..)| *phase == ReportPhase::Closed);
        let category = || item.categories.iter().find_map(|category| stated(category));
        let named = mark.or_else(|| stated(&text)).or_else(category);
        let named = named.or_else(|| marked(&title));
        let (phase, word, is_work) = match named {
            Some((phase, word, is_work)) => (Some(phase), word, is_work),
            None => (told(&title).or_else(|| told(&text)), "", false),
        };
        let is_trouble =
            named.is_some_and(|(phase, _, is_work)| !is_work && phase == ReportPhase::Open);
        let is_maintenance = !is_trouble && (is_work || is_announced(item, &title));
        // Without a word for it nobody knows whether the work has begun.
        let otherwise = if is_maintenance {
            ReportPhase::Scheduled
        } else {
            ReportPhase::Open
        };
        let phase = match phase {
            Some(ReportPhase::Closed) => ReportPhase::Closed,
            Some(phase) if named.is_some() => phase,
            Some(_) | None => otherwise,
        };
        Self {
            phase,
            word,
            is_maintenance,
        }
    }
}

/// Whether the title, or a category, is that of a maintenance.
fn is_announced(item: &FeedItem, title: &str) -> bool {
    let has = |text: &str, known: &[&str]| {
        let text = text.to_lowercase();
        let mut words = text.split(|letter: char| !letter.is_alphanumeric());
        words.any(|word| known.contains(&word))
    };
    let is_category = item
        .categories
        .iter()
        .any(|category| has(category, &["maintenance"]));
    (is_category || has(title, MAINTENANCE)) && !has(title, TROUBLE)
}

#[cfg(test)]
mod tests;
