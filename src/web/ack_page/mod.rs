//! What the page behind a link shows and offers, decided from the state alone.

use std::sync::Arc;

use askama::Template;

use super::html::STYLE;
use super::time_format::LocalClock;
use crate::api::links::OpenedLink;
use crate::engine::incident::{Handled, Incident, Phase, Status};
use crate::engine::time::Now;
use crate::text::{one_line, truncate};

/// Alerts of a single incident that are shown.
pub const ALERTS_SHOWN: usize = 5;

/// Characters of a title, so that the button under it stays in sight.
const TITLE_CHARACTERS: usize = 240;

/// Characters of an alert.
const ALERT_CHARACTERS: usize = 120;

/// Characters of the title of a linked incident, on its button.
const LINKED_CHARACTERS: usize = 60;

/// The page behind a link.
#[derive(Template)]
#[template(path = "acknowledge.html", config = "src/web/askama.toml")]
pub struct AckPage {
    style: &'static str,
    title: String,
    notice: Option<Notice>,
    /// Of a bundled page.
    summary: Option<String>,
    cards: Vec<Card>,
    why: String,
    zone: String,
    buttons: Vec<Button>,
    /// The page went to a channel target: whoever acts says who they are.
    asks_name: bool,
    /// Why there is nothing to press.
    closing: Option<String>,
    linked: Vec<LinkedIncident>,
    /// What the monitor sent, under all that can be pressed.
    sent: Vec<SentAlert>,
}

/// What a monitor sent of one alert.
struct SentAlert {
    summary: String,
    lines: Vec<String>,
}

/// What the last press did.
pub struct Notice {
    pub text: String,
    pub is_bad: bool,
}

/// An incident.
struct Card {
    number: u64,
    urgency: &'static str,
    status: &'static str,
    title: String,
    service: Option<String>,
    since: String,
    holder: String,
    alerts: Vec<String>,
    /// Beyond those shown.
    alerts_more: u32,
    /// Of a bundled page: it has a button of its own.
    can_acknowledge: bool,
}

/// A button of the form.
struct Button {
    action: &'static str,
    label: String,
    look: &'static str,
}

/// Another incident with the same alert.
struct LinkedIncident {
    number: u64,
    title: String,
}

/// All that the page is made from.
pub struct AckPageView<'page> {
    pub opened: &'page OpenedLink,
    /// Summaries of the first alerts of a single incident.
    pub alerts: Vec<String>,
    /// What their monitors sent of each of them, as lines.
    pub sent: Vec<Vec<String>>,
    pub clock: LocalClock<'page>,
    pub now: Now,
    pub notice: Option<Notice>,
}

impl AckPage {
    /// The page as it is to be shown.
    pub fn new(view: AckPageView<'_>) -> Self {
        let opened = view.opened;
        let mut cards: Vec<Card> = opened
            .incidents
            .iter()
            .map(|one| card(one, &view))
            .collect();
        let is_single = opened.page.incidents.len() == 1;
        if let ([only], [incident]) = (cards.as_mut_slice(), opened.incidents.as_slice()) {
            let shown = u32::try_from(view.alerts.len()).unwrap_or(u32::MAX);
            only.alerts_more = incident.alerts.total.saturating_sub(shown);
            // A single alert that says what the title says is no news.
            let title = opened.headline(incident);
            let is_told = matches!(view.alerts.as_slice(), [one] if one_line(one) == title);
            let shown_alerts = view.alerts.iter().filter(|_| !is_told);
            only.alerts = shown_alerts
                .map(|text| truncate(&one_line(text), ALERT_CHARACTERS))
                .collect();
        }
        let linked = opened.linked.iter().map(|one| LinkedIncident {
            number: one.number.0,
            title: truncate(&one_line(&opened.headline(one)), LINKED_CHARACTERS),
        });
        let can_act = opened.can_act();
        Self {
            style: STYLE,
            title: title(opened),
            summary: (!is_single).then(|| summary(opened)),
            cards,
            why: one_line(&opened.page.why.to_string()),
            zone: view.clock.zone().to_owned(),
            buttons: buttons(opened),
            asks_name: can_act && opened.user().is_none(),
            closing: (!can_act).then(|| closing(opened)),
            linked: linked.filter(|_| can_act).collect(),
            sent: sent(&view),
            notice: view.notice,
        }
    }
}

fn title(opened: &OpenedLink) -> String {
    match opened.incidents.as_slice() {
        [only] => format!("#{} {}", only.number, opened.headline(only)),
        many => format!("{} incidents", many.len()),
    }
}

/// How a list of incidents stands.
fn summary(opened: &OpenedLink) -> String {
    let known = opened.incidents.len();
    let waiting = opened.count(Status::Triggered);
    let taken = opened.count(Status::Acknowledged);
    let over = known - waiting - taken;
    let mut parts = vec![format!("{waiting} not acknowledged")];
    if taken > 0 {
        parts.push(format!("{taken} acknowledged"));
    }
    if over > 0 {
        parts.push(format!("{over} resolved"));
    }
    let gone = opened.page.incidents.len() - known;
    if gone > 0 {
        parts.push(format!("{gone} no longer kept"));
    }
    parts.join(" · ")
}

fn sent(view: &AckPageView<'_>) -> Vec<SentAlert> {
    let alerts = view.alerts.iter().zip(&view.sent);
    let alerts = alerts.filter(|(_, lines)| !lines.is_empty());
    let sent = alerts.map(|(summary, lines)| SentAlert {
        summary: one_line(summary),
        lines: lines.iter().map(|line| one_line(line)).collect(),
    });
    sent.collect()
}

fn card(incident: &Arc<Incident>, view: &AckPageView<'_>) -> Card {
    Card {
        number: incident.number.0,
        urgency: incident.urgency.as_str(),
        status: incident.status.as_str(),
        title: truncate(&one_line(&view.opened.headline(incident)), TITLE_CHARACTERS),
        service: incident.service.as_deref().map(one_line),
        since: view.clock.past(incident.opened_at),
        holder: holder(incident, view),
        alerts: Vec::new(),
        alerts_more: 0,
        can_acknowledge: view.opened.can_act()
            && view.opened.is_shown(incident)
            && incident.status == Status::Triggered,
    }
}

/// Who has it: the first question of everybody who opens the page.
fn holder(incident: &Incident, view: &AckPageView<'_>) -> String {
    let who = |handled: &Handled| {
        let is_reader = handled.user.is_some() && handled.user.as_ref() == view.opened.user();
        if is_reader {
            "You".to_owned()
        } else {
            one_line(&handled.by)
        }
    };
    match (incident.status, &incident.acknowledged, &incident.resolved) {
        _ if !view.opened.is_shown(incident) => {
            "This was an earlier occurrence; it is resolved.".to_owned()
        }
        (Status::Resolved, _, Some(end)) => {
            let by = who(end);
            let by = if by == "You" { "you" } else { &by };
            format!("Resolved {} by {by}.", view.clock.past(end.at))
        }
        (Status::Resolved, _, None) => "Resolved.".to_owned(),
        (Status::Acknowledged, Some(taken), _) => {
            let since = view.clock.past(taken.at);
            let sleeps = snoozed_until(incident, view);
            let by = who(taken);
            let by = if by == "You" { "you" } else { &by };
            format!("Acknowledged by {by}, {since}.{sleeps}")
        }
        (Status::Acknowledged, None, _) => "Acknowledged at its source.".to_owned(),
        (Status::Triggered, _, _) => "Nobody has acknowledged it yet.".to_owned(),
    }
}

fn snoozed_until(incident: &Incident, view: &AckPageView<'_>) -> String {
    match (incident.escalation.phase, incident.escalation.due) {
        (Phase::Snoozed, Some(due)) => {
            let until = view.clock.local(view.now.wall_of(due));
            format!(" Snoozed until {until}.")
        }
        _ => String::new(),
    }
}

fn buttons(opened: &OpenedLink) -> Vec<Button> {
    if !opened.can_act() {
        return Vec::new();
    }
    let waiting = opened.count(Status::Triggered);
    let taken = opened.count(Status::Acknowledged);
    let is_single = opened.page.incidents.len() == 1;
    let all = |verb: &str, count: usize| {
        if is_single {
            verb.to_owned()
        } else {
            format!("{verb} all {count}")
        }
    };
    let button = |action, label, look| Button {
        action,
        label,
        look,
    };
    let mut buttons = Vec::new();
    if waiting > 0 {
        buttons.push(button("acknowledge", all("Acknowledge", waiting), "main"));
        if opened.user().is_some() {
            buttons.push(button("decline", "I can't take this".to_owned(), "plain"));
        }
    }
    if taken > 0 {
        // Neither is where the big button was: a second press in half sleep must not resolve.
        buttons.push(button("snooze", "Snooze 1 h".to_owned(), "plain"));
        buttons.push(button("resolve", all("Resolve", waiting + taken), "plain"));
    }
    buttons
}

fn closing(opened: &OpenedLink) -> String {
    let open = opened.count(Status::Triggered) + opened.count(Status::Acknowledged);
    if opened.is_expired && open > 0 {
        let number = opened.incidents.first().map_or(0, |one| one.number.0);
        return format!(
            "This link is older than 7 days and no longer works. Use the newest message, or: \
             reveille ack {number}"
        );
    }
    "Nothing left to do here.".to_owned()
}

#[cfg(test)]
mod tests;
