//! The bytes under a conversation with a relay, bounded: lettre reads a line to its end, however
//! long it is, so that a relay that never ends one would fill the memory.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::transport::smtp;
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::extension::ClientId;
use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::settings::{Error, Settings, Tls};
use crate::channels::certificate;
use crate::engine::outcome::Validity;

const CONNECT_TIME: Duration = Duration::from_secs(10);

/// What a relay may say on one connection, which carries 50 mails at most; usually it is 50 KB.
pub const BYTES_MAX: usize = 1024 * 1024;

/// Why there is no conversation.
pub enum Broken {
    Stream(io::Error),
    Smtp(smtp::Error),
}

/// How the conversation is kept secret.
pub enum Security {
    Clear,
    StartTls(TlsParameters),
    Implicit(TlsConnector),
}

impl Security {
    /// With trust in the system's authorities (`SSL_CERT_FILE` replaces them) and the given ones.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let trust = |source| Error::Trust {
            channel: settings.name.clone(),
            source,
        };
        Ok(match settings.tls {
            Tls::None => Self::Clear,
            Tls::StartTls => {
                let made = parameters(&settings.host, &settings.extra_roots);
                Self::StartTls(made.map_err(|error| trust(error.into()))?)
            }
            Tls::Implicit => {
                let made = connector(&settings.extra_roots);
                Self::Implicit(made.map_err(|error| trust(error.into()))?)
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

fn connector(extra_roots: &[Vec<u8>]) -> Result<TlsConnector, rustls::Error> {
    let provider = Arc::new(default_provider());
    let roots = extra_roots.iter().cloned().map(CertificateDer::from);
    let verifier = Verifier::new_with_extra_roots(roots, provider.clone())?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
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
) -> Result<Greeted, Broken> {
    let mut certificate = None;
    let tcp = Bounded {
        stream: reach(host, port).await.map_err(Broken::Stream)?,
        left: BYTES_MAX,
    };
    let stream: Box<dyn AsyncTokioStream> = match security {
        Security::Clear | Security::StartTls(_) => Box::new(tcp),
        Security::Implicit(tls) => {
            let shaken = shake_hands(host, tls, tcp).await;
            let shaken = shaken.map_err(Broken::Stream)?;
            let chain = shaken.get_ref().1.peer_certificates();
            certificate = chain.and_then(|chain| certificate::validity(chain.first()?));
            Box::new(Wrapped(shaken))
        }
    };
    let connected = AsyncSmtpConnection::connect_with_transport(stream, hello);
    Ok(Greeted {
        connection: connected.await.map_err(Broken::Smtp)?,
        certificate,
    })
}

async fn shake_hands(
    host: &str,
    tls: &TlsConnector,
    stream: Bounded,
) -> io::Result<TlsStream<Bounded>> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    tls.connect(name, stream).await
}

/// Tries one address of the host after the other.
async fn reach(host: &str, port: u16) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in tokio::net::lookup_host((host, port)).await? {
        match tokio::time::timeout(CONNECT_TIME, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "connection timed out"),
        }
    }
    Err(last)
}

/// A connection on which only so much more may come.
#[derive(Debug)]
struct Bounded {
    stream: TcpStream,
    left: usize,
}

impl AsyncRead for Bounded {
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

impl AsyncWrite for Bounded {
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

impl AsyncTokioStream for Bounded {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

/// TLS over such a connection.
#[derive(Debug)]
struct Wrapped(TlsStream<Bounded>);

impl AsyncRead for Wrapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl AsyncTokioStream for Wrapped {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}
