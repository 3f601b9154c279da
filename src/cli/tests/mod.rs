//! Commands from their words to their report, against a small server on loopback.

mod grammar;
pub mod harness;
mod hostile;
mod local;
mod manual;
mod posting;
mod remote;
mod rules;
pub mod samples;
