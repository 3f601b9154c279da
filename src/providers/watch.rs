//! What is remembered of a page between looks, and when the next one is.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::cadence::{self, Situation};
use super::look::{DocumentMemory, LookFound, LookResult, PageReader};
use crate::engine::event::Text;
use crate::engine::provider_rules::ProviderRules;
use crate::engine::status_report::{
    ReportPhase, ReportedComponent, ReportedIncident, StatusReport,
};
use crate::engine::time::{Duration, Timestamp};
use crate::status::{self, StatusAddress};

/// After so many looks in a row whose answers had the wrong shape the kind is asked for again.
const WRONG_SHAPES: u32 = 3;

/// The kind is asked for again after so long at first, then after longer.
const DETECT_AGAIN: [Duration; 3] = [
    Duration::minutes(5),
    Duration::hours(1),
    Duration::hours(24),
];

/// While something is open, its documents are read so often though they are the same.
const READ_AGAIN: Duration = Duration::hours(1);

/// Between two looks that somebody asks for.
const HURRY_MIN: Duration = Duration::seconds(1);

/// A page that is watched.
pub struct PageWatch {
    pub rules: ProviderRules,
    pub address: Option<StatusAddress>,
    pub reader: Option<PageReader>,
    pub remembered: Vec<DocumentMemory>,
    /// The last look is to be confirmed by another one, though it finds the same.
    pub is_to_confirm: bool,
    /// Of the report that was handed on last.
    handed: Option<u64>,
    /// Why it could not be read, as it was handed on last.
    unreadable: Option<Text>,
    failures: u32,
    wrong_shapes: u32,
    /// On the monotonic clock of the process, as everything here that is no `Timestamp`.
    busy_at: Duration,
    is_busy: bool,
    /// When the kind may be asked for, and how often that was done without finding it.
    detect_at: Duration,
    detections: usize,
    /// When its documents were read last.
    read_at: Duration,
    /// When it may be asked at all.
    not_before: Duration,
    /// When a maintenance begins or ends next: the page says the same then, and it means another
    /// thing.
    turns_at: Option<Timestamp>,
    day: i64,
    bytes_today: u64,
    leave_for: Option<Duration>,
    pub last: LastLook,
}

/// The last look, as it is shown.
#[derive(Clone, Debug, Default)]
pub struct LastLook {
    pub at: Option<Timestamp>,
    pub next_at: Option<Timestamp>,
    /// The word of the kind.
    pub kind: Option<&'static str>,
    /// Why it could not be read.
    pub problem: Option<Text>,
    /// Where a permanent redirect leads.
    pub moved_to: Option<String>,
    /// Bytes of the last 24 hours, by days of UTC.
    pub bytes_today: u64,
}

/// What is to be handed to the engine.
#[derive(Debug)]
pub enum LookChange {
    None,
    Report(Box<StatusReport>),
    Unreadable(Text),
}

impl PageWatch {
    /// Watches from now on. `kind` is what is known of an earlier process.
    pub fn new(rules: ProviderRules, kind: Option<&str>, now: Duration) -> Self {
        let mapping = rules.page.mapping.clone().map(PageReader::Mapped);
        let kind = rules.page.kind.or(kind).and_then(status::kind);
        Self {
            address: StatusAddress::parse(&rules.page.url),
            reader: mapping.or(kind.map(PageReader::Kind)),
            rules,
            remembered: Vec::new(),
            is_to_confirm: false,
            handed: None,
            unreadable: None,
            failures: 0,
            wrong_shapes: 0,
            busy_at: now,
            is_busy: false,
            detect_at: now,
            detections: 0,
            read_at: now,
            not_before: now,
            turns_at: None,
            day: 0,
            bytes_today: 0,
            leave_for: None,
            last: LastLook::default(),
        }
    }

    /// Whether its kind is to be found by asking: it is not known, or what is known has answered in
    /// another shape for a while and the rules leave the kind open.
    pub fn is_to_detect(&self, now: Duration) -> bool {
        let is_open = self.rules.page.kind.is_none() && self.rules.page.mapping.is_none();
        let is_wrong = self.reader.is_none() || self.wrong_shapes >= WRONG_SHAPES;
        is_open && is_wrong && now >= self.detect_at
    }

    /// The kind was asked for.
    pub fn detected(&mut self, now: Duration) {
        let last = DETECT_AGAIN.len() - 1;
        let wait = match self.reader {
            Some(_) => DETECT_AGAIN[last],
            None => DETECT_AGAIN[self.detections.min(last)],
        };
        self.detections = self.detections.saturating_add(1);
        self.detect_at = Duration(now.0 + wait.0);
    }

    /// When it may be looked at if somebody asks for it now.
    pub fn hurried(&mut self, now: Duration) -> Duration {
        self.detect_at = self.detect_at.min(now);
        self.not_taken();
        self.not_before.max(now)
    }

    /// The host whose documents are asked for.
    pub fn host(&self) -> String {
        let address = self.address.as_ref();
        let first = self.reader.as_ref().zip(address);
        let first = first.and_then(|(reader, address)| reader.first_document(address));
        let asked = first.and_then(|url| StatusAddress::parse(&url));
        let host = asked
            .as_ref()
            .or(address)
            .map(|address| address.host.clone());
        host.unwrap_or_default()
    }

    /// Whether nothing is to be taken for unchanged. What is open may end with time alone.
    pub fn is_anew(&self, (now, wall): (Duration, Timestamp)) -> bool {
        let has_turned = self.turns_at.is_some_and(|at| at <= wall);
        let is_long_ago = self.is_busy && now.0.saturating_sub(self.read_at.0) >= READ_AGAIN.0;
        let mapping = self.rules.page.mapping.as_ref();
        // One that stays the same too long says nothing about now.
        let must_change = mapping.is_some_and(|mapping| mapping.generated_at.is_some());
        is_long_ago
            || must_change
            || self.is_to_confirm
            || has_turned
            || self.handed.is_none()
            || self.unreadable.is_some()
    }

    /// Takes in a look; the answer is what the engine is to hear.
    pub fn take(&mut self, look: LookResult, (now, wall): (Duration, Timestamp)) -> LookChange {
        self.count(look.bytes, wall);
        self.leave_for = look.leave_for;
        self.last.at = Some(wall);
        if look.moved_to.is_some() {
            self.last.moved_to = look.moved_to;
        }
        self.last.kind = self.reader.as_ref().map(PageReader::word);
        let report = match look.found {
            LookFound::Unreadable(why) => return self.failed(why.into(), look.is_shape),
            LookFound::Same => {
                self.succeeded();
                self.note_busy(now);
                return LookChange::None;
            }
            LookFound::Report(report) => report,
        };
        self.succeeded();
        self.read_at = now;
        let filter = &self.rules.filter;
        let is_open = |incident: &ReportedIncident| {
            incident.phase == ReportPhase::Open && !incident.is_maintenance
        };
        let is_down = |component: &ReportedComponent| {
            component.state.is_down() && filter.has_component(&component.full_name())
        };
        let mut incidents = report.incidents.iter();
        self.is_busy =
            incidents.any(|incident| is_open(incident)) || report.components.iter().any(is_down);
        self.note_busy(now);
        let has_turned = self.turns_at.is_some_and(|at| at <= wall);
        self.turns_at = next_turn(&report, wall);
        let hash = hash(&report);
        let is_known = self.handed == Some(hash) && !self.is_to_confirm && !has_turned;
        if is_known && self.unreadable.is_none() {
            return LookChange::None;
        }
        self.handed = Some(hash);
        self.unreadable = None;
        LookChange::Report(report)
    }

    /// Whether the engine has heard of it.
    pub fn is_handed_on(&self) -> bool {
        self.handed.is_some()
    }

    /// What was handed on did not arrive: it is handed on again.
    pub fn not_taken(&mut self) {
        self.handed = None;
        self.unreadable = None;
        self.remembered.iter_mut().for_each(DocumentMemory::forget);
    }

    fn failed(&mut self, why: Text, is_shape: bool) -> LookChange {
        self.failures = self.failures.saturating_add(1);
        if is_shape {
            self.wrong_shapes = self.wrong_shapes.saturating_add(1);
        }
        self.remembered.iter_mut().for_each(DocumentMemory::forget);
        self.last.problem = Some(why.clone());
        if self.unreadable.as_ref() == Some(&why) {
            return LookChange::None;
        }
        self.unreadable = Some(why.clone());
        LookChange::Unreadable(why)
    }

    fn succeeded(&mut self) {
        self.failures = 0;
        self.wrong_shapes = 0;
        self.last.problem = None;
    }

    fn note_busy(&mut self, now: Duration) {
        if self.is_busy || self.is_to_confirm {
            self.busy_at = now;
        }
    }

    fn count(&mut self, bytes: u64, wall: Timestamp) {
        const DAY_MS: i64 = 24 * 3_600 * 1_000;
        let day = wall.0.div_euclid(DAY_MS);
        if day != self.day {
            (self.day, self.bytes_today) = (day, 0);
        }
        self.bytes_today += bytes;
        self.last.bytes_today = self.bytes_today;
    }

    /// The wait until the next look.
    pub fn wait(&mut self, (now, wall): (Duration, Timestamp), chance: u64) -> Duration {
        let wait = cadence::wait(
            Situation {
                every: self.rules.every,
                kind_every: self.reader.as_ref().and_then(PageReader::every),
                quiet_for: Duration(now.0.saturating_sub(self.busy_at.0)),
                is_busy: self.is_busy || self.is_to_confirm,
                failures: self.failures,
                leave_for: self.leave_for,
                bytes_today: self.bytes_today,
            },
            chance,
        );
        self.last.next_at = Some(wall + wait);
        let least = match self.leave_for {
            Some(_) => wait,
            None => HURRY_MIN,
        };
        self.not_before = Duration(now.0 + least.0);
        wait
    }
}

/// When a maintenance of the page begins or ends next.
fn next_turn(report: &StatusReport, now: Timestamp) -> Option<Timestamp> {
    let windows = report
        .incidents
        .iter()
        .filter_map(|incident| incident.window);
    let turns = windows.flat_map(|(from, until)| [Some(from), until]);
    turns.flatten().filter(|at| *at > now).min()
}

fn hash(report: &StatusReport) -> u64 {
    let mut hasher = DefaultHasher::new();
    report.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::engine::status_report::{Impact, Listing, ReportedIncident};
    use crate::rules::providers::alone;

    const NOW: (Duration, Timestamp) = (Duration(0), Timestamp(1_800_000_000_000));

    fn watch() -> PageWatch {
        let (rules, _) = alone(r#"{"url": "https://status.example.com"}"#);
        PageWatch::new(rules.expect("a provider"), Some("statuspage"), NOW.0)
    }

    /// A page with these incidents and nothing else.
    pub fn report(incidents: Vec<ReportedIncident>) -> LookFound {
        LookFound::Report(Box::new(StatusReport {
            page: "p".into(),
            name: "P".into(),
            components: Vec::new(),
            incidents: incidents.into_iter().map(Into::into).collect(),
            listing: Listing::WithHistory,
            unknown_words: Vec::new(),
            skipped_components: 0,
            skipped_incidents: 0,
        }))
    }

    /// A look that cost nothing.
    pub fn found(found: LookFound) -> LookResult {
        LookResult {
            found,
            ..LookResult::unreadable("")
        }
    }

    /// A maintenance between these times of the wall clock.
    pub fn maintenance(from: i64, until: i64) -> ReportedIncident {
        ReportedIncident {
            id: "m".into(),
            title: "an upgrade".into(),
            text: "".into(),
            url: None,
            impact: Impact::Maintenance,
            phase: ReportPhase::Scheduled,
            state_word: "scheduled".into(),
            is_maintenance: true,
            components: Vec::new(),
            started_at: None,
            updated_at: None,
            window: Some((Timestamp(from), Some(Timestamp(until)))),
        }
    }

    fn is_report(news: &LookChange) -> bool {
        matches!(news, LookChange::Report(_))
    }

    #[test]
    fn only_what_differs_is_handed_on() {
        let mut watch = watch();
        assert!(watch.is_anew(NOW), "nothing was handed on yet");
        assert!(is_report(&watch.take(found(report(Vec::new())), NOW)));
        assert!(!watch.is_anew(NOW));
        assert!(!is_report(&watch.take(found(report(Vec::new())), NOW)));
        assert!(!is_report(&watch.take(found(LookFound::Same), NOW)));
        watch.is_to_confirm = true;
        assert!(watch.is_anew(NOW));
        assert!(is_report(&watch.take(found(report(Vec::new())), NOW)));
        watch.is_to_confirm = false;
        watch.not_taken();
        assert!(is_report(&watch.take(found(report(Vec::new())), NOW)));
    }

    #[test]
    fn why_it_cannot_be_read_is_handed_on_once_and_so_is_that_it_can_be_again() {
        let mut watch = watch();
        watch.take(found(report(Vec::new())), NOW);
        let fault = || LookResult::unreadable("it answered 503");
        assert!(matches!(
            watch.take(fault(), NOW),
            LookChange::Unreadable(_)
        ));
        assert!(matches!(watch.take(fault(), NOW), LookChange::None));
        let other = watch.take(LookResult::unreadable("no answer within 20 s"), NOW);
        assert!(matches!(other, LookChange::Unreadable(_)));
        assert!(
            watch.is_anew(NOW),
            "what it says is needed, though it may be the same"
        );
        assert!(is_report(&watch.take(found(report(Vec::new())), NOW)));
    }

    #[test]
    fn a_maintenance_that_begins_or_ends_is_news_though_the_page_says_the_same() {
        let mut watch = watch();
        let (from, until) = (NOW.1.0 + 60_000, NOW.1.0 + 120_000);
        let page = || found(report(vec![maintenance(from, until)]));
        watch.take(page(), NOW);
        assert!(!watch.is_anew(NOW));
        for moment in [from, until] {
            let at = (NOW.0, Timestamp(moment));
            assert!(watch.is_anew(at));
            assert!(is_report(&watch.take(page(), at)));
            assert!(!is_report(&watch.take(page(), at)), "once");
        }
    }

    #[test]
    fn a_kind_is_asked_for_where_it_is_not_known_and_again_when_it_stays_wrong() {
        let (rules, _) = alone(r#"{"url": "https://status.example.com"}"#);
        let unknown = PageWatch::new(rules.expect("a provider"), None, NOW.0);
        assert!(unknown.is_to_detect(NOW.0));
        let mut known = watch();
        let wrong = || LookResult {
            is_shape: true,
            ..LookResult::unreadable("what it answered is not of the kind")
        };
        for _ in 0..WRONG_SHAPES {
            assert!(!known.is_to_detect(NOW.0));
            known.take(wrong(), NOW);
        }
        assert!(known.is_to_detect(NOW.0));
        known.detected(NOW.0);
        assert!(!known.is_to_detect(Duration::hours(23)));
        assert!(known.is_to_detect(Duration::hours(24)));
        let mut unknown = unknown;
        for wait in DETECT_AGAIN {
            assert!(unknown.is_to_detect(unknown.detect_at));
            let before = unknown.detect_at;
            unknown.detected(before);
            assert_eq!(unknown.detect_at, Duration(before.0 + wait.0));
            assert!(!unknown.is_to_detect(before));
        }
        let (fixed, _) = alone(r#"{"url": "https://status.example.com", "kind": "slack"}"#);
        let mut fixed = PageWatch::new(fixed.expect("a provider"), None, NOW.0);
        for _ in 0..5 {
            fixed.take(wrong(), NOW);
        }
        assert!(!fixed.is_to_detect(NOW.0), "the rules say which it is");
    }

    #[test]
    fn a_page_that_wants_to_be_left_alone_is_not_hurried() {
        let mut watch = watch();
        watch.take(found(report(Vec::new())), NOW);
        watch.wait(NOW, 0);
        assert_eq!(watch.hurried(NOW.0), HURRY_MIN);
        let limited = LookResult {
            leave_for: Some(Duration::minutes(20)),
            ..LookResult::unreadable("it answered 429")
        };
        watch.take(limited, NOW);
        watch.wait(NOW, 0);
        assert_eq!(watch.hurried(Duration::minutes(1)), Duration::minutes(20));
        assert_eq!(watch.hurried(Duration::minutes(30)), Duration::minutes(30));
    }

    #[test]
    fn a_page_that_promises_to_be_made_anew_is_never_taken_for_unchanged() {
        for (promise, is_anew) in [("", false), (r#", "generated_at": "/made""#, true)] {
            let map = format!(r#"{{"incidents": "/i"{promise}}}"#);
            let json = format!(r#"{{"json": "https://a.example.com", "map": {map}}}"#);
            let (rules, faults) = alone(&json);
            assert_eq!(faults, []);
            let mut watch = PageWatch::new(rules.expect("a provider"), None, NOW.0);
            watch.take(found(report(Vec::new())), NOW);
            assert_eq!(watch.is_anew(NOW), is_anew, "{promise}");
        }
    }

    #[test]
    fn bytes_are_counted_by_days() {
        let mut watch = watch();
        let large = || LookResult {
            bytes: 700 << 20,
            ..found(LookFound::Same)
        };
        watch.take(large(), NOW);
        assert!(watch.wait(NOW, 0) < Duration::minutes(2));
        watch.take(large(), NOW);
        assert!(
            watch.wait(NOW, 0) > Duration::minutes(14),
            "more than a day's"
        );
        let tomorrow = (NOW.0, NOW.1 + Duration::days(1));
        watch.take(large(), tomorrow);
        assert!(watch.wait(tomorrow, 0) < Duration::minutes(2));
    }
}
