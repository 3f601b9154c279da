//! Buttons in Slack messages: the person is the one whom the rules know by this Slack id, and the
//! page the one that the button's token names.
//!
//! Slack waits three seconds. The message itself is edited by the engine's update.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use crate::channels::inbound::{ButtonPress, Endpoint, Posted};
use crate::engine::ids::{ChannelName, UserName};
use crate::engine::input::{Act, ActOn, Press, Via};
use crate::engine::ruleset::{Medium, RuleSet};

use super::callback;
use super::links::{self, OpenedLink};
use super::ports::{ApiState, AppState};
use super::problem::Problem;

/// Time for the act before Slack is answered without its end; the act goes on.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(2_500);

/// A button in Slack was pressed
#[utoipa::path(
    post, path = "/slack/actions", security(("signature" = [])),
    responses((status = 200))
)]
pub async fn actions(State(state): State<AppState>, request: Request) -> Response {
    match take(&state, request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn take(state: &AppState, request: Request) -> Result<Response, Problem> {
    let candidates = callback::candidates(state, Endpoint::Buttons);
    if candidates.is_empty() {
        let detail = "the signature is not valid; check signing_secret and the clock";
        return Err(Problem::unauthorized(detail));
    }
    let limit = state.settings.body_limit;
    let callback = callback::read(state, &candidates, Endpoint::Buttons, limit, request).await?;
    let response = callback::response(callback.inbound.answer(None));
    let Posted::Press(pressed) = callback.posted else {
        return Ok(response);
    };
    let acting = tokio::spawn(press(state.clone(), callback.channel, pressed));
    // In time or not, Slack is answered; what is still to be said goes to the response address.
    match tokio::time::timeout(PATIENCE, acting).await {
        Ok(Ok(())) | Err(_) => Ok(response),
        // It panicked, which the log tells: whoever pressed sees that it did not work.
        Ok(Err(_)) => Err(Problem::internal()),
    }
}

async fn press(state: AppState, channel: ChannelName, press: ButtonPress) {
    let told = match react(&state, &channel, &press).await {
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
    if let (Some(text), Some(address)) = (told, press.answer_address) {
        state.channels.confirm(&channel, address, text);
    }
}

/// Does what the button says; the answer is what only the person is told.
async fn react(
    state: &ApiState,
    channel: &ChannelName,
    press: &ButtonPress,
) -> Result<Option<String>, Problem> {
    let Some(opened) = links::open(state, &press.token).await? else {
        return Ok(Some("This button no longer works.".to_owned()));
    };
    let rules = state.handle.rules();
    let account = press.account.as_str();
    let mut user = person(&rules, &opened, press);
    if user.is_none() {
        let email = state.channels.email_of(channel, account).await;
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
    let press = Press {
        channel: channel.clone(),
        account: account.into(),
        id: press.id.clone(),
        act: Act {
            actor: links::person(&user, Via::Slack),
            on: ActOn::Page(opened.page.id),
            verb: press.verb.clone(),
        },
    };
    let acted = state.handle.ask(press, None).await?;
    let first = acted.iter().find_map(|one| {
        let by = one.acknowledged.as_ref()?;
        let is_other = by.user.as_ref() != Some(&user);
        is_other.then(|| format!("{} was first and has acknowledged #{}.", by.by, one.number))
    });
    Ok(first)
}

/// The user of the rules who pressed. In a direct message nobody but its recipient can press, so
/// that a contact given as e-mail address is known too.
fn person(rules: &Arc<RuleSet>, opened: &OpenedLink, press: &ButtonPress) -> Option<UserName> {
    let has_id = |user: &&UserName| {
        let contacts = rules.users.get(*user).map(|user| user.contacts.iter());
        let mut contacts = contacts.into_iter().flatten();
        contacts.any(|one| one.medium == Medium::Slack && *one.address == *press.account)
    };
    // Two people may share an account: it is the one who was paged.
    let paged = opened.user().filter(has_id);
    if let Some(user) = paged.or_else(|| rules.users.keys().find(has_id)) {
        return Some(user.clone());
    }
    let user = opened.user().filter(|_| press.is_direct)?;
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
    use crate::engine::input::Verb;
    use crate::engine::page::Page;
    use crate::engine::ruleset::{Contact, Notify, User};
    use crate::engine::samples;

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
            (&by_id, "U1", false, Some("bo")),
            (&by_id, "U9", true, None),
            (&by_mail, "U9", true, Some("ana")),
            (&by_mail, "U9", false, None),
        ];
        for (opened, account, is_direct, expected) in cases {
            let press = ButtonPress {
                verb: Verb::Acknowledge,
                token: String::new(),
                account: account.to_owned(),
                id: "v0=1".into(),
                is_direct,
                answer_address: None,
            };
            let found = person(&rules(), opened, &press);
            assert_eq!(found, expected.map(UserName::from), "{press:?}");
        }
    }
}
