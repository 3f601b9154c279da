//! The engine decides; it is pure, synchronous and deterministic.
//!
//! [`step`] looks at the state, the rules, one input and the present, and returns what changes,
//! what is to be done in the world, and what to answer. It does no input or output, reads no
//! clock, draws no chance, and depends on no hash order. [`State::apply`] is the only way in which
//! the state changes, live and on load.

pub mod alert;
pub mod audit;
pub mod calendar;
pub mod decision;
pub mod event;
pub mod ids;
pub mod incident;
pub mod input;
pub mod matcher;
mod memory;
pub mod outcome;
pub mod page;
pub mod preview;
pub mod reason;
pub mod records;
pub mod routing;
pub mod ruleset;
pub mod state;
pub mod time;
pub mod trouble;
pub mod urgency;

pub use state::State;
