//! A user's notify steps, with the defaults filled in.

use crate::document::{Code, Diagnostics, MapReader, MapSchema, Node, list, text, values};
use crate::engine::ids::ContactName;
use crate::engine::ruleset::{Contact, Medium, Notify, NotifyStep};
use crate::engine::time::Duration;
use crate::text::{suggest, truncate::quoted};

use super::limits;

const NOTIFY: MapSchema = MapSchema::new("`notify`", &["high", "low"]);

const STEP: MapSchema = MapSchema {
    what: "a notify step",
    keys: &["after", "via"],
    foreign: &[
        ("wait", "write `after`, counted from the start of the page"),
        ("contacts", "write `via`"),
    ],
    may_be_empty: false,
};

/// The longest `after`.
const AFTER_MAX: Duration = Duration::days(7);

/// Reads `notify`; a missing urgency uses the other's steps.
pub fn read(user: &MapReader<'_>, contacts: &[Contact], faults: &mut Diagnostics) -> Notify {
    let Some(node) = user.get("notify") else {
        return defaults(contacts);
    };
    let table = MapReader::open(node, &NOTIFY, faults);
    let declared: Vec<&str> = user
        .get("contacts")
        .map_or(&[][..], Node::entries)
        .iter()
        .map(|entry| entry.key.as_str())
        .collect();
    let mut steps = |key| {
        table
            .get(key)
            .map(|node| steps(node, key, &declared, faults))
    };
    match (steps("high"), steps("low")) {
        (Some(high), Some(low)) => Notify { high, low },
        (Some(steps), None) | (None, Some(steps)) => Notify {
            high: steps.clone(),
            low: steps,
        },
        (None, None) => defaults(contacts),
    }
}

/// High: all contacts at once. Low: the first e-mail, else the first contact.
fn defaults(contacts: &[Contact]) -> Notify {
    let step = |via: Vec<ContactName>| {
        let after = Duration::ZERO;
        let steps = (!via.is_empty()).then_some(NotifyStep { after, via });
        steps.into_iter().collect()
    };
    let is_mail = |contact: &&Contact| contact.medium == Medium::Email;
    let quiet = contacts.iter().find(is_mail).or(contacts.first());
    Notify {
        high: step(
            contacts
                .iter()
                .map(|contact| contact.name.clone())
                .collect(),
        ),
        low: step(quiet.iter().map(|contact| contact.name.clone()).collect()),
    }
}

fn steps(node: &Node, key: &str, declared: &[&str], faults: &mut Diagnostics) -> Vec<NotifyStep> {
    let what = format!("`{key}`");
    let Some(items) = list(node, &what, limits::NOTIFY_STEPS, faults) else {
        return Vec::new();
    };
    if items.is_empty() {
        let message = format!("{what} has no steps, so nothing would be sent");
        faults.error(
            Code::EmptyList,
            node.at,
            message,
            "add a step or remove the key",
        );
    }
    let mut steps: Vec<NotifyStep> = Vec::new();
    for item in items {
        let step = step(item, declared, faults);
        if let Some(before) = steps.last().filter(|before| before.after >= step.after) {
            let message = format!(
                "this step comes after {}, the one before it after {}",
                values::shown(step.after),
                values::shown(before.after)
            );
            let help = "give each step a later `after` than the one before; list contacts that \
                are paged together in one `via`";
            faults.error(Code::NotAscending, item.at, message, help);
        }
        steps.push(step);
    }
    steps
}

fn step(node: &Node, declared: &[&str], faults: &mut Diagnostics) -> NotifyStep {
    let table = MapReader::open(node, &STEP, faults);
    let after = table.duration("after", Duration::ZERO..=AFTER_MAX, faults);
    let mut via = Vec::new();
    if let Some(node) = table.require("via", "[mail]", faults) {
        let items = list(node, "`via`", limits::CONTACTS_PER_USER, faults);
        for item in items.unwrap_or_default() {
            via.extend(contact(item, declared, faults));
        }
        if items.is_some_and(<[Node]>::is_empty) {
            let help = "name at least one contact";
            faults.error(Code::EmptyList, node.at, "`via` names no contact", help);
        }
    }
    NotifyStep {
        after: after.unwrap_or(Duration::ZERO),
        via,
    }
}

fn contact(node: &Node, declared: &[&str], faults: &mut Diagnostics) -> Option<ContactName> {
    let name = text(node, "a contact in `via`", faults)?;
    if !declared.contains(&name) {
        let message = format!("this user has no contact {}", quoted(name));
        let help = suggest::help(name, declared.iter().copied(), "the contacts are");
        faults.error(Code::UnknownContact, node.at, message, help);
    }
    Some(name.into())
}
