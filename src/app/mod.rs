//! The only place that names concrete stores, channels and the real clock. It puts the process
//! together, starts it, and ends it in order.

mod arrival;
mod background;
pub mod backup;
mod banner;
mod bootstrap;
mod certificate;
mod channels;
mod checking;
mod checkpoints;
mod connection;
mod descriptors;
mod desk;
mod displacing;
mod listener;
mod observer;
mod options;
mod permit;
mod places;
mod publishing;
pub mod rescue;
mod revision_store;
mod rules_folder;
mod rules_service;
mod secrets;
mod servers;
mod serving;
mod shares;
mod shutdown;
mod startup;
mod status_pages;
mod supervisor;
pub mod time_zones;
mod tls;
mod watching;

pub use crate::runtime::clock::wall_now;
pub use channels::web_addresses;
pub use options::{ApplyRules, ServeOptions};
pub use rules_service::fault as rule_fault;
pub use startup::serve;
