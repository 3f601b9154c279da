//! Who asks: integration keys and API tokens, looked up by their SHA-256.
//!
//! A secret is hashed first and the hash is looked up, so that the time of a look-up tells nothing
//! about any secret. Only hashes are kept, here and in the store.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::engine::ids::{IntegrationName, UserName};
use crate::engine::input::{Actor, Via};
use crate::engine::ruleset::RuleSet;
use crate::engine::time::{Duration, Timestamp};
use crate::store::{self, DocumentKind, DocumentWrite, Store};
use crate::text::{hash, hex};

use super::credentials::{Hash, StoredKey, StoredToken, document, documents, stored_keys};
use super::fingerprints::Fingerprints;
use super::names;
use super::problem::Problem;
use super::wire::token::Role;

/// Who sent a request with an API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's user, or the token's name.
    pub name: String,
    /// A user of the rules in force; `None` for a token that no user holds.
    pub user: Option<UserName>,
    pub role: Role,
    /// Of the token; `None` for the first admin token.
    pub token: Option<String>,
}

impl Caller {
    /// The caller as somebody who acts.
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.name.as_str().into(),
            user: self.user.clone(),
            via: Via::Api,
        }
    }

    /// The caller as somebody who acts; an admin may act in the name of a user.
    pub fn acting_as(&self, user: Option<&str>, rules: &RuleSet) -> Result<Actor, Problem> {
        let Some(user) = user else {
            return Ok(self.actor());
        };
        if self.role != Role::Admin {
            return Err(Problem::forbidden(format!(
                "only an admin may act as somebody else; omit as={user:?} or use their token"
            )));
        }
        let name = names::user(rules, user)?;
        Ok(Actor {
            name: name.as_str().into(),
            user: Some(name.clone()),
            via: Via::Api,
        })
    }

    /// The user whom a list is asked for: `me` is the caller's own.
    pub fn user_asked_for(&self, asked: Option<String>) -> Result<Option<String>, Problem> {
        if asked.as_deref() != Some("me") {
            return Ok(asked);
        }
        match &self.user {
            Some(user) => Ok(Some(user.as_str().to_owned())),
            None => Err(Problem::invalid(
                "user=me, but this token belongs to no user of the rules in force; name the user, \
                 or create a token with `reveille token create --user NAME`",
            )),
        }
    }
}

/// Why a token does not open the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    #[error("unknown token; create one with `reveille token create`")]
    Unknown,
    #[error("this token has expired; create a new one with `reveille token create`")]
    Expired,
    #[error(
        "this token is of {0:?}, who is not in the rules in force; add them again, or create a \
         new token with `reveille token create`"
    )]
    UserGone(UserName),
}

/// The use of a token or key is written down at most this often: it must not cost a commit for each
/// request.
const USE_NOTED_EVERY: Duration = Duration::minutes(1);

/// All keys and tokens that open something.
pub struct Auth {
    admin: Hash,
    stored: RwLock<StoredSecrets>,
    keys_of_rules: RwLock<KeysOfRules>,
    /// Of keys that are and that were.
    pub fingerprints: Fingerprints,
}

#[derive(Default)]
struct StoredSecrets {
    tokens: BTreeMap<Hash, StoredToken>,
    keys: BTreeMap<Hash, StoredKey>,
}

/// The keys that stand in rule documents, and the set from which they were read.
#[derive(Default)]
struct KeysOfRules {
    rules: Option<Arc<RuleSet>>,
    keys: BTreeMap<Hash, IntegrationName>,
}

impl Auth {
    /// Reads what the store keeps. `admin` is the hash of the first admin token.
    pub fn load(store: &dyn Store, admin: Hash) -> Result<Self, store::Error> {
        let mut auth = Self::new(admin);
        auth.fingerprints = Fingerprints::load(store)?;
        for bytes in documents(store, DocumentKind::Token)? {
            match serde_json::from_slice(&bytes) {
                Ok(token) => auth.add_token(token),
                Err(error) => tracing::warn!(%error, "a stored token is damaged and is refused"),
            }
        }
        for key in stored_keys(store)? {
            auth.add_key(key);
        }
        Ok(auth)
    }

    /// Without any stored key or token.
    pub fn new(admin: Hash) -> Self {
        Self {
            admin,
            stored: RwLock::default(),
            keys_of_rules: RwLock::default(),
            fingerprints: Fingerprints::default(),
        }
    }

    /// The integration that a key with this hash opens under these rules.
    pub fn integration(&self, rules: &Arc<RuleSet>, hash: &Hash) -> Option<IntegrationName> {
        let name = self.opened_by(rules, hash)?;
        rules.integrations.contains_key(&name).then_some(name)
    }

    /// The integration whose key has this fingerprint, or had it before the key ended.
    pub fn origin(&self, rules: &Arc<RuleSet>, hash: &Hash) -> Option<IntegrationName> {
        let live = self.opened_by(rules, hash);
        live.or_else(|| self.fingerprints.integration(hash))
    }

    fn opened_by(&self, rules: &Arc<RuleSet>, hash: &Hash) -> Option<IntegrationName> {
        let of_rules = self.key_of_rules(rules, hash);
        of_rules.or_else(|| {
            let stored = self.read();
            stored.keys.get(hash).map(|key| key.integration.clone())
        })
    }

    fn key_of_rules(&self, rules: &Arc<RuleSet>, hash: &Hash) -> Option<IntegrationName> {
        {
            let known = self.keys_of_rules.read();
            let known = known.unwrap_or_else(PoisonError::into_inner);
            if known
                .rules
                .as_ref()
                .is_some_and(|set| Arc::ptr_eq(set, rules))
            {
                return known.keys.get(hash).cloned();
            }
        }
        let fresh = KeysOfRules::read_from(rules);
        let name = fresh.keys.get(hash).cloned();
        let known = self.keys_of_rules.write();
        *known.unwrap_or_else(PoisonError::into_inner) = fresh;
        name
    }

    /// The caller whom a token names. A token of a user opens nothing while the rules in force do
    /// not have them: whoever leaves the rules loses their role with the next request.
    pub fn caller(
        &self,
        rules: &RuleSet,
        token: &str,
        now: Timestamp,
    ) -> Result<Caller, TokenRefused> {
        let hash = hash::sha256(token);
        if hash == self.admin {
            return Ok(Caller {
                name: "admin".to_owned(),
                user: None,
                role: Role::Admin,
                token: None,
            });
        }
        let known = self.read().tokens.get(&hash).cloned();
        let known = known.ok_or(TokenRefused::Unknown)?;
        if known.expires.is_some_and(|expires| expires <= now) {
            return Err(TokenRefused::Expired);
        }
        let user = known.user.as_deref().map(UserName::from);
        if let Some(gone) = user
            .as_ref()
            .filter(|user| !rules.users.contains_key(*user))
        {
            return Err(TokenRefused::UserGone(gone.clone()));
        }
        Ok(Caller {
            name: known.user.clone().unwrap_or_else(|| known.name.clone()),
            user,
            role: known.role,
            token: Some(known.id.clone()),
        })
    }

    /// Notes that a token or a key with this hash was used. `keep` is called when it is to be
    /// written down, while nobody can revoke it: what is revoked never comes back by a late note.
    pub fn note_use(&self, hash: &Hash, now: Timestamp, keep: impl FnOnce(DocumentWrite)) {
        let last_used = {
            let stored = self.read();
            let of_token = stored.tokens.get(hash).map(|token| token.last_used);
            of_token.or_else(|| stored.keys.get(hash).map(|key| key.last_used))
        };
        let is_noted = |used: Timestamp| now.since(used) < USE_NOTED_EVERY;
        if last_used.is_none_or(|used| used.is_some_and(is_noted)) {
            return;
        }
        let mut stored = self.write();
        if let Some(token) = stored.tokens.get_mut(hash) {
            token.last_used = Some(now);
            keep(document(DocumentKind::Token, &token.id, token));
        } else if let Some(key) = stored.keys.get_mut(hash) {
            key.last_used = Some(now);
            keep(document(DocumentKind::Key, &key.id, key));
        }
    }

    /// Opens the API with a new token.
    pub fn add_token(&self, token: StoredToken) {
        if let Some(hash) = hex::decode_hash(&token.sha256) {
            self.write().tokens.insert(hash, token);
        }
    }

    /// Opens an integration with a new key.
    pub fn add_key(&self, key: StoredKey) {
        if let Some(hash) = hex::decode_hash(&key.sha256) {
            self.write().keys.insert(hash, key);
        }
    }

    /// All tokens, oldest first.
    pub fn tokens(&self) -> Vec<StoredToken> {
        let mut tokens: Vec<_> = self.read().tokens.values().cloned().collect();
        tokens.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        tokens
    }

    /// All keys that were made through the API, oldest first.
    pub fn keys(&self) -> Vec<StoredKey> {
        let mut keys: Vec<_> = self.read().keys.values().cloned().collect();
        keys.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        keys
    }

    /// Shuts a token.
    pub fn remove_token(&self, id: &str) {
        self.write().tokens.retain(|_, token| token.id != id);
    }

    /// Shuts a key.
    pub fn remove_key(&self, id: &str) {
        self.write().keys.retain(|_, key| key.id != id);
    }

    fn read(&self) -> RwLockReadGuard<'_, StoredSecrets> {
        self.stored.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, StoredSecrets> {
        self.stored.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeysOfRules {
    fn read_from(rules: &Arc<RuleSet>) -> Self {
        let keys = rules.integrations.values().flat_map(|integration| {
            let hashes = integration.key_hashes.iter();
            hashes.map(|hash| (*hash, integration.name.clone()))
        });
        Self {
            keys: keys.collect(),
            rules: Some(rules.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::event::Labels;
    use crate::engine::ruleset::{Integration, Notify, User};

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn rules_with(keys: &[(&str, &str)]) -> Arc<RuleSet> {
        let mut rules = RuleSet::default();
        for (name, key) in keys {
            let integration = Integration {
                name: (*name).into(),
                format: "native",
                mapping: None,
                labels: Labels::default(),
                max_age: Duration::hours(6),
                resolve_after: None,
                key_hashes: vec![hash::sha256(key)],
                was: Vec::new(),
            };
            rules.integrations.insert((*name).into(), integration);
        }
        Arc::new(rules)
    }

    fn rules_of(user: &str) -> RuleSet {
        let mut rules = RuleSet::default();
        let one = User {
            full_name: user.into(),
            time_zone: jiff::tz::TimeZone::UTC,
            contacts: Vec::new(),
            notify: Notify::default(),
            test_page: None,
        };
        rules.users.insert(user.into(), one);
        rules
    }

    fn stored_key(key: &str, integration: &str) -> StoredKey {
        StoredKey {
            id: format!("id of {key}"),
            sha256: hex::encode(&hash::sha256(key)),
            integration: integration.into(),
            name: None,
            created: NOW,
            created_by: Actor::named("ana", Via::Api),
            last_used: None,
        }
    }

    fn stored_token(token: &str, expires: Option<Timestamp>) -> StoredToken {
        StoredToken {
            id: "t1".to_owned(),
            sha256: hex::encode(&hash::sha256(token)),
            name: "laptop".to_owned(),
            user: Some("ana".to_owned()),
            role: Role::Responder,
            created: NOW,
            expires,
            last_used: None,
        }
    }

    #[test]
    fn a_key_opens_its_own_integration_while_the_rules_have_it() {
        let auth = Auth::new([0; 32]);
        auth.add_key(stored_key("made", "billing"));
        auth.add_key(stored_key("orphan", "gone"));
        let rules = rules_with(&[("prometheus", "written"), ("billing", "old")]);
        let cases = [
            ("written", Some("prometheus")),
            ("made", Some("billing")),
            ("old", Some("billing")),
            ("orphan", None),
            ("", None),
            ("written ", None),
        ];
        for (key, expected) in cases {
            let opened = auth.integration(&rules, &hash::sha256(key));
            assert_eq!(opened, expected.map(IntegrationName::from), "{key:?}");
        }
        let other_rules = rules_with(&[("billing", "new")]);
        assert_eq!(
            auth.integration(&other_rules, &hash::sha256("written")),
            None
        );
        assert!(
            auth.integration(&other_rules, &hash::sha256("new"))
                .is_some()
        );
    }

    #[test]
    fn two_keys_live_at_once_and_a_revoked_one_is_shut() {
        let auth = Auth::new([0; 32]);
        let rules = rules_with(&[("billing", "old")]);
        auth.add_key(stored_key("one", "billing"));
        auth.add_key(stored_key("two", "billing"));
        assert_eq!(auth.keys().len(), 2);
        auth.remove_key("id of one");
        assert_eq!(auth.integration(&rules, &hash::sha256("one")), None);
        assert!(auth.integration(&rules, &hash::sha256("two")).is_some());
    }

    #[test]
    fn a_token_names_its_caller_until_it_expires_or_is_revoked() {
        let auth = Auth::new(hash::sha256(b"root"));
        let rules = rules_of("ana");
        auth.add_token(stored_token("rv_1", Some(NOW + Duration::hours(1))));
        let caller = auth.caller(&rules, "rv_1", NOW).unwrap();
        assert_eq!(
            (caller.name.as_str(), caller.role),
            ("ana", Role::Responder)
        );
        assert_eq!(caller.user, Some("ana".into()));
        let late = NOW + Duration::hours(1);
        assert_eq!(
            auth.caller(&rules, "rv_1", late),
            Err(TokenRefused::Expired)
        );
        assert_eq!(auth.caller(&rules, "rv_2", NOW), Err(TokenRefused::Unknown));
        auth.remove_token("t1");
        assert_eq!(auth.caller(&rules, "rv_1", NOW), Err(TokenRefused::Unknown));
        let admin = auth.caller(&rules, "root", NOW).unwrap();
        assert_eq!(admin.role, Role::Admin);
    }

    #[test]
    fn a_token_is_worth_nothing_while_its_user_is_not_in_the_rules() {
        let auth = Auth::new(hash::sha256(b"root"));
        auth.add_token(stored_token("rv_1", None));
        auth.add_token(StoredToken {
            user: None,
            ..stored_token("rv_script", None)
        });
        let role = |rules: &RuleSet, token| auth.caller(rules, token, NOW).map(|one| one.role);
        assert_eq!(role(&rules_of("ana"), "rv_1"), Ok(Role::Responder));
        let without = rules_of("bo");
        let gone = TokenRefused::UserGone("ana".into());
        assert_eq!(role(&without, "rv_1"), Err(gone));
        assert_eq!(role(&without, "rv_script"), Ok(Role::Responder));
        assert_eq!(role(&without, "root"), Ok(Role::Admin));
        let back = role(&rules_of("ana"), "rv_1");
        assert_eq!(
            back,
            Ok(Role::Responder),
            "whoever is put back is known again"
        );
    }

    #[test]
    fn me_is_the_callers_own_user_and_nobody_without_one() {
        let caller = |user: Option<&str>| Caller {
            name: "laptop".to_owned(),
            user: user.map(UserName::from),
            role: Role::Viewer,
            token: None,
        };
        let cases = [
            (Some("ana"), Some("me"), Ok(Some("ana"))),
            (Some("ana"), Some("bo"), Ok(Some("bo"))),
            (Some("ana"), None, Ok(None)),
            (None, Some("bo"), Ok(Some("bo"))),
            (None, Some("me"), Err(400)),
        ];
        for (own, asked, expected) in cases {
            let found = caller(own).user_asked_for(asked.map(str::to_owned));
            let found = found.map_err(|problem| problem.status().as_u16());
            let expected = expected.map(|user| user.map(str::to_owned));
            assert_eq!(found, expected, "{own:?} asks for {asked:?}");
        }
    }

    #[test]
    fn the_use_of_a_token_or_key_is_noted_once_a_minute_and_never_after_it_was_revoked() {
        let auth = Auth::new([0; 32]);
        auth.add_token(stored_token("rv_1", None));
        auth.add_key(stored_key("made", "billing"));
        for secret in ["rv_1", "made"] {
            let noted = |seconds| {
                let mut kept = None;
                let now = NOW + Duration::seconds(seconds);
                auth.note_use(&hash::sha256(secret), now, |write| kept = write.bytes);
                kept.map(|bytes| {
                    let kept: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                    kept["last_used"] == serde_json::to_value(now).unwrap()
                })
            };
            assert_eq!(noted(0), Some(true), "{secret}");
            assert_eq!(noted(59), None, "{secret}");
            assert_eq!(noted(60), Some(true), "{secret}");
            auth.remove_token("t1");
            auth.remove_key("id of made");
            assert_eq!(noted(200), None, "{secret}");
            auth.add_key(stored_key("made", "billing"));
        }
        auth.note_use(&hash::sha256("unknown"), NOW, |_| panic!("nobody knows it"));
    }
}
