//! Providers that live in the test process: each is bound to a free port of 127.0.0.1, records what
//! it gets, and answers well until its script says otherwise.

pub mod certificate;
pub mod founding;
pub mod http;
pub mod inbox;
pub mod mime;
pub mod orders;
pub mod script;
mod skip;
pub mod slack;
pub mod smtp;
pub mod smtp_session;
pub mod twilio;
pub mod webhook;

use std::sync::Once;

pub use skip::skipped;

/// Installs the TLS provider once, as `main` does for the real process.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Whoever was first is as good: it is the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
