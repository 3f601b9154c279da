//! Checks of our own: what the rules name is tried from here, and the engine hears what fails.
//!
//! Whether that is news, and whether a provider has reported it, is for the engine to decide. Here
//! is only what lies before: a schedule, tries, and a second one before anything is believed.

pub mod probe;
pub mod runner;
pub mod trouble;
pub mod watch;
