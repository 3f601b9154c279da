//! Documents: YAML, JSON and TOML text into one tree with positions, maps read key by key, values,
//! and diagnostics with help. What a document means is decided by whoever reads it; pure.

mod diagnostic;
pub mod limits;
mod map;
mod node;
pub mod scalar;
pub mod section;
pub mod toml;
pub mod units;
pub mod values;
pub mod yaml;

pub use diagnostic::{Code, DIAGNOSTICS_MAX, Diagnostic, Diagnostics, Severity, render};
pub use map::{MapReader, MapSchema, check_count, duration, list, named, text};
pub use node::{Entry, Node, Position, Value};
