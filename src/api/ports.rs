//! What the router of the API needs from the rest of the process, and the traits behind which the
//! rooms stand that it must not name.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::channels::inbound::Inbound;
use crate::engine::ids::{ChannelName, OwnCheckName, ProviderName, Revision};
use crate::engine::input::Actor;
use crate::engine::time::Timestamp;
use crate::runtime::handle::{Handle, NewRules};
use crate::store::{self, Partition, Store};
use crate::telemetry::Metrics;

use super::audit_log::AuditLog;
use super::auth::Auth;
use super::body_budget::BodyBudget;
use super::guesses::Guesses;
use super::problem::Problem;
use super::refusals::Refusals;
use super::wire::channel::Checked;
use super::wire::check::{CheckTried, RememberedTry};
use super::wire::provider::{LookedAt, ProbedPage};
use super::wire::rules::{FilesOrigin, RevisionLine, RuleFault, RuleFile, Rules, RulesChange};
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
    pub providers: Arc<dyn Providers>,
    pub checks: Arc<dyn Checks>,
    pub auth: Auth,
    /// Gives entries of the audit their ids.
    pub audit_log: AuditLog,
    pub metrics: Arc<Metrics>,
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
    fn diff(&self, files: &[RuleFile], sight: Sight) -> Result<RulesChange, Vec<RuleFault>>;

    /// Makes a rule set ready to be put in force, with the difference to the one that is, or all
    /// faults. The document that it carries holds author, time and message, and no secret in clear.
    fn prepare(
        &self,
        files: Vec<RuleFile>,
        change: Change,
    ) -> Result<(NewRules, RulesChange), Vec<RuleFault>>;

    /// The documents of a revision.
    fn documents(&self, revision: Revision) -> Result<Option<Rules>, store::Error>;

    /// Revisions below `before`, newest first.
    fn revisions(
        &self,
        before: Option<Revision>,
        limit: usize,
    ) -> Result<Vec<RevisionLine>, store::Error>;
}

/// A future that a port returns.
pub type Pending<'port, T> = Pin<Box<dyn Future<Output = T> + Send + 'port>>;

/// The configured channels.
pub trait Channels: Send + Sync {
    /// Their names and kinds, such as `smtp`, in the order of the settings.
    fn list(&self) -> Vec<(ChannelName, &'static str)>;

    /// Asks one whether it would take messages; `None` if there is no such channel.
    fn check<'port>(&'port self, name: &'port ChannelName) -> Pending<'port, Option<Checked>>;

    /// The e-mail address of an account of that channel's provider, where it tells.
    fn email_of<'port>(
        &'port self,
        channel: &'port ChannelName,
        account: &'port str,
    ) -> Pending<'port, Option<String>>;

    /// Tells somebody what became of their reply or press, in the background and once.
    fn confirm(&self, channel: &ChannelName, address: String, text: String);
}

/// Whoever looks at the pages of watched providers.
pub trait Providers: Send + Sync {
    /// What is remembered of the last look at a page.
    fn looked_at(&self, name: &ProviderName) -> LookedAt;

    /// Looks at a page as soon as it may be asked.
    fn hurry(&self, name: &ProviderName);

    /// Asks a page that need not be watched; `provider` is what would stand in the rules.
    fn probe<'port>(
        &'port self,
        provider: serde_json::Value,
    ) -> Pending<'port, Result<ProbedPage, Vec<RuleFault>>>;
}

/// Whoever tries the checks of the rules.
pub trait Checks: Send + Sync {
    /// What is remembered of the last try of a check.
    fn last_try(&self, name: &OwnCheckName) -> RememberedTry;

    /// Tries one now; `None` if there is no such check, an error if too many tries wait.
    fn try_now<'port>(
        &'port self,
        name: &'port OwnCheckName,
    ) -> Pending<'port, Result<Option<CheckTried>, Problem>>;
}
