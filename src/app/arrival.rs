//! A connection that was let in and has said nothing yet; where the address has TLS, hands are
//! shaken first, by the connection's own task.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tracing::debug;

use super::connection::{Connection, Timeouts};
use super::listener::ConnectionPermit;
use super::places::Place;

/// What bytes come and go over.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<Any: AsyncRead + AsyncWrite + Send + Unpin> Stream for Any {}

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
        let Some(tls) = self.tls else {
            return Some(Connection::new(
                Box::new(self.stream),
                self.timeouts,
                self.permit,
            ));
        };
        let shaking = tls.accept(self.stream);
        match tokio::time::timeout(self.timeouts.head, shaking).await {
            Ok(Ok(stream)) => Some(Connection::new(
                Box::new(stream),
                self.timeouts,
                self.permit,
            )),
            Ok(Err(error)) => {
                // Whoever scans ports does not fill the log.
                debug!(%error, "no TLS with a client");
                self.permit.handshake_failed("refused");
                None
            }
            Err(_) => {
                self.permit.handshake_failed("slow");
                None
            }
        }
    }
}
