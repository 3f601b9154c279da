//! From where a reader looks at an answer: their time, their zone, their terminal.

use jiff::tz::TimeZone;

use crate::cli::context::{Context, Look};
use crate::engine::time::Timestamp;

/// From where a reader looks at an answer.
#[derive(Clone, Debug)]
pub struct View {
    pub now: Timestamp,
    pub zone: TimeZone,
    pub look: Look,
}

impl From<&Context> for View {
    fn from(context: &Context) -> Self {
        Self {
            now: context.now,
            zone: context.zone.clone(),
            look: context.look,
        }
    }
}
