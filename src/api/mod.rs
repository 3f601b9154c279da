//! The HTTP surface for monitors, people and scripts.
