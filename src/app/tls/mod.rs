//! TLS on a listening address: the certificate that it presents, exchanged while connections stand
//! when its files change.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::task::JoinError;
use tokio_rustls::TlsAcceptor;
use tracing::{error, info, warn};

use super::certificate::{CertificateError, CertificateFiles, Chain, Pair};
use crate::config::TlsFiles;
use crate::engine::cause::Cause;
use crate::engine::incident::SelfIncident;
use crate::engine::input::Input;
use crate::engine::outcome::Validity;
use crate::engine::time::{Duration, Timestamp};
use crate::runtime::clock;
use crate::runtime::handle::Handle;
use crate::telemetry::Metrics;

/// How often the files are looked at.
const CHECK_TIME: std::time::Duration = std::time::Duration::from_secs(10);

const DAY: i64 = 86_400_000;
/// An issuer's certificate that ended longer ago is there for old clients, or forgotten.
const ISSUER_TOLD_FOR: Duration = Duration::days(14);

/// The certificate of a listening address.
pub struct Tls {
    /// The setting that names the address, for log and metrics.
    name: &'static str,
    files: TlsFiles,
    presented: Arc<Presented>,
    acceptor: TlsAcceptor,
    /// What was read last and became the certificate in use.
    contents: CertificateFiles,
    chain: Chain,
    /// What was wrong at the last check.
    trouble: Option<TlsError>,
    /// Whose certificate ends soon and when, if one does, and the day on which this was said.
    said: Option<(Option<(&'static str, Timestamp)>, i64)>,
}

struct TlsError {
    words: String,
    is_told: bool,
}

/// What clients are shown.
struct Presented(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Presented {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let key = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Some(key.clone())
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the certificate in use")
    }
}

/// Looks at the files every few seconds, as long as the process runs.
pub async fn keep(tls: Arc<Mutex<Tls>>, handle: Handle, metrics: Arc<Metrics>) {
    loop {
        let (tls, metrics) = (tls.clone(), metrics.clone());
        let checking = tokio::task::spawn_blocking(move || {
            let mut tls = tls.lock().unwrap_or_else(PoisonError::into_inner);
            tls.check_and_measure(&metrics)
        });
        match checking.await.map_err(JoinError::try_into_panic) {
            Ok(Some(input)) => handle.tell(input),
            Ok(None) | Err(Err(_)) => {}
            // Whoever watches this task is to hear of it.
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
        }
        tokio::time::sleep(CHECK_TIME).await;
    }
}

impl Tls {
    /// Reads the files. One that has expired is taken: most clients then say so, and some page all
    /// the same.
    pub fn open(name: &'static str, files: &TlsFiles) -> anyhow::Result<Self> {
        let contents = CertificateFiles::read(files)?;
        let Pair { key, chain } = contents.pair(files)?;
        let presented = Arc::new(Presented(RwLock::new(Arc::new(key))));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(presented.clone());
        config.alpn_protocols = [&b"h2"[..], b"http/1.1"].map(<[u8]>::to_vec).to_vec();
        Ok(Self {
            name,
            files: files.clone(),
            presented,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            contents,
            chain,
            trouble: None,
            said: None,
        })
    }

    /// Shakes hands with clients; always with the certificate in use.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    fn check_and_measure(&mut self, metrics: &Metrics) -> Option<Input> {
        let input = self.check(clock::wall_now());
        metrics.set_certificate_end(self.name, self.chain.own.ends.0.div_euclid(1_000));
        input
    }

    /// Takes a new pair if there is a good one, and says what is wrong: at the second check, since
    /// the two files are not written in one moment.
    fn check(&mut self, now: Timestamp) -> Option<Input> {
        match self.renewed(now) {
            Ok(None) => self.trouble = None,
            Ok(Some((contents, pair))) => {
                self.take(contents, pair);
                self.trouble = None;
                let listener = self.name;
                info!(listener.name = listener, "a new certificate is in use");
            }
            Err(fault) => self.note(&fault),
        }
        self.look_at_end(now)
    }

    fn renewed(
        &self,
        now: Timestamp,
    ) -> Result<Option<(CertificateFiles, Pair)>, CertificateError> {
        let contents = CertificateFiles::read(&self.files)?;
        if contents == self.contents {
            return Ok(None);
        }
        let pair = contents.pair(&self.files)?;
        let path = self.files.certificate.clone();
        let own = pair.chain.own;
        if own.ends <= now {
            return Err(CertificateError::Expired { path });
        }
        if own.begins > now {
            let begins = own.begins;
            return Err(CertificateError::NotYet { path, begins });
        }
        Ok(Some((contents, pair)))
    }

    fn take(&mut self, contents: CertificateFiles, pair: Pair) {
        let mut presented = (self.presented.0.write()).unwrap_or_else(PoisonError::into_inner);
        *presented = Arc::new(pair.key);
        self.contents = contents;
        self.chain = pair.chain;
    }

    fn note(&mut self, fault: &CertificateError) {
        let words = fault.to_string();
        let before = self.trouble.take();
        let is_known = before.as_ref().is_some_and(|known| known.words == words);
        let was_told = before.is_some_and(|known| known.is_told);
        if is_known && !was_told {
            let listener = self.name;
            error!(
                listener.name = listener,
                error = %words,
                "a new certificate cannot be used; keeping the old one"
            );
        }
        self.trouble = Some(TlsError {
            words,
            is_told: is_known,
        });
    }

    /// Says at each change and then once a day whether the certificate ends soon: in the log, and
    /// as a self-incident.
    fn look_at_end(&mut self, now: Timestamp) -> Option<Input> {
        let chain = &self.chain;
        let is_told = |one: &&Validity| one.is_ending(now) && now < one.ends + ISSUER_TOLD_FOR;
        let issuers = chain.issuers.iter().filter(is_told);
        let issuer = issuers.min_by_key(|one| one.ends).copied();
        let (whose, ending) = if chain.own.is_ending(now) {
            ("the certificate", Some(chain.own))
        } else {
            ("an issuer's certificate", issuer)
        };
        let said = (ending.map(|one| (whose, one.ends)), now.0.div_euclid(DAY));
        let trouble = trouble(self.name);
        if self.said == Some(said) {
            return None;
        }
        self.said = Some(said);
        let Some(Validity { ends, .. }) = ending else {
            return Some(Input::Clear { trouble });
        };
        let listener = self.name;
        let file = self.files.certificate.display();
        let text = if now >= ends {
            error!(
                listener.name = listener,
                certificate.file = %file,
                certificate.ends = %ends,
                "{whose} has expired: renew it"
            );
            format!("{whose} of {listener} expired {ends}: renew {file}")
        } else {
            warn!(
                listener.name = listener,
                certificate.file = %file,
                certificate.ends = %ends,
                "{whose} expires soon: renew it"
            );
            format!("{whose} of {listener} expires {ends}: renew {file}")
        };
        let text = text.into();
        Some(Input::Raise { trouble, text })
    }
}

fn trouble(listener: &'static str) -> SelfIncident {
    SelfIncident::new(Cause::ListenerCertificate, listener)
}

/// What was told of the certificate of an address that presents none any more is over.
pub fn without(listener: &'static str) -> Input {
    let trouble = trouble(listener);
    Input::Clear { trouble }
}

#[cfg(test)]
mod tests;
