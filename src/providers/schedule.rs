//! When each watched page has its turn: one page at a time of one host, and only so many at once.
//!
//! Reads no clock and asks nobody: whoever looks says what time it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::watch::{LastLook, PageWatch};
use crate::engine::ids::ProviderName;
use crate::engine::provider_rules::ProviderRules;
use crate::engine::ruleset::RuleSet;
use crate::engine::time::Duration;

/// Looks under way at once.
pub const LOOKS_MAX: usize = 32;

/// The first looks after a start are spread over so long, and so much for each at most.
const SPREAD: Duration = Duration::minutes(1);
const SPREAD_EACH: Duration = Duration(50);

/// Looks that find out the kind of a page take many requests: so many at once at most, and others
/// wait so long.
const DETECTIONS_MAX: usize = 4;
const DETECTIONS_BUSY: Duration = Duration::seconds(2);

/// A page that made its reader panic is asked so much later.
const PANICKED: Duration = Duration::minutes(5);

/// A page whose host is being asked is asked so much later.
const HOST_BUSY: Duration = Duration(500);

/// All pages with their turns. Times are those of the monotonic clock of the process.
#[derive(Default)]
pub struct PageSchedule {
    /// `None` while a look is under way.
    watches: BTreeMap<ProviderName, Option<PageWatch>>,
    due: BTreeSet<(Duration, ProviderName)>,
    hosts: BTreeSet<String>,
    /// To be looked at again as soon as the look under way is over.
    hurried: BTreeSet<ProviderName>,
    under_way: usize,
    /// Looks that may have to find out the kind first.
    detecting: usize,
    shown: BTreeMap<ProviderName, LastLook>,
    rules: Option<Arc<RuleSet>>,
}

/// A look that is under way.
#[derive(Clone, Debug)]
pub struct PageTurn {
    pub name: ProviderName,
    host: String,
    /// It is counted among those whose kind is asked for.
    detects: bool,
}

impl PageSchedule {
    /// The last look at a page.
    pub fn last_look(&self, name: &ProviderName) -> Option<LastLook> {
        self.shown.get(name).cloned()
    }

    /// Whether these are the rules that it follows.
    pub fn follows(&self, rules: &Arc<RuleSet>) -> bool {
        let known = self.rules.as_ref();
        known.is_some_and(|known| Arc::ptr_eq(known, rules))
    }

    /// Watches what these rules name, and nothing else. `kinds` is what the engine knows of each
    /// provider; one that it does not know is new to it.
    pub fn follow(
        &mut self,
        rules: Arc<RuleSet>,
        kinds: &BTreeMap<ProviderName, impl AsRef<str>>,
        now: Duration,
    ) {
        self.watches.retain(|name, watch| {
            // One that is being looked at is compared when the look is over.
            let watch = watch.as_ref();
            watch.is_none_or(|watch| rules.providers.get(name) == Some(&watch.rules))
        });
        // One that left the rules and came back is new to the engine.
        for (name, watch) in &mut self.watches {
            if kinds.contains_key(name) {
                continue;
            }
            match watch {
                Some(watch) if watch.is_handed_on() => watch.not_taken(),
                Some(_) => {}
                None => {
                    self.hurried.insert(name.clone());
                }
            }
        }
        let watches = &mut self.watches;
        self.due.retain(|(_, name)| watches.contains_key(name));
        self.shown
            .retain(|name, _| rules.providers.contains_key(name));
        let new: Vec<_> = rules
            .providers
            .values()
            .filter(|provider| !watches.contains_key(&provider.name))
            .collect();
        let spread = SPREAD.0.min(SPREAD_EACH.0 * new.len() as u64);
        for (number, provider) in (0..).zip(&new) {
            let kind = kinds.get(&provider.name).map(AsRef::as_ref);
            let watch = PageWatch::new((*provider).clone(), kind, now);
            watches.insert(provider.name.clone(), Some(watch));
            let wait = spread * number / new.len() as u64;
            self.due
                .insert((Duration(now.0 + wait), provider.name.clone()));
        }
        self.rules = Some(rules);
    }

    /// A page is to be looked at as soon as it may be asked.
    pub fn hurry(&mut self, name: &ProviderName, now: Duration) {
        self.due.retain(|(_, known)| known != name);
        match self.watches.get_mut(name) {
            Some(Some(watch)) => {
                let due = watch.hurried(now);
                self.due.insert((due, name.clone()));
            }
            Some(None) => {
                self.hurried.insert(name.clone());
            }
            None => {}
        }
    }

    /// The pages whose turn it is. Each of them is to be given back by [`Self::end`] or
    /// [`Self::start_over`], and its host by [`Self::leave`].
    pub fn take_due(&mut self, now: Duration) -> Vec<(PageTurn, PageWatch)> {
        let mut taken = Vec::new();
        while self.under_way < LOOKS_MAX {
            let Some((_, name)) = self.due.first().filter(|(at, _)| *at <= now).cloned() else {
                break;
            };
            self.due.pop_first();
            let Some(watch) = self.watches.get_mut(&name).and_then(Option::take) else {
                continue;
            };
            let host = watch.host();
            let detects = watch.is_to_detect(now);
            let wait = if detects && self.detecting >= DETECTIONS_MAX {
                Some(DETECTIONS_BUSY)
            } else if self.hosts.contains(&host) {
                Some(HOST_BUSY)
            } else {
                None
            };
            if let Some(wait) = wait {
                self.put(name, watch, Duration(now.0 + wait.0));
                continue;
            }
            self.hosts.insert(host.clone());
            self.under_way += 1;
            self.detecting += usize::from(detects);
            let turn = PageTurn {
                name,
                host,
                detects,
            };
            taken.push((turn, watch));
        }
        taken
    }

    /// A look is over, and its page has its turn again after so long; at once if somebody asked
    /// for it meanwhile, or the rules say something else by now.
    pub fn end(&mut self, turn: &PageTurn, mut watch: PageWatch, wait: Duration, now: Duration) {
        let name = &turn.name;
        let Some(rules) = self.rules_of(name) else {
            self.forget(name);
            return;
        };
        self.shown.insert(name.clone(), watch.last.clone());
        let mut due = Duration(now.0 + wait.0);
        if rules != watch.rules {
            watch = PageWatch::new(rules, None, now);
            due = now;
        }
        if self.hurried.remove(name) {
            due = watch.hurried(now);
        }
        self.put(name.clone(), watch, due);
    }

    /// A look panicked: its page begins anew, and not at once.
    pub fn start_over(&mut self, turn: &PageTurn, now: Duration) {
        let Some(rules) = self.rules_of(&turn.name) else {
            self.forget(&turn.name);
            return;
        };
        let watch = PageWatch::new(rules, None, now);
        self.put(turn.name.clone(), watch, Duration(now.0 + PANICKED.0));
    }

    /// The host of a look may be asked by others.
    pub fn leave(&mut self, turn: &PageTurn) {
        self.hosts.remove(&turn.host);
        self.under_way -= 1;
        self.detecting -= usize::from(turn.detects);
    }

    fn rules_of(&self, name: &ProviderName) -> Option<ProviderRules> {
        self.rules.as_ref()?.providers.get(name).cloned()
    }

    fn forget(&mut self, name: &ProviderName) {
        self.watches.remove(name);
        self.shown.remove(name);
    }

    fn put(&mut self, name: ProviderName, watch: PageWatch, due: Duration) {
        self.watches.insert(name.clone(), Some(watch));
        self.due.insert((due, name));
    }
}

#[cfg(test)]
mod tests {
    use super::super::look::{LookFound, LookResult};
    use super::super::watch::tests::{found, report};
    use super::*;
    use crate::engine::status_report::{Impact, ReportPhase, ReportedIncident};
    use crate::engine::time::Timestamp;
    use crate::rules::providers::alone;
    use crate::status::draft;

    const SECOND: Duration = Duration::seconds(1);

    /// A look that was made.
    #[derive(Debug)]
    struct Look {
        name: String,
        host: String,
        from: Duration,
        until: Duration,
    }

    /// Pages on moved time, which stands still while nothing is done.
    struct Watched {
        schedule: PageSchedule,
        now: Duration,
        under_way: Vec<(Duration, PageTurn, PageWatch)>,
        most_under_way: usize,
        looks: Vec<Look>,
        chance: u64,
    }

    impl Watched {
        /// Pages by name and host, all of a kind that is known.
        fn new(pages: impl IntoIterator<Item = (String, String)>) -> Self {
            let mut rules = RuleSet::default();
            let mut kinds = BTreeMap::new();
            for (name, host) in pages {
                let (provider, _) = alone(&format!(r#"{{"url": "https://{host}"}}"#));
                let mut provider = provider.expect("a provider");
                provider.name = name.as_str().into();
                kinds.insert(provider.name.clone(), "statuspage");
                rules.providers.insert(provider.name.clone(), provider);
            }
            let mut schedule = PageSchedule::default();
            schedule.follow(Arc::new(rules), &kinds, Duration::ZERO);
            Self {
                schedule,
                now: Duration::ZERO,
                under_way: Vec::new(),
                most_under_way: 0,
                looks: Vec::new(),
                chance: 1,
            }
        }

        /// Lets time pass in ticks; each look takes so long and finds what is said at its end.
        fn until(
            &mut self,
            end: Duration,
            (tick, takes): (Duration, Duration),
            finds: impl Fn(Duration) -> LookResult,
        ) {
            while self.now < end {
                self.now = Duration(self.now.0 + tick.0);
                let under_way = std::mem::take(&mut self.under_way);
                for (until, turn, watch) in under_way {
                    if until > self.now {
                        self.under_way.push((until, turn, watch));
                    } else {
                        self.finish(&turn, watch, finds(self.now));
                    }
                }
                for (turn, watch) in self.schedule.take_due(self.now) {
                    let until = Duration(self.now.0 + takes.0);
                    self.looks.push(Look {
                        name: turn.name.to_string(),
                        host: turn.host.clone(),
                        from: self.now,
                        until,
                    });
                    self.under_way.push((until, turn, watch));
                }
                self.most_under_way = self.most_under_way.max(self.under_way.len());
            }
        }

        fn finish(&mut self, turn: &PageTurn, mut watch: PageWatch, found: LookResult) {
            // Spread over all values, and the same in each run.
            self.chance = self
                .chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let wall = Timestamp(1_800_000_000_000) + self.now;
            watch.take(found, (self.now, wall));
            let wait = watch.wait((self.now, wall), self.chance);
            self.schedule.end(turn, watch, wait, self.now);
            self.schedule.leave(turn);
        }

        /// The waits between the looks that began from then until then.
        fn waits(&self, from: Duration, until: Duration) -> Vec<Duration> {
            let began = self.looks.iter().map(|look| look.from);
            let began: Vec<Duration> = began.filter(|at| (from..until).contains(at)).collect();
            let pairs = began.windows(2);
            pairs.map(|pair| Duration(pair[1].0 - pair[0].0)).collect()
        }
    }

    fn quiet(_: Duration) -> LookResult {
        found(report(Vec::new()))
    }

    fn busy() -> LookResult {
        let open = ReportedIncident {
            impact: Impact::Minor,
            phase: ReportPhase::Open,
            ..draft::incident("1".into(), "Mail is late".into())
        };
        found(report(vec![open]))
    }

    #[test]
    fn one_page_of_a_host_is_asked_at_a_time_and_only_so_many_at_once() {
        let shared = (0..6).map(|page| (format!("shared{page}"), "shared.example.com".to_owned()));
        let own = (0..60).map(|page| (format!("own{page}"), format!("own{page}.example.com")));
        let mut watched = Watched::new(shared.chain(own));
        let takes = Duration::seconds(5);
        watched.until(Duration::minutes(20), (Duration(100), takes), quiet);
        assert_eq!(
            watched.most_under_way, LOOKS_MAX,
            "as many as may be, no more"
        );
        let mut last: BTreeMap<&str, Duration> = BTreeMap::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for look in &watched.looks {
            let before = last.insert(&look.host, look.until);
            assert!(before.is_none_or(|before| look.from >= before), "{look:?}");
            *counts.entry(&look.name).or_default() += 1;
        }
        // Nobody is left out: a look each 57 to 63 seconds, what it takes, and waits for others.
        assert_eq!(counts.len(), 66);
        for (name, count) in counts {
            assert!((14..=21).contains(&count), "{name}: {count}");
        }
    }

    #[test]
    fn a_page_is_asked_each_minute_while_something_is_open_and_less_often_the_longer_it_is_quiet() {
        let hours = Duration::hours;
        let mut watched = Watched::new([("one".to_owned(), "status.example.com".to_owned())]);
        let finds = |now: Duration| match (hours(26)..hours(27)).contains(&now) {
            true => busy(),
            false => quiet(now),
        };
        watched.until(hours(29), (SECOND, SECOND), finds);
        // A tick and what the look takes are added to each wait.
        let cases = [
            ("the first hour", hours(0), hours(1), 57, 63),
            ("after an hour", Duration::minutes(63), hours(6), 114, 126),
            ("after six", Duration::minutes(363), hours(24), 171, 189),
            ("after a day", Duration::minutes(1_446), hours(26), 285, 315),
            ("open", Duration::minutes(1_566), hours(27), 57, 63),
            ("an hour after it", hours(27), hours(28), 57, 63),
            ("and then", Duration::minutes(1_684), hours(29), 114, 126),
        ];
        for (what, from, until, least, most) in cases {
            let waits = watched.waits(from, until);
            assert!(waits.len() > 10, "{what}: {waits:?}");
            let allowed = Duration::seconds(least)..=Duration::seconds(most + 2);
            let is_allowed = |wait: &Duration| allowed.contains(wait);
            assert!(waits.iter().all(is_allowed), "{what}: {waits:?}");
            let differing: BTreeSet<&Duration> = waits.iter().collect();
            assert!(differing.len() > 3, "never in step: {what}: {waits:?}");
        }
    }

    #[test]
    fn a_page_that_asks_to_be_left_alone_is_so_though_somebody_wants_a_look() {
        let mut watched = Watched::new([("one".to_owned(), "status.example.com".to_owned())]);
        let limited = |_| LookResult {
            leave_for: Some(Duration::minutes(20)),
            ..found(LookFound::Unreadable("it answered 429".to_owned()))
        };
        watched.until(Duration::minutes(5), (SECOND, SECOND), limited);
        assert_eq!(watched.looks.len(), 1);
        watched.schedule.hurry(&"one".into(), watched.now);
        watched.until(Duration::minutes(30), (SECOND, SECOND), limited);
        let began: Vec<Duration> = watched.looks.iter().map(|look| look.from).collect();
        assert_eq!(began.len(), 2, "{began:?}");
        let wait = Duration(began[1].0 - began[0].0);
        let allowed = Duration::minutes(20)..=Duration::minutes(22);
        assert!(allowed.contains(&wait), "{wait}");
    }

    #[test]
    fn a_page_is_looked_at_at_once_when_somebody_asks_and_again_if_a_look_was_under_way() {
        let mut watched = Watched::new([("one".to_owned(), "status.example.com".to_owned())]);
        let takes = Duration::seconds(10);
        watched.until(Duration::seconds(30), (SECOND, takes), quiet);
        watched.schedule.hurry(&"one".into(), watched.now);
        watched.until(Duration::seconds(35), (SECOND, takes), quiet);
        watched.schedule.hurry(&"one".into(), watched.now);
        watched.until(Duration::seconds(50), (SECOND, takes), quiet);
        let began: Vec<u64> = watched
            .looks
            .iter()
            .map(|look| look.from.as_seconds())
            .collect();
        // It is over at 41, and a second lies between two.
        assert_eq!(began, [1, 31, 42]);
    }
}
