//! Reads a mail as a mail program would: headers unfolded and decoded, bodies decoded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One entity: headers and what follows them.
#[derive(Clone, Debug)]
pub struct Entity {
    headers: Vec<(String, String)>,
    body: String,
}

impl Entity {
    /// Reads an entity from its bytes as they came over the wire.
    pub fn parse(raw: &str) -> Self {
        let (head, body) = raw.split_once("\r\n\r\n").unwrap_or((raw, ""));
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let headers = head
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), decoded_words(value.trim())))
            .collect();
        Self {
            headers,
            body: body.to_owned(),
        }
    }

    /// The only value of a header; panics if it stands there twice.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "header {name} stands there twice");
        value
    }

    /// Names of all headers.
    pub fn header_names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The parts of a multipart entity.
    pub fn parts(&self) -> Vec<Self> {
        let kind = self.header("Content-Type").unwrap_or_default();
        let Some((_, rest)) = kind.split_once("boundary=") else {
            return Vec::new();
        };
        let boundary = rest.trim_matches(['"', ';', ' ']);
        let body = format!("\r\n{}", self.body);
        let mut parts: Vec<&str> = body.split(&format!("\r\n--{boundary}")).collect();
        let end = parts.pop();
        assert!(end.is_some_and(|end| end.starts_with("--")), "not closed");
        let parts = parts.into_iter().skip(1);
        parts
            .map(|part| Self::parse(part.trim_start_matches("\r\n")))
            .collect()
    }

    /// The body as text with plain line ends.
    pub fn text(&self) -> String {
        let encoding = self
            .header("Content-Transfer-Encoding")
            .unwrap_or("7bit")
            .to_lowercase();
        let bytes = match encoding.as_str() {
            "base64" => STANDARD
                .decode(self.body.replace(['\r', '\n'], ""))
                .unwrap(),
            "quoted-printable" => quoted_printable(&self.body),
            "7bit" | "8bit" => self.body.clone().into_bytes(),
            other => panic!("unknown encoding {other}"),
        };
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    }
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let joined = text.replace("=\r\n", "");
    let mut bytes = joined.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'=' {
            let pair = [bytes.next().unwrap(), bytes.next().unwrap()];
            let pair = std::str::from_utf8(&pair).unwrap();
            decoded.push(u8::from_str_radix(pair, 16).unwrap());
        } else {
            decoded.push(byte);
        }
    }
    decoded
}

/// RFC 2047, as far as our mails use it: words in UTF-8, each read by itself.
fn decoded_words(value: &str) -> String {
    let mut text = String::new();
    let mut was_encoded = false;
    for word in value.split(' ') {
        let decoded = decoded_word(word);
        if !(text.is_empty() || was_encoded && decoded.is_some()) {
            text.push(' ');
        }
        was_encoded = decoded.is_some();
        text.push_str(decoded.as_deref().unwrap_or(word));
    }
    text
}

fn decoded_word(word: &str) -> Option<String> {
    let inner = word.strip_suffix("?=")?;
    let bytes = if let Some(text) = inner.strip_prefix("=?utf-8?b?") {
        STANDARD.decode(text).unwrap()
    } else {
        let text = inner.strip_prefix("=?utf-8?q?")?;
        quoted_printable(&text.replace('_', " "))
    };
    Some(String::from_utf8(bytes).unwrap())
}
