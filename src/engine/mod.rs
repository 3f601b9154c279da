//! The engine decides; it is pure, synchronous and deterministic.
//!
//! [`step`] looks at the state, the rules, one input and the present, and returns what changes,
//! what is to be done in the world, and what to answer. It does no input or output, reads no
//! clock, draws no chance, and depends on no hash order. [`State::apply`] is the only way in which
//! the state changes, live and on load.

pub mod audit;
pub mod decision;
mod flow;
mod follow_up;
pub mod input;
mod model;
pub mod preview;
pub mod request;
mod rules;
#[cfg(test)]
pub mod samples;
pub mod state;
mod step;
#[cfg(test)]
mod tests;
pub mod touched;
mod transaction;
pub mod work;

use flow::{
    acknowledgment, actions, alert_update, archive, attempt_result, attempt_start, channel_health,
    channel_trouble, check, collapse, conditions, contact_test, contact_test_result, copies,
    counts, covering, delivery, delivery_report, dependents, escalation, flapping, grouping,
    incident_timers, ingest, notes, notification, opening, overrides, own_alerts, page_by_hand,
    page_plan, page_timers, pinned_policy, placement, probe, provider_alerts, provider_components,
    provider_look, provider_reading, providers, queueing, rate_limit, reachability, reached,
    receipts, replied, resolution, self_incidents, silence, silence_request, slot, sms_callers,
    sms_commands, sms_parse, status_alerts, status_components, status_posts, status_requests,
    status_texts, status_timers, target_resolution, tasks, updates, withdrawal,
};
pub use flow::{
    bundle, jump, own_checks, pending, provider_incidents, recovery, send_request, silencing,
    slots, status_state, unreported,
};
pub use model::recent_events;
pub use model::{
    actor, alert, assertions, cause, channel_state, counters, dependent, entry, entry_body, event,
    headline, health, ids, incident, key, outcome, page, phone, provider, reason, records,
    status_act, status_component, status_post, status_report, strength, task, time, urgency,
};
use model::{budget, words};
pub use rules::{
    calendar, dependency, integration, matcher, own_check, policy, provider as provider_rules,
    routing, ruleset, status_page as status_page_rules,
};
pub use state::State;
pub use step::step;
