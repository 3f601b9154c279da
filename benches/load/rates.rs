//! Rows 1 to 4 and 6: how many alerts a second are taken, what each of them costs in processor
//! time, and how much of the disk a new one takes.

use crate::alerts::Request;
use crate::client::send_all;
use crate::machine::{self, Computed};
use crate::server::{Kind, Server, Setup};
use crate::table::Line;
use crate::{Failure, Plan, reveille, tell};

/// One kind of load.
pub struct Load {
    /// The rows that it fills.
    pub rows: &'static [u8],
    name: &'static str,
    alerts_per_request: usize,
    alerts: u64,
    routes: u64,
    is_repeated: bool,
}

pub const LOADS: &[Load] = &[
    Load {
        rows: &[1, 6],
        name: "one new alert a request",
        ..ONE
    },
    Load {
        rows: &[2],
        name: "64 new alerts a request",
        alerts_per_request: 64,
        alerts: 96_000,
        ..ONE
    },
    Load {
        rows: &[3],
        name: "the same alert again and again",
        is_repeated: true,
        ..ONE
    },
    Load {
        rows: &[4],
        name: "one new alert a request, 10,000 routes",
        routes: 10_000,
        ..ONE
    },
];

const ONE: Load = Load {
    rows: &[],
    name: "",
    alerts_per_request: 1,
    alerts: 60_000,
    routes: 0,
    is_repeated: false,
};

/// One run of one server.
struct Run {
    per_second: f64,
    microseconds: f64,
    bytes: f64,
    /// What neither the server nor the loader computed, in percent of all processors.
    others: f64,
}

pub async fn measure(plan: &Plan, load: &Load) -> Result<Vec<Line>, Failure> {
    let mut rate = Line::new(load.rows[0], load.name, "alerts/s");
    let mut disk = Line::new(6, "on disk per new alert", "bytes");
    for round in 1..=plan.rounds {
        for &kind in &plan.kinds {
            // The floor knows no routes.
            if kind == Kind::Floor && load.routes > 0 {
                continue;
            }
            let run = run(kind, load, plan.divisor).await?;
            let (per_second, microseconds) = (run.per_second, run.microseconds);
            tell(&format!(
                "{}, round {round}: {kind:?} {per_second:.0}/s, {microseconds:.1} µs each, \
                 others {:.0} %",
                load.name, run.others
            ));
            rate.add(kind, per_second);
            rate.add_cost(kind, microseconds);
            rate.add_others(run.others);
            // Alertmanager keeps alerts in memory alone.
            if kind != Kind::Alertmanager {
                disk.add(kind, run.bytes);
            }
        }
    }
    let mut lines = vec![rate];
    lines.extend(load.rows.contains(&6).then_some(disk));
    Ok(lines)
}

async fn run(kind: Kind, load: &Load, divisor: u64) -> Result<Run, Failure> {
    let server = Server::start(
        kind,
        &Setup::Quiet {
            routes: load.routes,
        },
    )
    .await?;
    let request = Request::new(load.alerts_per_request, load.routes.max(1))?;
    let request = match load.is_repeated {
        true => request.repeated(),
        false => request,
    };
    let requests = load.alerts / divisor / request.alerts();
    let warm_up = requests / 20;
    let folder = match kind {
        Kind::Reveille => server.folder.path().join(reveille::DATA),
        Kind::Alertmanager | Kind::Floor => server.folder.path().to_owned(),
    };
    let bytes = machine::on_disk(&folder)?;
    send_all(server.address, &request, 0..warm_up).await?;
    let before = Computed::until_now(server.process())?;
    let took = send_all(server.address, &request, warm_up..warm_up + requests).await?;
    let after = Computed::until_now(server.process())?;
    let computed = after.server - before.server;
    let others = (after.all - before.all) - computed - (after.loader - before.loader);
    let bytes = machine::on_disk(&folder)? - bytes;
    let alerts = (requests * request.alerts()) as f64;
    Ok(Run {
        per_second: alerts / took.as_secs_f64(),
        microseconds: computed / alerts,
        bytes: bytes / ((warm_up + requests) * request.alerts()) as f64,
        // Times come in steps, so that a short run may seem to have less than nothing.
        others: others.max(0.0) / 10_000.0 / took.as_secs_f64() / machine::processors()?,
    })
}
