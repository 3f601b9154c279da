//! TLS over a connection that stands: whose word is trusted, and the handshake.

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::channels::certificate;
use crate::engine::outcome::Validity;

/// What shakes hands, with trust in the system's authorities (`SSL_CERT_FILE` replaces them) and
/// the given ones (DER).
pub fn connector(extra_roots: &[Vec<u8>]) -> Result<TlsConnector, rustls::Error> {
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

/// Shakes hands with a host of this name.
pub async fn shake_hands<S: AsyncRead + AsyncWrite + Unpin>(
    host: &str,
    tls: &TlsConnector,
    stream: S,
) -> io::Result<TlsStream<S>> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    tls.connect(name, stream).await
}

/// How long the certificate of the other side is good.
pub fn validity<S>(stream: &TlsStream<S>) -> Option<Validity> {
    let chain = stream.get_ref().1.peer_certificates();
    chain.and_then(|chain| certificate::validity(chain.first()?))
}
