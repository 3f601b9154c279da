//! Row 9: after a kill, how long it takes from the start of the process to the first page that
//! fell due while there was none. Alertmanager keeps no alert over a restart and has no such page.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::alerts::Request;
use crate::client::{Connection, send_all};
use crate::pages::Receiver;
use crate::server::{Kind, Server, Setup};
use crate::table::Line;
use crate::{Failure, Plan, tell};

const INCIDENTS: u64 = 100_000;
const ALERTS_PER_REQUEST: usize = 50;

/// Until it is stored that the first page was delivered: otherwise it would be sent again.
const STORING: Duration = Duration::from_secs(1);

/// Longer than the wait of the first step.
const DOWN: Duration = Duration::from_secs(7);

pub async fn measure(plan: &Plan) -> Result<Line, Failure> {
    let mut line = Line::new(
        9,
        "restart with 100,000 open incidents, to the first due page",
        "ms",
    );
    for round in 1..=plan.rounds {
        let milliseconds = run(INCIDENTS / plan.divisor).await?.as_secs_f64() * 1_000.0;
        tell(&format!("restart, round {round}: {milliseconds:.0} ms"));
        line.add(Kind::Reveille, milliseconds);
    }
    Ok(line)
}

/// With so many open incidents, from the start to the page that is due.
pub async fn run(incidents: u64) -> Result<Duration, Failure> {
    let mut receiver = Receiver::start().await?;
    let setup = Setup::Waiting {
        receiver: receiver.address,
    };
    let mut server = Server::start(Kind::Reveille, &setup).await?;
    let request = Request::new(ALERTS_PER_REQUEST, 1)?;
    send_all(server.address, &request, 0..incidents / request.alerts()).await?;

    // Of two teams every odd number is of the team whose step falls due.
    let due = incidents + 1;
    let mut connection = Connection::open(server.address).await?;
    connection.send(Request::new(1, 2)?.number(due)).await?;
    receiver.next().await?;
    sleep(STORING).await;
    server.kill()?;
    sleep(DOWN).await;
    let start = Instant::now();
    server.start_again()?;
    let arrival = receiver.next().await?;
    let page = String::from_utf8_lossy(&arrival.page);
    if arrival.alert != due || !page.contains("step 2") {
        return Err(format!("instead of the page that fell due came: {page}").into());
    }
    Ok(arrival.came - start)
}
