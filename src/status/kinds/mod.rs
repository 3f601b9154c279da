//! One file per kind of status page.

use super::StatusKind;

/// All kinds, in the order in which an unknown page is tried. A new one is a file and a line here.
pub static KINDS: &[&StatusKind] = &[];
