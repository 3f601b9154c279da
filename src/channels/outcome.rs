//! What the tables of all providers share: how long a throttled lane waits, and the provider's own
//! words made fit to be kept. Each provider has its table from answers to outcomes in its folder.
//!
//! Three rules hold in every table. What is not understood is `unknown`, never permanent, because
//! the message may have been sent. A refusal that may lie with the account or with the text rather
//! than with the address is not blamed on the address, so that the next channel is tried. What
//! fails every page in the same way (credentials, a wrong API address, an empty account) is the
//! channel's, not the page's.

use std::error::Error;
use std::io;

use secrecy::{ExposeSecret, SecretString};

use super::retry_after;
use crate::engine::outcome::Outcome;
use crate::engine::time::Duration;
use crate::text::{one_line, truncate};

/// What is kept of a provider's words.
const WORDS_CHARACTERS_MAX: usize = 300;

/// A lane that stays closed for the wait that was asked for, but no longer than a day.
pub fn throttled(wait: Option<Duration>) -> Outcome {
    let wait = wait.unwrap_or(retry_after::DEFAULT).min(retry_after::MAX);
    Outcome::Throttled { wait }
}

/// A provider's words as they are kept: without our secrets, on one line, cut to a length; `None`
/// when nothing is left.
pub fn provider_words(text: &str, secrets: &[&SecretString]) -> Option<String> {
    let mut text = text.to_owned();
    for secret in secrets {
        let secret = secret.expose_secret();
        if !secret.is_empty() {
            text = text.replace(secret, "***");
        }
    }
    let words = truncate(&one_line(&text), WORDS_CHARACTERS_MAX);
    (!words.is_empty()).then_some(words)
}

/// The outcome when TLS could not be agreed on.
pub fn of_tls(error: &rustls::Error) -> Outcome {
    use rustls::CertificateError::{NotValidForName, NotValidForNameContext};
    match error {
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            Outcome::TlsNameMismatch
        }
        _ => Outcome::TlsOther,
    }
}

/// The first error of a kind in the chain. An I/O error hides what it wraps from `source`, so it
/// is opened on the way.
pub fn find<'error, E: Error + 'static>(error: &'error (dyn Error + 'static)) -> Option<&'error E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = cause(error);
    }
    None
}

pub fn cause<'error>(
    error: &'error (dyn Error + 'static),
) -> Option<&'error (dyn Error + 'static)> {
    match error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wait_is_longer_than_a_day() {
        let wait = Duration::hours(24);
        let found = throttled(Some(Duration::days(400)));
        assert_eq!(found, Outcome::Throttled { wait });
    }

    #[test]
    fn a_providers_words_are_kept_short_clean_and_without_secrets() {
        let token = SecretString::from("xoxb-1");
        let empty = SecretString::from("");
        let secrets = [&empty, &token];
        let long = "ä".repeat(400);
        let shortened = format!("{}…", "ä".repeat(299));
        let cases = [
            ("", None),
            (" \r\n\0 ", None),
            ("channel_not_found", Some("channel_not_found")),
            ("a\r\nb\tc\u{1b}[31m", Some("a b c [31m")),
            ("bad token xoxb-1!", Some("bad token ***!")),
            (&long, Some(&shortened)),
        ];
        for (text, expected) in cases {
            assert_eq!(
                provider_words(text, &secrets).as_deref(),
                expected,
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_providers_words_are_cut_and_cleaned() {
        let kept = |text: &str| provider_words(text, &[]).unwrap_or_default();
        assert_eq!(kept("550 no\r\n550 user\u{0}"), "550 no 550 user");
        let long = kept(&"x".repeat(1_000));
        assert_eq!(long.chars().count(), 300);
        assert!(long.ends_with('…'));
    }
}
