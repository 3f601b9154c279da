//! What is measured of clients: their connections, by listener, and the bodies of their requests,
//! by whether the sender is known.

use super::{Metrics, at, signed};

impl Metrics {
    /// A client connected.
    pub fn connection_opened(&self, listener: &'static str) {
        at(&self.connections.open, [("listener", listener)]).inc();
    }

    /// A connection of a client ended.
    pub fn connection_closed(&self, listener: &'static str) {
        at(&self.connections.open, [("listener", listener)]).dec();
    }

    /// As many clients are connected as may be.
    pub fn connections_full(&self, listener: &'static str) {
        at(&self.connections.full, [("listener", listener)]).inc();
    }

    /// A client was not let in.
    pub fn connection_refused(&self, listener: &'static str, why: &'static str) {
        at(
            &self.connections.refused,
            [("listener", listener), ("why", why)],
        )
        .inc();
    }

    /// A client did not come as far as its first request.
    pub fn handshake_failed(&self, listener: &'static str, why: &'static str) {
        at(
            &self.connections.handshakes,
            [("listener", listener), ("why", why)],
        )
        .inc();
    }

    /// The system gave no connection to a listener.
    pub fn accept_failed(&self, listener: &'static str) {
        at(&self.connections.accepts_failed, [("listener", listener)]).inc();
    }

    /// A connection was ended to make room for another.
    pub fn connection_gave_way(&self, listener: &'static str, was: &'static str) {
        at(
            &self.connections.gave_way,
            [("listener", listener), ("was", was)],
        )
        .inc();
    }

    /// When the certificate of a listener expires.
    pub fn set_certificate_end(&self, listener: &'static str, seconds: i64) {
        at(&self.connections.certificates, [("listener", listener)]).set(seconds);
    }

    /// More bytes of bodies are held in a pool.
    pub fn body_bytes_held(&self, pool: &'static str, bytes: usize) {
        at(&self.body_bytes, [("pool", pool)]).inc_by(signed(bytes));
    }

    /// Bytes of bodies were given back to a pool.
    pub fn body_bytes_freed(&self, pool: &'static str, bytes: usize) {
        at(&self.body_bytes, [("pool", pool)]).dec_by(signed(bytes));
    }

    /// A request was refused because its pool has no room.
    pub fn body_refused(&self, pool: &'static str) {
        at(&self.bodies_refused, [("pool", pool)]).inc();
    }
}
