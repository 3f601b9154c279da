//! Checks of the room as a whole.
