//! The page behind the link of a page. Looking never changes anything, because mail scanners look;
//! only a press of a button acts.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::ack_page::{ALERTS_SHOWN, AckPage, AckPageView, Notice};
use super::html;
use super::time_format::LocalClock;
use crate::api::body_budget::BodyOf;
use crate::api::extract::{Path, Query, whole_body};
use crate::api::links::{self, OpenedLink};
use crate::api::parse;
use crate::api::parts;
use crate::api::ports::{ApiState, AppState};
use crate::api::problem::Problem;
use crate::api::wire;
use crate::engine::alert::Alert;
use crate::engine::decision::{ActResult, Acted};
use crate::engine::ids::IncidentNumber;
use crate::engine::input::{Actor, Verb, Via};
use crate::engine::time::{Duration, Now, Timestamp};
use crate::runtime::handle;
use crate::text::form;

/// Bytes of the form.
const FORM_BYTES_MAX: usize = 4 * 1024;

/// Characters of a name that somebody gives.
const NAME_CHARACTERS_MAX: usize = 64;

/// What the press before this look did.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
pub struct ShowQuery {
    did: Option<String>,
}

/// Show what a page is about; changes nothing
#[utoipa::path(
    get, path = "/a/{token}", security(("signature" = [])),
    params(ShowQuery), responses((status = 200))
)]
pub async fn show(
    State(state): State<AppState>,
    Path(token): Path<String>,
    Query(query): Query<ShowQuery>,
) -> Response {
    let notice = query
        .did
        .as_deref()
        .and_then(ActionResult::of_word)
        .map(ActionResult::notice);
    match links::open(&state, &token).await {
        Ok(Some(opened)) => look(&state, &opened, StatusCode::OK, notice).await,
        Ok(None) => unknown_link(),
        Err(problem) => html::refusal(&problem),
    }
}

/// Acknowledge, decline, resolve or snooze what a page is about
#[utoipa::path(
    post, path = "/a/{token}", security(("signature" = [])),
    responses((status = 303))
)]
pub async fn act(
    State(state): State<AppState>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    match press(&state, &token, request).await {
        Ok(response) => response,
        Err(problem) => html::refusal(&problem),
    }
}

async fn press(state: &ApiState, token: &str, request: Request) -> Result<Response, Problem> {
    let Some(opened) = links::open(state, token).await? else {
        return Ok(unknown_link());
    };
    let body = whole_body(state, request, FORM_BYTES_MAX, BodyOf::Known).await?;
    let form = form::fields(&body);
    if !opened.can_act() {
        return Ok(seen_again(ActionResult::Nothing));
    }
    let name = parse::clean(
        form::field(&form, "name").unwrap_or(""),
        NAME_CHARACTERS_MAX,
    );
    let Some(actor) = actor(state, &opened, &name) else {
        let notice = Notice {
            text: "Enter your name, so that the others know.".to_owned(),
            is_bad: true,
        };
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(look(state, &opened, status, Some(notice)).await);
    };
    let posted = PostedAction::read(&form, state.now())?;
    let acted = match &posted {
        PostedAction::All(verb) => {
            links::act(state, opened.page.id, actor.clone(), verb.clone()).await?
        }
        PostedAction::One(number) => {
            links::acknowledge_one(state, &opened, *number, actor.clone()).await?
        }
        PostedAction::Linked(number) => {
            links::acknowledge_linked(state, &opened, *number, actor.clone()).await?
        }
    };
    Ok(seen_again(outcome(&posted, &acted, &actor)))
}

/// What was pressed.
#[derive(Debug, PartialEq)]
enum PostedAction {
    /// On all incidents of the page.
    All(Verb),
    /// Acknowledge one incident of a bundled page.
    One(IncidentNumber),
    /// Acknowledge another incident with the same alert.
    Linked(IncidentNumber),
}

impl PostedAction {
    fn read(form: &[(String, String)], now: Timestamp) -> Result<Self, Problem> {
        if let Some(number) = form::field(form, "linked") {
            let number = parse::number("incident", number)?;
            return Ok(Self::Linked(IncidentNumber(number)));
        }
        if let Some(number) = form::field(form, "one") {
            let number = parse::number("incident", number)?;
            return Ok(Self::One(IncidentNumber(number)));
        }
        let verb = match form::field(form, "action").unwrap_or("") {
            "acknowledge" => Verb::Acknowledge,
            "decline" => Verb::Decline,
            "resolve" => Verb::Resolve,
            "snooze" => Verb::Snooze {
                until: now + Duration::hours(1),
            },
            other => {
                return Err(Problem::invalid(format!(
                    "action {other:?} is unknown; \
                     use acknowledge, decline, resolve or snooze"
                )));
            }
        };
        Ok(Self::All(verb))
    }
}

/// What a press did, as the next look is told. A closed list: the address of the page can be made
/// by anybody, and must not put words into its mouth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ActionResult {
    Acknowledged,
    /// Somebody else had it already.
    Second,
    Declined,
    Resolved,
    Snoozed,
    Linked,
    Nothing,
}

impl ActionResult {
    const ALL: [Self; 7] = [
        Self::Acknowledged,
        Self::Second,
        Self::Declined,
        Self::Resolved,
        Self::Snoozed,
        Self::Linked,
        Self::Nothing,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Second => "second",
            Self::Declined => "declined",
            Self::Resolved => "resolved",
            Self::Snoozed => "snoozed",
            Self::Linked => "linked",
            Self::Nothing => "nothing",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|did| did.word() == word)
    }

    fn notice(self) -> Notice {
        let (text, is_bad) = match self {
            Self::Acknowledged => ("Acknowledged. Nobody else is paged for now.", false),
            Self::Second => ("Somebody else was first; see below.", false),
            Self::Declined => ("Understood: the next step starts now.", false),
            Self::Resolved => ("Resolved. Thank you.", false),
            Self::Snoozed => ("Snoozed for an hour; then escalation continues.", false),
            Self::Linked => ("The other incident is acknowledged too.", false),
            Self::Nothing => ("Nothing changed: see the current state below.", true),
        };
        Notice {
            text: text.to_owned(),
            is_bad,
        }
    }
}

fn outcome(posted: &PostedAction, acted: &[Acted], actor: &Actor) -> ActionResult {
    let is_effective = |one: &&Acted| match one.result {
        ActResult::Done | ActResult::AlreadySo => true,
        ActResult::NotOpen | ActResult::NotFound => false,
    };
    let Some(first) = acted.iter().find(is_effective) else {
        return ActionResult::Nothing;
    };
    match posted {
        PostedAction::Linked(_) => ActionResult::Linked,
        PostedAction::One(_) | PostedAction::All(Verb::Acknowledge) => {
            let is_done = acted.iter().any(|one| one.result == ActResult::Done);
            let by = first.acknowledged.as_ref().map(|by| &by.by);
            let is_own = by.is_none_or(|by| *by == actor.name);
            if is_done || is_own {
                ActionResult::Acknowledged
            } else {
                ActionResult::Second
            }
        }
        PostedAction::All(Verb::Decline) => ActionResult::Declined,
        PostedAction::All(Verb::Resolve) => ActionResult::Resolved,
        PostedAction::All(Verb::Snooze { .. }) => ActionResult::Snoozed,
        PostedAction::All(
            Verb::Unacknowledge | Verb::Escalate | Verb::Reassign { .. } | Verb::Note { .. },
        ) => ActionResult::Nothing,
    }
}

/// Whoever acts: the person of the page, or somebody who says who they are.
fn actor(state: &ApiState, opened: &OpenedLink, name: &str) -> Option<Actor> {
    match opened.user() {
        Some(user) => Some(links::person(user, Via::Link)),
        None if name.is_empty() => None,
        None => Some(links::named(&state.handle.rules(), name, Via::Link)),
    }
}

/// Sends the browser to look again, so that reloading never presses the button twice. The address
/// is relative: it holds behind any prefix that a proxy adds.
fn seen_again(did: ActionResult) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let place = HeaderValue::from_str(&format!("?did={}", did.word()));
    let headers = response.headers_mut();
    headers.insert(
        header::LOCATION,
        place.unwrap_or(HeaderValue::from_static("?")),
    );
    let quiet = HeaderValue::from_static("no-referrer");
    headers.insert(header::REFERRER_POLICY, quiet);
    response
}

async fn look(
    state: &ApiState,
    opened: &OpenedLink,
    status: StatusCode,
    notice: Option<Notice>,
) -> Response {
    let rules = state.handle.rules();
    let user = opened.user().and_then(|user| rules.users.get(user));
    let time_zone = user.map_or(TimeZone::UTC, |user| user.time_zone.clone());
    let (alerts, sent, now) = match details(state, opened).await {
        Ok(details) => details,
        Err(problem) => return html::refusal(&problem),
    };
    let screen = AckPage::new(AckPageView {
        opened,
        alerts,
        sent,
        clock: LocalClock {
            now: state.now(),
            time_zone: &time_zone,
        },
        now,
        notice,
    });
    html::page(status, &screen)
}

/// The first alerts of a single incident, what was sent of each, and the engine's present.
async fn details(
    state: &ApiState,
    opened: &OpenedLink,
) -> Result<(Vec<String>, Vec<Vec<String>>, Now), Problem> {
    let single = match opened.incidents.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    let number = single.as_ref().map(|incident| incident.number);
    let look = move |view: handle::View<'_>| {
        let known = number.into_iter().flat_map(|number| {
            let alerts = view.state.alerts_by_rank(number).take(ALERTS_SHOWN);
            alerts.cloned()
        });
        (known.collect::<Vec<_>>(), view.now)
    };
    let (known, now) = state.handle.read(look).await?;
    let Some(incident) = single else {
        return Ok((Vec::new(), Vec::new(), now));
    };
    if !known.is_empty() {
        let (alerts, sent) = known.iter().map(|alert| told(alert)).unzip();
        return Ok((alerts, sent, now));
    }
    let closed = parts::closed_alerts(state, incident.number, 0, ALERTS_SHOWN).await?;
    let (alerts, sent) = closed.iter().map(told).unzip();
    Ok((alerts, sent, now))
}

/// What an alert is called, and what its monitor sent.
fn told(alert: &Alert) -> (String, Vec<String>) {
    let lines = wire::alert::sent_lines(&alert.content);
    (alert.content.summary.to_string(), lines)
}

fn unknown_link() -> Response {
    html::message(
        StatusCode::NOT_FOUND,
        "This link is not valid",
        "It is cut off, or its incident is no longer kept. Open the newest message, or run: \
         reveille incidents",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::incident::Status;
    use crate::engine::samples;

    fn acted(result: ActResult, by: &str) -> Acted {
        Acted {
            number: IncidentNumber(1042),
            result,
            status: Some(Status::Acknowledged),
            acknowledged: Some(samples::handled(by, Via::Link, Timestamp(0))),
            linked: Vec::new(),
        }
    }

    #[test]
    fn the_second_person_learns_that_somebody_was_first() {
        let ana = links::person(&"ana".into(), Via::Link);
        let posted = PostedAction::All(Verb::Acknowledge);
        let cases = [
            (
                vec![acted(ActResult::Done, "ana")],
                ActionResult::Acknowledged,
            ),
            (
                vec![acted(ActResult::AlreadySo, "ana")],
                ActionResult::Acknowledged,
            ),
            (
                vec![acted(ActResult::AlreadySo, "bo")],
                ActionResult::Second,
            ),
            (
                vec![
                    acted(ActResult::AlreadySo, "bo"),
                    acted(ActResult::Done, "ana"),
                ],
                ActionResult::Acknowledged,
            ),
            (vec![acted(ActResult::NotOpen, "bo")], ActionResult::Nothing),
            (vec![], ActionResult::Nothing),
        ];
        for (acted, expected) in cases {
            assert_eq!(outcome(&posted, &acted, &ana), expected, "{acted:?}");
        }
    }

    #[test]
    fn a_form_says_what_was_pressed_or_is_refused() {
        let form = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let cases = [
            (
                form("action", "acknowledge"),
                Some(PostedAction::All(Verb::Acknowledge)),
            ),
            (
                form("action", "decline"),
                Some(PostedAction::All(Verb::Decline)),
            ),
            (
                form("action", "snooze"),
                Some(PostedAction::All(Verb::Snooze {
                    until: Timestamp(3_600_000),
                })),
            ),
            (
                form("linked", "1043"),
                Some(PostedAction::Linked(IncidentNumber(1043))),
            ),
            (
                form("one", "1042"),
                Some(PostedAction::One(IncidentNumber(1042))),
            ),
            (form("one", "all"), None),
            (form("linked", "all"), None),
            (form("action", "reassign"), None),
            (vec![], None),
        ];
        for (form, expected) in cases {
            assert_eq!(
                PostedAction::read(&form, Timestamp(0)).ok(),
                expected,
                "{form:?}"
            );
        }
    }

    #[test]
    fn only_our_own_words_become_a_notice() {
        for did in ActionResult::ALL {
            assert_eq!(ActionResult::of_word(did.word()), Some(did));
        }
        assert_eq!(ActionResult::of_word("You are fired"), None);
    }

    #[test]
    fn after_a_press_the_browser_looks_again() {
        let response = seen_again(ActionResult::Acknowledged);
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[header::LOCATION], "?did=acknowledged");
    }
}
