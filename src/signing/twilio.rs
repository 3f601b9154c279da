//! Twilio's `X-Twilio-Signature`: base64(HMAC-SHA-1(auth token, public URL + form parameters)).
//!
//! The URL must be the one that Twilio called, so it is built from the configured public address
//! and never from request headers. Twilio itself is unsure whether a default port belongs to it;
//! both forms are tried.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::{Refused, compare, hex, hmac_sha1};

/// Whether Twilio posted this form to `url` (with its query, if it has one). Parameters are
/// decoded names and values, untrimmed, in any order.
pub fn verify_form(
    auth_token: &str,
    url: &str,
    parameters: &[(String, String)],
    signature: &str,
) -> Result<(), Refused> {
    if auth_token.is_empty() {
        return Err(Refused::NoSecret);
    }
    if signature.is_empty() {
        return Err(Refused::Malformed);
    }
    let matched = url_forms(url).map(|url| {
        let expected = sign(auth_token, &url, parameters);
        compare(expected.as_bytes(), signature.as_bytes())
    });
    // Both are computed before either is looked at.
    matched[0].or(matched[1])
}

/// Whether Twilio posted this body, which is not a form, to `url`: its query holds the body's hash
/// as `bodySHA256`.
pub fn verify_body(
    auth_token: &str,
    url: &str,
    body: &[u8],
    signature: &str,
) -> Result<(), Refused> {
    let hash = query_value(url, "bodySHA256").ok_or(Refused::Malformed)?;
    verify_form(auth_token, url, &[], signature)?;
    let expected = hex(&Sha256::digest(body));
    compare(expected.as_bytes(), hash.to_ascii_lowercase().as_bytes())
}

/// The header `X-Twilio-Signature` for this form, as Twilio makes it.
pub fn sign(auth_token: &str, url: &str, parameters: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = parameters.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut parts = vec![url.as_bytes()];
    for (name, value) in sorted {
        parts.extend([name.as_bytes(), value.as_bytes()]);
    }
    STANDARD.encode(hmac_sha1(auth_token.as_bytes(), &parts))
}

/// The URL without and with the default port of its scheme; twice as it is if it names another
/// port or cannot be taken apart.
fn url_forms(url: &str) -> [String; 2] {
    let as_it_is = || [url.to_owned(), url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else {
        return as_it_is();
    };
    let port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return as_it_is(),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority.strip_suffix(port).unwrap_or(authority);
    // A colon after the last bracket begins a port; those inside are an IPv6 address.
    if host
        .rsplit(']')
        .next()
        .is_some_and(|tail| tail.contains(':'))
    {
        return as_it_is();
    }
    ["", port].map(|port| format!("{scheme}://{host}{port}{path}"))
}

fn query_value<'url>(url: &'url str, name: &str) -> Option<&'url str> {
    let (_, query) = url.split_once('?')?;
    let (query, _) = query.split_once('#').unwrap_or((query, ""));
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
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

    #[test]
    fn the_published_example_is_accepted_with_and_without_the_default_port() {
        for url in [URL, URL_WITH_PORT] {
            for signature in [SIGNATURE, SIGNATURE_WITH_PORT] {
                let found = verify_form(TOKEN, url, &call(), signature);
                assert_eq!(found, Ok(()), "{url} {signature}");
            }
        }
    }

    #[test]
    fn duplicate_parameters_count_once_in_order_and_values_are_not_trimmed() {
        let form = parameters(&[("Tag", "b"), ("Tag", "a"), ("Body", " ack "), ("Tag", "b")]);
        let signature = "RrGT/wU2kpCwyP3RLtYgv6ONaHo=";
        let found = verify_form(TOKEN, "https://mycompany.com/sms", &form, signature);
        assert_eq!(found, Ok(()));
    }

    #[test]
    fn anything_changed_is_refused() {
        let mut other = call();
        other[2].1 = "1235".to_owned();
        let cases = [
            (TOKEN, URL, other, SIGNATURE, Refused::Mismatch),
            ("12346", URL, call(), SIGNATURE, Refused::Mismatch),
            ("", URL, call(), SIGNATURE, Refused::NoSecret),
            (TOKEN, URL, call(), "", Refused::Malformed),
            (
                TOKEN,
                "http://mycompany.com/myapp.php?foo=1&bar=2",
                call(),
                SIGNATURE,
                Refused::Mismatch,
            ),
            (
                TOKEN,
                "https://mycompany.com:8443/myapp.php?foo=1&bar=2",
                call(),
                SIGNATURE,
                Refused::Mismatch,
            ),
        ];
        for (token, url, form, signature, refused) in cases {
            let found = verify_form(token, url, &form, signature);
            assert_eq!(found, Err(refused), "{url}");
        }
    }

    #[test]
    fn a_body_that_is_no_form_is_bound_by_its_hash_in_the_url() {
        let body = br#"{"property": "value", "boolean": true}"#;
        let hash = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
        let url = format!("{URL}&bodySHA256={hash}");
        let signature = "a9nBmqA0ju/hNViExpshrM61xv4=";
        assert_eq!(verify_body(TOKEN, &url, body, signature), Ok(()));
        let found = verify_body(TOKEN, &url, b"{}", signature);
        assert_eq!(found, Err(Refused::Mismatch));
        let found = verify_body(TOKEN, URL, body, signature);
        assert_eq!(found, Err(Refused::Malformed));
    }

    #[test]
    fn default_ports_are_tried_for_every_kind_of_host() {
        let cases = [
            ("https://a.b/x", ["https://a.b/x", "https://a.b:443/x"]),
            ("http://a.b:80", ["http://a.b", "http://a.b:80"]),
            ("https://a.b:8443/x", ["https://a.b:8443/x"; 2]),
            (
                "https://[::1]/x",
                ["https://[::1]/x", "https://[::1]:443/x"],
            ),
            ("https://[::1]:99/x", ["https://[::1]:99/x"; 2]),
            ("a.b/x", ["a.b/x"; 2]),
        ];
        for (url, forms) in cases {
            assert_eq!(url_forms(url), forms);
        }
    }
}
