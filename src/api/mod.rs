//! The HTTP surface for monitors, people and scripts.
//!
//! Each handler declares its route and who may use it; `routes` lists and `router` serves them. One
//! file per resource; wire shapes live in `wire`, with one conversion from each engine type.
//! Nothing is decided here about alerts and pages: inputs go to the driver, answers are put into
//! words.

pub mod access;
mod actions;
mod alertmanager;
mod alerts;
mod audit;
pub mod audit_log;
pub mod auth;
mod backup;
mod body;
pub mod body_budget;
mod callback;
mod channels;
mod checks;
mod clock;
pub mod credentials;
mod cut_off;
mod explain;
pub mod extract;
mod fingerprints;
pub mod guesses;
mod health;
mod incidents;
mod ingest;
mod ingest_answers;
pub mod key_origin;
mod keys;
pub mod links;
mod names;
mod oncall;
mod openapi;
mod overrides;
mod pages;
pub mod parse;
pub mod parts;
pub mod peer;
pub mod ports;
mod preview;
pub mod problem;
mod providers;
mod receipts;
pub mod refusals;
pub mod router;
pub mod routes;
mod rules;
pub mod secrets;
mod silences;
mod slack;
mod sms;
mod status;
mod timeline;
mod tokens;
pub mod wire;

pub use router::{public_router, router};

#[cfg(test)]
mod tests;
