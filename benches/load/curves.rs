//! How cost grows: with open alerts, routes, schedules, and incidents that are open at a start.
//!
//! Each point is Reveille alone, as new processes in new folders; of its runs the median counts.
//! Processor time is the steadier measure, the rate is that of a machine which also makes the load.

use std::ops::Range;

use crate::alerts::Request;
use crate::client::{Connection, send_all};
use crate::machine::Computed;
use crate::plot::{self, Axis, Panel, Scale};
use crate::server::{Kind, Server, Setup, wait_until_quiet};
use crate::table::{median, shown, thousands};
use crate::{Failure, machine, restart, reveille, say, tell};

const OPEN_ALERTS: Range<u32> = 3..7;
const ROUTES: Range<u32> = 0..6;
const SCHEDULES: Range<u32> = 0..5;
const OPEN_INCIDENTS: Range<u32> = 3..6;

const RUNS: usize = 3;
/// Filling it takes most of the time of all curves.
const RUNS_OF_THE_LAST: usize = 1;

/// Alerts that are measured at one point, in all runs where a few are measured in each.
const MEASURED: u64 = 20_000;
const MEASURED_IN_ALL: u64 = 10_000;

/// Looks at who is on call.
const LOOKS: u64 = 1_000;

const ALERTS_PER_REQUEST: usize = 50;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// What is measured at all points, by the names of its columns.
struct Curve {
    file: &'static str,
    along: &'static str,
    columns: &'static [Column],
    points: Vec<Point>,
}

struct Column {
    title: &'static str,
    unit: &'static str,
    scale: Scale,
}

/// So many of what grows, and the values in the order of the columns.
struct Point {
    count: u64,
    values: Vec<f64>,
}

const COST: Column = Column {
    title: "Processor time of a new alert",
    unit: "µs",
    scale: Scale::Linear,
};
const RATE: Column = Column {
    title: "New alerts, one a request over 32 connections",
    unit: "alerts/s",
    scale: Scale::Linear,
};
const START: Column = Column {
    title: "First start, from the process to its first answer",
    unit: "ms",
    scale: Scale::Log,
};

/// `divisor` leaves the last point of each curve out, and divides what is measured.
pub async fn measure(divisor: u64) -> Result<(), Failure> {
    open_alerts(divisor).await?;
    routes(divisor).await?;
    schedules(divisor).await?;
    restarts(divisor).await
}

async fn open_alerts(divisor: u64) -> Result<(), Failure> {
    let mut curve = Curve {
        file: "open-alerts",
        along: "open alerts",
        columns: &[
            COST,
            RATE,
            Column {
                title: "Resident memory",
                unit: "MiB",
                scale: Scale::Log,
            },
        ],
        points: Vec::new(),
    };
    for count in counts(OPEN_ALERTS, divisor) {
        let measured = count.min(MEASURED / divisor);
        let runs = match count {
            1_000_000.. => RUNS_OF_THE_LAST,
            _ => RUNS.max((MEASURED_IN_ALL / divisor / measured) as usize),
        };
        let run = async || {
            let server = Server::start(Kind::Reveille, &Setup::Quiet { routes: 0 }).await?;
            let before = (count - measured / 2) / ALERTS_PER_REQUEST as u64;
            let filling = Request::new(ALERTS_PER_REQUEST, 1)?;
            send_all(server.address, &filling, 0..before).await?;
            // Checkpoints of what was filled in go on for a while.
            wait_until_quiet().await?;
            let first = before * filling.alerts();
            let cost = new_alerts(&server, 1, first..first + measured).await?;
            let resident = machine::resident(server.process())?;
            Ok::<_, Failure>([cost.microseconds, cost.per_second, resident / MEBIBYTE])
        };
        curve.add(count, runs, run).await?;
    }
    curve.show()
}

async fn routes(divisor: u64) -> Result<(), Failure> {
    let mut curve = Curve {
        file: "routes",
        along: "routes",
        columns: &[COST, RATE, START],
        points: Vec::new(),
    };
    for count in counts(ROUTES, divisor) {
        let run = async || {
            let server = Server::start(Kind::Reveille, &Setup::Quiet { routes: count }).await?;
            let cost = new_alerts(&server, count, 0..MEASURED / divisor).await?;
            let start = server.took.as_secs_f64() * 1_000.0;
            Ok::<_, Failure>([cost.microseconds, cost.per_second, start])
        };
        curve.add(count, RUNS, run).await?;
    }
    curve.show()
}

async fn schedules(divisor: u64) -> Result<(), Failure> {
    let mut curve = Curve {
        file: "schedules",
        along: "schedules",
        columns: &[
            COST,
            RATE,
            Column {
                title: "Processor time of a request for who is on call in one of them",
                unit: "µs",
                scale: Scale::Linear,
            },
            START,
        ],
        points: Vec::new(),
    };
    for count in counts(SCHEDULES, divisor) {
        let run = async || {
            let setup = Setup::OnCall { schedules: count };
            let server = Server::start(Kind::Reveille, &setup).await?;
            let cost = new_alerts(&server, count, 0..MEASURED / divisor).await?;
            let look = looks(&server, count, LOOKS).await?;
            let start = server.took.as_secs_f64() * 1_000.0;
            Ok::<_, Failure>([cost.microseconds, cost.per_second, look, start])
        };
        curve.add(count, RUNS, run).await?;
    }
    curve.show()
}

async fn restarts(divisor: u64) -> Result<(), Failure> {
    let mut curve = Curve {
        file: "restart",
        along: "open incidents",
        columns: &[Column {
            title: "Start after a kill, from the process to the first due page",
            unit: "ms",
            scale: Scale::Log,
        }],
        points: Vec::new(),
    };
    for count in counts(OPEN_INCIDENTS, divisor) {
        let run = async || {
            let took = restart::run(count).await?;
            Ok::<_, Failure>([took.as_secs_f64() * 1_000.0])
        };
        curve.add(count, RUNS, run).await?;
    }
    curve.show()
}

/// Powers of ten; those that the divisor takes away are left out from the end.
fn counts(powers: Range<u32>, divisor: u64) -> impl Iterator<Item = u64> {
    let most = 10_u64.pow(powers.end - 1) / divisor;
    let counts = powers.map(|power| 10_u64.pow(power));
    counts.filter(move |count| *count <= most)
}

/// What a new alert costs.
struct Cost {
    microseconds: f64,
    per_second: f64,
}

/// One alert a request, all different, of so many teams. A twentieth comes before the clock starts.
async fn new_alerts(server: &Server, teams: u64, numbers: Range<u64>) -> Result<Cost, Failure> {
    let request = Request::new(1, teams)?;
    let begin = numbers.start + (numbers.end - numbers.start) / 20;
    send_all(server.address, &request, numbers.start..begin).await?;
    let before = Computed::until_now(server.process())?;
    let took = send_all(server.address, &request, begin..numbers.end).await?;
    let after = Computed::until_now(server.process())?;
    let alerts = (numbers.end - begin) as f64;
    Ok(Cost {
        microseconds: (after.server - before.server) / alerts,
        per_second: alerts / took.as_secs_f64(),
    })
}

/// Microseconds of a look at who is on call, one schedule after the other.
async fn looks(server: &Server, schedules: u64, looks: u64) -> Result<f64, Failure> {
    let mut connection = Connection::open(server.address).await?;
    let before = machine::computed(server.process())?;
    for number in 0..looks {
        let request = format!(
            "GET /v1/oncall?schedule=s{:05} HTTP/1.1\r\nhost: 127.0.0.1\r\n\
             authorization: Bearer {}\r\n\r\n",
            number % schedules,
            reveille::TOKEN
        );
        connection.send(request.as_bytes()).await?;
    }
    Ok((machine::computed(server.process())? - before) / looks as f64)
}

impl Curve {
    /// Measures one point.
    async fn add<const COLUMNS: usize>(
        &mut self,
        count: u64,
        runs: usize,
        run: impl AsyncFn() -> Result<[f64; COLUMNS], Failure>,
    ) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for _ in 0..runs {
            rows.push(run().await?);
        }
        let column = |at: usize| rows.iter().map(|row| row[at]).collect::<Vec<f64>>();
        let values: Vec<f64> = (0..COLUMNS).filter_map(|at| median(&column(at))).collect();
        let units = self.columns.iter().zip(&values);
        let units = units.map(|(column, value)| format!("{} {}", shown(*value), column.unit));
        let (count_shown, along) = (thousands(count as f64), self.along);
        let units = units.collect::<Vec<_>>().join(", ");
        tell(&format!("{count_shown} {along}: {units}; runs: {runs}"));
        self.points.push(Point { count, values });
        Ok(())
    }

    /// Prints its table and writes its plot.
    fn show(&self) -> Result<(), Failure> {
        let heads = self.columns.iter();
        let heads = heads.map(|column| format!("{}, {}", column.title, column.unit));
        let heads: Vec<String> = heads.collect();
        say(&format!("| {} | {} |", self.along, heads.join(" | ")));
        say(&format!("|---|{}", "---|".repeat(heads.len())));
        for point in &self.points {
            let values = point.values.iter().map(|value| shown(*value));
            let values = values.collect::<Vec<_>>().join(" | ");
            say(&format!("| {} | {values} |", thousands(point.count as f64)));
        }
        say("");
        let panels = self.columns.iter().enumerate().map(|(at, column)| Panel {
            title: column.title.to_owned(),
            along: Axis {
                label: self.along,
                scale: Scale::Log,
            },
            up: Axis {
                label: column.unit,
                scale: column.scale,
            },
            points: self
                .points
                .iter()
                .map(|point| (point.count as f64, point.values[at]))
                .collect(),
        });
        let file = plot::write(self.file, &panels.collect::<Vec<_>>())?;
        tell(&format!("wrote {}", file.display()));
        Ok(())
    }
}
