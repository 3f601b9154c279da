//! One file per format: bytes become events plus faults. Pure; never panics.
//!
//! What is good is kept and what is not is reported. Answers towards the sender, keys and size
//! limits of bodies are the business of `api`.

pub mod alertmanager;
pub mod alertmanager_api;
mod batch;
mod dedup;
mod details;
mod faults;
mod fields;
pub mod generic;
mod json;
mod json_text;
mod labels;
mod limits;
mod links;
mod moment;
pub mod native;
pub mod pagerduty;
mod prometheus;

use crate::engine::event::{Event, Fault};
use crate::engine::ruleset::{Format, Integration};
use crate::engine::time::Timestamp;

/// What could be read from a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The usable events, each with the faults that were mended in it.
    pub events: Vec<Event>,
    /// What could not be used at all. With no event this means 400.
    pub faults: Vec<Fault>,
}

/// Reads a body in the integration's format.
pub fn parse(integration: &Integration, body: &[u8], now: Timestamp) -> Parsed {
    parse_as(&integration.format, integration, body, now)
}

/// Reads a body in a given format, for paths that decide the format while the key decides the
/// integration.
pub fn parse_as(format: &Format, integration: &Integration, body: &[u8], now: Timestamp) -> Parsed {
    let source = Source { integration, now };
    match format {
        Format::Native => native::parse(source, body),
        Format::Alertmanager => alertmanager::parse(source, body),
        Format::AlertmanagerApi => alertmanager_api::parse(source, body),
        Format::Pagerduty => pagerduty::parse(source, body),
        Format::Generic(mapping) => generic::parse(mapping, source, body),
    }
}

/// Reads a change event of PagerDuty, which has a path of its own.
pub fn parse_change(integration: &Integration, body: &[u8], now: Timestamp) -> Parsed {
    pagerduty::parse_change(Source { integration, now }, body)
}

/// Who posted, and when.
#[derive(Clone, Copy, Debug)]
pub struct Source<'request> {
    pub integration: &'request Integration,
    pub now: Timestamp,
}

impl Parsed {
    /// A request of which nothing can be used.
    fn refused(fault: Fault) -> Self {
        Self {
            events: Vec::new(),
            faults: vec![fault],
        }
    }
}

#[cfg(test)]
mod tests;
