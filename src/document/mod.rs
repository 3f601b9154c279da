//! Documents: YAML, JSON and TOML text into one tree with positions, maps read key by key, values,
//! and diagnostics with help. What a document means is decided by whoever reads it; pure.

mod code;
mod diagnostic;
pub mod limits;
mod map;
mod node;
pub mod scalar;
mod secret;
pub mod section;
mod shown;
mod simple;
pub mod toml;
pub mod units;
pub mod values;
pub mod yaml;

pub use code::Code;
pub use diagnostic::{DIAGNOSTICS_MAX, Diagnostic, Diagnostics, Severity, render};
pub use map::{MapReader, MapSchema};
pub use node::{Entry, Node, Position, Value};
pub use simple::{check_count, duration, list, named, text};
