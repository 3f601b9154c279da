//! The conversation with a mail relay, step by step.
//!
//! It is led over lettre's connection instead of its transport, for two reasons. It must be known
//! whether the text was handed over when something breaks: before that a page can be repeated
//! freely, after that it may have been sent. And a connection on which a send was given up must
//! never be used again: its late answer would be read as the answer to the next mail. A connection
//! is therefore kept only after everything on it was answered. No step has a time limit of its own
//! but connecting; the caller gives up at its deadline and asks [`Progress`] how far it came.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use secrecy::{ExposeSecret, SecretString};

use super::email::{Error, Settings, Tls};
use super::email_outcome::{self, Reply, Stage};
use super::{Sent, wording};
use crate::engine::outcome::Outcome;

/// Idle connections kept: as many as the lane's usual concurrency.
const IDLE_MAX: usize = 8;
/// Mails over one connection; relays end a conversation that goes on for too long.
const MAILS_PER_CONNECTION: usize = 50;
const CONNECT_SECONDS: u64 = 10;
/// An idle connection whose answer takes longer is replaced.
const CHECK_SECONDS: u64 = 3;

/// How far an attempt has come, for whoever gives it up.
#[derive(Default)]
pub struct Progress(AtomicUsize);

impl Progress {
    fn reach(&self, stage: Stage) {
        let at = Stage::ALL.iter().position(|known| *known == stage);
        self.0.store(at.unwrap_or(0), Ordering::Relaxed);
    }

    /// The stage that was reached.
    pub fn stage(&self) -> Stage {
        Stage::ALL[self.0.load(Ordering::Relaxed)]
    }
}

/// Why a conversation ended early.
pub enum Failure {
    Smtp {
        stage: Stage,
        error: smtp::Error,
    },
    /// The relay cannot do what the settings or the address need.
    Unable {
        outcome: Outcome,
        words: &'static str,
    },
}

/// The server that takes our mail, with idle connections to it.
pub struct Relay {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    /// Never to appear in what the relay is quoted with.
    secret: Option<SecretString>,
    hello: ClientId,
    idle: Mutex<Vec<Connection>>,
}

enum Security {
    Clear,
    StartTls(TlsParameters),
    Implicit(TlsParameters),
}

struct Connection {
    smtp: AsyncSmtpConnection,
    mails: usize,
}

impl Relay {
    /// The relay of these settings; connects only when there is something to send.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let credentials = match (&settings.username, &settings.password) {
            (Some(name), Some(password)) => Some(Credentials::new(
                name.clone(),
                password.expose_secret().to_owned(),
            )),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                let channel = settings.name;
                return Err(Error::Credentials { channel });
            }
        };
        Ok(Self {
            security: security(&settings)?,
            host: settings.host,
            port: settings.port,
            credentials,
            secret: settings.password,
            hello: ClientId::default(),
            idle: Mutex::default(),
        })
    }

    /// Hands over one mail; returns the relay's words of acceptance.
    pub async fn send(
        &self,
        from: &Address,
        to: &Address,
        mail: &[u8],
        progress: &Progress,
    ) -> Result<String, Failure> {
        let mut connection = self.connection(progress).await?;
        let smtp = &mut connection.smtp;
        let utf8 = parameters(smtp, [from, to])?;
        let sender = Mail::new(Some(from.clone()), utf8);
        let recipient = Rcpt::new(to.clone(), Vec::new());
        step(smtp, progress, Stage::Sender, sender).await?;
        step(smtp, progress, Stage::Recipient, recipient).await?;
        step(smtp, progress, Stage::Recipient, Data).await?;
        progress.reach(Stage::Content);
        let response = smtp.message(mail).await.map_err(at(Stage::Content))?;
        let words = response.message().collect::<Vec<_>>().join(" ");
        self.park(connection);
        Ok(format!("{} {words}", response.code()))
    }

    /// Goes as far as the relay's consent to our sender, and takes it back.
    pub async fn probe(&self, from: &Address, progress: &Progress) -> Result<String, Failure> {
        let mut connection = self.connect(progress).await?;
        let smtp = &mut connection.smtp;
        let utf8 = parameters(smtp, [from, from])?;
        let mail = Mail::new(Some(from.clone()), utf8);
        step(smtp, progress, Stage::Sender, mail).await?;
        step(smtp, progress, Stage::Sender, Rset).await?;
        self.park(connection);
        Ok("ready to take mail".to_owned())
    }

    /// An idle connection that still answers, or a new one.
    async fn connection(&self, progress: &Progress) -> Result<Connection, Failure> {
        while let Some(mut connection) = self.take_idle() {
            let check = connection.smtp.test_connected();
            let limit = Duration::from_secs(CHECK_SECONDS);
            if let Ok(true) = tokio::time::timeout(limit, check).await {
                return Ok(connection);
            }
            // What broke this one most likely broke the others: no time is spent on them.
            self.idle().clear();
        }
        self.connect(progress).await
    }

    async fn connect(&self, progress: &Progress) -> Result<Connection, Failure> {
        progress.reach(Stage::Connect);
        let wrapped = match &self.security {
            Security::Implicit(tls) => Some(tls.clone()),
            Security::StartTls(_) | Security::Clear => None,
        };
        let mut smtp = AsyncSmtpConnection::connect_tokio1(
            (self.host.as_str(), self.port),
            Some(Duration::from_secs(CONNECT_SECONDS)),
            &self.hello,
            wrapped,
            None,
        )
        .await
        .map_err(at(Stage::Connect))?;
        if let Security::StartTls(tls) = &self.security {
            if !smtp.can_starttls() {
                return Err(Failure::Unable {
                    outcome: Outcome::TlsOther,
                    words: "the relay does not offer STARTTLS; use tls = \"implicit\" or \"none\"",
                });
            }
            smtp.starttls(tls.clone(), &self.hello)
                .await
                .map_err(at(Stage::Connect))?;
        }
        if let Some(credentials) = &self.credentials {
            progress.reach(Stage::Login);
            smtp.auth(DEFAULT_MECHANISMS, credentials)
                .await
                .map_err(at(Stage::Login))?;
        }
        Ok(Connection { smtp, mails: 0 })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_idle(&self) -> Option<Connection> {
        self.idle().pop()
    }

    /// Keeps a connection on which all was answered.
    fn park(&self, mut connection: Connection) {
        connection.mails += 1;
        let mut idle = self.idle();
        if connection.mails < MAILS_PER_CONNECTION && idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }

    /// The outcome of a failure, with the relay's own words.
    pub fn sent(&self, failure: &Failure) -> Sent {
        let (outcome, words) = match failure {
            Failure::Smtp { stage, error } => (outcome(*stage, error), error_words(error)),
            Failure::Unable { outcome, words } => (*outcome, (*words).to_owned()),
        };
        Sent {
            outcome,
            provider_message: Some(self.without_secret(&wording::provider_words(&words))),
            reference: None,
        }
    }

    fn without_secret(&self, words: &str) -> String {
        match &self.secret {
            Some(secret) if !secret.expose_secret().is_empty() => {
                words.replace(secret.expose_secret(), "***")
            }
            Some(_) | None => words.to_owned(),
        }
    }
}

async fn step(
    smtp: &mut AsyncSmtpConnection,
    progress: &Progress,
    stage: Stage,
    command: impl std::fmt::Display,
) -> Result<(), Failure> {
    progress.reach(stage);
    smtp.command(command).await.map_err(at(stage))?;
    Ok(())
}

/// Addresses beyond ASCII need a relay that can carry them.
fn parameters(
    smtp: &AsyncSmtpConnection,
    addresses: [&Address; 2],
) -> Result<Vec<MailParameter>, Failure> {
    let is_ascii = |address: &&Address| AsRef::<str>::as_ref(*address).is_ascii();
    if addresses.iter().all(is_ascii) {
        return Ok(Vec::new());
    }
    if smtp.server_info().supports_feature(Extension::SmtpUtfEight) {
        return Ok(vec![MailParameter::SmtpUtfEight]);
    }
    Err(Failure::Unable {
        outcome: Outcome::RefusedTarget,
        words: "the relay takes only addresses in ASCII",
    })
}

fn security(settings: &Settings) -> Result<Security, Error> {
    let trust = || {
        trust(&settings.host, &settings.extra_roots).map_err(|source| Error::Trust {
            channel: settings.name.clone(),
            source,
        })
    };
    Ok(match settings.tls {
        Tls::None => Security::Clear,
        Tls::StartTls => Security::StartTls(trust()?),
        Tls::Implicit => Security::Implicit(trust()?),
    })
}

/// Trust in the system's authorities (`SSL_CERT_FILE` replaces them) and in the given ones.
fn trust(host: &str, extra_roots: &[Vec<u8>]) -> Result<TlsParameters, smtp::Error> {
    let mut builder = TlsParametersBuilder::new(host.to_owned());
    for root in extra_roots {
        builder = builder.add_root_certificate(Certificate::from_der(root.clone())?);
    }
    builder.build_rustls()
}

fn at(stage: Stage) -> impl FnOnce(smtp::Error) -> Failure {
    move |error| Failure::Smtp { stage, error }
}

fn outcome(stage: Stage, error: &smtp::Error) -> Outcome {
    match error.status() {
        Some(code) => email_outcome::of_reply(Reply {
            stage,
            code: code.into(),
            text: &reply_text(error),
        }),
        // No way to log in that both sides know.
        None if error.is_client() && stage == Stage::Login => Outcome::RefusedCredential,
        None => email_outcome::of_break(stage, error),
    }
}

fn reply_text(error: &smtp::Error) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

/// `550 5.1.1 no such user`, or what broke.
fn error_words(error: &smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("{code} {}", reply_text(error)),
        None => error.to_string(),
    }
}
