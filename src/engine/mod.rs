//! The engine decides; it is pure, synchronous and deterministic.
//!
//! [`step`] looks at the state, the rules, one input and the present, and returns what changes,
//! what is to be done in the world, and what to answer. It does no input or output, reads no
//! clock, draws no chance, and depends on no hash order. [`State::apply`] is the only way in which
//! the state changes, live and on load.

mod acknowledgment;
mod actions;
pub mod alert;
mod alert_update;
pub mod assertions;
mod attempt_result;
pub mod audit;
mod budget;
pub mod bundle;
pub mod calendar;
pub mod cause;
mod channel_health;
mod check;
mod contact_test;
pub mod counters;
pub mod decision;
mod delivery;
mod delivery_report;
mod escalation;
pub mod event;
mod grouping;
pub mod headline;
pub mod health;
pub mod ids;
pub mod incident;
mod ingest;
pub mod input;
pub mod jump;
pub mod key;
pub mod matcher;
mod notification;
pub mod outcome;
mod overrides;
mod pace;
pub mod page;
pub mod pending;
pub mod phone;
pub mod places;
pub mod preview;
mod queueing;
mod reachability;
pub mod reason;
mod recent_events;
pub mod records;
pub mod recovery;
mod replied;
mod resolution;
pub mod routing;
pub mod ruleset;
#[cfg(test)]
pub mod samples;
mod self_incidents;
pub mod send_request;
mod silence;
pub mod silencing;
mod sms_commands;
pub mod state;
mod step;
pub mod strength;
mod target_resolution;
pub mod task;
#[cfg(test)]
mod tests;
pub mod time;
pub mod touched;
mod transaction;
pub mod unreported;
mod updates;
pub mod urgency;
pub mod work;

pub use state::State;
pub use step::step;
