//! Percent-encoding, for form bodies and for parts of an address.

use std::fmt::Write as _;

/// One value, fit for a form body, a path segment or a query.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => write!(encoded, "%{byte:02X}").expect("a String takes whatever is written"),
        }
    }
    encoded
}

/// A form body.
pub fn body(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_end_a_value_is_encoded() {
        let cases = [
            ("", ""),
            ("AZaz09-._~", "AZaz09-._~"),
            ("+351 912&x=1", "%2B351%20912%26x%3D1"),
            ("né\n%", "n%C3%A9%0A%25"),
            ("a/b?c#d", "a%2Fb%3Fc%23d"),
        ];
        for (text, encoded) in cases {
            assert_eq!(encode(text), encoded, "{text:?}");
        }
        let found = body(&[("To", "+1"), ("Body", "a&b")]);
        assert_eq!(found, "To=%2B1&Body=a%26b");
    }
}
