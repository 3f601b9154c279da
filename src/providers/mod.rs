//! Asks the status pages of watched providers: when, how politely, and of which kind they are.
//!
//! What their documents say is for `status` to read, and what follows from it for the engine to
//! decide. Here is only what lies between: a schedule, requests, and of the answers as much as
//! tells whether anything changed.

pub mod cadence;
pub mod detection;
pub mod look;
pub mod poller;
pub mod schedule;
pub mod watch;

/// How the poller names itself: pages are asked by a program, and somebody can be written to.
pub fn user_agent(contact: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!("Reveille/{version} (status page watcher; {contact})")
}
