//! A conversation with the relay: the steps that hand over one mail, and how far each came.
//!
//! The conversation is led step by step over lettre's connection instead of its transport, for two
//! reasons. It must be known whether the text was handed over when something breaks: before that a
//! page can be repeated freely, after that it may have been sent. And a connection on which a send
//! was given up must never be used again: its late answer would be read as the answer to the next
//! mail. No step has a time limit of its own but connecting; the whole ends at a deadline that the
//! caller sets, and [`Progress`] then tells how far it came.

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use secrecy::{ExposeSecret, SecretString};

use super::idle::{Idle, Used};
use super::outcome::{self, Reply};
use super::settings::Settings;
use super::stage::{Progress, Stage};
use super::stream::{self, Security};
use crate::channels::certificate;
use crate::channels::outcome::provider_words;
use crate::channels::{CancelToken, Cancelled, Sent, check};
use crate::engine::outcome::{Outcome, Validity};

/// An idle connection whose answer takes longer is replaced.
const CHECK_SECONDS: u64 = 3;

/// Why a conversation ended early.
pub enum Failure {
    Smtp {
        stage: Stage,
        error: smtp::Error,
    },
    /// No connection to the relay, or no TLS on it.
    Stream(io::Error),
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
    idle: Idle<AsyncSmtpConnection>,
}

impl Relay {
    /// The relay of these settings; connects only when there is something to send.
    pub fn new(settings: Settings, hello: &str) -> Result<Self, check::Error> {
        let credentials = settings.login.as_ref().map(|(name, password)| {
            Credentials::new(name.clone(), password.expose_secret().to_owned())
        });
        Ok(Self {
            security: Security::new(&settings)?,
            host: settings.host,
            port: settings.port,
            credentials,
            secret: settings.login.map(|(_, password)| password),
            hello: client_id(hello),
            idle: Idle::default(),
        })
    }

    /// Hands over one mail; returns the relay's words of acceptance. The token is tested again when
    /// the relay waits for the text: a relay drops a mail whose text never comes.
    pub async fn send(
        &self,
        [from, to]: [&Address; 2],
        mail: &[u8],
        progress: &Progress,
        mark: &CancelToken,
    ) -> Result<Result<String, Failure>, Cancelled> {
        mark.test()?;
        match self.announce(from, to, progress).await {
            Ok(used) => {
                mark.test()?;
                Ok(self.hand_over(used, mail, progress).await)
            }
            Err(failure) => Ok(Err(failure)),
        }
    }

    /// A connection on which the relay waits for the text of a mail.
    async fn announce(
        &self,
        from: &Address,
        to: &Address,
        progress: &Progress,
    ) -> Result<Used<AsyncSmtpConnection>, Failure> {
        let mut used = self.connection(progress).await?;
        let smtp = &mut used.connection;
        let utf8 = parameters(smtp, [from, to])?;
        let sender = Mail::new(Some(from.clone()), utf8);
        let recipient = Rcpt::new(to.clone(), Vec::new());
        step(smtp, progress, Stage::Sender, sender).await?;
        step(smtp, progress, Stage::Recipient, recipient).await?;
        step(smtp, progress, Stage::Recipient, Data).await?;
        Ok(used)
    }

    async fn hand_over(
        &self,
        mut used: Used<AsyncSmtpConnection>,
        mail: &[u8],
        progress: &Progress,
    ) -> Result<String, Failure> {
        progress.reach(Stage::Content);
        let message = used.connection.message(mail).await;
        let response = message.map_err(at(Stage::Content))?;
        let words = response.message().collect::<Vec<_>>().join(" ");
        self.idle.park(used);
        Ok(format!("{} {words}", response.code()))
    }

    /// Goes as far as the relay's consent to our sender, and takes it back.
    pub async fn probe(
        &self,
        from: &Address,
        progress: &Progress,
    ) -> Result<Option<Validity>, Failure> {
        let (mut used, certificate) = self.connect(progress).await?;
        let smtp = &mut used.connection;
        let utf8 = parameters(smtp, [from, from])?;
        let mail = Mail::new(Some(from.clone()), utf8);
        step(smtp, progress, Stage::Sender, mail).await?;
        step(smtp, progress, Stage::Sender, Rset).await?;
        self.idle.park(used);
        Ok(certificate)
    }

    /// An idle connection that still answers, or a new one.
    async fn connection(&self, progress: &Progress) -> Result<Used<AsyncSmtpConnection>, Failure> {
        while let Some(mut used) = self.idle.take() {
            let check = used.connection.test_connected();
            let limit = Duration::from_secs(CHECK_SECONDS);
            if let Ok(true) = tokio::time::timeout(limit, check).await {
                return Ok(used);
            }
            // What broke this one most likely broke the others: no time is spent on them.
            self.idle.clear();
        }
        Ok(self.connect(progress).await?.0)
    }

    /// A new connection, and how long the relay's certificate is good.
    async fn connect(
        &self,
        progress: &Progress,
    ) -> Result<(Used<AsyncSmtpConnection>, Option<Validity>), Failure> {
        progress.reach(Stage::Connect);
        let server = (self.host.as_str(), self.port);
        let greeted = stream::connect(server, &self.security, &self.hello).await?;
        let (mut smtp, mut certificate) = (greeted.connection, greeted.certificate);
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
            let shown = smtp.peer_certificate().ok();
            certificate = shown.and_then(|shown| certificate::validity(&shown));
        }
        if let Some(credentials) = &self.credentials {
            progress.reach(Stage::Login);
            smtp.auth(DEFAULT_MECHANISMS, credentials)
                .await
                .map_err(at(Stage::Login))?;
        }
        Ok((Used::new(smtp), certificate))
    }

    /// The relay's words, and what to do where they are about our name.
    fn words(&self, stage: Stage, error: &smtp::Error) -> String {
        let code = error.status().filter(|_| stage == Stage::Connect);
        outcome::about_greeting(code.map(u16::from), &self.hello, error_words(error))
    }

    /// The outcome of a failure, with the relay's own words.
    pub fn sent(&self, failure: &Failure) -> Sent {
        let (outcome, words) = match failure {
            Failure::Smtp { stage, error } => {
                (smtp_outcome(*stage, error), self.words(*stage, error))
            }
            Failure::Stream(error) => {
                let outcome = outcome::of_break(Stage::Connect, error);
                (outcome, format!("Connection error: {error}"))
            }
            Failure::Unable { outcome, words } => (*outcome, (*words).to_owned()),
        };
        let secrets: Vec<&SecretString> = self.secret.iter().collect();
        Sent::new(outcome, provider_words(&words, &secrets))
    }
}

/// An address is greeted with in brackets (RFC 5321, 4.1.3).
fn client_id(name: &str) -> ClientId {
    match name.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(name.to_owned()),
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
        words: "the relay accepts only ASCII addresses",
    })
}

/// The failure of a step at this stage.
pub fn at(stage: Stage) -> impl FnOnce(smtp::Error) -> Failure {
    move |error| Failure::Smtp { stage, error }
}

fn smtp_outcome(stage: Stage, error: &smtp::Error) -> Outcome {
    match error.status() {
        Some(code) => outcome::of_reply(Reply {
            stage,
            code: code.into(),
            text: &reply_text(error),
        }),
        // No way to log in that both sides know.
        None if error.is_client() && stage == Stage::Login => Outcome::RefusedCredential,
        None => outcome::of_break(stage, error),
    }
}

/// What the relay wrote after the code.
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
