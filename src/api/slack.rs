//! Buttons in Slack messages. The signature says that Slack sent it, the button's value which page
//! it is about, and the person is the one whom the rules know by this Slack id.
//!
//! Slack waits three seconds. The message itself is edited by the engine's update.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::engine::event::Text;
use crate::engine::ids::{ChannelName, UserName};
use crate::engine::input::{Act, ActOn, Press, Verb, Via};
use crate::engine::ruleset::{Medium, RuleSet};
use crate::engine::time::{Duration, Timestamp};
use crate::signing::Refused;
use crate::signing::slack::{self, Headers};
use crate::web::opened_link::OpenedLink;

use super::body;
use super::extract::{Whose, whole_body};
use super::links;
use super::ports::{ApiState, AppState};
use super::problem::Problem;
use super::refusals::{self, Origin};

/// Time for the act before Slack is answered without its end; the act goes on.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(2_500);

/// The header of the signature. It is over time and body, so that no two presses share one.
const SIGNATURE: &str = "x-slack-signature";

/// Which channel's secret signed a request, and how.
struct Signed {
    channel: ChannelName,
    signature: Text,
}

/// The form's `payload`, as far as it is used.
#[derive(Debug, Deserialize)]
struct SlackPayload {
    #[serde(rename = "type")]
    kind: String,
    user: SlackUser,
    #[serde(default)]
    channel: Option<SlackChannel>,
    #[serde(default)]
    actions: Vec<Pressed>,
    #[serde(default)]
    response_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SlackUser {
    id: String,
}

#[derive(Debug, Deserialize)]
struct SlackChannel {
    id: String,
}

/// A button that was pressed.
#[derive(Debug, Deserialize)]
struct Pressed {
    #[serde(default)]
    action_id: String,
    #[serde(default)]
    value: Option<String>,
}

/// A button in Slack was pressed
#[utoipa::path(
    post, path = "/slack/actions", security(("signature" = [])),
    responses((status = 200))
)]
pub async fn actions(State(state): State<AppState>, request: Request) -> Response {
    match take(&state, request).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn take(state: &AppState, request: Request) -> Result<(), Problem> {
    let headers = request.headers().clone();
    // Where no channel is set up, or nothing is signed, the body changes nothing.
    if state.slack_signing_secrets.is_empty() || !headers.contains_key("x-slack-signature") {
        verify(state, &headers, &[]).await?;
    }
    let limit = state.settings.body_limit;
    let body = whole_body(state, request, limit, Whose::Unknown).await?;
    let channel = verify(state, &headers, &body).await?;
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    let signed = Signed {
        channel,
        signature: signature.unwrap_or("").into(),
    };
    let form = body::form(&body);
    let payload = body::field(&form, "payload")
        .ok_or_else(|| Problem::invalid("the form has no field payload"))?;
    let payload: SlackPayload = serde_json::from_str(payload)
        .map_err(|error| Problem::invalid(format!("payload is not valid: {error}")))?;
    let acting = tokio::spawn(press(state.clone(), signed, payload));
    // In time or not, Slack is answered; what is still to be said goes to the response address.
    match tokio::time::timeout(PATIENCE, acting).await {
        Ok(Ok(())) | Err(_) => Ok(()),
        // It panicked, which the log tells: whoever pressed sees that it did not work.
        Ok(Err(_)) => Err(Problem::internal()),
    }
}

/// Any configured Slack channel may have sent it: the answer is which.
async fn verify(
    state: &ApiState,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<ChannelName, Problem> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let signed = Headers {
        timestamp: text("x-slack-request-timestamp").unwrap_or(""),
        signature: text(SIGNATURE).unwrap_or(""),
    };
    let now = state.now();
    let mut refused = None;
    for (channel, secret) in &state.slack_signing_secrets {
        match slack::verify(secret, signed, body, now) {
            Ok(()) => return Ok(channel.clone()),
            Err(why) => refused = Some((channel, why)),
        }
    }
    if let Some((channel, why)) = refused {
        let origin = match why {
            Refused::Malformed | Refused::NoSecret => Origin::Unknown,
            Refused::Stale
            | Refused::Mismatch
            | Refused::NoSharedKey
            | Refused::UnknownAlgorithm => Origin::LikelyProvider,
        };
        let what = "a request in the name of Slack";
        refusals::note(state, channel, what, &why.to_string(), origin).await;
    }
    Err(Problem::unauthorized(
        "the signature is not valid; check signing_secret and the clock",
    ))
}

async fn press(state: AppState, signed: Signed, payload: SlackPayload) {
    let told = match react(&state, &signed, &payload).await {
        Ok(told) => told,
        Err(problem) => {
            tracing::warn!(
                error = problem.code(),
                "a Slack button press was not carried out"
            );
            Some(format!(
                "This was not stored: {}. Please try again.",
                problem.detail()
            ))
        }
    };
    if let (Some(text), Some(url)) = (told, payload.response_url) {
        state.channels.tell_on_slack(url, text);
    }
}

/// Does what the button says; the answer is what only the person is told.
async fn react(
    state: &ApiState,
    signed: &Signed,
    payload: &SlackPayload,
) -> Result<Option<String>, Problem> {
    if payload.kind != "block_actions" {
        return Ok(None);
    }
    let pressed = payload.actions.iter();
    let mut known = pressed.filter_map(|one| {
        let verb = verb(&one.action_id, state.now())?;
        Some((verb, one.value.as_deref()?))
    });
    // Buttons that are links are reported too and need nothing.
    let Some((verb, token)) = known.next() else {
        return Ok(None);
    };
    let Some(opened) = links::open(state, token).await? else {
        return Ok(Some("This button no longer works.".to_owned()));
    };
    let rules = state.handle.rules();
    let channel = payload.channel.as_ref().map(|channel| channel.id.as_str());
    let account = payload.user.id.as_str();
    let mut user = person(&rules, &opened, account, channel);
    if user.is_none() {
        let email = state
            .channels
            .email_on_slack(&signed.channel, account)
            .await;
        user = email.and_then(|email| person_by_email(&rules, &opened, &email));
    }
    let Some(user) = user else {
        return Ok(Some(format!(
            "Reveille does not know you: no user in the rules has the Slack contact {account} or \
             your e-mail address. Nothing changed."
        )));
    };
    if !opened.can_act() {
        return Ok(Some(
            "This is already resolved; nothing changed.".to_owned(),
        ));
    }
    let actor = links::person(&user, Via::Slack);
    let press = Press {
        channel: signed.channel.clone(),
        account: account.into(),
        id: signed.signature.clone(),
        act: Act {
            actor,
            on: ActOn::Page(opened.page.id),
            verb,
        },
    };
    let acted = state.handle.press(press).await?;
    let first = acted.iter().find_map(|one| {
        let by = one.acknowledged.as_ref()?;
        let is_other = by.user.as_ref() != Some(&user);
        is_other.then(|| format!("{} was first and has acknowledged #{}.", by.by, one.number))
    });
    Ok(first)
}

/// What a button does, by the last word of its action id.
fn verb(action_id: &str, now: Timestamp) -> Option<Verb> {
    let word = action_id.rsplit(|character: char| !character.is_ascii_alphanumeric());
    match word.into_iter().next()? {
        "acknowledge" | "ack" => Some(Verb::Acknowledge),
        "decline" => Some(Verb::Decline),
        "resolve" => Some(Verb::Resolve),
        "snooze" => Some(Verb::Snooze {
            until: now + Duration::hours(1),
        }),
        _ => None,
    }
}

/// The user of the rules who pressed. In a direct message nobody but its recipient can press, so
/// that a contact given as e-mail address is known too.
fn person(
    rules: &Arc<RuleSet>,
    opened: &OpenedLink,
    slack_id: &str,
    channel: Option<&str>,
) -> Option<UserName> {
    let has_id = |user: &&UserName| {
        let contacts = rules.users.get(*user).map(|user| user.contacts.iter());
        let mut contacts = contacts.into_iter().flatten();
        contacts.any(|one| one.medium == Medium::Slack && *one.address == *slack_id)
    };
    // Two people may share an account: it is the one who was paged.
    let paged = opened.user().filter(has_id);
    if let Some(user) = paged.or_else(|| rules.users.keys().find(has_id)) {
        return Some(user.clone());
    }
    let is_direct = channel.is_some_and(|id| id.starts_with('D'));
    let user = opened.user().filter(|_| is_direct)?;
    let by_address = opened.page.medium == Medium::Slack && opened.page.address.contains('@');
    by_address.then(|| user.clone())
}

/// The user of the rules whose Slack contact is this e-mail address, first the one who was paged.
fn person_by_email(rules: &RuleSet, opened: &OpenedLink, email: &str) -> Option<UserName> {
    let has_it = |user: &&UserName| {
        let contacts = rules.users.get(*user).map(|user| user.contacts.iter());
        let mut contacts = contacts.into_iter().flatten();
        contacts.any(|one| one.medium == Medium::Slack && one.address.eq_ignore_ascii_case(email))
    };
    let paged = opened.user().filter(has_it);
    paged.or_else(|| rules.users.keys().find(has_it)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::page::Page;
    use crate::engine::ruleset::{Contact, Notify, User};
    use crate::engine::samples;

    #[test]
    fn the_last_word_of_an_action_id_says_what_to_do() {
        let later = Verb::Snooze {
            until: Timestamp(3_600_000),
        };
        let cases = [
            ("acknowledge", Some(Verb::Acknowledge)),
            ("reveille_acknowledge", Some(Verb::Acknowledge)),
            ("reveille:decline", Some(Verb::Decline)),
            ("resolve", Some(Verb::Resolve)),
            ("snooze", Some(later)),
            ("open_link", None),
            ("", None),
        ];
        for (id, expected) in cases {
            assert_eq!(verb(id, Timestamp(0)), expected, "{id}");
        }
    }

    fn rules() -> Arc<RuleSet> {
        let mut rules = RuleSet::default();
        let contact = Contact {
            name: "chat".into(),
            medium: Medium::Slack,
            address: "U1".into(),
        };
        let user = User {
            full_name: "Bo".into(),
            time_zone: jiff::tz::TimeZone::UTC,
            contacts: vec![contact],
            notify: Notify::default(),
            test_page: None,
        };
        rules.users.insert("bo".into(), user);
        Arc::new(rules)
    }

    #[test]
    fn only_somebody_whom_the_rules_know_can_act() {
        let page = |medium, address: &str| OpenedLink {
            page: Arc::new(Page {
                medium,
                address: address.into(),
                ..samples::sent_page()
            }),
            incidents: Vec::new(),
            linked: Vec::new(),
            headlines: std::collections::BTreeMap::new(),
            is_expired: false,
        };
        let by_mail = page(Medium::Slack, "ana@example.com");
        let by_id = page(Medium::Slack, "U2");
        let cases = [
            (&by_id, "U1", Some("C1"), Some("bo")),
            (&by_id, "U9", Some("D1"), None),
            (&by_mail, "U9", Some("D1"), Some("ana")),
            (&by_mail, "U9", Some("C1"), None),
            (&by_mail, "U9", None, None),
        ];
        for (opened, id, channel, expected) in cases {
            let found = person(&rules(), opened, id, channel);
            assert_eq!(found, expected.map(UserName::from), "{id} in {channel:?}");
        }
    }
}
