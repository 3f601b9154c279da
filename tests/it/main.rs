//! Behaviour of the whole, seen from outside: one file per behaviour, fakes in `harness`.

mod harness;
mod harness_fakes;
mod mail_form;
mod mail_outcomes;
