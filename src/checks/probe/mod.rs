//! One try of a check: a request, a connection, a handshake or a look-up, through the same guard
//! as webhooks.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time;

use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::channels::http::guard::{Guard, permitted};
use crate::channels::http::{Answer, Auth, Http, HttpOptions, Method, Reach, Request, SetupError};
use crate::channels::tls;
use crate::engine::outcome::{Outcome, Validity};
use crate::engine::own_check::{CheckTarget, HostPort, HttpCheck, OwnCheck};
use crate::engine::time::Duration;
use crate::runtime::clock::Clock;

/// What tries checks. One for the process; shared.
pub struct CheckProbe {
    http: Http,
    guard: Arc<Guard>,
    /// What shakes hands, or why nothing does.
    tls: Result<TlsConnector, String>,
    clock: Clock,
}

/// What came of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriedCheck {
    /// What was answered, or why that is not good.
    pub found: Result<String, CheckFault>,
    pub took: Duration,
}

/// Why a try failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFault {
    pub why: String,
    /// Nothing was reached: our own network may be the reason.
    pub is_unreached: bool,
}

impl CheckFault {
    fn answered(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_unreached: false,
        }
    }

    fn unreached(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            is_unreached: true,
        }
    }
}

impl From<io::Error> for CheckFault {
    fn from(error: io::Error) -> Self {
        Self::unreached(error.to_string())
    }
}

impl CheckProbe {
    pub fn new(options: HttpOptions, clock: Clock) -> Result<Self, SetupError> {
        let tls = tls::connector(&options.extra_roots);
        let http = Http::new(options)?;
        Ok(Self {
            guard: http.guard().clone(),
            http,
            tls: tls.map_err(|error| error.to_string()),
            clock,
        })
    }

    /// Tries a check once.
    pub async fn once(&self, check: &OwnCheck) -> TriedCheck {
        let began = self.clock.monotonic();
        let limit = time::Duration::from_millis(check.timeout.0);
        let found = tokio::time::timeout(limit, self.look(check)).await;
        let found = found.unwrap_or_else(|_| {
            let why = format!("no answer within {}", check.timeout);
            Err(CheckFault::unreached(why))
        });
        let took = Duration(self.clock.monotonic().0.saturating_sub(began.0));
        let found = match (&check.target, found) {
            (CheckTarget::Http(http), Ok(said)) => in_time(http, took, said),
            (_, found) => found,
        };
        TriedCheck { found, took }
    }

    async fn look(&self, check: &OwnCheck) -> Result<String, CheckFault> {
        match &check.target {
            CheckTarget::Http(http) => self.http(http, check.timeout).await,
            CheckTarget::Tcp(at) => {
                self.connect(at).await?;
                Ok("connected".to_owned())
            }
            CheckTarget::Tls { at, certificate } => self.tls(at, *certificate).await,
            CheckTarget::Dns { name, address } => self.dns(name, *address).await,
        }
    }

    async fn http(&self, check: &HttpCheck, deadline: Duration) -> Result<String, CheckFault> {
        let request = Request {
            method: Method::GET,
            url: &check.url,
            reach: Reach::Guarded,
            auth: Auth::None,
            headers: Vec::new(),
            body: Vec::new(),
            deadline,
        };
        let answer = self.http.call(request).await.map_err(|fault| CheckFault {
            why: fault.to_string(),
            is_unreached: matches!(fault.outcome, Outcome::Transient | Outcome::Unknown),
        })?;
        self.answered(check, &answer)
    }

    fn answered(&self, check: &HttpCheck, answer: &Answer) -> Result<String, CheckFault> {
        let (first, last) = (check.status.start(), check.status.end());
        if !check.status.contains(&answer.status) {
            let wanted = match first == last {
                true => first.to_string(),
                false => format!("{first}–{last}"),
            };
            let why = format!("{} instead of {wanted}", answer.status);
            return Err(CheckFault::answered(why));
        }
        if let Some(body) = &check.body
            && !answer.text().contains(&**body)
        {
            let why = match answer.is_whole {
                true => format!("the body does not contain {body:?}"),
                false => format!("as far as it was read, the body does not contain {body:?}"),
            };
            return Err(CheckFault::answered(why));
        }
        self.lasts(check.certificate, answer.certificate)?;
        Ok(answer.status.to_string())
    }

    /// Whether a certificate is good for so long at least.
    fn lasts(&self, least: Option<Duration>, shown: Option<Validity>) -> Result<(), CheckFault> {
        let Some(least) = least else {
            return Ok(());
        };
        let Some(shown) = shown else {
            return Err(CheckFault::answered("its certificate cannot be read"));
        };
        if shown.ends >= self.http.now() + least {
            return Ok(());
        }
        let why = format!("the certificate ends at {}, within {least}", shown.ends);
        Err(CheckFault::answered(why))
    }

    /// The addresses of a host that the guard permits, at least one.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, CheckFault> {
        let found = lookup_host((host, port)).await?;
        let permitted = permitted(&self.guard, found);
        let permitted = permitted.map_err(|refused| CheckFault::answered(refused.to_string()))?;
        match permitted.is_empty() {
            true => Err(CheckFault::unreached("the name has no address")),
            false => Ok(permitted),
        }
    }

    /// Tries one address of the host after the other.
    async fn connect(&self, at: &HostPort) -> Result<TcpStream, CheckFault> {
        let mut last = CheckFault::unreached("the name has no address");
        for address in self.addresses(&at.host, at.port).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error.into(),
            }
        }
        Err(last)
    }

    async fn tls(&self, at: &HostPort, least: Option<Duration>) -> Result<String, CheckFault> {
        let connector = self.tls.as_ref().map_err(|why| {
            let why = format!(
                "no certificate authorities to trust; install ca-certificates or set \
                 SSL_CERT_FILE ({why})"
            );
            CheckFault::answered(why)
        })?;
        let stream = self.connect(at).await?;
        let shaken = tls::shake_hands(&at.host, connector, stream).await;
        let shaken = shaken.map_err(|error| CheckFault::answered(format!("TLS: {error}")))?;
        let validity = tls::validity(&shaken);
        self.lasts(least, validity)?;
        Ok(match validity {
            Some(validity) => format!("the certificate is good until {}", validity.ends),
            None => "shook hands".to_owned(),
        })
    }

    async fn dns(&self, name: &str, wanted: Option<IpAddr>) -> Result<String, CheckFault> {
        let mut found: Vec<IpAddr> = Vec::new();
        for address in self.addresses(name, 0).await? {
            if !found.contains(&address.ip()) {
                found.push(address.ip());
            }
        }
        let shown: Vec<String> = found.iter().take(5).map(ToString::to_string).collect();
        let shown = shown.join(", ");
        match wanted {
            Some(wanted) if !found.contains(&wanted) => {
                Err(CheckFault::answered(format!("{shown} instead of {wanted}")))
            }
            _ => Ok(shown),
        }
    }
}

fn in_time(check: &HttpCheck, took: Duration, said: String) -> Result<String, CheckFault> {
    match check.latency {
        Some(latency) if took > latency => Err(CheckFault::answered(format!(
            "answered after {} ms, more than {latency}",
            took.0
        ))),
        _ => Ok(said),
    }
}

#[cfg(test)]
mod tests;
