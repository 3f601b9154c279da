//! What the driver and the lanes do, as metrics.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::ids::ChannelName;
use crate::engine::records::Receipt;
use crate::engine::time::Millis;
use crate::runtime::sender::OnOutcome;
use crate::runtime::thread::Observer;
use crate::telemetry::Metrics;

/// Counts commits and receipts.
pub struct Meter {
    metrics: Arc<Metrics>,
}

impl Meter {
    /// A meter that writes here.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics }
    }
}

impl Observer for Meter {
    fn committed(&self, changes: usize, took: Millis) {
        let changes = u32::try_from(changes).unwrap_or(u32::MAX);
        self.metrics.commit(Duration::from_millis(took.0), changes);
    }

    fn received(&self, receipts: &[Arc<Receipt>]) {
        for receipt in receipts {
            self.metrics.receipt(receipt.disposition.as_str());
        }
    }
}

/// Counts outcomes of attempts.
pub fn on_outcome(metrics: Arc<Metrics>) -> OnOutcome {
    Arc::new(move |channel, outcome, took| {
        metrics.attempt(
            channel.as_str(),
            outcome.as_str(),
            Duration::from_millis(took.0),
        );
    })
}

/// Counts delivery reports that are not believed.
pub fn on_refused_report(metrics: Arc<Metrics>) -> Arc<dyn Fn(&ChannelName) + Send + Sync> {
    Arc::new(move |channel| metrics.report_refused(channel.as_str()))
}
