//! Reveille wakes the right person when something breaks.
//!
//! Monitors post outage events; rules decide who must know; pages leave by e-mail, Slack, SMS and
//! webhook; people acknowledge; silence escalates. Nothing accepted is lost or falsely called sent,
//! and every decision can be explained. `docs/architecture.md` is the map of the rooms below.

pub mod api;
pub mod app;
pub mod channels;
pub mod checks;
pub mod cli;
pub mod config;
pub mod document;
pub mod engine;
pub mod inbound;
pub mod providers;
pub mod rules;
pub mod runtime;
pub mod signing;
pub mod status;
pub mod status_page;
pub mod status_site;
pub mod store;
pub mod subscribers;
pub mod telemetry;
#[cfg(test)]
pub mod test_server;
pub mod text;
pub mod web;
