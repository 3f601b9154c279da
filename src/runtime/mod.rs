//! The loop that changes state, and what surrounds it: clock, lanes, timers, self-audit.

pub mod clock;
mod describe;
pub mod driver;
pub mod handle;
pub mod lane_watch;
pub mod line;
pub mod queue;
pub mod room;
pub mod sender;
pub mod supervise;
pub mod thread;
pub mod turn;
pub mod unsure;
pub mod watch;

#[cfg(test)]
mod tests;
