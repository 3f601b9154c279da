//! The self-audit, every minute: stuck incidents, late timers, failing channels, space on disk. The
//! outside heartbeat is called only after a clean audit.

use std::sync::Arc;

use tracing::{error, warn};

use crate::channels::Pending;
use crate::engine::audit::{Audit, audit};
use crate::engine::cause::Cause;
use crate::engine::incident::SelfIncident;
use crate::engine::input::Input;
use crate::engine::time::Timestamp;
use crate::runtime::handle::{Handle, Intake, Unavailable};
use crate::runtime::lane_watch::Stalled;
use crate::runtime::room::report_disk;
use crate::store::{Retention, Store};

/// Batches of history that one minute purges at the most.
const PURGES_MAX: usize = 200;

/// Calls the outside heartbeat.
pub type Heartbeat = Arc<dyn Fn() -> Pending<'static, Result<(), String>> + Send + Sync>;

/// Told of each audit, whether nothing at all is wrong, and of the free bytes on disk.
pub type OnAudit = Arc<dyn Fn(&Audit, bool, Option<u64>) + Send + Sync>;

/// What the watch looks at.
#[derive(Clone)]
pub struct Watch {
    pub handle: Handle,
    pub store: Arc<dyn Store>,
    /// Below so many free bytes a self-incident is raised.
    pub disk_warn_bytes: u64,
    /// Below so many free bytes events are refused; acknowledgments, outcomes and timers go on.
    pub disk_min_bytes: u64,
    pub retention: Retention,
    /// The channels whose attempts do not begin or do not end.
    pub stalled: Stalled,
    /// `None` when no address is configured.
    pub heartbeat: Option<Heartbeat>,
    /// For metrics.
    pub on_audit: OnAudit,
}

impl Watch {
    /// One round. Whether the heartbeat was called.
    pub async fn round(&self) -> Result<bool, Unavailable> {
        self.handle.command(Input::Minute).await?;
        let free = self.look_at_disk().await?;
        let (found, past) = self
            .handle
            .read(|view| {
                let found = audit(view.state, view.rules, view.now);
                (found, view.state.past(view.now.wall))
            })
            .await?;
        let is_space = free.is_none_or(|free| free >= self.disk_min_bytes);
        let is_flowing = self.stalled.is_clean();
        let is_clean = found.is_clean() && is_space && is_flowing;
        (self.on_audit)(&found, is_clean, free);
        self.handle.command(report_stuck(&found)).await?;
        self.purge(past).await;
        if !is_clean {
            let what = "the self-audit is not clean; the heartbeat is withheld";
            warn!(
                audit.found = ?found,
                disk.has_room = is_space,
                channels.flow = is_flowing,
                "{what}"
            );
            return Ok(false);
        }
        let Some(heartbeat) = &self.heartbeat else {
            return Ok(false);
        };
        if let Err(cause) = heartbeat().await {
            warn!(error = %cause, "the outside heartbeat was not accepted");
        }
        Ok(true)
    }

    async fn look_at_disk(&self) -> Result<Option<u64>, Unavailable> {
        let Some(free) = self.store.free_bytes() else {
            return Ok(None);
        };
        let (is_low, input) = report_disk(free, self.disk_warn_bytes, self.disk_min_bytes);
        self.handle.set_intake(if is_low {
            Intake::DiskLow
        } else {
            Intake::Open
        });
        self.handle.command(input).await?;
        Ok(Some(free))
    }

    /// Removes history that is too old at this moment, in small batches beside the live traffic.
    async fn purge(&self, now: Timestamp) {
        let (store, retention) = (self.store.clone(), self.retention);
        let (_, partition) = self.handle.store();
        let purge = move || -> Result<(), crate::store::Error> {
            for _ in 0..PURGES_MAX {
                if !store.purge(partition, &retention, now)?.is_more {
                    break;
                }
            }
            Ok(())
        };
        match tokio::task::spawn_blocking(purge).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "history was not purged"),
            Err(error) => warn!(%error, "the purge had an internal error"),
        }
    }
}

/// What an audit says of stuck incidents.
pub fn report_stuck(audit: &Audit) -> Input {
    let trouble = SelfIncident::new(Cause::AuditStuck, "");
    if audit.stuck.is_empty() {
        return Input::Clear { trouble };
    }
    error!(incident.ids = ?audit.stuck, "incidents are stuck");
    let numbers = audit.stuck.iter().take(10);
    let numbers: Vec<String> = numbers.map(|number| format!("#{number}")).collect();
    let text = format!(
        "{} incidents are stuck with nothing scheduled: {}",
        audit.stuck.len(),
        numbers.join(" ")
    );
    Input::Raise {
        trouble,
        text: text.into(),
    }
}
