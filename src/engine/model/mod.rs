//! What is known and kept: the records and their own life cycle, and what they are made of.

pub mod actor;
pub mod alert;
pub mod assertions;
pub mod budget;
pub mod cause;
pub mod channel_state;
pub mod counters;
pub mod entry;
pub mod entry_body;
pub mod event;
pub mod headline;
pub mod health;
pub mod ids;
pub mod incident;
pub mod key;
pub mod outcome;
pub mod pace;
pub mod page;
pub mod phone;
pub mod reason;
pub mod recent_events;
pub mod records;
pub mod strength;
pub mod task;
pub mod time;
pub mod urgency;
