//! Whether the disk has room for the events of a commit, decided before anything is decided about
//! them: afterwards they can no longer be refused.

use crate::engine::cause::Cause;
use crate::engine::incident::SelfIncident;
use crate::engine::input::Input;
use crate::engine::time::{Duration, MonotonicTime};
use crate::runtime::turn::Request;

/// What a commit writes beside what its events bring: the database's log grows in whole segments.
const COMMIT_BYTES: u64 = 1024 * 1024;

/// What an event writes, however short it is: an alert, an incident, pages, receipt and timeline,
/// and the pages of the tree that hold them. Up to 14 kB were measured.
const EVENT_BYTES: u64 = 16 * 1024;

/// What an event writes within the next minute: what is paged, held and bundled of it. 3.4 kB were
/// measured.
const FOLLOW_UP_BYTES: u64 = 4 * 1024;

/// For so long, and up to twice as long, room is kept for what follows an event.
const FOLLOWED_UP: Duration = Duration::minutes(1);

/// How often the bytes of an event are written: in its alert and in what is kept with the
/// incident, and each time the database rewrites a page of its tree. Up to 7 were measured.
const COPIES: u64 = 8;

/// A request that costs no more than this is small: without room for it the intake is shut.
const SMALL_BYTES: u64 = 2 * COMMIT_BYTES;

/// A refusal is told so often at the most: what tells it is a commit as well.
const TOLD_EVERY: Duration = Duration::minutes(1);

/// The space that events may use.
pub struct Room {
    /// No event uses the last so many bytes of the disk; everything else may.
    disk_min_bytes: u64,
    told: Option<MonotonicTime>,
    follow_ups: FollowUps,
}

/// What the disk allows of some requests.
pub struct Admission<W> {
    pub taken: Vec<Request<W>>,
    pub refused: Vec<Request<W>>,
    /// Not even a small request has room, so that the next ones need not wait to be refused.
    pub is_shut: bool,
    /// Somebody is to be told that something was refused.
    pub is_told: bool,
}

impl Room {
    pub fn new(disk_min_bytes: u64) -> Self {
        Self {
            disk_min_bytes,
            told: None,
            follow_ups: FollowUps::default(),
        }
    }

    /// Takes those for which there is room when `free` bytes are left, if that is known, and those
    /// that had room before.
    pub fn admit<W>(
        &mut self,
        requests: Vec<Request<W>>,
        free: Option<u64>,
        now: MonotonicTime,
    ) -> Admission<W> {
        let Some(free) = free else {
            return Admission {
                taken: requests,
                refused: Vec::new(),
                is_shut: false,
                is_told: false,
            };
        };
        let (mut admitted, requests): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .partition(|request| request.is_admitted);
        let follow_ups = self.follow_ups.bytes(now);
        let kept = self.disk_min_bytes.saturating_add(follow_ups);
        let mut left = free.saturating_sub(kept);
        let is_shut = left < SMALL_BYTES;
        left = left.saturating_sub(COMMIT_BYTES);
        let fits = |request: &Request<W>| {
            let cost = cost(request);
            let fits = cost <= left;
            if fits {
                left -= cost;
            }
            fits
        };
        let (taken, refused): (Vec<_>, Vec<_>) = requests.into_iter().partition(fits);
        self.follow_ups.expect(&taken);
        let is_told = !refused.is_empty() && self.may_tell(now);
        admitted.extend(taken);
        Admission {
            is_shut: is_shut && !refused.is_empty(),
            taken: admitted,
            refused,
            is_told,
        }
    }

    fn may_tell(&mut self, now: MonotonicTime) -> bool {
        let is_due = self.told.is_none_or(|told| now >= told + TOLD_EVERY);
        if is_due {
            self.told = Some(now);
        }
        is_due
    }
}

/// Room for what follows events that were taken.
#[derive(Default)]
struct FollowUps {
    /// When `later` began.
    since: MonotonicTime,
    earlier: u64,
    later: u64,
}

impl FollowUps {
    fn bytes(&mut self, now: MonotonicTime) -> u64 {
        let age = now.since(self.since);
        if age >= FOLLOWED_UP {
            // What is older than two spans has followed.
            let is_recent = self.since + FOLLOWED_UP + FOLLOWED_UP > now;
            self.earlier = if is_recent { self.later } else { 0 };
            self.later = 0;
            self.since = now;
        }
        self.earlier + self.later
    }

    fn expect<W>(&mut self, taken: &[Request<W>]) {
        let events: usize = taken.iter().map(|request| request.events.len()).sum();
        self.later += events as u64 * FOLLOW_UP_BYTES;
    }
}

/// The most that a request writes to the disk in the commit that takes it.
fn cost<W>(request: &Request<W>) -> u64 {
    let bytes = request.bytes() as u64;
    let events = request.events.len() as u64;
    bytes * COPIES + events * EVENT_BYTES
}

/// Whether events are refused with so much space left, and what is said of it: events are never
/// refused without a self-incident that says why.
pub fn report_disk(free: u64, warn_bytes: u64, min_bytes: u64) -> (bool, Input) {
    let is_low = free < min_bytes;
    let input = if is_low || free < warn_bytes {
        little_space(free)
    } else {
        Input::Clear {
            trouble: disk_trouble(),
        }
    };
    (is_low, input)
}

/// The self-incident that says that little space is left.
pub(super) fn little_space(free: u64) -> Input {
    let mebibytes = free / (1024 * 1024);
    let text = format!("only {mebibytes} MiB are free on the disk of the data directory");
    Input::Raise {
        trouble: disk_trouble(),
        text: text.into(),
    }
}

fn disk_trouble() -> SelfIncident {
    SelfIncident::new(Cause::Disk, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Action, Content, Labels};
    use crate::engine::samples;

    const MEBIBYTE: u64 = 1024 * 1024;
    const NOW: MonotonicTime = MonotonicTime(5_000);

    fn request(events: usize, label_bytes: usize) -> Request<()> {
        let label = ("label".to_owned(), "x".repeat(label_bytes));
        let content = Content {
            labels: [label].into_iter().collect::<Labels>(),
            ..Content::default()
        };
        let event = samples::event(Action::Trigger, "key", content);
        Request {
            integration: "native".into(),
            events: vec![event; events],
            waiter: (),
            is_admitted: false,
        }
    }

    fn events_of(requests: &[Request<()>]) -> Vec<usize> {
        requests.iter().map(|it| it.events.len()).collect()
    }

    #[test]
    fn what_a_commit_would_write_is_never_taken_from_the_least_space() {
        let least = 100 * MEBIBYTE;
        // Events of a request, bytes of each, free space in MiB, and whether it is taken.
        let cases = [
            (1, 0, 99, false),
            (1, 0, 100, false),
            (1, 0, 101, false),
            (1, 0, 102, true),
            (1, 400_000, 102, false),
            (1, 400_000, 105, true),
            (1_000, 0, 115, false),
            (1_000, 0, 120, true),
            (10_000, 300, 260, false),
            (10_000, 300, 320, true),
        ];
        for (events, bytes, free, is_taken) in cases {
            let mut room = Room::new(least);
            let asked = vec![request(events, bytes)];
            let admission = room.admit(asked, Some(free * MEBIBYTE), NOW);
            let case = format!("{events} events of {bytes} bytes with {free} MiB free");
            assert_eq!(admission.taken.len() == 1, is_taken, "{case}");
            assert_eq!(admission.refused.is_empty(), is_taken, "{case}");
        }
    }

    #[test]
    fn requests_of_one_commit_share_the_room_and_a_small_one_passes_a_large_one() {
        let mut room = Room::new(0);
        let asked = vec![request(500, 0), request(501, 0), request(1, 0)];
        let admission = room.admit(asked, Some(12 * MEBIBYTE), NOW);
        assert_eq!(events_of(&admission.taken), [500, 1]);
        assert_eq!(events_of(&admission.refused), [501]);
        assert!(!admission.is_shut, "the next small one has room");
        let admission = room.admit(vec![request(1, 0)], Some(MEBIBYTE), NOW);
        assert!(admission.is_shut);
    }

    #[test]
    fn room_is_kept_for_what_follows_an_event_for_one_to_two_minutes() {
        let mut room = Room::new(0);
        let mut is_taken = |events, millis| {
            let asked = vec![request(events, 0)];
            let admission = room.admit(asked, Some(10 * MEBIBYTE), NOW + Duration(millis));
            !admission.taken.is_empty()
        };
        assert!(is_taken(500, 0));
        assert!(!is_taken(500, 59_999), "2 MiB are kept for the first");
        assert!(!is_taken(500, 60_000));
        assert!(is_taken(500, 120_000));
    }

    #[test]
    fn refusals_are_told_once_a_minute() {
        let mut room = Room::new(MEBIBYTE);
        let mut is_told = |millis| {
            let admission = room.admit(vec![request(1, 0)], Some(0), NOW + Duration(millis));
            admission.is_told
        };
        assert!(is_told(0));
        assert!(!is_told(59_999));
        assert!(is_told(60_000));
        assert!(!is_told(60_001));
    }
}
