//! Form bodies and queries: how values are encoded, and how fields are read.

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

/// The fields of a form body or a query, in the order sent.
pub fn fields(bytes: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(bytes).into_owned().collect()
}

/// The first value of a field.
pub fn field<'form>(form: &'form [(String, String)], name: &str) -> Option<&'form str> {
    form.iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
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

    #[test]
    fn a_form_keeps_its_fields_as_sent() {
        let form = fields(b"Body=ack+1042&From=%2B3519&Body=again");
        assert_eq!(field(&form, "Body"), Some("ack 1042"));
        assert_eq!(field(&form, "From"), Some("+3519"));
        assert_eq!(form.len(), 3);
    }
}
