//! Tokens, keys and channels.

use super::table::Table;
use super::{View, clean, local, name};
use crate::api::wire::channel::{Channel, Checked};
use crate::api::wire::key::Key;
use crate::api::wire::token::Token;

/// API tokens; never their secrets.
pub fn tokens(tokens: &[Token], view: &View) -> String {
    let mut table = Table::new("ID, NAME, USER, ROLE, CREATED, EXPIRES, LAST USED", 1);
    for token in tokens {
        table.row([
            token.id.clone(),
            token.name.clone(),
            clean(&token.user),
            token.role.as_str().to_owned(),
            local(&token.created, view),
            local(&token.expires, view),
            local(&token.last_used, view),
        ]);
    }
    table.render(view.look, "no tokens besides the first admin token")
}

/// Keys of an integration; never their secrets.
pub fn keys(keys: &[Key], view: &View) -> String {
    let mut table = Table::new("ID, INTEGRATION, NAME, FROM, CREATED, BY, LAST USED", 2);
    for key in keys {
        table.row([
            clean(&key.id),
            key.integration.clone(),
            clean(&key.name),
            key.origin.clone(),
            local(&key.created, view),
            name(&key.created_by),
            local(&key.last_used, view),
        ]);
    }
    table.render(view.look, "no keys")
}

/// The answers of channels to a check.
pub fn checks(checks: &[(Channel, Checked)], view: &View) -> String {
    let mut table = Table::new("CHANNEL, KIND, CHECK, LAST SUCCESS, MESSAGE", 4);
    for (channel, checked) in checks {
        let outcome = checked.outcome.as_deref();
        table.row([
            channel.name.clone(),
            channel.kind.clone(),
            outcome
                .unwrap_or("cannot be checked without sending")
                .to_owned(),
            local(&channel.last_success_at, view),
            clean(&checked.provider_message),
        ]);
    }
    table.render(view.look, "no channels")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::tests::samples::{sample, view};

    #[test]
    fn a_check_names_each_channel_and_what_it_said() {
        let channel = |name: &str, kind: &str, last_success: Option<&str>| {
            sample::<Channel>(
                &json!({"name": name, "kind": kind, "media": [], "state": "up",
                "failures": 0, "reaches_people": true, "last_success_at": last_success}),
            )
        };
        let refused = json!({"name": "mail", "outcome": "refused_credential", "ok": false,
            "provider_message": "535 authentication failed", "warnings": []});
        let unchecked = json!({"name": "hooks", "ok": null, "outcome": null, "warnings": []});
        let checks_ = [
            (
                channel("mail", "smtp", Some("2026-11-23T02:00:00Z")),
                sample(&refused),
            ),
            (channel("hooks", "webhook", None), sample(&unchecked)),
        ];
        let expected = "\
CHANNEL  KIND     CHECK                              LAST SUCCESS  MESSAGE
mail     smtp     refused_credential                 02:00         535 authentication failed
hooks    webhook  cannot be checked without sending";
        assert_eq!(checks(&checks_, &view()), expected);
    }

    #[test]
    fn keys_say_where_they_come_from() {
        let keys_ = json!([
            {"id": null, "integration": "pager", "origin": "rules", "name": null,
             "created": null, "created_by": null, "last_used": null},
            {"id": "k1", "integration": "native", "origin": "api", "name": "backup",
             "created": "2026-11-23T02:00:00Z", "last_used": "2026-11-23T03:00:00Z",
             "created_by": {"user": "ana", "name": "ana", "via": "api"}},
        ]);
        let expected = "\
ID  INTEGRATION  NAME    FROM   CREATED  BY   LAST USED
    pager                rules
k1  native       backup  api    02:00    ana  03:00";
        assert_eq!(keys(&sample::<Vec<Key>>(&keys_), &view()), expected);
    }

    #[test]
    fn tokens_are_listed_without_their_secrets() {
        let tokens_ = json!([
            {"id": "t1", "name": "laptop", "user": "ana", "role": "responder", "token": "rvl_x",
             "created": "2026-11-23T02:00:00Z", "expires": "2027-02-21T02:00:00Z"},
        ]);
        let expected = "\
ID  NAME    USER  ROLE       CREATED  EXPIRES           LAST USED
t1  laptop  ana   responder  02:00    2027-02-21 02:00";
        assert_eq!(tokens(&sample::<Vec<Token>>(&tokens_), &view()), expected);
    }
}
