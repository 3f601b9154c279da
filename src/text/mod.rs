//! The one home of what is done with text: making it safe to show, cutting it, hashing it, sharing
//! it, writing bytes as letters, forms, finding the word that was meant, and counting what an SMS
//! takes.

pub mod base64;
pub mod clean;
pub mod form;
pub mod gsm7;
pub mod hash;
pub mod hex;
pub mod json;
pub mod shared;
pub mod suggest;
pub mod truncate;

pub use clean::{is_unwanted, one_line};
pub use json::json_quoted;
pub use shared::shared;
pub use truncate::{listed, more, truncate};
