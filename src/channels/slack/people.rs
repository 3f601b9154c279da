//! Finds people by their e-mail address. Ids and channel names are taken as they are.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::warn;

use super::api::Api;
use crate::channels::Sent;
use crate::engine::decision::SendRequest;
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;

/// Addresses remembered; beyond that the first by name is forgotten and looked up again.
const KNOWN_MAX: usize = 1_000;

/// The look-up takes at most this part of a request's time, so that posting has the rest.
const PART: u64 = 3;

/// Whoever pressed a button waits for this.
const ASKED_WITHIN: Duration = Duration::seconds(5);

/// Ids by e-mail address.
#[derive(Default)]
pub(super) struct People {
    known: Mutex<BTreeMap<String, String>>,
}

impl People {
    /// The id or name to post to. When nobody is found: what came of the attempt.
    pub(super) async fn find(&self, api: &Api, order: &SendRequest) -> Result<String, Sent> {
        let address = order.address.trim();
        if !is_email(address) {
            return Ok(address.to_owned());
        }
        if let Some(id) = self.known().get(address) {
            return Ok(id.clone());
        }
        let fields = [("email", address)];
        let deadline = Duration(order.deadline.0 / PART);
        let reply = api
            .post_form("users.lookupByEmail", &fields, deadline)
            .await;
        match (reply.sent.outcome, reply.json["user"]["id"].as_str()) {
            (Outcome::Delivered, Some(id)) => {
                self.remember(address, id);
                Ok(id.to_owned())
            }
            // No message was on its way yet, so nothing can have been sent.
            (Outcome::Delivered | Outcome::Unknown, _) => Err(Sent {
                outcome: Outcome::Transient,
                ..reply.sent
            }),
            _ => Err(reply.sent),
        }
    }

    /// The address of an account: one that was looked up for, or else as Slack says.
    pub(super) async fn email_of(&self, api: &Api, id: &str) -> Option<String> {
        let known = self
            .known()
            .iter()
            .find(|(_, known)| *known == id)
            .map(|(email, _)| email.clone());
        if known.is_some() {
            return known;
        }
        let reply = api
            .post_form("users.info", &[("user", id)], ASKED_WITHIN)
            .await;
        let email = reply.json["user"]["profile"]["email"].as_str();
        if email.is_none() {
            warn!(
                outcome = %reply.sent.outcome,
                provider.message = reply.sent.provider_message.as_deref().unwrap_or(""),
                "Slack does not give the e-mail address of the person who pressed a button"
            );
        }
        email.map(str::to_owned)
    }

    /// Slack knows the id no longer: look again the next time.
    pub(super) fn forget(&self, address: &str) {
        self.known().remove(address.trim());
    }

    fn remember(&self, address: &str, id: &str) {
        let mut known = self.known();
        if known.len() >= KNOWN_MAX {
            known.pop_first();
        }
        known.insert(address.to_owned(), id.to_owned());
    }

    /// A panic elsewhere leaves the map whole: each change is one call.
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids have no `@`; names of channels begin with `#`.
fn is_email(address: &str) -> bool {
    address
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !name.starts_with('#') && !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_a_thousand_addresses_are_remembered() {
        let people = People::default();
        for number in 0..KNOWN_MAX + 5 {
            people.remember(&format!("{number:05}@example.com"), "U1");
        }
        assert_eq!(people.known().len(), KNOWN_MAX);
        assert!(people.known().contains_key("01004@example.com"));
        people.forget(" 01004@example.com ");
        assert!(!people.known().contains_key("01004@example.com"));
    }

    #[test]
    fn only_addresses_of_mail_are_looked_up() {
        let cases = [
            ("ana@example.com", true),
            ("U024BE7LH", false),
            ("#payments", false),
            ("#a@b", false),
            ("@ana", false),
            ("ana@", false),
            ("", false),
        ];
        for (address, expected) in cases {
            assert_eq!(is_email(address), expected, "{address:?}");
        }
    }
}
