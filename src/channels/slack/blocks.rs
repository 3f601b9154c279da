//! A message as Slack shows it: Block Kit, and the text of notifications and screen readers.
//!
//! Every element is cut to its own limit, because one that is too long fails the whole message.
//! Text of others stands in `plain_text` objects, where no sign formats anything and all can be
//! copied as it was sent; only links and our own sentences are markup.

use serde_json::{Value, json};

use super::Buttons;
use super::mrkdwn::{escaped, length, lines, link, literal};
use crate::channels::links::Links;
use crate::channels::{acknowledge_text, message_text, sent};
use crate::engine::decision::{IncidentSummary, Message, SendRequest, ThreadRef};
use crate::engine::event::Link;
use crate::engine::incident::Status;
use crate::engine::page::PageKind;
use crate::text::{more, one_line};

const HEADER_MAX: usize = 150;
const SECTION_MAX: usize = 3_000;
const CONTEXT_MAX: usize = 1_000;
const LINE_MAX: usize = 300;
/// Ten alerts and the line that counts the rest fit into a section.
const ALERT_LINE_MAX: usize = 260;
const LABELS_LINE_MAX: usize = 700;
/// What monitors sent: with the line that tells of the rest it fits into a section.
const SENT_MAX: usize = 2_400;
const URL_MAX: usize = 3_000;
const LINKS_MAX: usize = 5;

/// Slack takes 40,000 characters; nobody reads more than this on a phone.
const TEXT_MAX: usize = 3_000;

/// The message as plain markup: the whole of it when no blocks are sent with it.
pub(super) fn text(order: &SendRequest, links: &Links) -> String {
    let message = &order.message;
    let single = message.incidents.first().filter(|_| !is_bundle(message));
    let news = message_text::news(message);
    if let (Some(news), Some(brief), false) = (&news, single, order.asks) {
        let news = format!("{}: {news}", message_text::headline(brief));
        return literal(&news, TEXT_MAX);
    }
    let first = match single {
        None => acknowledge_text::bundle_summary(message),
        Some(brief) => {
            let said = news.unwrap_or_else(|| message_text::state(brief, &message.time_zone));
            format!("{} ({said})", message_text::headline(brief))
        }
    };
    let mut parts = vec![literal(&first, TEXT_MAX / 2)];
    if order.plain_text_only {
        parts.push(literal(&message_text::why(message), LINE_MAX));
        parts.extend(how_to_acknowledge(order, links));
    }
    lines(parts, TEXT_MAX)
}

/// The message as blocks.
pub(super) fn blocks(order: &SendRequest, links: &Links, buttons: Buttons) -> Vec<Value> {
    let message = &order.message;
    let is_reply = matches!(order.thread, Some(ThreadRef::Thread(_)));
    if let (true, false, Some(news)) = (is_reply, order.asks, message_text::news(message)) {
        // The message above says all the rest.
        return vec![section(&escaped(&news, SECTION_MAX))];
    }
    let mut blocks = match message.incidents.first().filter(|_| !is_bundle(message)) {
        None => bundle(message),
        Some(brief) => single(message, brief),
    };
    blocks.push(context(&escaped(&message_text::why(message), CONTEXT_MAX)));
    let shows_buttons = buttons == Buttons::Shown && can_act(order);
    if shows_buttons {
        blocks.push(actions(message, links));
    }
    if !shows_buttons || links.is_local() {
        blocks.extend(how_to_acknowledge(order, links).map(|how| markup(&how)));
    }
    blocks
}

/// Whether it speaks of several incidents: a bundled page, or the same changed in its place.
fn is_bundle(message: &Message) -> bool {
    match message.kind {
        PageKind::Bundle => true,
        PageKind::Update { .. } => message.incidents_total > 1,
        PageKind::Page | PageKind::Copy => false,
    }
}

fn single(message: &Message, brief: &IncidentSummary) -> Vec<Value> {
    let zone = &message.time_zone;
    let facts = [
        Some(escaped(&message_text::state(brief, zone), LINE_MAX)),
        message_text::service(brief)
            .map(|service| format!("Service: {}", escaped(&service, LINE_MAX))),
        Some(format!(
            "Since: {}",
            escaped(&message_text::since(brief, zone), LINE_MAX)
        )),
        message_text::group(brief)
            .map(|group| format!("Group: {}", escaped(&group, LABELS_LINE_MAX))),
        Some(format!("Alerts: {}", message_text::firing(brief))),
        message_text::provider_incident(brief)
            .map(|incident| format!("Provider: {}", escaped(&incident, LINE_MAX))),
        message_text::waiting(brief)
            .map(|waiting| format!("Waiting beneath: {}", escaped(&waiting, LINE_MAX))),
    ];
    let mut blocks = vec![header(&message_text::headline(brief))];
    if let Some(news) = message_text::joined(brief) {
        blocks.push(section(&escaped(&news, LINE_MAX)));
    }
    blocks.push(section(&lines(facts.into_iter().flatten(), SECTION_MAX)));
    let alerts = message_text::alert_lines(brief);
    let alerts = alerts
        .iter()
        .map(|line| format!("• {}", escaped(line, ALERT_LINE_MAX)));
    let alerts = lines(alerts, SECTION_MAX);
    if !alerts.is_empty() {
        blocks.push(section(&alerts));
    }
    blocks.extend(sent(brief).map(|lines| section(&lines)));
    blocks.extend(source_links(brief).map(|links| markup(&links)));
    blocks
}

/// What monitors sent of the alerts shown, an alert after the other.
fn sent(brief: &IncidentSummary) -> Option<String> {
    let blocks = sent::blocks(brief, SENT_MAX, |text| length(&escaped(text, usize::MAX)));
    let blocks = blocks.iter().map(|block| block.all().collect::<Vec<_>>());
    let all: Vec<String> = blocks.map(|lines| lines.join("\n")).collect();
    (!all.is_empty()).then(|| escaped(&all.join("\n\n"), SECTION_MAX))
}

fn source_links(brief: &IncidentSummary) -> Option<String> {
    let links = message_text::links_of(brief).into_iter().take(LINKS_MAX);
    let shown = lines(links.map(source_link), SECTION_MAX - LINE_MAX);
    let rest = message_text::more_links(brief, shown.lines().count());
    let rest = rest.map(|rest| escaped(&rest, LINE_MAX));
    let all: Vec<String> = [shown].into_iter().chain(rest).collect();
    let all = all.join("\n").trim().to_owned();
    (!all.is_empty()).then_some(all)
}

fn source_link(source: &Link) -> String {
    let text = source.text.as_deref().unwrap_or(&source.href);
    link(&source.href, &one_line(text), CONTEXT_MAX)
}

fn bundle(message: &Message) -> Vec<Value> {
    let listed = message.incidents.iter().map(|brief| {
        let state = match brief.status {
            Status::Triggered => {
                let since = message_text::since_short(brief, &message.time_zone);
                format!("since {since}")
            }
            Status::Acknowledged | Status::Resolved => {
                message_text::state(brief, &message.time_zone)
            }
        };
        let line = format!("{} ({state})", message_text::headline(brief));
        format!("• {}", escaped(&line, LINE_MAX / 2))
    });
    let shown = lines(listed, SECTION_MAX - LINE_MAX);
    let named = shown.lines().count();
    let more = more(message.incidents_total, named);
    let listed = lines([shown].into_iter().chain(more), SECTION_MAX);
    let head = match message.kind {
        PageKind::Update { .. } => format!("Bundle of {} incidents", message.incidents_total),
        PageKind::Page | PageKind::Bundle | PageKind::Copy => {
            acknowledge_text::bundle_count(message)
        }
    };
    let mut blocks = vec![header(&head)];
    if !listed.is_empty() {
        blocks.push(section(&listed));
    }
    blocks
}

/// Buttons are for whoever was asked and has not yet been answered by somebody.
fn can_act(order: &SendRequest) -> bool {
    let is_triggered = |brief: &IncidentSummary| brief.status == Status::Triggered;
    let is_open = order.message.incidents.iter().any(is_triggered);
    let asked = match order.message.kind {
        PageKind::Page | PageKind::Bundle => true,
        // The message that asked is changed; only so do its buttons stay.
        PageKind::Update { .. } => matches!(order.thread, Some(ThreadRef::Edit(_))),
        PageKind::Copy => false,
    };
    is_open && asked
}

fn actions(message: &Message, links: &Links) -> Value {
    let token = links.token(&message.token);
    let button = |action: &str, text: &str| {
        json!({
            "type": "button",
            "action_id": action,
            "text": { "type": "plain_text", "text": text },
            "value": token,
        })
    };
    let label = if is_bundle(message) {
        "Acknowledge all"
    } else {
        "Acknowledge"
    };
    let mut acknowledge = button("acknowledge", label);
    acknowledge["style"] = "primary".into();
    let mut elements = vec![
        acknowledge,
        button("decline", "Cannot take it"),
        button("resolve", "Resolve"),
        button("snooze", "Snooze 1 h"),
    ];
    let url = links.page(&message.token);
    if !links.is_local() && length(&url) <= URL_MAX {
        elements.push(json!({
            "type": "button",
            "action_id": "open",
            "text": { "type": "plain_text", "text": "Open" },
            "url": url,
        }));
    }
    json!({ "type": "actions", "elements": elements })
}

/// How to acknowledge where there are no buttons, or none that reaches us.
fn how_to_acknowledge(order: &SendRequest, links: &Links) -> Option<String> {
    if !order.asks {
        return None;
    }
    let command = format!("Run `{}`", acknowledge_text::command(&order.message));
    let command = escaped(&command, LINE_MAX);
    if links.is_local() {
        return Some(command);
    }
    let url = links.page(&order.message.token);
    let page = link(&url, "open the page", CONTEXT_MAX);
    Some(format!("{command}, or {page}"))
}

fn header(text: &str) -> Value {
    json!({ "type": "header", "text": plain(&escaped(text, HEADER_MAX)) })
}

/// A paragraph of escaped text that formats nothing.
fn section(text: &str) -> Value {
    json!({ "type": "section", "text": plain(text) })
}

/// Small print that formats nothing.
fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [plain(text)] })
}

fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// Small print with links or code of ours.
fn markup(text: &str) -> Value {
    let element = json!({ "type": "mrkdwn", "text": text, "verbatim": true });
    json!({ "type": "context", "elements": [element] })
}
