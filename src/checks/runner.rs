//! Tries all checks of the rules, each in its time and only so many at once, and tells the engine
//! which fail and which are good again.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::{info, warn};

use super::probe::{CheckProbe, TriedCheck};
use super::trouble::UnreachedChecks;
use super::watch::{CheckState, CheckWatch, LastTry};
use crate::engine::ids::{IntegrationName, OwnCheckName};
use crate::engine::input::{CheckFound, OwnChecked};
use crate::engine::own_check::OwnCheck;
use crate::engine::own_checks::{KEY, is_not_yet_reported};
use crate::engine::ruleset::RuleSet;
use crate::engine::time::{Duration, Timestamp};
use crate::runtime::clock::{Clock, wall_now};
use crate::runtime::handle::Handle;
use crate::runtime::supervise::Supervisor;

/// Tries under way at once.
const TRIES_MAX: usize = 32;

/// Tries at once that somebody asked for, and how many more wait for their turn.
const ASKED_MAX: usize = 4;
const WAITING_MAX: usize = 32;

/// The first tries after a start are spread over so long, and so much for each at most.
const SPREAD: Duration = Duration::seconds(30);
const SPREAD_EACH: Duration = Duration(50);

/// The schedule is looked at so often.
const TICK: std::time::Duration = std::time::Duration::from_millis(100);

/// A check that made its try panic is tried so much later.
const PANICKED: Duration = Duration::minutes(5);

/// What the runner works with.
pub struct CheckRunner {
    probe: CheckProbe,
    handle: Handle,
    supervisor: Supervisor,
    clock: Clock,
    around: RunnerParts,
    asked: AskedTries,
    schedule: Mutex<CheckSchedule>,
}

/// What the runner is given of the process around it.
pub struct RunnerParts {
    /// Spread over all of its values.
    pub chance: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Told of each try: `good`, `failed` or `unreached`.
    pub on_try: Arc<dyn Fn(&'static str) + Send + Sync>,
    /// Told how many failures are taken for our own trouble.
    pub on_own_trouble: Arc<dyn Fn(usize) + Send + Sync>,
}

/// The tries that somebody asked for: those under way, and those that wait behind them.
struct AskedTries {
    under_way: Semaphore,
    all: Semaphore,
}

/// More tries were asked for than may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{WAITING_MAX} tries of checks wait already; ask again in a few seconds")]
pub struct TooManyTries;

impl Default for AskedTries {
    fn default() -> Self {
        Self {
            under_way: Semaphore::new(ASKED_MAX),
            all: Semaphore::new(ASKED_MAX + WAITING_MAX),
        }
    }
}

impl AskedTries {
    /// Waits for a turn, which ends with what is returned.
    async fn enter(&self) -> Result<[SemaphorePermit<'_>; 2], TooManyTries> {
        let place = self.all.try_acquire().map_err(|_| TooManyTries)?;
        let turn = self.under_way.acquire().await;
        Ok([turn.expect("the semaphore is never closed"), place])
    }
}

/// All checks with their schedule.
#[derive(Default)]
struct CheckSchedule {
    /// `None` while a try is under way.
    watches: BTreeMap<OwnCheckName, Option<CheckWatch>>,
    due: BTreeSet<(Duration, OwnCheckName)>,
    under_way: usize,
    shown: BTreeMap<OwnCheckName, LastTry>,
    unreached: UnreachedChecks,
    rules: Option<Arc<RuleSet>>,
}

impl CheckRunner {
    pub fn new(
        probe: CheckProbe,
        (handle, supervisor): (Handle, Supervisor),
        clock: Clock,
        around: RunnerParts,
    ) -> Arc<Self> {
        Arc::new(Self {
            probe,
            handle,
            supervisor,
            clock,
            around,
            asked: AskedTries::default(),
            schedule: Mutex::default(),
        })
    }

    /// The last try of a check.
    pub fn last_try(&self, name: &OwnCheckName) -> Option<LastTry> {
        self.schedule().shown.get(name).cloned()
    }

    /// Tries a check now for somebody who wants to know, and then as soon as its turn allows.
    /// `None` if there is no such check.
    pub async fn try_now(&self, name: &OwnCheckName) -> Result<Option<TriedCheck>, TooManyTries> {
        let Some(check) = self.handle.rules().checks.get(name).cloned() else {
            return Ok(None);
        };
        let place = self.asked.enter().await?;
        let tried = self.probe.once(&check).await;
        drop(place);
        let now = self.clock.monotonic();
        let mut schedule = self.schedule();
        if schedule.watches.get(name).is_some_and(Option::is_some) {
            schedule.due.retain(|(_, known)| known != name);
            schedule.due.insert((now, name.clone()));
        }
        Ok(Some(tried))
    }

    /// Tries checks for ever.
    pub async fn run(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.follow_rules().await;
            for watch in self.take_due() {
                let runner = Arc::clone(&self);
                self.supervisor.spawn("try a check", async move {
                    runner.visit(watch).await;
                });
            }
        }
    }

    fn schedule(&self) -> MutexGuard<'_, CheckSchedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries what the rules in force name, and nothing else.
    async fn follow_rules(&self) {
        let rules = self.handle.rules();
        let is_known = |known: &Arc<RuleSet>| Arc::ptr_eq(known, &rules);
        if self.schedule().rules.as_ref().is_some_and(is_known) {
            return;
        }
        let Ok(failing) = self.failing().await else {
            // The driver has ended; so does the process.
            return;
        };
        let now = self.clock.monotonic();
        let mut schedule = self.schedule();
        let CheckSchedule {
            watches,
            due,
            shown,
            unreached,
            ..
        } = &mut *schedule;
        watches.retain(|name, watch| {
            // One that is being tried is compared when the try is over.
            let watch = watch.as_ref();
            watch.is_none_or(|watch| rules.checks.get(name) == Some(&watch.check))
        });
        due.retain(|(_, name)| watches.contains_key(name));
        shown.retain(|name, _| rules.checks.contains_key(name));
        unreached.retain(|name| rules.checks.contains_key(name));
        let new = rules.checks.values();
        let new: Vec<&OwnCheck> = new
            .filter(|check| !watches.contains_key(&check.name))
            .collect();
        let spread = SPREAD.0.min(SPREAD_EACH.0 * new.len() as u64);
        for (number, check) in (0..).zip(&new) {
            let since = failing.get(&check.name).copied();
            let watch = CheckWatch::new((*check).clone(), since);
            shown.insert(check.name.clone(), watch.last.clone());
            watches.insert(check.name.clone(), Some(watch));
            let wait = spread * number / new.len() as u64;
            due.insert((Duration(now.0 + wait), check.name.clone()));
        }
        schedule.rules = Some(rules);
    }

    /// The checks that the engine has alerts of, and since when.
    async fn failing(
        &self,
    ) -> Result<BTreeMap<OwnCheckName, Timestamp>, crate::runtime::handle::Unavailable> {
        let look = self.handle.read(|view| {
            let known = view.state.integrations_beneath(IntegrationName::CHECK);
            let firing = known.filter_map(|integration| {
                let alert = view.state.alert_by_key(integration, KEY)?;
                let name = integration.as_str().strip_prefix(IntegrationName::CHECK)?;
                let name = OwnCheckName::from(name);
                alert.firing.then_some((name, alert.first_seen))
            });
            firing.collect()
        });
        look.await
    }

    /// The checks whose turn it is.
    fn take_due(&self) -> Vec<CheckWatch> {
        let now = self.clock.monotonic();
        let mut schedule = self.schedule();
        let mut taken = Vec::new();
        while schedule.under_way < TRIES_MAX {
            let Some((_, name)) = schedule.due.first().filter(|(at, _)| *at <= now).cloned() else {
                break;
            };
            schedule.due.pop_first();
            if let Some(watch) = schedule.watches.get_mut(&name).and_then(Option::take) {
                schedule.under_way += 1;
                taken.push(watch);
            }
        }
        taken
    }

    /// One try, and what follows from it.
    async fn visit(&self, mut watch: CheckWatch) {
        // Whatever happens in between, the check has its turn again.
        let visit = CheckVisit {
            runner: self,
            name: watch.check.name.clone(),
            is_over: Cell::new(false),
        };
        let tried = self.probe.once(&watch.check).await;
        let is_unreached = matches!(&tried.found, Err(fault) if fault.is_unreached);
        (self.around.on_try)(match &tried.found {
            Ok(_) => "good",
            Err(_) if is_unreached => "unreached",
            Err(_) => "failed",
        });
        watch.take(&tried, wall_now());
        let is_ours = self.is_own_trouble(&watch.check.name, is_unreached);
        match watch.last.state {
            CheckState::Failing if tried.found.is_err() => {
                self.tell_failure(&mut watch, is_ours && is_unreached).await;
            }
            CheckState::Good if watch.has_alert => {
                watch.has_alert = !self.tell(&watch.check, CheckFound::Good).await;
            }
            CheckState::Unknown | CheckState::Good | CheckState::Failing => {}
        }
        visit.end(watch);
    }

    /// Whether what reaches nothing now is most likely our own trouble, which is said once.
    fn is_own_trouble(&self, name: &OwnCheckName, is_unreached: bool) -> bool {
        let now = self.clock.monotonic();
        let mut schedule = self.schedule();
        schedule.unreached.note(name, is_unreached, now);
        let total = schedule.watches.len();
        let ours = schedule.unreached.ours(total, now);
        let is_news = schedule.unreached.is_news(ours.is_some());
        drop(schedule);
        (self.around.on_own_trouble)(ours.unwrap_or(0));
        match ours {
            Some(count) if is_news => warn!(
                checks.failing = count,
                checks.total = total,
                "many checks reach nothing at once: look at the network of this machine; they \
                 page nobody for five minutes"
            ),
            None if is_news => info!("checks reach what they try again, or page by now"),
            _ => {}
        }
        ours.is_some()
    }

    /// Tells the engine of a check that fails, if it does not know that or what the provider says
    /// has changed since.
    async fn tell_failure(&self, watch: &mut CheckWatch, is_held: bool) {
        let check = watch.check.clone();
        let look = self.handle.read(move |view| {
            let alert = view.state.alert_by_key(&check.integration(), KEY);
            let is_firing = alert.is_some_and(|alert| alert.firing);
            (is_firing, is_not_yet_reported(view.state, &check))
        });
        let Ok((is_firing, is_unreported)) = look.await else {
            return;
        };
        watch.has_alert = is_firing;
        let is_known = is_firing && watch.said_unreported == Some(is_unreported);
        if is_known || (is_held && !is_firing) {
            return;
        }
        let why = watch.last.said.clone().unwrap_or_default();
        if self.tell(&watch.check, CheckFound::Failed(why)).await {
            watch.has_alert = true;
            watch.said_unreported = Some(is_unreported);
        }
    }

    /// Whether the engine took it in.
    async fn tell(&self, check: &OwnCheck, found: CheckFound) -> bool {
        let request = OwnChecked {
            check: check.name.clone(),
            target: check.target.clone(),
            found,
        };
        match self.handle.ask(request, None).await {
            Ok(()) => true,
            Err(error) => {
                warn!(check.name = %check.name, %error, "what a check found was not taken in");
                false
            }
        }
    }
}

/// A try that is under way; dropped without an end, its check is tried again.
struct CheckVisit<'runner> {
    runner: &'runner CheckRunner,
    name: OwnCheckName,
    /// Its check has its turn again.
    is_over: Cell<bool>,
}

impl CheckVisit<'_> {
    fn end(&self, mut watch: CheckWatch) {
        self.is_over.set(true);
        let runner = self.runner;
        let wait = watch.wait(wall_now(), (runner.around.chance)());
        self.again(watch, wait);
    }

    /// The check has its turn after so long, as the rules have it by now.
    fn again(&self, watch: CheckWatch, wait: Duration) {
        let now = self.runner.clock.monotonic();
        let mut schedule = self.runner.schedule();
        let rules = schedule.rules.clone();
        let rules = rules
            .as_ref()
            .and_then(|rules| rules.checks.get(&self.name));
        let Some(check) = rules else {
            schedule.watches.remove(&self.name);
            schedule.shown.remove(&self.name);
            return;
        };
        let (watch, due) = if *check == watch.check {
            (watch, Duration(now.0 + wait.0))
        } else {
            // Its alert goes on: what it says now decides.
            let since = watch.has_alert.then_some(watch.last.since).flatten();
            (CheckWatch::new(check.clone(), since), now)
        };
        schedule.shown.insert(self.name.clone(), watch.last.clone());
        schedule.watches.insert(self.name.clone(), Some(watch));
        schedule.due.insert((due, self.name.clone()));
    }
}

impl Drop for CheckVisit<'_> {
    fn drop(&mut self) {
        self.runner.schedule().under_way -= 1;
        if self.is_over.get() {
            return;
        }
        // The try panicked: its check begins anew, and not at once.
        let rules = self.runner.schedule().rules.clone();
        let check = rules.and_then(|rules| rules.checks.get(&self.name).cloned());
        let last = self.runner.last_try(&self.name).unwrap_or_default();
        if let Some(check) = check {
            let is_failing = last.state == CheckState::Failing;
            let since = last.since.filter(|_| is_failing);
            self.again(CheckWatch::new(check, since), PANICKED);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn so_many_tries_that_somebody_asks_for_wait_and_more_are_refused() {
        let asked = AskedTries::default();
        let mut context = Context::from_waker(Waker::noop());
        let mut under_way = Vec::new();
        for _ in 0..ASKED_MAX {
            match pin!(asked.enter()).poll(&mut context) {
                Poll::Ready(Ok(turn)) => under_way.push(turn),
                other => panic!("{other:?}"),
            }
        }
        let mut waiting: Vec<_> = (0..WAITING_MAX).map(|_| Box::pin(asked.enter())).collect();
        for one in &mut waiting {
            assert!(one.as_mut().poll(&mut context).is_pending());
        }
        let refused = |context: &mut Context<'_>| {
            let polled = pin!(asked.enter()).poll(context);
            matches!(polled, Poll::Ready(Err(TooManyTries)))
        };
        assert!(refused(&mut context));
        // Each that ends lets the next one begin, and another one wait.
        under_way.pop();
        let first = waiting.remove(0).as_mut().poll(&mut context);
        assert!(matches!(first, Poll::Ready(Ok(_))), "{first:?}");
        waiting.push(Box::pin(asked.enter()));
        let last = waiting.last_mut().expect("it waits");
        assert!(last.as_mut().poll(&mut context).is_pending());
        // Whoever goes away while waiting makes room as well.
        assert!(refused(&mut context));
        waiting.pop();
        assert!(!refused(&mut context));
    }
}
