//! What the router of the API needs from the rest of the process, and the traits behind which the
//! rooms stand that it must not name.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::channels::inbound::Inbound;
use crate::engine::ids::{ChannelName, Revision};
use crate::engine::input::Actor;
use crate::engine::outcome::Outcome;
use crate::engine::time::Timestamp;
use crate::runtime::handle::{Handle, NewRules};
use crate::store::{self, Partition, Store};

use super::audit_log::AuditLog;
use super::auth::Auth;
use super::body_budget::BodyBudget;
use super::guesses::Guesses;
use super::problem::Problem;
use super::refusals::Refusals;
use super::wire::rules::{FilesOrigin, OnCallMove, RuleFault, RuleFile};
use super::wire::token::Role;

/// The state as handlers share it.
pub type AppState = Arc<ApiState>;

/// Fills a buffer with chance.
pub type Random = dyn Fn(&mut [u8]) + Send + Sync;

/// Everything that handlers use. It holds secrets and is never printed.
pub struct ApiState {
    pub handle: Handle,
    pub rulebook: Arc<dyn Rulebook>,
    pub channels: Arc<dyn Channels>,
    pub auth: Auth,
    /// Gives entries of the audit their ids.
    pub audit_log: AuditLog,
    /// The text of `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Told of each delivery report that named an attempt of another channel, to be counted.
    pub on_refused_report: Arc<dyn Fn(&ChannelName) + Send + Sync>,
    /// When the process started.
    pub started_at: Timestamp,
    /// Wall time; the driver has its own.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Fills a buffer with chance fit for secrets.
    pub random: Arc<Random>,
    /// Signs acknowledge tokens.
    pub links_secret: [u8; 32],
    /// Channels whose provider posts to us.
    pub inbound: BTreeMap<ChannelName, Arc<dyn Inbound>>,
    /// Requests that were refused for their signature or key.
    pub refusals: Refusals,
    /// Wrong keys and tokens.
    pub guesses: Guesses,
    /// Bytes of bodies that are held.
    pub bodies: Arc<BodyBudget>,
    /// Those of `/readyz` and previews that are under way.
    pub looks: ReadinessLocks,
    pub settings: ApiSettings,
}

/// Looks of which one of a kind is under way at most, so that those that hang or take long pile up
/// neither in front of the driver nor on threads.
#[derive(Default)]
pub struct ReadinessLocks {
    pub driver: Arc<Mutex<()>>,
    pub disk: Arc<Mutex<()>>,
    /// Of `POST /v1/route`.
    pub preview: Arc<Mutex<()>>,
}

/// Process settings that the API obeys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiSettings {
    /// Bytes of a body.
    pub body_limit: usize,
    /// Bytes of a body in the formats of Alertmanager.
    pub body_limit_alertmanager: usize,
    /// Free bytes on the disk of the store below which events are refused.
    pub disk_min_bytes: u64,
    /// Without a slash at the end; never taken from request headers.
    pub public_url: String,
    /// Version and source of the time zones in use.
    pub time_zones: String,
}

impl ApiState {
    /// Looks into history on a thread that may block.
    pub async fn history<T: Send + 'static>(
        &self,
        look: impl FnOnce(&dyn Store, Partition) -> Result<T, store::Error> + Send + 'static,
    ) -> Result<T, Problem> {
        let handle = self.handle.clone();
        let looked = tokio::task::spawn_blocking(move || {
            let (store, partition) = handle.store();
            look(store, partition)
        });
        Ok(looked.await.map_err(|_| Problem::internal())??)
    }

    /// Asks the rulebook on a thread that may block.
    pub async fn ask_rulebook<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Rulebook) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let rulebook = self.rulebook.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&*rulebook));
        asked.await.map_err(|_| Problem::internal())
    }

    /// The present on the wall clock.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// Whether faults of rules may tell of files and variables of this machine: which are set, how long
/// they are, which are the same. Whoever may check rules may name any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    DocumentsOnly,
    WithMachine,
}

impl Sight {
    /// Only an admin may see them.
    pub fn of(role: Role) -> Self {
        match role {
            Role::Viewer | Role::Responder => Self::DocumentsOnly,
            Role::Admin => Self::WithMachine,
        }
    }
}

/// What a rule set changes against the one in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleDifferences {
    /// Sentences such as `policy payments: step 2 waits 10m instead of 5m`.
    pub differences: Vec<String>,
    /// Schedules that name somebody else now.
    pub on_call: Vec<OnCallMove>,
    pub warnings: Vec<RuleFault>,
}

/// A rule set in history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionDocuments {
    pub revision: Revision,
    pub author: Actor,
    pub at: Timestamp,
    pub message: String,
    /// Empty where only the list was asked for.
    pub files: Vec<RuleFile>,
    pub origin: FilesOrigin,
    /// Keys that stand in the files as their hashes.
    pub hashed_keys: usize,
}

/// A rule set that was checked and can be put in force.
pub struct Prepared {
    pub rules: NewRules,
    pub changes: RuleDifferences,
}

/// Who changes the rules, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub author: Actor,
    pub at: Timestamp,
    pub message: String,
    /// Of the files that are put in force.
    pub origin: FilesOrigin,
    /// Compare-and-set.
    pub expected: Option<Revision>,
}

/// The life of rules, with secrets resolved and the present set at hand. Calls may block.
pub trait Rulebook: Send + Sync {
    /// All faults and warnings.
    fn check(&self, files: &[RuleFile], sight: Sight) -> Vec<RuleFault>;

    /// The difference to the set in force, or all faults.
    fn diff(&self, files: &[RuleFile], sight: Sight) -> Result<RuleDifferences, Vec<RuleFault>>;

    /// Makes a rule set ready to be put in force, or all faults. The document that it carries
    /// holds author, time and message, and no secret in clear.
    fn prepare(&self, files: Vec<RuleFile>, change: Change) -> Result<Prepared, Vec<RuleFault>>;

    /// The documents of a revision.
    fn documents(&self, revision: Revision) -> Result<Option<RevisionDocuments>, store::Error>;

    /// Revisions below `before`, newest first, without their files.
    fn revisions(
        &self,
        before: Option<Revision>,
        limit: usize,
    ) -> Result<Vec<RevisionDocuments>, store::Error>;
}

/// A channel as the settings have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredChannel {
    pub name: ChannelName,
    /// The word of the settings, such as `smtp`.
    pub kind: String,
}

/// What a channel said to a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCheck {
    /// `None` when the channel cannot be checked without sending a message.
    pub outcome: Option<Outcome>,
    pub provider_message: Option<String>,
    /// Advice, such as a public address that only works on this machine.
    pub warnings: Vec<String>,
}

/// A future that a port returns.
pub type Pending<'port, T> = Pin<Box<dyn Future<Output = T> + Send + 'port>>;

/// The configured channels.
pub trait Channels: Send + Sync {
    /// In the order of the settings.
    fn list(&self) -> Vec<ConfiguredChannel>;

    /// Asks one whether it would take messages; `None` if there is no such channel.
    fn check<'port>(&'port self, name: &'port ChannelName) -> Pending<'port, Option<ChannelCheck>>;

    /// The e-mail address of an account of that channel's provider, where it tells.
    fn email_of<'port>(
        &'port self,
        channel: &'port ChannelName,
        account: &'port str,
    ) -> Pending<'port, Option<String>>;

    /// Tells somebody what became of their reply or press, in the background and once.
    fn confirm(&self, channel: &ChannelName, address: String, text: String);
}
