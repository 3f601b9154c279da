//! Entries of the audit as the API shows them and as they are stored: one form, so that whoever
//! reads the list can compute the hashes again without trusting the server.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text::{hash, hex};

use super::actor::Actor;

/// What the first entry names as the hash of the entry before it.
pub const ANCHOR: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    TokenMade,
    TokenRevoked,
    KeyMade,
    KeyRevoked,
    RulesApplied,
    SilenceSet,
    SilenceEnded,
    OverrideAdded,
    OverrideRemoved,
    /// An admin said that a clock that had jumped ahead is right.
    ClockConfirmed,
    /// An admin acted in the name of a user.
    ActedAs,
    /// Somebody took a backup, in which all is: hashes of tokens and keys, and secrets.
    BackupTaken,
    /// An admin said that the page under a provider's address is the right one.
    ProviderPageAccepted,
    /// Somebody wrote on a status page of ours, or said how a component is.
    StatusPageChanged,
}

/// An administrative act.
// The order of the fields is that in which they are hashed. A field that is not known is refused:
// whoever computes the hash without it would say that the entry was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditEntry {
    /// One more than that of the entry before.
    pub id: u64,
    pub at: String,
    /// The user or the name of the token; `admin` is the first admin token.
    pub actor: Actor,
    /// The id of the token.
    pub token: Option<String>,
    pub action: Action,
    /// What was changed, such as `silence 3`.
    pub subject: String,
    /// How, and the cause that was given.
    pub detail: String,
    /// `hash` of the entry before; 64 zeros for the first one.
    pub previous: String,
    /// SHA-256, in hex, of the entry as compact JSON without `hash`.
    pub hash: String,
}

/// An entry without its own hash, to be hashed.
#[derive(Serialize)]
struct Hashed<'entry> {
    id: u64,
    at: &'entry str,
    actor: &'entry Actor,
    token: Option<&'entry str>,
    action: Action,
    subject: &'entry str,
    detail: &'entry str,
    previous: &'entry str,
}

impl AuditEntry {
    /// With the hash that belongs to its fields.
    pub fn sealed(self) -> Self {
        let hash = self.computed_hash();
        Self { hash, ..self }
    }

    /// The hash of its fields, whatever hash it names.
    pub fn computed_hash(&self) -> String {
        let Self {
            id,
            at,
            actor,
            token,
            action,
            subject,
            detail,
            previous,
            hash: _,
        } = self;
        let hashed = Hashed {
            id: *id,
            at,
            actor,
            token: token.as_deref(),
            action: *action,
            subject,
            detail,
            previous,
        };
        let bytes = serde_json::to_vec(&hashed).expect("strings and numbers have a JSON form");
        hex::encode(&hash::sha256(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_entry_as_compact_json_without_its_hash() {
        let actor = Actor {
            user: Some("ana".to_owned()),
            name: "Ana \"A\" Silva".to_owned(),
            via: "api".to_owned(),
        };
        let entry = AuditEntry {
            id: 7,
            at: "2026-11-23T03:10:00Z".to_owned(),
            actor,
            token: None,
            action: Action::SilenceEnded,
            subject: "silence 3".to_owned(),
            detail: String::new(),
            previous: ANCHOR.to_owned(),
            hash: String::new(),
        };
        let text = format!(
            r#"{{"id":7,"at":"2026-11-23T03:10:00Z","actor":{{"user":"ana","name":"Ana \"A\" Silva","via":"api"}},"token":null,"action":"silence_ended","subject":"silence 3","detail":"","previous":"{ANCHOR}"}}"#
        );
        let entry = entry.sealed();
        assert_eq!(entry.hash, hex::encode(&hash::sha256(&text)));
        let shown = serde_json::to_string(&entry).unwrap();
        let with_hash = text.replace(
            &format!("{ANCHOR}\"}}"),
            &format!("{ANCHOR}\",\"hash\":\"{}\"}}", entry.hash),
        );
        assert_eq!(shown, with_hash);
    }
}
