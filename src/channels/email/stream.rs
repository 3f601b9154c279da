//! The bytes under a conversation with a relay, bounded: lettre reads a line to its end, however
//! long it is, so that a relay that never ends one would fill the memory.

use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::transport::smtp;
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::relay::{Failure, at};
use super::settings::{Settings, Tls};
use super::stage::Stage;
use crate::channels::{check, tls};
use crate::engine::outcome::Validity;

const CONNECT_TIME: Duration = Duration::from_secs(10);

/// What a relay may say on one connection, which carries 50 mails at most; usually it is 50 KB.
pub const BYTES_MAX: usize = 1024 * 1024;

/// How the conversation is kept secret.
pub enum Security {
    Clear,
    StartTls(TlsParameters),
    Implicit(TlsConnector),
}

impl Security {
    /// With trust in the system's authorities (`SSL_CERT_FILE` replaces them) and the given ones.
    pub fn new(settings: &Settings) -> Result<Self, check::Error> {
        let trust = |error: &dyn Error| {
            let problem = format!(
                "no certificate authorities to trust; install ca-certificates or set \
                 SSL_CERT_FILE ({error})"
            );
            check::Error::new(&settings.name, "tls", problem)
        };
        Ok(match settings.tls {
            Tls::None => Self::Clear,
            Tls::StartTls => {
                let made = parameters(&settings.host, &settings.extra_roots);
                Self::StartTls(made.map_err(|error| trust(&error))?)
            }
            Tls::Implicit => {
                let made = tls::connector(&settings.extra_roots);
                Self::Implicit(made.map_err(|error| trust(&error))?)
            }
        })
    }
}

fn parameters(host: &str, extra_roots: &[Vec<u8>]) -> Result<TlsParameters, smtp::Error> {
    let mut builder = TlsParametersBuilder::new(host.to_owned());
    for root in extra_roots {
        builder = builder.add_root_certificate(Certificate::from_der(root.clone())?);
    }
    builder.build_rustls()
}

/// A conversation that has begun.
pub struct Greeted {
    pub connection: AsyncSmtpConnection,
    /// Of the relay, if TLS came first.
    pub certificate: Option<Validity>,
}

/// Connects and greets; STARTTLS is left to the caller.
pub async fn connect(
    (host, port): (&str, u16),
    security: &Security,
    hello: &ClientId,
) -> Result<Greeted, Failure> {
    let mut certificate = None;
    let (tcp, peer) = reach(host, port).await.map_err(Failure::Stream)?;
    let stream: Box<dyn AsyncTokioStream> = match security {
        Security::Clear | Security::StartTls(_) => Box::new(Bounded::new(tcp, peer)),
        Security::Implicit(connector) => {
            // What comes before the first word of SMTP counts as well.
            let shaken = tls::shake_hands(host, connector, Bounded::new(tcp, peer)).await;
            let shaken = shaken.map_err(Failure::Stream)?;
            certificate = tls::validity(&shaken);
            Box::new(Bounded::new(shaken, peer))
        }
    };
    let connected = AsyncSmtpConnection::connect_with_transport(stream, hello);
    Ok(Greeted {
        connection: connected.await.map_err(at(Stage::Connect))?,
        certificate,
    })
}

/// Tries one address of the host after the other.
async fn reach(host: &str, port: u16) -> io::Result<(TcpStream, SocketAddr)> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in tokio::net::lookup_host((host, port)).await? {
        match tokio::time::timeout(CONNECT_TIME, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, address)),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "connection timed out"),
        }
    }
    Err(last)
}

/// A connection on which only so much more may come.
#[derive(Debug)]
struct Bounded<S> {
    stream: S,
    left: usize,
    peer: SocketAddr,
}

impl<S> Bounded<S> {
    fn new(stream: S, peer: SocketAddr) -> Self {
        Self {
            stream,
            left: BYTES_MAX,
            peer,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let read = buffer.filled().len() - before;
        match self.left.checked_sub(read) {
            Some(left) => self.left = left,
            None => {
                buffer.set_filled(before);
                return Poll::Ready(Err(io::Error::other("the relay sent more than 1 MiB")));
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S> AsyncTokioStream for Bounded<S>
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug,
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
