//! The mixed load, for minutes: new, repeated and resolved alerts at an even rate, each new one
//! paged at once. Whether the memory of the process stays where it is shows in a plot.
//!
//! The alerts are of a fixed set, as those of real machines are, and all of it was seen before the
//! clock starts: what Reveille remembers of alerts that are over is then as large as it will be.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, interval, sleep_until};

use crate::alerts::Request;
use crate::client::{CONNECTIONS, Connection, send_all};
use crate::pages::Receiver;
use crate::plot::{self, Axis, Panel, Scale};
use crate::server::{Kind, Server, Setup};
use crate::{Failure, machine, say, tell};

const PER_SECOND: u64 = 300;

/// What happens in turn: two alerts begin, one of those that fire is repeated, two end.
const TURN: [Part; 5] = [
    Part::New(0),
    Part::New(1),
    Part::Repeated,
    Part::Resolved(0),
    Part::Resolved(1),
];

const NEW_PER_TURN: u64 = 2;

/// So many seconds an alert fires.
const FIRES_SECONDS: u64 = 30;

/// The load before the first sample.
const LEAD: Duration = Duration::from_secs(FIRES_SECONDS);

/// After so many seconds it fires again, at the least. More often in a longer run: one that came
/// five times in half an hour would be taken for flapping.
const RETURNS_SECONDS_MIN: u64 = 200;
const RETURNS_MAX: u64 = 3;

const ALERTS_PER_REQUEST: usize = 50;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

#[derive(Clone, Copy)]
enum Part {
    /// The first or the second of this turn.
    New(u64),
    /// One of those that fire, with the times that it had.
    Repeated,
    /// The first or the second that began so many seconds ago.
    Resolved(u64),
}

/// How large all of it is.
#[derive(Clone, Copy)]
struct Load {
    seconds: u64,
    /// Alerts of which all others are repetitions.
    pool: u64,
    /// Turns that an alert fires.
    fires: u64,
    started: Timestamp,
}

pub async fn measure(minutes: u64) -> Result<(), Failure> {
    let seconds = minutes.max(1) * 60;
    let turns_per_second = PER_SECOND / TURN.len() as u64;
    let returns_after = RETURNS_SECONDS_MIN.max(seconds / RETURNS_MAX);
    let mut receiver = Receiver::start().await?;
    let setup = Setup::Paging {
        receiver: receiver.address,
    };
    let server = Server::start(Kind::Reveille, &setup).await?;
    let drained: JoinHandle<()> = tokio::spawn(async move { while receiver.any().await {} });
    let mut load = Load {
        seconds,
        pool: returns_after * turns_per_second * NEW_PER_TURN,
        fires: FIRES_SECONDS * turns_per_second,
        started: now(),
    };
    tell(&format!("mixed: {} alerts fire and end once", load.pool));
    see_all(&server, &load).await?;
    load.started = now();
    tell(&format!("mixed: {seconds} seconds of {PER_SECOND} events"));
    let mut samples = Vec::new();
    let mut sending = post_all(&server, load).await?;
    let mut seconds = interval(Duration::from_secs(1));
    let before = machine::computed(server.process())?;
    let start = Instant::now();
    loop {
        tokio::select! {
            ended = sending.join_next() => match ended {
                Some(ended) => ended??,
                None => break,
            },
            _ = seconds.tick() => {
                let bytes = machine::resident(server.process())?;
                // Before that no alert has ended, and each new one makes them more.
                if let Some(since) = start.elapsed().checked_sub(LEAD) {
                    samples.push((since.as_secs_f64(), bytes / MEBIBYTE));
                }
            }
        }
    }
    let computed = machine::computed(server.process())? - before;
    drained.abort();
    show(&samples, computed / start.elapsed().as_micros() as f64)
}

/// All alerts fire and end once.
async fn see_all(server: &Server, load: &Load) -> Result<(), Failure> {
    let ends = load.started.checked_add(SignedDuration::from_millis(1))?;
    let firing = Request::new(ALERTS_PER_REQUEST, 1)?;
    let firing = firing.at(load.started, far(load.started)?);
    let over = firing.clone().at(load.started, ends);
    let requests = load.pool / firing.alerts();
    send_all(server.address, &firing, 0..requests).await?;
    send_all(server.address, &over, 0..requests).await?;
    Ok(())
}

/// Each connection sends its share of the events, each when it is due.
async fn post_all(server: &Server, load: Load) -> Result<JoinSet<Result<(), Failure>>, Failure> {
    let request = Request::new(1, 1)?;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for first in 0..CONNECTIONS {
        let mut connection = Connection::open(server.address).await?;
        let mut request = request.clone();
        tasks.spawn(async move {
            for event in
                (first..(load.seconds + FIRES_SECONDS) * PER_SECOND).step_by(CONNECTIONS as usize)
            {
                sleep_until(start + Duration::from_micros(event * 1_000_000 / PER_SECOND)).await;
                connection.send(load.event(&mut request, event)?).await?;
            }
            Ok(())
        });
    }
    Ok(tasks)
}

impl Load {
    /// The request of this number. While no alert is old enough to end, one more is repeated.
    fn event<'request>(
        &self,
        request: &'request mut Request,
        number: u64,
    ) -> Result<&'request [u8], Failure> {
        let turns = TURN.len() as u64;
        let turn = number / turns;
        let old = turn.checked_sub(self.fires);
        let (turn, which, is_over) = match (TURN[(number % turns) as usize], old) {
            (Part::New(which), _) => (turn, which, false),
            (Part::Resolved(which), Some(old)) => (old, which, true),
            (Part::Repeated, _) | (Part::Resolved(_), None) => (turn - turn.min(turns), 0, false),
        };
        let starts = self.begins(turn)?;
        let ends = if is_over {
            starts.checked_add(SignedDuration::from_secs(FIRES_SECONDS as i64 - 1))?
        } else {
            far(starts)?
        };
        request.set_times(starts, ends);
        Ok(request.number((turn * NEW_PER_TURN + which) % self.pool))
    }

    /// When the alerts of a turn began: no two times are the same for one alert.
    fn begins(&self, turn: u64) -> Result<Timestamp, Failure> {
        let millis = turn * TURN.len() as u64 * 1_000 / PER_SECOND;
        let since = SignedDuration::from_millis(i64::try_from(millis)?);
        Ok(self.started.checked_add(since)?)
    }
}

/// An end that outlives every run.
fn far(starts: Timestamp) -> Result<Timestamp, Failure> {
    Ok(starts.checked_add(SignedDuration::from_hours(24))?)
}

#[expect(clippy::disallowed_methods, reason = "an alert starts when it starts")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn show(samples: &[(f64, f64)], share: f64) -> Result<(), Failure> {
    let (first, second) = samples.split_at(samples.len() / 2);
    let bounds = |part: &[(f64, f64)]| {
        let values = part.iter().map(|(_, value)| *value);
        let low = values.clone().fold(f64::INFINITY, f64::min);
        (low, values.fold(0.0, f64::max))
    };
    say("| half | resident, lowest MiB | highest MiB |\n|---|---|---|");
    for (name, part) in [("first", first), ("second", second)] {
        let (low, high) = bounds(part);
        say(&format!("| {name} | {low:.1} | {high:.1} |"));
    }
    say(&format!("\n{:.1} % of one processor.", share * 100.0));
    let panel = Panel {
        title: format!("Resident memory under {PER_SECOND} mixed events a second"),
        along: Axis {
            label: "minutes",
            scale: Scale::Linear,
        },
        up: Axis {
            label: "MiB",
            scale: Scale::Linear,
        },
        points: samples
            .iter()
            .map(|(at, value)| (at / 60.0, *value))
            .collect(),
    };
    let file = plot::write("memory", &[panel])?;
    tell(&format!("wrote {}", file.display()));
    Ok(())
}
