//! The right to one connection of a listening address, counted in the metrics until it is dropped.

use std::sync::Arc;

use super::places::Place;
use crate::telemetry::Metrics;

/// The right to a connection; free again when it is dropped.
pub struct ConnectionPermit {
    place: Arc<Place>,
    /// The setting that names the address, for the metrics.
    name: &'static str,
    metrics: Arc<Metrics>,
}

impl ConnectionPermit {
    /// Counts a connection of this address.
    pub fn take(place: Place, name: &'static str, metrics: &Arc<Metrics>) -> Self {
        metrics.connection_opened(name);
        Self {
            place: Arc::new(place),
            name,
            metrics: metrics.clone(),
        }
    }

    /// The place among the connections of the address.
    pub fn place(&self) -> &Arc<Place> {
        &self.place
    }

    /// Counts that the client did not come as far as its first request.
    pub fn handshake_failed(&self, why: &'static str) {
        self.metrics.handshake_failed(self.name, why);
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.metrics.connection_closed(self.name);
    }
}
