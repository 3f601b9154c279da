//! On which providers services, routes and channels depend, and which of their incidents wait
//! under one of a provider.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::engine::event::Text;
use crate::engine::ids::{IntegrationName, ProviderName};
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;
use crate::engine::words::words;

/// A provider, or one component of it, on which something depends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    pub provider: ProviderName,
    /// The name of a component, with or without that of its group; `None` is the whole provider.
    pub component: Option<Text>,
}

impl Dependency {
    /// `provider/stripe`, or `provider/aws/EC2 eu-west-1`.
    pub fn parse(text: &str) -> Option<Self> {
        let named = text.strip_prefix(IntegrationName::PROVIDER)?;
        let (provider, component) = match named.split_once('/') {
            Some((provider, component)) => (provider, Some(component.trim())),
            None => (named, None),
        };
        let is_named = !provider.is_empty() && component != Some("");
        is_named.then(|| Self {
            provider: provider.into(),
            component: component.map(Text::from),
        })
    }

    /// Whether a component with this name, `group / name`, is meant.
    pub fn is_on(&self, full_name: &str) -> bool {
        let Some(component) = &self.component else {
            return true;
        };
        let name = full_name.rsplit(" / ").next().unwrap_or(full_name);
        let is = |name: &str| name.to_lowercase() == component.to_lowercase();
        is(full_name) || is(name)
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", IntegrationName::PROVIDER, self.provider)?;
        match &self.component {
            Some(component) => write!(formatter, "/{component}"),
            None => Ok(()),
        }
    }
}

words! {
    /// Which incidents of a dependent wait while a provider has one.
    pub enum HoldRule {
        Low = "low",
        All = "all",
        None = "none",
    }
}

impl HoldRule {
    /// Whether an incident this urgent waits.
    pub fn holds(self, urgency: Urgency) -> bool {
        match self {
            Self::Low => urgency == Urgency::Low,
            Self::All => true,
            Self::None => false,
        }
    }
}

/// On what a service or a route depends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DependencyRules {
    /// Never empty.
    pub depends_on: Vec<Dependency>,
    pub hold: HoldRule,
    /// Nothing waits for longer.
    pub hold_for: Duration,
}

impl DependencyRules {
    /// What is held waits so long unless the rules say otherwise.
    pub const HOLD_FOR: Duration = Duration::hours(2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_a_provider_or_one_of_its_components() {
        let whole = Dependency::parse("provider/stripe").unwrap();
        assert!(whole.is_on("API") && whole.is_on("Payments / Cards"));
        assert_eq!(whole.to_string(), "provider/stripe");
        let one = Dependency::parse("provider/aws/EC2 eu-west-1").unwrap();
        assert!(one.is_on("EC2 eu-west-1") && one.is_on("Europe / ec2 EU-WEST-1"));
        assert!(!one.is_on("EC2") && !one.is_on("EC2 eu-west-1 / Instances"));
        assert_eq!(one.to_string(), "provider/aws/EC2 eu-west-1");
        let grouped = Dependency::parse("provider/mail/Email / Sending").unwrap();
        assert!(grouped.is_on("email / sending") && !grouped.is_on("SMS / Sending"));
        for text in [
            "",
            "stripe",
            "provider/",
            "provider//API",
            "provider/aws/",
            "providers/a",
        ] {
            assert_eq!(Dependency::parse(text), None, "{text}");
        }
    }
}
