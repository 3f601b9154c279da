//! Behaviour of the whole, seen from outside: one file per behaviour, fakes in `harness`.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

mod documents;
mod harness;
mod harness_fakes;
mod mail_form;
mod mail_outcomes;
mod process;
mod scenario;
mod subscribers;
mod torture;
