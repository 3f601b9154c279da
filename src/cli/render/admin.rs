//! Tokens, keys and channels.

use serde_json::Value;

use super::table::Table;
use super::{View, actor, items, moment, text, time_format};

/// API tokens; never their secrets.
pub fn tokens(answer: &Value, view: &View) -> String {
    let header = [
        "ID",
        "NAME",
        "USER",
        "ROLE",
        "CREATED",
        "EXPIRES",
        "LAST USED",
    ];
    let mut table = Table::new(&header, 1);
    for token in items(answer) {
        table.row([
            text(token, "id"),
            text(token, "name"),
            text(token, "user"),
            text(token, "role"),
            first_time(token, ["created_at", "created"], view),
            first_time(token, ["expires_at", "expires"], view),
            first_time(token, ["last_used_at", "last_used"], view),
        ]);
    }
    table.render(view.look, "no tokens besides the first admin token")
}

/// Keys of an integration; never their secrets.
pub fn keys(answer: &Value, view: &View) -> String {
    let header = [
        "ID",
        "INTEGRATION",
        "NAME",
        "FROM",
        "CREATED",
        "BY",
        "LAST USED",
    ];
    let mut table = Table::new(&header, 2);
    for key in items(answer) {
        table.row([
            text(key, "id"),
            text(key, "integration"),
            text(key, "name"),
            text(key, "origin"),
            first_time(key, ["created_at", "created"], view),
            actor(key, "created_by"),
            first_time(key, ["last_used_at", "last_used"], view),
        ]);
    }
    table.render(view.look, "no keys")
}

/// The answers of channels to a check.
pub fn checks(checks: &[Value], view: &View) -> String {
    let header = ["CHANNEL", "KIND", "CHECK", "LAST SUCCESS", "MESSAGE"];
    let mut table = Table::new(&header, 4);
    for check in checks {
        let outcome = text(check, "outcome");
        table.row([
            text(check, "name"),
            text(check, "kind"),
            if outcome.is_empty() {
                "cannot be checked without sending".to_owned()
            } else {
                outcome
            },
            first_time(check, ["last_success_at", "last_success"], view),
            text(check, "provider_message"),
        ]);
    }
    table.render(view.look, "no channels")
}

/// Whether the channel would accept a message; one that cannot be checked is not in doubt.
pub fn is_healthy(check: &Value) -> bool {
    match check.get("ok").and_then(Value::as_bool) {
        Some(ok) => ok,
        None => matches!(
            text(check, "outcome").as_str(),
            "" | "delivered" | "accepted"
        ),
    }
}

fn first_time(value: &Value, fields: [&str; 2], view: &View) -> String {
    let found = fields.into_iter().find_map(|field| moment(value, field));
    found.map_or_else(String::new, |at| time_format::local(at, view))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::samples::view;
    use super::*;

    #[test]
    fn a_check_names_each_channel_and_what_it_said() {
        let checks_ = [
            json!({"name": "mail", "kind": "smtp", "outcome": "refused_credential", "ok": false,
                   "provider_message": "535 authentication failed",
                   "last_success_at": "2026-11-23T02:00:00Z"}),
            json!({"name": "hooks", "kind": "webhook", "outcome": null}),
        ];
        let expected = "\
CHANNEL  KIND     CHECK                              LAST SUCCESS  MESSAGE
mail     smtp     refused_credential                 02:00         535 authentication failed
hooks    webhook  cannot be checked without sending";
        assert_eq!(checks(&checks_, &view()), expected);
        assert_eq!(checks_.each_ref().map(is_healthy), [false, true]);
    }

    #[test]
    fn keys_say_where_they_come_from() {
        let answer = json!({"items": [
            {"id": null, "integration": "pager", "origin": "rules", "name": null,
             "created": null, "created_by": null, "last_used": null},
            {"id": "k1", "integration": "native", "origin": "api", "name": "backup",
             "created": "2026-11-23T02:00:00Z", "last_used": "2026-11-23T03:00:00Z",
             "created_by": {"user": "ana", "name": "ana", "via": "api"}},
        ]});
        let expected = "\
ID  INTEGRATION  NAME    FROM   CREATED  BY   LAST USED
    pager                rules
k1  native       backup  api    02:00    ana  03:00";
        assert_eq!(keys(&answer, &view()), expected);
    }

    #[test]
    fn tokens_are_listed_without_their_secrets() {
        let answer = json!({"items": [
            {"id": "t1", "name": "laptop", "user": "ana", "role": "responder", "token": "rvl_x",
             "created_at": "2026-11-23T02:00:00Z", "expires_at": "2027-02-21T02:00:00Z"},
        ]});
        let expected = "\
ID  NAME    USER  ROLE       CREATED  EXPIRES           LAST USED
t1  laptop  ana   responder  02:00    2027-02-21 02:00";
        assert_eq!(tokens(&answer, &view()), expected);
    }
}
