//! What makes alerts of one route one incident, and the key under which that incident is found.

use std::borrow::Cow;

use crate::engine::event::{Labels, Text};
use crate::engine::ids::RouteName;
use crate::engine::matcher::{Fields, quote, quote_unless_plain};

/// What makes alerts of one route one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// `["..."]`: each alert is its own incident.
    EachAlert,
    /// These labels, sorted; none gives one incident for the route.
    Labels(Vec<Text>),
}

impl GroupBy {
    /// The identity of the incident's group, and its labels.
    ///
    /// The key is the route with its group labels, `payments{cluster="eu"}`, or with the identity
    /// of the alert, `payments["prometheus/abc"]`; different groups never have the same. A label
    /// that is missing or empty is left out. `alert_identity` has to tell all alerts apart.
    pub fn key(
        &self,
        route: &RouteName,
        fields: &dyn Fields,
        alert_identity: &str,
    ) -> (Text, Labels) {
        let route = unambiguous(route.as_str());
        match self {
            Self::EachAlert => {
                let key = format!("{route}[{}]", quote(alert_identity));
                (key.into(), Labels::default())
            }
            Self::Labels(names) => {
                let labels = group_labels(names, fields);
                (format!("{route}{{{}}}", listed(&labels)).into(), labels)
            }
        }
    }
}

/// The route's name, in quotes where it could be taken for more than the name.
fn unambiguous(route: &str) -> Cow<'_, str> {
    if route.contains(['"', '{', '[']) {
        quote(route).into()
    } else {
        route.into()
    }
}

fn group_labels(names: &[Text], fields: &dyn Fields) -> Labels {
    names
        .iter()
        .map(|name| (name.clone(), fields.field(name)))
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn listed(labels: &Labels) -> String {
    let labels: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{}={}", quote_unless_plain(name), quote(value)))
        .collect();
    labels.join(",")
}
