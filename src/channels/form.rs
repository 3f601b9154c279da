//! Values in form bodies and in addresses: what is encoded, and how.

use form_urlencoded::Serializer;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One value, fit for a form body, a path segment or a query.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// A form body.
pub fn body<N: AsRef<str>, V: AsRef<str>>(fields: &[(N, V)]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_end_a_value_is_encoded() {
        assert_eq!(encode("AZaz09-._~"), "AZaz09-._~");
        assert_eq!(encode("+1 é\n%&/?#="), "%2B1%20%C3%A9%0A%25%26%2F%3F%23%3D");
        assert_eq!(
            body(&[("To", "+1 2"), ("Body", "a&b")]),
            "To=%2B1+2&Body=a%26b"
        );
    }
}
