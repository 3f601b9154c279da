//! The loop that changes state, and what surrounds it: clock, lanes, timers, self-audit.

pub mod channel_worker;
pub mod clock;
pub mod commit_loop;
pub mod cycle;
mod describe;
pub mod driver;
pub mod handle;
pub mod lane_watch;
pub mod monotonic;
pub mod queue;
mod requests;
pub mod room;
pub mod supervise;
pub mod turn;
pub mod unsure;
pub mod watch;

#[cfg(test)]
mod tests;
