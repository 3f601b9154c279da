//! A connection that was let in and has said nothing yet; where the address has TLS, hands are
//! shaken first, by the connection's own task.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::connection::{Connection, Stream, Timeouts};
use super::permit::ConnectionPermit;
use super::places::Place;

/// A connection that was just made.
pub struct Arrival {
    pub stream: TcpStream,
    pub tls: Option<TlsAcceptor>,
    pub timeouts: Timeouts,
    pub permit: ConnectionPermit,
}

impl Arrival {
    /// Its place among the connections of the address.
    pub fn place(&self) -> &Arc<Place> {
        self.permit.place()
    }

    /// Shakes hands where that is asked for; whoever does not within the time of a head is gone.
    pub async fn shake_hands(self) -> Option<Connection> {
        let stream: Box<dyn Stream> = match self.tls {
            None => Box::new(self.stream),
            Some(tls) => {
                let shaking = tls.accept(self.stream);
                match tokio::time::timeout(self.timeouts.head, shaking).await {
                    Ok(Ok(stream)) => Box::new(stream),
                    Ok(Err(error)) => {
                        // Whoever scans ports does not fill the log.
                        debug!(%error, "no TLS with a client");
                        self.permit.handshake_failed("refused");
                        return None;
                    }
                    Err(_) => {
                        self.permit.handshake_failed("slow");
                        return None;
                    }
                }
            }
        };
        Some(Connection::new(stream, self.timeouts, self.permit))
    }
}
