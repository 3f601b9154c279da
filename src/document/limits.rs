//! How large a document may be. Beyond a limit it is refused with a fault that names it.

/// Values in one file, with all that aliases stand for.
pub const NODES: usize = 2_000_000;
/// Levels of nested lists and maps; larger than what the deepest routing tree needs.
pub const NESTING: usize = 96;
/// Characters of a key.
pub const KEY_CHARACTERS: usize = 4_096;
