//! How the clients are set up: roots, proxy, time limits and idle connections.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::{Guard, permitted};
use crate::engine::time::Timestamp;

/// Tells the present; given from outside, so that tests can move it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Looking up, connecting and shaking hands take at most this long. Shorter than any deadline of
/// a request, so that a call that runs out of time has been handed over.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Providers close idle connections; one that is closed while we send looks like a lost message.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

/// To one provider of the settings; there are only so many of these. Connections to webhooks,
/// which may be any number of servers, are not kept at all.
pub const IDLE_CONNECTIONS_MAX: usize = 8;

pub const USER_AGENT: &str = concat!("Reveille/", env!("CARGO_PKG_VERSION"));

/// Whom to ask instead of connecting.
pub struct Proxy {
    /// `http://…` or `https://…`
    pub url: String,
    /// Domains, addresses and ranges that are connected to all the same.
    pub exempt: Vec<String>,
}

/// What the client needs to know.
pub struct HttpOptions {
    pub clock: Clock,
    /// Ranges that webhooks may reach beside public addresses.
    pub allow_networks: Vec<ipnet::IpNet>,
    /// For addresses that stand in the settings.
    pub proxy: Option<Proxy>,
    /// Certificates (DER) trusted beside those of the system.
    pub extra_roots: Vec<Vec<u8>>,
}

/// Why the client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error(
        "cannot set up TLS for outgoing calls; check SSL_CERT_FILE and the ca-certificates package"
    )]
    Tls(#[source] reqwest::Error),
    #[error("outbound.proxy cannot be used; write http://host:port")]
    Proxy(#[source] reqwest::Error),
}

pub fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .tls_info(true)
        // What providers answer is short; only pages that are fetched are decompressed.
        .gzip(false)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
}

/// Builds with the system's certificates. A machine without any can still call `http` addresses
/// and those whose roots are given; everything else then fails as a TLS trouble that is reported.
pub fn build(
    builder: impl Fn() -> reqwest::ClientBuilder,
    extra_roots: &[Vec<u8>],
) -> Result<reqwest::Client, SetupError> {
    let roots = extra_roots
        .iter()
        .map(|der| reqwest::Certificate::from_der(der))
        .collect::<Result<Vec<_>, _>>()
        .map_err(SetupError::Tls)?;
    match builder().tls_certs_merge(roots.clone()).build() {
        Ok(client) => Ok(client),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "no usable system certificates: every https call will fail; install the \
                 ca-certificates package or set SSL_CERT_FILE"
            );
            builder()
                .tls_certs_only(roots)
                .build()
                .map_err(SetupError::Tls)
        }
    }
}

pub fn proxy(proxy: &Proxy) -> Result<reqwest::Proxy, SetupError> {
    let exempt = reqwest::NoProxy::from_string(&proxy.exempt.join(","));
    let made = reqwest::Proxy::all(&proxy.url).map_err(SetupError::Proxy)?;
    Ok(made.no_proxy(exempt))
}

/// Installs `ring` as the process's TLS provider; harmless when it is installed already.
pub fn install_crypto_provider() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        // The error is the provider that somebody else has installed before.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Looks a name up once and gives on only the addresses that the guard permits; the connection
/// goes to these, so that a second look-up cannot bring another.
#[derive(Clone)]
pub struct GuardedResolver(pub Arc<Guard>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted = permitted(&guard, found)?;
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}
