//! A certificate made for one test, and the server settings that present it.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A self-signed certificate; whoever trusts `der` trusts servers that present it.
pub struct Certificate {
    pub der: Vec<u8>,
    pub server: Arc<ServerConfig>,
}

impl Certificate {
    /// A certificate for this host name or address.
    pub fn for_name(name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let der = made.cert.der().to_vec();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(der.clone())], key)
            .unwrap();
        Self {
            der,
            server: Arc::new(server),
        }
    }
}
