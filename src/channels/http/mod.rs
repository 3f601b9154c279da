//! The guarded HTTP client: the only place that knows reqwest.
//!
//! It follows no redirect, reads no proxy from the environment (one can be set for the addresses of
//! the settings), gives every call a deadline and keeps at most 64 KiB of an answer. Addresses that
//! came with the rules are called through the guard, those that an administrator configured are
//! not. It decides what a missing answer means; what an answer means is for the tables in
//! `outcome.rs`.

mod fault;
pub mod guard;

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::tls::TlsInfo;
use secrecy::{ExposeSecret, SecretString};

pub use reqwest::Method;

pub use self::fault::Fault;
use self::fault::Stage;
use self::guard::{Guard, Refused};
use crate::channels::cancel::{CancelToken, Cancelled, Tested};
use crate::channels::certificate;
use crate::channels::retry_after;
use crate::engine::outcome::Validity;
use crate::engine::time::{Duration, Timestamp};

/// Tells the present; given from outside, so that tests can move it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Bytes kept of an answer.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// Looking up, connecting and shaking hands take at most this long. Shorter than any deadline of
/// a request, so that a call that runs out of time has been handed over.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// Providers close idle connections; one that is closed while we send looks like a lost message.
const IDLE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);

/// To one provider of the settings; there are only so many of these. Connections to webhooks,
/// which may be any number of servers, are not kept at all.
pub const IDLE_CONNECTIONS_MAX: usize = 8;

const USER_AGENT: &str = concat!("Reveille/", env!("CARGO_PKG_VERSION"));

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

/// Whether the address of a call is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The address stands in the settings of the process: any network.
    Configured,
    /// The address came with the rules: public networks and those that are opened.
    Guarded,
}

impl Reach {
    /// An address that cannot be called is the fault of whoever wrote it down.
    fn blamed(self, fault: Fault) -> Fault {
        match (self, fault) {
            (Self::Configured, Fault::Address(words)) => Fault::Own(words),
            (Self::Configured | Self::Guarded, fault) => fault,
        }
    }
}

/// How a call says who we are.
#[derive(Clone, Copy, Default)]
pub enum Auth<'call> {
    #[default]
    None,
    Bearer(&'call SecretString),
    Basic {
        user: &'call str,
        password: &'call SecretString,
    },
}

/// One call.
pub struct Request<'call> {
    pub method: Method,
    pub url: &'call str,
    pub reach: Reach,
    pub auth: Auth<'call>,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// For the whole call, the answer's body included.
    pub deadline: Duration,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// What `Retry-After` asks for, if it is there.
    pub retry_after: Option<Duration>,
    /// The first [`BODY_BYTES_MAX`] bytes.
    pub body: Vec<u8>,
    /// Whether the body is complete: neither too large, nor cut off, nor too late.
    pub is_whole: bool,
    /// Of the server, over TLS.
    pub certificate: Option<Validity>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, if it is complete and is JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        let body = self.is_whole.then_some(&self.body)?;
        serde_json::from_slice(body).ok()
    }
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

/// The client. One for the process; shared.
pub struct Http {
    configured: reqwest::Client,
    guarded: reqwest::Client,
    guard: Arc<Guard>,
    clock: Clock,
}

impl Http {
    /// A client that trusts the system's certificates (`SSL_CERT_FILE` is honoured).
    pub fn new(options: HttpOptions) -> Result<Self, SetupError> {
        install_crypto_provider();
        let guard = Arc::new(Guard::new(options.allow_networks));
        let resolver = GuardedResolver(Arc::clone(&guard));
        let guarded = || {
            let builder = builder().no_proxy().dns_resolver(resolver.clone());
            builder.pool_max_idle_per_host(0)
        };
        let proxy = options.proxy.as_ref().map(proxy).transpose()?;
        let configured = || match &proxy {
            Some(proxy) => builder().proxy(proxy.clone()),
            None => builder().no_proxy(),
        };
        Ok(Self {
            configured: build(configured, &options.extra_roots)?,
            guarded: build(guarded, &options.extra_roots)?,
            guard,
            clock: options.clock,
        })
    }

    /// The present, as the clock tells it.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Makes one call. An answer with any status is an answer.
    pub async fn call(&self, request: Request<'_>) -> Result<Answer, Fault> {
        self.run(request, |body| body).await
    }

    /// Makes one call whose body is a message that may be withdrawn: the token is tested last when
    /// the connection stands and is to take the body's first byte.
    pub async fn call_marked(
        &self,
        request: Request<'_>,
        mark: &CancelToken,
    ) -> Result<Result<Answer, Fault>, Cancelled> {
        mark.test()?;
        let mut kept_back = Arc::default();
        let test = |body| {
            let (tested, shared) = Tested::new(body, mark);
            kept_back = shared;
            reqwest::Body::wrap(tested)
        };
        let result = self.run(request, test).await;
        if kept_back.load(Ordering::SeqCst) {
            return Err(Cancelled);
        }
        Ok(result)
    }

    async fn run(
        &self,
        request: Request<'_>,
        wrap: impl FnOnce(reqwest::Body) -> reqwest::Body,
    ) -> Result<Answer, Fault> {
        let deadline = std::time::Duration::from_millis(request.deadline.0);
        let reach = request.reach;
        let url = check_url(request.url).map_err(|fault| reach.blamed(fault))?;
        let client = match reach {
            Reach::Configured => &self.configured,
            Reach::Guarded => {
                check_literal(&self.guard, &url)?;
                &self.guarded
            }
        };
        let call = prepare(client, url, request, wrap)?;
        let mut answer = None;
        let exchange = self.exchange(call, &mut answer);
        let ended = tokio::time::timeout(deadline, exchange).await;
        match (answer, ended) {
            (Some(answer), _) => Ok(answer),
            (None, Ok(Err(error))) => Err(reach.blamed(fault(error))),
            (None, Ok(Ok(())) | Err(_)) => {
                let seconds = deadline.as_secs_f32();
                Err(Fault::NoAnswer(format!("no answer within {seconds} s")))
            }
        }
    }

    /// Fills in `answer` as it arrives, so that a status is not lost with its body.
    async fn exchange(
        &self,
        call: reqwest::RequestBuilder,
        answer: &mut Option<Answer>,
    ) -> Result<(), reqwest::Error> {
        let mut response = call.send().await?;
        let retry_after = response.headers().get(RETRY_AFTER).map(|header| {
            let header = header.to_str().unwrap_or("");
            retry_after::wait(header, self.now())
        });
        let shaken = response.extensions().get::<TlsInfo>();
        let certificate = shaken.and_then(|tls| certificate::validity(tls.peer_certificate()?));
        let answer = answer.insert(Answer {
            status: response.status().as_u16(),
            retry_after,
            body: Vec::new(),
            is_whole: false,
            certificate,
        });
        while let Some(chunk) = response.chunk().await? {
            let room = BODY_BYTES_MAX - answer.body.len();
            answer.body.extend(chunk.iter().take(room));
            if chunk.len() > room {
                return Ok(());
            }
        }
        answer.is_whole = true;
        Ok(())
    }

    /// What guarded calls may reach.
    pub fn guard(&self) -> &Arc<Guard> {
        &self.guard
    }
}

/// A host that is an address is never looked up, so the resolver does not see it.
fn check_literal(guard: &Guard, url: &reqwest::Url) -> Result<(), Fault> {
    literal(guard, url).map_err(|refused| Fault::Address(refused.to_string()))
}

/// Whether a guarded call may go where this address leads without being looked up.
pub fn literal(guard: &Guard, url: &reqwest::Url) -> Result<(), Refused> {
    let host = url.host_str().unwrap_or("");
    let host = host.trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) => guard.check(address),
        Err(_) => Ok(()),
    }
}

fn proxy(proxy: &Proxy) -> Result<reqwest::Proxy, SetupError> {
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

/// Whether this is an address that can be called at all: `http` or `https`, a host, no user name.
pub fn check_url(url: &str) -> Result<reqwest::Url, Fault> {
    // The address is not repeated: it may hold a secret.
    parse_url(url).map_err(|problem| Fault::Address(format!("the URL {problem}")))
}

/// The same, with what goes on after "the URL".
pub fn parse_url(url: &str) -> Result<reqwest::Url, &'static str> {
    let parsed =
        reqwest::Url::parse(url).map_err(|_| "cannot be parsed; write it as https://host/path")?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err("starts with neither http:// nor https://");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("contains a user name or password");
    }
    match parsed.host_str() {
        Some(host) if !host.is_empty() => Ok(parsed),
        _ => Err("has no host"),
    }
}

/// Whether a bearer token can be sent.
pub fn check_bearer(token: &SecretString) -> Result<(), Fault> {
    check_header(AUTHORIZATION.as_str(), &bearer(token))
}

fn bearer(token: &SecretString) -> String {
    format!("Bearer {}", token.expose_secret())
}

/// Whether a header can be sent.
pub fn check_header(name: &str, value: &str) -> Result<(), Fault> {
    header(name, value).map(|_| ())
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Fault> {
    let fault = || Fault::Own(format!("the header {name:?} or its value cannot be sent"));
    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| fault())?;
    let mut value = HeaderValue::from_str(value).map_err(|_| fault())?;
    // Any of them may be a key.
    value.set_sensitive(true);
    Ok((header, value))
}

fn prepare(
    client: &reqwest::Client,
    url: reqwest::Url,
    request: Request<'_>,
    wrap: impl FnOnce(reqwest::Body) -> reqwest::Body,
) -> Result<reqwest::RequestBuilder, Fault> {
    let mut call = client.request(request.method, url);
    for (name, value) in &request.headers {
        let (name, value) = header(name, value)?;
        call = call.header(name, value);
    }
    call = match request.auth {
        Auth::None => call,
        Auth::Bearer(token) => {
            let (name, value) = header(AUTHORIZATION.as_str(), &bearer(token))?;
            call.header(name, value)
        }
        Auth::Basic { user, password } => call.basic_auth(user, Some(password.expose_secret())),
    };
    Ok(if request.body.is_empty() {
        call
    } else {
        call.body(wrap(request.body.into()))
    })
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .tls_info(true)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
}

/// Builds with the system's certificates. A machine without any can still call `http` addresses
/// and those whose roots are given; everything else then fails as a TLS trouble that is reported.
fn build(
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

fn fault(error: reqwest::Error) -> Fault {
    if error.is_builder() {
        return Fault::Address(error.without_url().to_string());
    }
    let stage = if error.is_connect() || error.is_dns() {
        Stage::Connecting
    } else {
        Stage::Connected
    };
    Fault::of(stage, &error.without_url())
}

/// Looks a name up once and gives on only the addresses that the guard permits; the connection
/// goes to these, so that a second look-up cannot bring another.
#[derive(Clone)]
struct GuardedResolver(Arc<Guard>);

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

/// The permitted ones; if there is none, why the last was refused.
fn permitted(
    guard: &Guard,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, Refused> {
    let mut refused = None;
    let permitted: Vec<SocketAddr> = found
        .filter(|address| match guard.check(address.ip()) {
            Ok(()) => true,
            Err(error) => {
                refused = Some(error);
                false
            }
        })
        .collect();
    match refused {
        Some(refused) if permitted.is_empty() => Err(refused),
        Some(_) | None => Ok(permitted),
    }
}

#[cfg(test)]
mod tests;
