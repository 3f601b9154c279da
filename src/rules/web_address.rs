//! Whether a web address that stands in rules can ever be called. This room does not know what the
//! process may reach: the process says it, as [`WebAddresses`].

use std::fmt;
use std::sync::Arc;

use crate::document::{Code, Position};
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::Medium;

use super::{Context, Environment};

/// Why an address is not called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The address itself; it is as a sentence goes on after "the address".
    Address(String),
    /// The network that it leads into, and how that is opened.
    Network(String),
}

type Judge = dyn Fn(&str) -> Result<(), Objection> + Send + Sync;

/// What the process says to web addresses, as far as that shows without looking up their names.
#[derive(Clone, Default)]
pub struct WebAddresses(Option<Arc<Judge>>);

impl WebAddresses {
    /// Judged so.
    pub fn new(judge: impl Fn(&str) -> Result<(), Objection> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(judge)))
    }

    fn check(&self, address: &str) -> Result<(), Objection> {
        self.0.as_ref().map_or(Ok(()), |judge| judge(address))
    }
}

impl fmt::Debug for WebAddresses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebAddresses")
    }
}

impl Context<'_> {
    /// An address of a webhook. It is not repeated: it may hold a secret.
    pub(super) fn check_web_address(&mut self, whose: &str, address: &str, at: Position) {
        let found = self.environment.web_addresses.check(address);
        match found {
            Ok(()) => {}
            Err(Objection::Address(problem)) => {
                let message = format!("the address of {whose} {problem}");
                let help = "write https://host/path; receivers check the signature, so the URL \
                    needs no secret";
                self.faults.error(Code::BadAddress, at, message, help);
            }
            // What is only printed on the console is called by nobody.
            Err(Objection::Network(_)) if !self.environment.calls_webhooks() => {}
            Err(Objection::Network(problem)) => {
                let message = format!("the address of {whose} {problem}; no page can reach it");
                let help = "if webhooks may reach it, add its range to `allow_networks` under \
                    [outbound] in reveille.toml, and restart";
                self.faults
                    .warning(Code::ForbiddenAddress, at, message, help);
            }
        }
    }
}

impl Context<'_> {
    /// The address of a provider's page or a check, which is asked through the same guard.
    pub(super) fn check_asked_address(&mut self, whose: &str, address: &str, at: Position) {
        let (code, problem, help) = match self.environment.web_addresses.check(address) {
            Ok(()) => return,
            Err(Objection::Address(problem)) => {
                (Code::BadAddress, problem, "write https://host/path")
            }
            Err(Objection::Network(problem)) => (
                Code::ForbiddenAddress,
                problem,
                "if it may be asked, add its range to `allow_networks` under [outbound] in \
                 reveille.toml, and restart",
            ),
        };
        let message = format!("the address of {whose} {problem}; it is out of reach");
        self.faults.warning(code, at, message, help);
    }
}

impl Environment {
    fn calls_webhooks(&self) -> bool {
        self.channels.iter().any(|channel| {
            channel.name.as_str() != ChannelName::CONSOLE
                && channel.media.contains(&Medium::Webhook)
        })
    }
}
