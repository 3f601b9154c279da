//! The loop that changes state, and what surrounds it: clock, lanes, timers, self-audit.

pub mod clock;
pub mod handle;
