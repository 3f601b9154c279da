//! Looks at all watched pages, each when the schedule says that it is its turn.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

use super::detection::{Detected, detect};
use super::look::{LookResult, PageReader, look};
use super::schedule::{PageSchedule, PageTurn};
use super::watch::{LastLook, LookChange, PageWatch};
use crate::channels::http::fetch::Fetcher;
use crate::engine::ids::ProviderName;
use crate::engine::input::PageLook;
use crate::engine::provider_rules::shown_url;
use crate::engine::request::LookedAtPage;
use crate::runtime::clock::{Clock, wall_now};
use crate::runtime::handle::Handle;
use crate::runtime::supervise::Supervisor;

/// The schedule is looked at so often.
const TICK: std::time::Duration = std::time::Duration::from_millis(100);

/// What the poller works with.
pub struct Poller {
    fetcher: Arc<Fetcher>,
    handle: Handle,
    supervisor: Supervisor,
    clock: Clock,
    around: PollerParts,
    schedule: Mutex<PageSchedule>,
}

/// What the poller is given of the process around it.
pub struct PollerParts {
    /// Spread over all of its values.
    pub chance: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Told of each look: `same`, `changed` or `unreadable`.
    pub on_look: Arc<dyn Fn(&'static str) + Send + Sync>,
}

impl Poller {
    pub fn new(
        fetcher: Arc<Fetcher>,
        (handle, supervisor): (Handle, Supervisor),
        clock: Clock,
        around: PollerParts,
    ) -> Arc<Self> {
        Arc::new(Self {
            fetcher,
            handle,
            supervisor,
            clock,
            around,
            schedule: Mutex::default(),
        })
    }

    /// The last look at a page.
    pub fn last_look(&self, name: &ProviderName) -> Option<LastLook> {
        self.schedule().last_look(name)
    }

    /// Looks at a page as soon as it may be asked.
    pub fn hurry(&self, name: &ProviderName) {
        let now = self.clock.monotonic();
        self.schedule().hurry(name, now);
    }

    /// Looks at pages for ever.
    pub async fn run(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.follow_rules().await;
            let due = self.schedule().take_due(self.clock.monotonic());
            for (turn, watch) in due {
                let poller = Arc::clone(&self);
                self.supervisor.spawn("look at a status page", async move {
                    poller.visit(turn, watch).await;
                });
            }
        }
    }

    fn schedule(&self) -> MutexGuard<'_, PageSchedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches what the rules in force name, and nothing else.
    async fn follow_rules(&self) {
        let rules = self.handle.rules();
        if self.schedule().follows(&rules) {
            return;
        }
        let kinds = self.handle.read(|view| {
            let known = view.state.providers();
            let kinds = known.map(|known| (known.name.clone(), known.kind.clone()));
            kinds.collect::<BTreeMap<_, _>>()
        });
        let Ok(kinds) = kinds.await else {
            // The driver has ended; so does the process.
            return;
        };
        let now = self.clock.monotonic();
        self.schedule().follow(rules, &kinds, now);
    }

    /// One look, and what follows from it.
    async fn visit(&self, turn: PageTurn, mut watch: PageWatch) {
        // Whatever happens in between, the page has its turn again.
        let visit = PageVisit {
            poller: self,
            turn,
            is_over: Cell::new(false),
        };
        let found = self.look(&mut watch).await;
        (self.around.on_look)(found.found.word());
        let present = (self.clock.monotonic(), wall_now());
        let was_moved = watch.last.moved_to.is_some();
        let news = watch.take(found, present);
        if let (Some(target), false) = (&watch.last.moved_to, was_moved) {
            let target = shown_url(target);
            warn!(
                provider.name = %visit.turn.name,
                page.url = %target,
                "a status page has moved for good"
            );
        }
        self.hand_on(&visit.turn.name, &mut watch, news).await;
        visit.end(watch);
    }

    async fn look(&self, watch: &mut PageWatch) -> LookResult {
        let Some(address) = watch.address.clone() else {
            return LookResult::unreadable("its address cannot be read");
        };
        let now = self.clock.monotonic();
        if watch.is_to_detect(now) {
            let detected = detect(&self.fetcher, &address).await;
            watch.detected(now);
            if let Some(problem) = found_kind(watch, &detected) {
                let mut look = LookResult::unreadable(&problem);
                (look.bytes, look.leave_for) = (detected.bytes, detected.leave_for);
                return look;
            }
        }
        let Some(reader) = watch.reader.clone() else {
            let why = watch.last.problem.clone();
            return LookResult::unreadable(why.as_deref().unwrap_or("its kind is not known"));
        };
        let wall = wall_now();
        let is_anew = watch.is_anew((self.clock.monotonic(), wall));
        look(
            &self.fetcher,
            &reader,
            (&address, wall),
            &mut watch.remembered,
            is_anew,
        )
        .await
    }

    /// Tells the engine what it has not heard yet.
    async fn hand_on(&self, name: &ProviderName, watch: &mut PageWatch, news: LookChange) {
        let look = match news {
            LookChange::None => return,
            LookChange::Unreadable(why) => PageLook::Unreadable(why),
            LookChange::Report(report) => {
                for word in &report.unknown_words {
                    info!(
                        provider.name = %name,
                        page.word = %word,
                        "a status page uses a word that is not known"
                    );
                }
                PageLook::Read {
                    report,
                    kind: watch.reader.as_ref().map_or("", PageReader::word).into(),
                    flips: watch.reader.as_ref().is_some_and(PageReader::flips),
                }
            }
        };
        let request = LookedAtPage {
            provider: name.clone(),
            url: watch.rules.page.url.clone(),
            look,
        };
        match self.handle.ask(request, None).await {
            Ok(again) => watch.is_to_confirm = again,
            Err(error) => {
                warn!(provider.name = %name, %error, "a look at a status page was not taken in");
                watch.not_taken();
            }
        }
    }
}

/// Takes over the kind that was found where none was known. The answer is why the page cannot be
/// read; a kind that changed is told and never taken over.
fn found_kind(watch: &mut PageWatch, detected: &Detected) -> Option<String> {
    let before = watch.reader.as_ref().map(PageReader::word);
    match (before, detected.kind) {
        (None, Some(kind)) => {
            info!(
                provider.name = %watch.rules.name,
                page.kind = kind.word,
                "found the kind of a status page"
            );
            watch.reader = Some(PageReader::Kind(kind));
            None
        }
        (Some(before), Some(kind)) if kind.word != before => Some(format!(
            "it was of the kind {before} and looks like {} now; if that is right, write \
             `kind: {}`",
            kind.name, kind.word
        )),
        (Some(_), _) => None,
        (None, None) => Some(match (&detected.stopped, &detected.feed) {
            (Some(why), _) => why.clone(),
            (None, Some(feed)) => format!(
                "it is of no kind that is known, and names a feed: write `feed: \"{feed}\"` in \
                 place of `url`"
            ),
            (None, None) => format!(
                "it is of no kind that is known; {} addresses were asked, see `reveille \
                 providers probe`",
                detected.tried.len()
            ),
        }),
    }
}

/// A look that is under way; dropped without an end, its page is asked again.
struct PageVisit<'poller> {
    poller: &'poller Poller,
    turn: PageTurn,
    /// Its page has its turn again.
    is_over: Cell<bool>,
}

impl PageVisit<'_> {
    fn end(&self, mut watch: PageWatch) {
        self.is_over.set(true);
        let poller = self.poller;
        let present = (poller.clock.monotonic(), wall_now());
        let wait = watch.wait(present, (poller.around.chance)());
        poller.schedule().end(&self.turn, watch, wait, present.0);
    }
}

impl Drop for PageVisit<'_> {
    fn drop(&mut self) {
        let now = self.poller.clock.monotonic();
        let mut schedule = self.poller.schedule();
        schedule.leave(&self.turn);
        if !self.is_over.get() {
            schedule.start_over(&self.turn, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Duration;
    use crate::rules::providers::alone;
    use crate::status::kind;

    fn watch(known: Option<&str>) -> PageWatch {
        let (rules, _) = alone(r#"{"url": "https://status.example.com"}"#);
        PageWatch::new(rules.expect("a provider"), known, Duration::ZERO)
    }

    fn detected(found: Option<&str>) -> Detected {
        Detected {
            kind: found.and_then(kind),
            feed: None,
            stopped: None,
            tried: Vec::new(),
            bytes: 0,
            leave_for: None,
        }
    }

    #[test]
    fn a_kind_is_taken_over_where_none_is_known_and_a_change_is_only_told() {
        let mut unknown = watch(None);
        assert_eq!(found_kind(&mut unknown, &detected(Some("slack"))), None);
        assert_eq!(unknown.reader.map(|reader| reader.word()), Some("slack"));

        let mut known = watch(Some("statuspage"));
        assert_eq!(found_kind(&mut known, &detected(None)), None);
        let told = found_kind(&mut known, &detected(Some("instatus")));
        let told = told.expect("it is told");
        assert!(told.contains("write `kind: instatus`"), "{told}");
        assert_eq!(known.reader.map(|reader| reader.word()), Some("statuspage"));
    }

    #[test]
    fn a_page_of_no_kind_says_what_was_found_instead() {
        let feed = Detected {
            feed: Some("https://status.example.com/rss".to_owned()),
            ..detected(None)
        };
        let stopped = Detected {
            stopped: Some("it answered 503".to_owned()),
            ..detected(None)
        };
        for (found, part) in [
            (feed, "write `feed: \"https://status.example.com/rss\"`"),
            (stopped, "it answered 503"),
            (detected(None), "0 addresses were asked"),
        ] {
            let told = found_kind(&mut watch(None), &found).expect("it is told");
            assert!(told.contains(part), "{told}");
        }
    }
}
