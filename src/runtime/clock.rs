//! The only reader of time.

use crate::engine::time::Wall;

/// The present on the wall clock.
pub fn wall_now() -> Wall {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    jiff::Timestamp::now().into()
}
