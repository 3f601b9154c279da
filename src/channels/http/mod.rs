//! The guarded HTTP client: with its set-up the only place that knows reqwest.
//!
//! It follows no redirect, reads no proxy from the environment (one can be set for the addresses of
//! the settings), gives every call a deadline and keeps at most 64 KiB of an answer. Addresses that
//! came with the rules are called through the guard, those that an administrator configured are
//! not. It decides what a missing answer means; what an answer means is for the table in each
//! provider's folder.

mod call;
mod fault;
pub mod fetch;
pub mod guard;
mod setup;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time;

use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::tls::TlsInfo;
use secrecy::{ExposeSecret, SecretString};

pub use reqwest::Method;

pub use self::call::{Answer, Auth, BODY_BYTES_MAX, Reach};
pub use self::fault::Fault;
use self::fault::Stage;
use self::guard::{Guard, Refused};
pub use self::setup::{
    Clock, HttpOptions, IDLE_CONNECTIONS_MAX, Proxy, SetupError, install_crypto_provider,
};
use self::setup::{GuardedResolver, build, builder, proxy};
use crate::channels::cancel::{CancelToken, Cancelled, Tested};
use crate::channels::certificate;
use crate::channels::retry_after;
use crate::engine::outcome::Outcome;
use crate::engine::time::{Duration, Timestamp};

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
        let deadline = time::Duration::from_millis(request.deadline.0);
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
                Err(Fault::new(
                    Outcome::Unknown,
                    format!("no answer within {seconds} s"),
                ))
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
    literal(guard, url).map_err(|refused| Fault::of_address(refused.to_string()))
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

/// Whether this is an address that can be called at all: `http` or `https`, a host, no user name.
pub fn check_url(url: &str) -> Result<reqwest::Url, Fault> {
    // The address is not repeated: it may hold a secret.
    parse_url(url).map_err(|problem| Fault::of_address(format!("the URL {problem}")))
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
    let fault = || {
        let words = format!("the header {name:?} or its value cannot be sent");
        Fault::new(Outcome::RefusedCredential, words)
    };
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

fn fault(error: reqwest::Error) -> Fault {
    if error.is_builder() {
        return Fault::of_address(error.without_url().to_string());
    }
    let stage = if error.is_connect() || error.is_dns() {
        Stage::Connecting
    } else {
        Stage::Connected
    };
    Fault::of(stage, &error.without_url())
}

#[cfg(test)]
mod tests;
