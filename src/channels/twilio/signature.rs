//! Twilio's `X-Twilio-Signature`: base64(HMAC(key, public URL + form parameters)).
//!
//! The key is the account's auth token and the hash SHA-1, unless `X-Twilio-Webhooks-Signature-
//! Settings: key=…,algorithm=HMAC_SHA256` says that one of the account's shared keys was used
//! (public beta of 2026). Source: Twilio's own validators, twilio-python 9.13 and twilio-node
//! 6.3.1.
//!
//! The URL must be the one that Twilio called, so it is built from the configured public address
//! and never from request headers. Twilio signs some requests without the port of the URL and some
//! with it, default ports included; both forms are tried, as in its own validators.

use secrecy::{ExposeSecret, SecretString};

use crate::signing::{Refused, compare, hmac_sha1, hmac_sha256};
use crate::text::base64;

/// The secrets of one account.
#[derive(Clone, Copy)]
pub struct Keys<'key> {
    pub auth_token: &'key str,
    /// Several while one takes the place of another.
    pub shared: &'key [SecretString],
}

/// What a request says of its signature.
#[derive(Clone, Copy)]
pub struct Signed<'request> {
    /// `X-Twilio-Signature`
    pub signature: &'request str,
    /// `X-Twilio-Webhooks-Signature-Settings`; empty where there is none.
    pub settings: &'request str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    HmacSha1,
    HmacSha256,
}

/// Whether Twilio posted this form to `url` (with its query, if it has one). Parameters are
/// decoded names and values, untrimmed, in any order.
pub fn verify_form(
    keys: Keys<'_>,
    url: &str,
    parameters: &[(String, String)],
    signed: Signed<'_>,
) -> Result<(), Refused> {
    let (keys, algorithm) = if signed.settings.trim().is_empty() {
        (vec![keys.auth_token], Algorithm::HmacSha1)
    } else {
        let shared = keys
            .shared
            .iter()
            .map(ExposeSecret::expose_secret)
            .collect();
        (shared, algorithm(signed.settings)?)
    };
    if keys.is_empty() {
        return Err(Refused::NoSharedKey);
    }
    if keys.iter().any(|key| key.is_empty()) {
        return Err(Refused::NoSecret);
    }
    if signed.signature.is_empty() {
        return Err(Refused::Malformed);
    }
    // All are computed before any is looked at.
    let mut matched = Err(Refused::Mismatch);
    for url in url_forms(url) {
        for key in &keys {
            let expected = mac(algorithm, key, &url, parameters);
            matched = compare(expected.as_bytes(), signed.signature.as_bytes()).or(matched);
        }
    }
    matched
}

/// The algorithm that the settings header names; without one SHA-1, as with an auth token.
fn algorithm(settings: &str) -> Result<Algorithm, Refused> {
    let pairs = settings.split(',').filter_map(|pair| pair.split_once('='));
    let named = pairs
        .filter(|(name, _)| name.trim() == "algorithm")
        .map(|(_, value)| value.trim())
        .find(|value| !value.is_empty());
    match named.map(str::to_ascii_uppercase).as_deref() {
        None | Some("HMAC_SHA1") => Ok(Algorithm::HmacSha1),
        Some("HMAC_SHA256") => Ok(Algorithm::HmacSha256),
        Some(_) => Err(Refused::UnknownAlgorithm),
    }
}

/// The header `X-Twilio-Signature` for this form, as Twilio makes it with an auth token.
#[cfg(test)]
pub fn sign(auth_token: &str, url: &str, parameters: &[(String, String)]) -> String {
    mac(Algorithm::HmacSha1, auth_token, url, parameters)
}

fn mac(algorithm: Algorithm, key: &str, url: &str, parameters: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = parameters.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut parts = vec![url.as_bytes()];
    for (name, value) in sorted {
        parts.extend([name.as_bytes(), value.as_bytes()]);
    }
    match algorithm {
        Algorithm::HmacSha1 => base64::encode(&hmac_sha1(key.as_bytes(), &parts)),
        Algorithm::HmacSha256 => base64::encode(&hmac_sha256(key.as_bytes(), &parts)),
    }
}

/// The URL without any port and with one: its own, or the default of its scheme. Twice as it is if
/// it cannot be taken apart.
fn url_forms(url: &str) -> [String; 2] {
    let as_it_is = || [url.to_owned(), url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return as_it_is();
    };
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return as_it_is(),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // A colon after the last bracket begins a port; those inside are an IPv6 address.
    let host_end = authority.rfind(']').unwrap_or(0);
    let (host, port) = match authority[host_end..].find(':') {
        Some(colon) => authority.split_at(host_end + colon),
        None => (authority, default_port),
    };
    ["", port].map(|port| format!("{scheme}://{host}{port}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "12345";
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const URL_WITH_PORT: &str = "https://mycompany.com:443/myapp.php?foo=1&bar=2";
    const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    const SIGNATURE_WITH_PORT: &str = "kvajT1Ptam85bY51eRf/AJRuM3w=";

    fn parameters(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn call() -> Vec<(String, String)> {
        parameters(&[
            ("To", "+18005551212"),
            ("From", "+14158675309"),
            ("Digits", "1234"),
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
        ])
    }

    /// With the key `shared-word`, as twilio-python 9.13 computes them.
    const SHARED_SHA256: &str = "u2WpgooxEtLoQFYIcFJ5zjS/3L4Yxs2XyCxDNBygH9Y=";
    const SHARED_SHA1: &str = "KTpgNAIt1Kc2jgDG7SR5vxZGK3k=";
    const SETTINGS_SHA256: &str = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256";

    fn check(url: &str, form: &[(String, String)], signature: &str) -> Result<(), Refused> {
        let keys = Keys {
            auth_token: TOKEN,
            shared: &[],
        };
        let settings = "";
        verify_form(
            keys,
            url,
            form,
            Signed {
                signature,
                settings,
            },
        )
    }

    fn check_shared(shared: &[&str], settings: &str, signature: &str) -> Result<(), Refused> {
        let shared: Vec<SecretString> = shared.iter().map(|key| (*key).into()).collect();
        let keys = Keys {
            auth_token: TOKEN,
            shared: &shared,
        };
        verify_form(
            keys,
            URL,
            &call(),
            Signed {
                signature,
                settings,
            },
        )
    }

    #[test]
    fn the_published_example_is_accepted_with_and_without_the_port() {
        for url in [URL, URL_WITH_PORT] {
            for signature in [SIGNATURE, SIGNATURE_WITH_PORT] {
                assert_eq!(check(url, &call(), signature), Ok(()), "{url} {signature}");
            }
        }
        // Behind another port too Twilio may leave it out.
        let url = "https://mycompany.com:8443/myapp.php?foo=1&bar=2";
        for signature in [SIGNATURE, "ZOaJEsozlsUyzk5k5fpaCxTxXDA="] {
            assert_eq!(check(url, &call(), signature), Ok(()), "{signature}");
        }
        let found = check(url, &call(), SIGNATURE_WITH_PORT);
        assert_eq!(found, Err(Refused::Mismatch));
    }

    #[test]
    fn a_shared_key_signs_with_the_hash_that_its_header_names() {
        let rotated = ["new-word", "shared-word"];
        for settings in [
            SETTINGS_SHA256,
            "key=1, algorithm=HMAC_SHA256",
            "algorithm=hmac_sha256",
        ] {
            assert_eq!(check_shared(&rotated, settings, SHARED_SHA256), Ok(()));
        }
        for settings in ["key=1,algorithm=HMAC_SHA1", "key=1", "key=1,algorithm="] {
            assert_eq!(
                check_shared(&rotated, settings, SHARED_SHA1),
                Ok(()),
                "{settings}"
            );
        }
        // The auth token is none of the shared keys, and these are no auth token.
        let found = check_shared(&[], SETTINGS_SHA256, SHARED_SHA256);
        assert_eq!(found, Err(Refused::NoSharedKey));
        let found = check_shared(&[TOKEN], "", SHARED_SHA1);
        assert_eq!(found, Err(Refused::Mismatch));
        let found = check_shared(&rotated, "key=1", SIGNATURE);
        assert_eq!(found, Err(Refused::Mismatch));
        let found = check_shared(&rotated, SETTINGS_SHA256, SHARED_SHA1);
        assert_eq!(found, Err(Refused::Mismatch));
        let found = check_shared(&rotated, "key=1,algorithm=HMAC_SHA512", SHARED_SHA256);
        assert_eq!(found, Err(Refused::UnknownAlgorithm));
        let found = check_shared(&[""], SETTINGS_SHA256, SHARED_SHA256);
        assert_eq!(found, Err(Refused::NoSecret));
    }

    #[test]
    fn duplicate_parameters_count_once_in_order_and_values_are_not_trimmed() {
        let form = parameters(&[("Tag", "b"), ("Tag", "a"), ("Body", " ack "), ("Tag", "b")]);
        let signature = "RrGT/wU2kpCwyP3RLtYgv6ONaHo=";
        let found = check("https://mycompany.com/sms", &form, signature);
        assert_eq!(found, Ok(()));
    }

    #[test]
    fn anything_changed_is_refused() {
        let mut other = call();
        other[2].1 = "1235".to_owned();
        let http = "http://mycompany.com/myapp.php?foo=1&bar=2";
        let cases = [
            (TOKEN, URL, other, SIGNATURE, Refused::Mismatch),
            ("12346", URL, call(), SIGNATURE, Refused::Mismatch),
            ("", URL, call(), SIGNATURE, Refused::NoSecret),
            (TOKEN, URL, call(), "", Refused::Malformed),
            (TOKEN, http, call(), SIGNATURE, Refused::Mismatch),
        ];
        for (auth_token, url, form, signature, refused) in cases {
            let keys = Keys {
                auth_token,
                shared: &[],
            };
            let settings = "";
            let found = verify_form(
                keys,
                url,
                &form,
                Signed {
                    signature,
                    settings,
                },
            );
            assert_eq!(found, Err(refused), "{url}");
        }
    }

    #[test]
    fn ports_are_tried_for_every_kind_of_host() {
        let cases = [
            ("https://a.b/x", ["https://a.b/x", "https://a.b:443/x"]),
            ("http://a.b:80", ["http://a.b", "http://a.b:80"]),
            (
                "https://a.b:8443/x",
                ["https://a.b/x", "https://a.b:8443/x"],
            ),
            (
                "https://[::1]/x",
                ["https://[::1]/x", "https://[::1]:443/x"],
            ),
            (
                "https://[::1]:99/x",
                ["https://[::1]/x", "https://[::1]:99/x"],
            ),
            ("a.b/x", ["a.b/x"; 2]),
        ];
        for (url, forms) in cases {
            assert_eq!(url_forms(url), forms);
        }
    }
}
