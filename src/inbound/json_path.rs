//! Where in a body the reader stands.

use std::fmt::Write;

use super::faults::write_name;

/// Where a path is cut that leads to something mended.
const PATH_BYTES_MAX: usize = 200;

/// One step from a container to what it holds.
pub enum Step {
    Name(String),
    Index(usize),
}

/// A path as it is written; a very long one is cut.
pub fn written(path: &[Step]) -> String {
    let mut place = "$".to_owned();
    for step in path {
        let written = match step {
            Step::Name(name) => write_name(&mut place, name),
            Step::Index(index) => write!(place, "[{index}]"),
        };
        if written.is_err() || place.len() > PATH_BYTES_MAX {
            place.push('…');
            break;
        }
    }
    place
}
