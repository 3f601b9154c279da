//! One server under load: its process, its address and its folder, gone when it is dropped.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::Instant;

use crate::client::Connection;
use crate::{Failure, alertmanager, floor, machine, reveille, tell};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Reveille,
    Alertmanager,
    Floor,
}

/// What a server is told to do with its alerts.
pub enum Setup {
    /// They wait for an hour: nobody is paged while it runs.
    Quiet {
        /// Routes on the equality of one label; none: all alerts take the root.
        routes: u64,
    },
    /// Each alert pages this receiver at once.
    Paging { receiver: SocketAddr },
    /// As quiet without routes, with little memory for the pages of the database.
    Lean,
    /// Alerts wait for an hour as incidents of their own; only those of one team page this
    /// receiver, at once and some seconds later again.
    Waiting { receiver: SocketAddr },
    /// So many status pages behind these addresses are watched, once a minute each; their alerts
    /// page this receiver.
    Watching {
        pages: Vec<SocketAddr>,
        count: usize,
        receiver: SocketAddr,
    },
    /// As quiet; each alert is of one of so many schedules, by the policy of its team.
    OnCall { schedules: u64 },
}

pub struct Server {
    child: Child,
    pub address: SocketAddr,
    pub folder: TempDir,
    kind: Kind,
    /// From the start of the process until it took alerts.
    pub took: Duration,
}

/// A hundred thousand routes take their time to be read.
const READY_TRIES: usize = 6_000;
const READY_PAUSE: Duration = Duration::from_millis(10);

/// How long one look at the machine takes, and how many there are before it is taken as it is.
const QUIET_LOOK: Duration = Duration::from_millis(400);
const QUIET_TRIES: usize = 50;
/// Of one processor.
const QUIET_SHARE: f64 = 0.2;

impl Server {
    /// Starts a server in a new folder and waits until it takes alerts.
    pub async fn start(kind: Kind, setup: &Setup) -> Result<Self, Failure> {
        wait_until_quiet().await?;
        // On the disk of the build: a folder for temporary files may lie in memory.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
        let address = free_address()?;
        match kind {
            Kind::Reveille => reveille::write(folder.path(), address, setup)?,
            Kind::Alertmanager => alertmanager::write(folder.path(), setup)?,
            Kind::Floor => {}
        }
        let start = Instant::now();
        let child = spawn(kind, folder.path(), address)?;
        let mut server = Self {
            child,
            address,
            folder,
            kind,
            took: Duration::ZERO,
        };
        server.wait_until_ready().await?;
        server.took = start.elapsed();
        Ok(server)
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts it again in its folder, and does not wait.
    pub fn start_again(&mut self) -> Result<(), Failure> {
        self.child = spawn(self.kind, self.folder.path(), self.address)?;
        Ok(())
    }

    async fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let path = match self.kind {
            Kind::Reveille => "/readyz",
            Kind::Alertmanager => "/-/ready",
            Kind::Floor => "/",
        };
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
        for _ in 0..READY_TRIES {
            if let Ok(mut connection) = Connection::open(self.address).await
                && connection.send(request.as_bytes()).await.is_ok()
            {
                return Ok(());
            }
            if self.child.try_wait()?.is_some() {
                break;
            }
            tokio::time::sleep(READY_PAUSE).await;
        }
        let log = std::fs::read_to_string(self.folder.path().join("log"))?;
        Err(format!("{:?} did not start:\n{log}", self.kind).into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(kind: Kind, folder: &Path, address: SocketAddr) -> Result<Child, Failure> {
    let mut command: Command = match kind {
        Kind::Reveille => reveille::command(),
        Kind::Alertmanager => alertmanager::command(folder, address)?,
        Kind::Floor => floor::command(folder, address)?,
    };
    let log = folder.join("log");
    let log = File::options().create(true).append(true).open(log)?;
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    Ok(command.spawn()?)
}

/// Waits for a while until hardly anybody else computes on this machine.
pub async fn wait_until_quiet() -> Result<(), Failure> {
    for _ in 0..QUIET_TRIES {
        let before = machine::computed_by_all()?;
        tokio::time::sleep(QUIET_LOOK).await;
        let computed = machine::computed_by_all()? - before;
        if computed < QUIET_LOOK.as_micros() as f64 * QUIET_SHARE {
            return Ok(());
        }
    }
    tell("the machine does not become quiet: others will disturb this run");
    Ok(())
}

/// An address that nobody listens on at this moment.
fn free_address() -> Result<SocketAddr, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?)
}
