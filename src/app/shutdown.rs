//! Ending in order: intake stops, commits finish, attempts in flight get their time, all within ten
//! seconds.

use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use super::servers::Servers;
use super::supervisor;
use crate::channels::links::Links;
use crate::config::Settings;
use crate::engine::input::Input;
use crate::runtime::channel_worker::Sender;
use crate::runtime::commit_loop::CommitLoop;
use crate::runtime::handle::{Handle, Intake, Unavailable};
use crate::store::Store;

/// From the signal until nothing is waited for; `docs/operations.md` promises the end within ten
/// seconds, and the log takes up to one and a half to be written out.
const STOP_TIME: Duration = Duration::from_millis(8_500);
/// Requests under way and attempts in flight are waited for at most this long, together.
const FLIGHT_TIME: Duration = Duration::from_secs(6);
/// The last commit is waited for at most this long.
const COMMIT_TIME: Duration = Duration::from_secs(2);
/// The page that says that the store failed is waited for at most this long.
const LAST_PAGE_TIME: Duration = Duration::from_secs(5);

/// The driver's thread, and the news of its end.
pub struct DriverThread {
    ended: oneshot::Receiver<Result<(), String>>,
}

/// What the driver's thread is to run, made in it.
type Make = Box<dyn FnOnce() -> CommitLoop + Send>;

/// The driver's thread before it runs.
///
/// It also loads: the usual allocators keep memory by thread, so that what another thread loaded
/// and this one lets go would not be used again.
pub struct DriverThreadBegun {
    begin: mpsc::Sender<(Handle, Make)>,
    ended: oneshot::Receiver<Result<(), String>>,
}

impl DriverThreadBegun {
    /// Starts the thread; the second part is what it loaded.
    pub fn load<T: Send + 'static>(
        load: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<(Self, T)> {
        let (begin, begun) = mpsc::channel();
        let (tell, ended) = oneshot::channel();
        let (give, loaded) = mpsc::channel();
        let run = move || {
            // A start that fails meanwhile takes neither.
            let _gone = give.send(load());
            if let Ok((handle, make)) = begun.recv() {
                let _gone = tell.send(drive(handle, make));
            }
        };
        std::thread::Builder::new()
            .name("driver".to_owned())
            .spawn(run)
            .context("failed to start the driver's thread")?;
        let loaded = loaded.recv().context("the driver's thread ended")?;
        Ok((Self { begin, ended }, loaded))
    }

    /// Lets the thread run.
    pub fn run(self, handle: Handle, make: Make) -> DriverThread {
        // If it has gone its end is told.
        let _gone = self.begin.send((handle, make));
        DriverThread { ended: self.ended }
    }
}

fn drive(handle: Handle, make: Make) -> Result<(), String> {
    let _ending = Ending(handle);
    make().run().map_err(|error| error.to_string())
}

/// Should the driver panic, whoever comes later is refused instead of waiting for ever.
struct Ending(Handle);

impl Drop for Ending {
    fn drop(&mut self) {
        if self.0.ended().is_none() {
            let cause = "the driver had an internal error".to_owned();
            self.0.end(&Unavailable::StoreFailed(cause));
        }
    }
}

/// Waits until the process is told to stop, or the driver ends; then ends the rest.
pub async fn wait(
    signals: Option<Signals>,
    handle: &Handle,
    mut driver: DriverThread,
    mut servers: Servers,
    sender: &Sender,
) -> ExitCode {
    let has_failed = tokio::select! {
        ended = &mut driver.ended => {
            error!(error = ?ended, "the driver ended");
            // Requests that come meanwhile are refused with the reason.
            wait_for_last_page(sender).await;
            servers.stop().await;
            return ExitCode::from(1);
        }
        // Whoever looks after the process starts it again, with all its addresses.
        why = servers.failed() => {
            error!(error = %why, "a listening address is no longer served; exiting");
            true
        }
        () = told_to_stop(signals) => false,
    };
    info!("stopping: no more events are accepted");
    supervisor::tell_stopping();
    handle.set_intake(Intake::Stopping);
    let end = end_in_order(handle, driver, servers, sender);
    let code = tokio::time::timeout(STOP_TIME, end).await;
    let code = code.unwrap_or_else(|_| {
        warn!("not everything ended in time; the next start recovers");
        ExitCode::from(1)
    });
    if has_failed { ExitCode::from(1) } else { code }
}

async fn end_in_order(
    handle: &Handle,
    driver: DriverThread,
    servers: Servers,
    sender: &Sender,
) -> ExitCode {
    let landed = async {
        servers.stop().await;
        wait_for_flight(handle, sender).await;
    };
    if tokio::time::timeout(FLIGHT_TIME, landed).await.is_err() {
        warn!("some attempts did not end in time; they are repeated once after the next start");
    }
    handle.tell(Input::Stop);
    handle.finish();
    match tokio::time::timeout(COMMIT_TIME, driver.ended).await {
        Ok(Ok(Ok(()))) => {
            info!("stopped; everything accepted is durable");
            ExitCode::SUCCESS
        }
        Ok(result) => {
            error!(error = ?result, "the driver ended with an error");
            wait_for_last_page(sender).await;
            ExitCode::from(1)
        }
        Err(_) => {
            warn!("the last commit did not end in time; the next start recovers");
            ExitCode::from(1)
        }
    }
}

/// Keeps the store until the process is gone.
///
/// All that was accepted is durable by now. The database would write once more when it goes, which
/// on a disk that hangs has no end; the system lets go of its files and of the lock as well.
pub fn never_close(store: Arc<dyn Store>) {
    std::mem::forget(store);
}

/// The signals that ask the process to end, kept from the moment at which they are listened for.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens; before that a signal would end the process at once.
    pub fn listen() -> Option<Self> {
        match (
            signal(SignalKind::terminate()),
            signal(SignalKind::interrupt()),
        ) {
            (Ok(terminate), Ok(interrupt)) => Some(Self {
                terminate,
                interrupt,
            }),
            (Err(error), _) | (_, Err(error)) => {
                warn!(%error, "signals cannot be received; kill the process to stop it");
                None
            }
        }
    }
}

async fn told_to_stop(signals: Option<Signals>) {
    let Some(mut signals) = signals else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = signals.terminate.recv() => {}
        _ = signals.interrupt.recv() => {}
    }
}

/// Waits until attempts in flight have ended, so that the next start repeats as few as possible.
async fn wait_for_flight(handle: &Handle, sender: &Sender) {
    // What was answered a moment ago may still be on its way to a lane.
    let mut is_driver_there = handle.read(|_| ()).await.is_ok();
    while is_driver_there && sender.under_way() > 0 {
        sender.landed().await;
        is_driver_there = handle.ended().is_none();
    }
    // Their outcomes are in the queue now; a look behind them comes after their commit. If the
    // driver is gone, nothing can be recorded any more.
    let _gone = handle.read(|_| ()).await;
}

async fn wait_for_last_page(sender: &Sender) {
    let landed = tokio::time::timeout(LAST_PAGE_TIME, sender.last_landed()).await;
    if landed.is_err() {
        warn!("it is not known whether the last page was sent");
    }
}

/// Warns when messages carry links that only work on this machine.
pub fn warn_about_links(settings: &Settings, links: &Links) {
    let has_real_channel = settings
        .channels
        .iter()
        .any(|channel| channel.name.as_str() != crate::engine::ids::ChannelName::CONSOLE);
    if links.is_local() && has_real_channel {
        warn!(
            public_url = %settings.public_url,
            "LINKS IN PAGES ONLY WORK ON THIS MACHINE: set public_url to the URL at which people \
             reach Reveille"
        );
    }
}
