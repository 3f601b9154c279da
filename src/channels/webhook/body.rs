//! What a webhook says, as JSON: everything a message shows, under 20 KB.

use serde_json::{Map, Value, json};

use crate::channels::links::Links;
use crate::channels::{message_text, sent};
use crate::engine::alert::AlertSummary;
use crate::engine::decision::{IncidentSummary, Message, SendRequest};
use crate::engine::event::Labels;
use crate::engine::ids::UserName;
use crate::engine::incident::{Handled, Status};
use crate::engine::page::{PageKind, Recipient, UpdateKind};
use crate::text::truncate;

/// Bytes of a body, after Standard Webhooks.
const BODY_BYTES_MAX: usize = 20_000;

const LABELS_MAX: usize = 32;
const LABEL_CHARACTERS_MAX: usize = 256;
/// Links of an alert: no event has more.
const LINKS_MAX: usize = 20;

/// How much is told of each alert; less is told when all of it does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    /// All that the monitor sent.
    Full,
    /// No details, and labels, links and texts cut.
    Cut,
    WithoutLabels,
    WithoutAlerts,
}

/// The message's id, by which a receiver knows a repetition: the page, and for notices the state
/// that they tell, because a notice about a later state is not a repetition.
pub fn id(order: &SendRequest) -> String {
    let page = order.page;
    let brief = order.message.incidents.first();
    match (order.message.kind, brief) {
        (PageKind::Update { .. } | PageKind::Copy, Some(brief)) => {
            let (firing, total) = (brief.alerts_firing, brief.alerts_total);
            format!("page_{page}_{}_{firing}_{total}", brief.status)
        }
        (PageKind::Page | PageKind::Bundle | PageKind::Update { .. } | PageKind::Copy, _) => {
            format!("page_{page}")
        }
    }
}

/// The body, with as much detail as fits.
pub fn render(order: &SendRequest, links: &Links) -> String {
    let render = |detail| body(order, links, detail).to_string();
    [Detail::Full, Detail::Cut, Detail::WithoutLabels]
        .into_iter()
        .map(render)
        .find(|text| text.len() <= BODY_BYTES_MAX)
        .unwrap_or_else(|| render(Detail::WithoutAlerts))
}

fn body(order: &SendRequest, links: &Links, detail: Detail) -> Value {
    let message = &order.message;
    let incidents = message.incidents.iter();
    let incidents: Vec<Value> = incidents.map(|brief| incident(brief, detail)).collect();
    let ack_url = order.asks.then(|| links.page(&message.token));
    json!({
        "type": event_type(message),
        "timestamp": message.written_at.to_string(),
        "data": {
            "page": order.page.0,
            "recipient": recipient(&message.recipient),
            "why": message_text::why(message),
            "ack_url": ack_url,
            "incidents_total": message.incidents_total,
            "incidents": incidents,
            "complete": detail == Detail::Full,
        },
    })
}

fn event_type(message: &Message) -> &'static str {
    match message.kind {
        PageKind::Page => "incident.page",
        PageKind::Bundle => "incident.bundled",
        PageKind::Update { news, .. } => match news {
            UpdateKind::Joined | UpdateKind::Triggered => "incident.updated",
            UpdateKind::Acknowledged => "incident.acknowledged",
            UpdateKind::Resolved => "incident.resolved",
        },
        PageKind::Copy => match message.incidents.first().map(|brief| brief.status) {
            Some(Status::Triggered) | None => "incident.updated",
            Some(Status::Acknowledged) => "incident.acknowledged",
            Some(Status::Resolved) => "incident.resolved",
        },
    }
}

fn recipient(recipient: &Recipient) -> Value {
    match recipient {
        Recipient::User { user, contact } => {
            json!({ "user": user.as_str(), "contact": contact.as_str() })
        }
        Recipient::Channel { channel } => json!({ "channel": channel.as_str() }),
    }
}

fn incident(brief: &IncidentSummary, detail: Detail) -> Value {
    let alerts: Vec<Value> = match detail {
        Detail::Full | Detail::Cut | Detail::WithoutLabels => {
            let alerts = brief.alerts.iter().take(IncidentSummary::ALERTS_MAX);
            alerts.map(|found| alert(found, detail)).collect()
        }
        Detail::WithoutAlerts => Vec::new(),
    };
    json!({
        "number": brief.incident.number.0,
        "generation": brief.incident.generation,
        "status": brief.status.as_str(),
        "urgency": brief.urgency.as_str(),
        "title": shortened(&brief.title),
        "opened_with": shortened(&brief.opened_with),
        "joined": brief.joined.iter().map(|title| shortened(title)).collect::<Vec<_>>(),
        "service": brief.service.as_deref().map(shortened),
        "provider_incident": brief.provider_incident.as_deref().map(shortened),
        "waiting": brief.waiting.iter().map(|title| shortened(title)).collect::<Vec<_>>(),
        "waiting_total": brief.waiting_total,
        "opened_at": brief.opened_at.to_string(),
        "acknowledged": handled(brief.acknowledged.as_ref()),
        "resolved": handled(brief.resolved.as_ref()),
        "group": labels(&brief.group_labels, shortened, LABELS_MAX),
        "alerts_firing": brief.alerts_firing,
        "alerts_total": brief.alerts_total,
        "alerts": alerts,
    })
}

fn alert(alert: &AlertSummary, detail: Detail) -> Value {
    let content = &alert.content;
    let (text, most): (fn(&str) -> String, usize) = match detail {
        Detail::Full => (str::to_owned, usize::MAX),
        Detail::Cut | Detail::WithoutLabels | Detail::WithoutAlerts => (shortened, LABELS_MAX),
    };
    let mut fields = json!({
        "summary": text(&alert.summary),
        "severity": text(&content.severity),
        "source": content.source.as_deref().map(text),
        "firing": alert.firing,
        "first_seen": alert.first_seen.to_string(),
    });
    if matches!(detail, Detail::Full | Detail::Cut) {
        fields["labels"] = labels(&content.labels, text, most);
        let links = content.links.iter().take(most.min(LINKS_MAX));
        fields["links"] = links
            .map(|link| json!({ "href": &*link.href, "text": link.text.as_deref() }))
            .collect();
    }
    if detail == Detail::Full {
        fields["component"] = content.component.as_deref().into();
        fields["group"] = content.group.as_deref().into();
        fields["class"] = content.class.as_deref().into();
        fields["details"] = content.details.as_deref().map_or(Value::Null, sent::value);
    }
    fields
}

fn handled(handled: Option<&Handled>) -> Value {
    match handled {
        Some(handled) => json!({
            "by": shortened(&handled.by),
            "user": handled.user.as_ref().map(UserName::as_str),
            "via": handled.via.to_string(),
            "at": handled.at.to_string(),
        }),
        None => Value::Null,
    }
}

fn shortened(text: &str) -> String {
    truncate(text, LABEL_CHARACTERS_MAX)
}

fn labels(labels: &Labels, text: fn(&str) -> String, most: usize) -> Value {
    let shown = labels.iter().take(most);
    let members: Map<String, Value> = shown
        .map(|(name, value)| (name.to_string(), text(value).into()))
        .collect();
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channels::sample;
    use crate::engine::ruleset::Medium;

    fn rendered(order: &SendRequest) -> Value {
        let text = render(order, &sample::links());
        assert!(text.len() <= BODY_BYTES_MAX, "{} bytes", text.len());
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn a_page_tells_what_a_message_shows() {
        insta::assert_json_snapshot!("page", rendered(&sample::order(Medium::Webhook)));
    }

    #[test]
    fn the_type_says_what_happened_and_only_pages_can_be_acknowledged() {
        let update = |news, brief| sample::update(Medium::Webhook, news, brief);
        let mut copy = sample::order(Medium::Webhook);
        copy.message.kind = PageKind::Copy;
        copy.asks = false;
        let cases = [
            (sample::order(Medium::Webhook), "incident.page", true),
            (sample::bundle(Medium::Webhook, 3), "incident.bundled", true),
            (
                update(UpdateKind::Joined, sample::triggered()),
                "incident.updated",
                false,
            ),
            (
                update(UpdateKind::Acknowledged, sample::acknowledged()),
                "incident.acknowledged",
                false,
            ),
            (
                update(UpdateKind::Resolved, sample::resolved()),
                "incident.resolved",
                false,
            ),
            (copy, "incident.updated", false),
        ];
        for (order, kind, asks) in cases {
            let body = rendered(&order);
            assert_eq!(body["type"], kind);
            assert_eq!(body["data"]["ack_url"].is_string(), asks, "{kind}");
        }
    }

    #[test]
    fn the_id_stays_over_retries_and_changes_with_the_state_of_a_notice() {
        let mut page = sample::order(Medium::Webhook);
        assert_eq!(id(&page), "page_17");
        page.message.incidents[0] = sample::acknowledged();
        assert_eq!(id(&page), "page_17");
        let notice = sample::update(Medium::Webhook, UpdateKind::Resolved, sample::resolved());
        assert_eq!(id(&notice), "page_18_resolved_1_1");
    }

    #[test]
    fn detail_is_left_out_until_the_body_fits() {
        let long = "x".repeat(2_000);
        let mut alert = sample::alert(&long, "critical", Some(&long));
        let mut order = sample::order(Medium::Webhook);
        order.message.incidents[0].alerts = vec![alert.clone(); 10];
        let body = rendered(&order);
        assert!(body["data"]["incidents"][0]["alerts"][9]["labels"].is_object());
        sample::content(&mut alert).labels = (0..256)
            .map(|at| (format!("l{at}"), long.clone()))
            .collect();
        order.message.incidents[0].alerts = vec![alert.clone(); 10];
        let body = rendered(&order);
        let alerts = &body["data"]["incidents"][0]["alerts"];
        assert_eq!(alerts.as_array().map(Vec::len), Some(10));
        assert_eq!(alerts[0].get("labels"), None);
        order.message.incidents = vec![order.message.incidents[0].clone(); 30];
        let body = rendered(&order);
        let incidents = &body["data"]["incidents"];
        assert_eq!(incidents.as_array().map(Vec::len), Some(30));
        assert_eq!(incidents[29]["alerts"], json!([]));
    }

    #[test]
    fn the_most_incidents_of_a_bundled_page_fit() {
        let order = sample::bundle(Medium::Webhook, 50);
        let body = rendered(&order);
        let incidents = body["data"]["incidents"].as_array().map(Vec::len);
        assert_eq!(incidents, Some(50));
    }
}
