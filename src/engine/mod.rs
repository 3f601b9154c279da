//! The engine decides; it is pure, synchronous and deterministic.
//!
//! [`step`] looks at the state, the rules, one input and the present, and returns what changes,
//! what is to be done in the world, and what to answer. It does no input or output, reads no
//! clock, draws no chance, and depends on no hash order. [`State::apply`] is the only way in which
//! the state changes, live and on load.

mod addressee;
pub mod alert;
mod alert_update;
mod answer;
pub mod assertions;
pub mod audit;
mod budget;
pub mod bundle;
pub mod calendar;
mod check;
mod closing;
mod contact_test;
pub mod counters;
pub mod decision;
mod deliver;
mod delivery_report;
mod draft;
mod escalation;
pub mod event;
mod handling;
pub mod headline;
pub mod health;
pub mod ids;
pub mod incident;
mod ingest;
pub mod input;
pub mod jump;
pub mod key;
mod lane;
pub mod matcher;
mod membership;
mod memory;
mod naming;
mod notify;
pub mod order;
pub mod outcome;
mod overrides;
mod pace;
pub mod page;
pub mod pending;
mod people;
pub mod phone;
pub mod places;
pub mod preview;
mod queueing;
pub mod reason;
pub mod records;
pub mod recovery;
mod replied;
mod reply;
pub mod routing;
pub mod ruleset;
mod silence;
pub mod silencing;
pub mod state;
mod step;
pub mod strength;
pub mod task;
#[cfg(test)]
mod tests;
pub mod time;
pub mod touched;
pub mod trouble;
mod trouble_desk;
pub mod unreported;
mod updates;
pub mod urgency;
pub mod work;

pub use state::State;
pub use step::step;
