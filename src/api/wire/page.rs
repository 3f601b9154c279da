//! Pages and their attempts as the API shows them. Addresses of people stay inside: who reads
//! incidents need not know telephone numbers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::engine::incident::Position;
use crate::engine::page::{self, PageKind, Recipient};
use crate::engine::ruleset::Medium;

/// One message to one contact or channel target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page {
    pub id: u64,
    /// `page`, `bundle`, `update` or `copy`.
    pub kind: String,
    /// `sending`, `sent`, `delivered`, `failed` or `cancelled`.
    pub state: String,
    pub incidents: Vec<u64>,
    /// `None` for a channel target.
    pub user: Option<String>,
    pub contact: Option<String>,
    /// For a channel target, as rule documents write it.
    pub target: Option<String>,
    /// The channel of the last attempt.
    pub channel: Option<String>,
    pub medium: String,
    pub urgency: String,
    pub route: String,
    pub policy: Option<String>,
    /// From 1; `None` for fallback and reassignment.
    pub step: Option<u32>,
    /// From 1.
    pub round: u32,
    pub schedule: Option<String>,
    /// Why this recipient, as one sentence.
    pub why: String,
    pub created_at: String,
    pub attempts: Vec<Attempt>,
}

/// One try to hand a page to a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    pub id: u64,
    pub channel: String,
    pub started_at: String,
    /// `None` while it is in flight.
    pub outcome: Option<String>,
    pub latency_ms: Option<u64>,
    pub provider_message: Option<String>,
}

/// A page of the state or of history.
pub fn page(page: &page::Page) -> Page {
    let (user, contact, target) = match &page.recipient {
        Recipient::User { user, contact } => {
            (Some(user.to_string()), Some(contact.to_string()), None)
        }
        Recipient::Channel { channel } => {
            let target = channel_target(channel.as_str(), page.medium, &page.address);
            (None, None, Some(target))
        }
    };
    let named = match &page.recipient {
        Recipient::User { .. } => None,
        Recipient::Channel { channel } => Some(channel),
    };
    let last = page.attempts.last().map(|attempt| &attempt.channel);
    Page {
        id: page.id.0,
        kind: kind(page.kind).to_owned(),
        state: page.state.as_str().to_owned(),
        incidents: page.incidents.iter().map(|known| known.number.0).collect(),
        user,
        contact,
        target,
        channel: last.or(named).map(ToString::to_string),
        medium: page.medium.to_string(),
        urgency: page.urgency.to_string(),
        route: page.why.route.to_string(),
        policy: page.why.policy.as_ref().map(ToString::to_string),
        step: step(page.why.position),
        round: page.why.round + 1,
        schedule: page.why.schedule.as_ref().map(ToString::to_string),
        why: page.why.to_string(),
        created_at: page.created_at.to_string(),
        attempts: page.attempts.iter().map(attempt).collect(),
    }
}

fn attempt(attempt: &page::Attempt) -> Attempt {
    Attempt {
        id: attempt.id.0,
        channel: attempt.channel.to_string(),
        started_at: attempt.started_at.to_string(),
        outcome: attempt.outcome.map(|outcome| outcome.to_string()),
        latency_ms: attempt.latency_ms,
        provider_message: attempt.provider_message.as_ref().map(ToString::to_string),
    }
}

/// A channel target; the address of a webhook may hold a secret and is left out.
fn channel_target(channel: &str, medium: Medium, address: &str) -> String {
    let is_shown = match medium {
        Medium::Email | Medium::Sms | Medium::Slack => !address.is_empty(),
        Medium::Webhook | Medium::Console => false,
    };
    if is_shown {
        format!("channel/{channel}/{address}")
    } else {
        format!("channel/{channel}")
    }
}

/// The word for a kind of page.
pub fn kind(kind: PageKind) -> &'static str {
    match kind {
        PageKind::Page => "page",
        PageKind::Bundle => "bundle",
        PageKind::Update { .. } => "update",
        PageKind::Copy => "copy",
    }
}

fn step(position: Position) -> Option<u32> {
    match position {
        Position::Step(step) => u32::try_from(step + 1).ok(),
        Position::Before | Position::Fallback | Position::Reassigned => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::samples;

    #[test]
    fn a_page_names_its_person_and_hides_the_address() {
        let shown = page(&samples::sent_page());
        assert_eq!(shown.user.as_deref(), Some("ana"));
        assert_eq!(shown.step, Some(2));
        assert_eq!(shown.round, 1);
        assert_eq!(
            shown.why,
            "route payments → policy payments, step 2 → schedule night"
        );
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("+351912345678"), "{text}");
    }

    #[test]
    fn a_channel_target_is_named_but_a_webhook_address_is_not() {
        let cases = [
            (Medium::Slack, "#ops", "channel/c/#ops"),
            (
                Medium::Webhook,
                "https://example.com/hook?key=secret",
                "channel/c",
            ),
            (Medium::Console, "", "channel/c"),
        ];
        for (medium, address, expected) in cases {
            assert_eq!(channel_target("c", medium, address), expected);
        }
    }
}
