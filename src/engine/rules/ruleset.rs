//! The compiled rule set: what `rules` makes out of the documents and what the engine reads.
//!
//! Everything here is checked: names resolve, zones parse, steps are in order.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::actor::Actor;
use crate::engine::calendar::{Override, Schedule};
use crate::engine::dependency::{Dependency, DependencyRules};
use crate::engine::event::Text;
use crate::engine::ids::{
    ChannelName, ContactName, IntegrationName, OwnCheckName, PolicyName, ProviderName, Revision,
    ScheduleName, UserName,
};
pub use crate::engine::integration::{GenericMapping, Integration, Pointers, Unlisted};
use crate::engine::own_check::OwnCheck;
use crate::engine::phone;
pub use crate::engine::policy::{ChannelTarget, Policy, PolicyStep, Target};
use crate::engine::provider_rules::ProviderRules;
use crate::engine::routing::Tree;
use crate::engine::status_page_rules::StatusPageSet;
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;
use crate::engine::words::words;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// All rules of one revision, with the channels and settings of the process they run in.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    pub revision: Revision,
    pub users: BTreeMap<UserName, User>,
    pub schedules: BTreeMap<ScheduleName, Schedule>,
    pub policies: BTreeMap<PolicyName, Arc<Policy>>,
    pub integrations: BTreeMap<IntegrationName, Integration>,
    /// Providers whose status pages are watched.
    pub providers: BTreeMap<ProviderName, ProviderRules>,
    /// Services of which the rules say on what they depend.
    pub services: BTreeMap<Text, DependencyRules>,
    /// Checks of our own, those of providers among them.
    pub checks: BTreeMap<OwnCheckName, OwnCheck>,
    /// Our own status pages.
    pub status_pages: StatusPageSet,
    pub tree: Tree,
    /// In the order in which they are tried; the console stands last.
    pub channels: Vec<ChannelInfo>,
    pub settings: Settings,
}

impl RuleSet {
    /// Somebody under the name that people know, if it is a user of these rules.
    pub fn with_full_name(&self, mut actor: Actor) -> Actor {
        let user = actor.user.as_ref().and_then(|user| self.users.get(user));
        if let Some(user) = user {
            let is_typed = actor.name.ends_with(Actor::TYPED);
            actor.name = user.full_name.clone();
            return if is_typed { actor.as_typed() } else { actor };
        }
        actor
    }

    /// A channel by its name.
    pub fn channel(&self, name: &ChannelName) -> Option<&ChannelInfo> {
        self.channels.iter().find(|channel| channel.name == *name)
    }

    /// The number of a contact, as it is written here, by any spelling of a gateway.
    pub fn phone_of(&self, spelled: &str) -> Option<&str> {
        let contacts = self.users.values().flat_map(|user| &user.contacts);
        let numbers = contacts.filter(|contact| contact.medium == Medium::Sms);
        phone::find(numbers.map(|contact| &*contact.address), spelled)
    }

    /// Whether an override names somebody of these rules, or nobody. Others are passed over.
    pub fn can_stand_in(&self, known: &Override) -> bool {
        known.is_nobodys() || self.users.contains_key(&known.user)
    }

    /// The channels that carry a medium, in the order in which they are tried.
    pub fn channels_for(&self, medium: Medium) -> impl Iterator<Item = &ChannelInfo> {
        self.channels
            .iter()
            .filter(move |channel| channel.media.contains(&medium))
    }

    /// A contact of a user.
    pub fn contact(&self, user: &UserName, contact: &ContactName) -> Option<&Contact> {
        self.users
            .get(user)?
            .contacts
            .iter()
            .find(|known| known.name == *contact)
    }
}

words! {
    /// A way of reaching somebody.
    pub enum Medium {
        Email = "email",
        Sms = "sms",
        Slack = "slack",
        Webhook = "webhook",
        /// Only for channel targets on the console.
        Console = "console",
    }
}

/// A channel of the process settings, as far as decisions depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelInfo {
    pub name: ChannelName,
    /// What it can carry. The console carries all media while it is the only channel.
    pub media: Vec<Medium>,
    /// Whether a send counts as having reached somebody; not so for a console beside real channels.
    pub reaches_people: bool,
    /// Whether all pages go to one endpoint, so that a credential or TLS failure is the channel's.
    /// Not so for webhooks, where each target is a server of its own.
    pub is_one_endpoint: bool,
    /// How many attempts may be under way at once.
    pub concurrency: usize,
    pub capabilities: Capabilities,
    /// While one of these has an incident it is tried last.
    pub depends_on: Vec<Dependency>,
}

impl ChannelInfo {
    /// A channel as most are: one endpoint that reaches people, with 32 attempts under way at once.
    pub fn new(name: ChannelName, medium: Medium, capabilities: Capabilities) -> Self {
        Self {
            name,
            media: vec![medium],
            reaches_people: true,
            is_one_endpoint: true,
            concurrency: 32,
            capabilities,
            depends_on: Vec::new(),
        }
    }
}

/// What a channel can do beyond sending text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Later messages can be put under the first one.
    pub threads: bool,
    /// A message that was sent can be changed.
    pub updates: bool,
    /// Can carry buttons that act.
    pub buttons: bool,
    /// Sends delivery reports later.
    pub receipts: bool,
    /// Can answer a short id probe without sending a message.
    pub probes: bool,
    /// A probe that passes shows that the login of messages is taken.
    pub probes_login: bool,
    /// How many incidents a bundled page can name.
    pub incidents_named_max: usize,
}

/// Somebody who can be paged.
#[derive(Clone, Debug)]
pub struct User {
    pub full_name: Text,
    pub time_zone: TimeZone,
    /// In the order of the document.
    pub contacts: Vec<Contact>,
    pub notify: Notify,
    /// When the contacts are tested, if not as the settings say.
    pub test_page: Option<TestPage>,
}

/// What a user says of test pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestPage {
    Never,
    At(WeeklyTime),
}

/// A time of the week on a local clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeeklyTime {
    pub weekday: Weekday,
    /// Minute of the day, 0..1440.
    pub minute: u16,
}

/// One way to reach a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub name: ContactName,
    pub medium: Medium,
    pub address: Text,
}

/// A user's notify steps, with the defaults filled in; in ascending order of `after`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    pub high: Vec<NotifyStep>,
    pub low: Vec<NotifyStep>,
}

impl Notify {
    /// The steps for an urgency.
    pub fn steps(&self, urgency: Urgency) -> &[NotifyStep] {
        match urgency {
            Urgency::High => &self.high,
            Urgency::Low => &self.low,
        }
    }
}

/// Contacts that are paged at once, so long after the start of the policy step's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifyStep {
    pub after: Duration,
    pub via: Vec<ContactName>,
}

/// Numbers of the process settings on which decisions depend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// No outcome within this starts failover.
    pub failover_after: Duration,
    /// How long repeats are only recorded after a person's resolve.
    pub still_firing_hold: Duration,
    /// The longest silence.
    pub silence_max: Duration,
    /// Per person: so many incidents may interrupt ...
    pub page_limit: usize,
    /// ... in this time.
    pub page_window: Duration,
    /// Who hears of trouble in the router itself; without one the root route's policy.
    pub watch_policy: Option<PolicyName>,
    /// When each person's contacts are tested, on their own clock; without one they are not.
    pub test_page: Option<WeeklyTime>,
    /// The work after which a step of something divisible ends; see [`crate::engine::work`].
    pub step_work_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            failover_after: Duration::seconds(10),
            still_firing_hold: Duration::minutes(30),
            silence_max: Duration::days(30),
            page_limit: 10,
            page_window: Duration::minutes(10),
            watch_policy: None,
            test_page: None,
            step_work_max: STEP_MAX,
        }
    }
}

/// The work after which a step of something divisible ends. A single event, timer or act is not
/// divided.
pub const STEP_MAX: u64 = 40_000;
