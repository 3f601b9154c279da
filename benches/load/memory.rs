//! Row 5: the memory that an active alert takes.

use std::time::Duration;

use crate::alerts::Request;
use crate::client::send_all;
use crate::server::{Kind, Server, Setup};
use crate::table::Line;
use crate::{Failure, Plan, machine, tell};

const ALERTS: u64 = 100_000;
const ALERTS_PER_REQUEST: usize = 50;

/// Time in which work that goes on after the last answer comes to its end.
const SETTLING: Duration = Duration::from_secs(3);

pub async fn measure(plan: &Plan) -> Result<Line, Failure> {
    let mut line = Line::new(5, "resident per active alert", "bytes");
    for round in 1..=plan.rounds {
        for &kind in plan.kinds.iter().filter(|kind| **kind != Kind::Floor) {
            let bytes = run(kind, ALERTS / plan.divisor).await?;
            tell(&format!("memory, round {round}: {kind:?} {bytes:.0} bytes"));
            line.add(kind, bytes);
        }
    }
    Ok(line)
}

async fn run(kind: Kind, alerts: u64) -> Result<f64, Failure> {
    let server = Server::start(kind, &Setup::Lean).await?;
    let request = Request::new(ALERTS_PER_REQUEST, 1)?;
    let before = machine::resident(server.process())?;
    send_all(server.address, &request, 0..alerts / request.alerts()).await?;
    tokio::time::sleep(SETTLING).await;
    let after = machine::resident(server.process())?;
    Ok((after - before) / alerts as f64)
}
