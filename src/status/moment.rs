//! Times as status pages write them; an abbreviation that is in no table is no time.

use jiff::Timestamp as Instant;

use crate::engine::time::Timestamp;

/// A time in any of the forms that pages use in fields; `None` for what is none.
pub fn moment(text: &str) -> Option<Timestamp> {
    let instant: Instant = text.trim().parse().ok()?;
    Some(Timestamp(instant.as_millisecond()))
}
