//! Hashes and base64 in the open: for looking up secrets by their hash, for HTTP basic, and for
//! naming an inline style.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// How a content security policy names an inline style.
pub fn page_style_source(style: &str) -> String {
    format!("'sha256-{}'", base64(&sha256(style.as_bytes())))
}

/// Base64 with the standard alphabet and padding.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads base64 with the standard alphabet.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
