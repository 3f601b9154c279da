//! What an attempt hands to its channel, as data: made when everything of a step is decided, so
//! that a page speaks of the whole request and not of its first event.

use std::sync::Arc;

use crate::engine::alert::{Alert, AlertSummary};
use crate::engine::decision::{IncidentSummary, Message, SendRequest, ThreadRef, TokenSubject};
use crate::engine::event::Text;
use crate::engine::headline;
use crate::engine::ids::{AttemptId, IncidentNumber, PageId};
use crate::engine::incident::Incident;
use crate::engine::page::{IncidentRef, Page, PageKind, Recipient};
use crate::engine::ruleset::{ChannelInfo, Medium};
use crate::engine::time::{Duration, MonotonicTime};
use crate::engine::transaction::StepTransaction;

/// What a channel has for one attempt: mail relays may take their time.
pub fn deadline(tx: &StepTransaction<'_>, page: PageId) -> Duration {
    let medium = tx.page(&page).map(|page| page.medium);
    if medium == Some(Medium::Email) {
        Duration::seconds(60)
    } else {
        Duration::seconds(15)
    }
}

/// The requests for all attempts of a step, as everything stands at its end.
pub fn requests(tx: &StepTransaction<'_>) -> Vec<Arc<SendRequest>> {
    let made = tx.leaving.iter().filter_map(|leaving| {
        let page = tx.page(&leaving.page);
        let page = page.expect("a page with an attempt under way is kept");
        let (attempt, deadline) = (leaving.attempt, leaving.deadline);
        request(tx, &page, &leaving.channel, attempt, deadline)
    });
    made.map(Arc::new).collect()
}

/// The request for an attempt. `None` if none of the page's incidents is known any more.
fn request(
    tx: &StepTransaction<'_>,
    page: &Arc<Page>,
    channel: &ChannelInfo,
    attempt: AttemptId,
    deadline: Duration,
) -> Option<SendRequest> {
    let message = message(tx, page, channel)?;
    Some(SendRequest {
        attempt,
        page: page.id,
        channel: channel.name.clone(),
        medium: page.medium,
        address: page.address.clone(),
        urgency: page.urgency,
        integration: page.integration.clone(),
        asks: page.asks(),
        message,
        thread: thread(tx, page, channel),
        plain_text_only: page.plain_text_only,
        deadline,
    })
}

fn message(tx: &StepTransaction<'_>, page: &Page, channel: &ChannelInfo) -> Option<Message> {
    let named = channel.capabilities.incidents_named_max.max(1);
    let incidents: Vec<IncidentSummary> = page
        .incidents
        .iter()
        .take(named)
        .filter_map(|known| summary(tx, known, page.told_until))
        .collect();
    if incidents.is_empty() {
        return None;
    }
    let user = page
        .recipient
        .user()
        .and_then(|user| tx.rules.users.get(user));
    let zone = user
        .and_then(|user| user.time_zone.iana_name())
        .unwrap_or("UTC");
    let is_bundle = match page.kind {
        PageKind::Bundle => true,
        PageKind::Update { of, .. } => tx.page(&of).is_some_and(|of| of.kind == PageKind::Bundle),
        PageKind::Page | PageKind::Copy => false,
    };
    let generation = page
        .incidents
        .first()
        .map_or(0, |incident| incident.generation);
    Some(Message {
        kind: page.kind,
        recipient: page.recipient.clone(),
        recipient_name: user.map(|user| user.full_name.clone()),
        time_zone: zone.into(),
        incidents,
        incidents_total: page.incidents.len(),
        token: TokenSubject {
            page: token_page(page),
            generation: if is_bundle { 0 } else { generation },
            user: page.recipient.user().cloned(),
        },
        why: page.why.clone(),
        news: match page.kind {
            PageKind::Update { news, .. } => Some(news),
            PageKind::Page | PageKind::Bundle | PageKind::Copy => None,
        },
        written_at: tx.now.wall,
    })
}

/// The page whose link a message carries: an update carries that of the page it is about.
fn token_page(page: &Page) -> PageId {
    match page.kind {
        PageKind::Update { of, .. } => of,
        PageKind::Page | PageKind::Bundle | PageKind::Copy => page.id,
    }
}

fn summary(
    tx: &StepTransaction<'_>,
    known: &IncidentRef,
    told: Option<MonotonicTime>,
) -> Option<IncidentSummary> {
    let incident = tx.incident(&known.number)?;
    Some(summary_of(tx, &incident, told))
}

fn summary_of(
    tx: &StepTransaction<'_>,
    incident: &Incident,
    told: Option<MonotonicTime>,
) -> IncidentSummary {
    let alerts = tx.first_alerts_of(incident.number, IncidentSummary::ALERTS_MAX);
    // Which alerts have left a resolved incident by now says nothing of it.
    let told = told.filter(|_| incident.is_open());
    let title = headline::title(incident, alerts.first().map(|alert| &**alert));
    let mut joined = match told {
        Some(told) => tx.alerts_entered_after(incident.number, told),
        None => Vec::new(),
    };
    joined.retain(|alert| alert.firing && !alert.is_silenced());
    let joined_total = joined.len();
    joined.sort_by_cached_key(|alert| (headline::rank(alert), alert.id));
    joined.truncate(IncidentSummary::ALERTS_MAX);
    let waiting = waiting(tx, incident);
    IncidentSummary {
        incident: IncidentRef {
            number: incident.number,
            generation: incident.generation,
        },
        status: incident.status,
        urgency: incident.urgency,
        opened_with: incident.title.clone(),
        title,
        service: incident.service.clone(),
        opened_at: incident.opened_at,
        acknowledged: incident.acknowledged.clone(),
        resolved: incident.resolved.clone(),
        alerts_firing: incident.alerts.firing,
        alerts_total: incident.alerts.total,
        group_labels: incident.group_labels.clone(),
        alerts: if incident.is_open() {
            summaries(&alerts)
        } else {
            incident.last_alerts.clone()
        },
        joined_total,
        joined: joined.iter().map(|alert| alert.title()).collect(),
        provider_incident: provider_incident(tx, incident.number),
        waiting_total: waiting.len(),
        waiting: waiting
            .iter()
            .take(IncidentSummary::ALERTS_MAX)
            .filter_map(|number| named(tx, *number))
            .collect(),
        is_self_incident: incident.about.is_some(),
    }
}

/// What waits under an incident of a provider.
fn waiting(tx: &StepTransaction<'_>, incident: &Incident) -> Vec<IncidentNumber> {
    if !incident.integration.is_provider() || !incident.is_open() {
        return Vec::new();
    }
    tx.held_under(incident.number)
}

/// The provider's incident to which this one may be due, while that is open.
fn provider_incident(tx: &StepTransaction<'_>, number: IncidentNumber) -> Option<Text> {
    let under = tx.dependent(&number)?.told?;
    named(tx, under)
}

/// Number and title of an open incident.
fn named(tx: &StepTransaction<'_>, number: IncidentNumber) -> Option<Text> {
    let incident = tx.incident(&number).filter(|incident| incident.is_open())?;
    Some(format!("#{number} {}", incident.title).into())
}

/// The alerts of an incident as a message shows them.
pub fn alert_summaries(tx: &StepTransaction<'_>, number: IncidentNumber) -> Vec<AlertSummary> {
    summaries(&tx.first_alerts_of(number, IncidentSummary::ALERTS_MAX))
}

fn summaries(alerts: &[Arc<Alert>]) -> Vec<AlertSummary> {
    alerts.iter().map(|alert| alert_summary(alert)).collect()
}

fn alert_summary(alert: &Alert) -> AlertSummary {
    AlertSummary {
        summary: alert.title(),
        firing: alert.firing,
        first_seen: alert.first_seen,
        content: alert.content.clone(),
    }
}

/// Where the message goes: an update under or over the one it is about, a page under an earlier
/// page to the same place.
fn thread(tx: &StepTransaction<'_>, page: &Page, channel: &ChannelInfo) -> Option<ThreadRef> {
    let PageKind::Update { of, .. } = page.kind else {
        return earlier(tx, page, channel);
    };
    let about = tx.page(&of)?;
    let reference = about
        .reference
        .as_ref()
        .filter(|known| known.channel == channel.name)?;
    let text = reference.text.clone();
    Some(if channel.capabilities.updates {
        ThreadRef::Edit(text)
    } else {
        ThreadRef::Thread(text)
    })
}

fn earlier(tx: &StepTransaction<'_>, page: &Page, channel: &ChannelInfo) -> Option<ThreadRef> {
    if page.kind != PageKind::Page || !channel.capabilities.threads {
        return None;
    }
    let number = page.incidents.first()?.number;
    let same_place = |other: &Arc<Page>| -> Option<Text> {
        let is_same = other.id != page.id
            && other.kind == PageKind::Page
            && other.address == page.address
            && is_same_recipient(&other.recipient, &page.recipient);
        let reference = other
            .reference
            .as_ref()
            .filter(|known| known.channel == channel.name)?;
        is_same.then(|| reference.text.clone())
    };
    tx.pages_of(number)
        .iter()
        .find_map(same_place)
        .map(ThreadRef::Thread)
}

fn is_same_recipient(one: &Recipient, other: &Recipient) -> bool {
    match (one, other) {
        (Recipient::User { user: one, .. }, Recipient::User { user: other, .. }) => one == other,
        (Recipient::Channel { channel: one }, Recipient::Channel { channel: other }) => {
            one == other
        }
        (Recipient::User { .. }, Recipient::Channel { .. })
        | (Recipient::Channel { .. }, Recipient::User { .. }) => false,
    }
}
