//! Text as a JSON string, for rooms that do no more with JSON.

/// The text in quotes, with everything escaped that JSON wants escaped.
pub fn json_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control < ' ' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_read_back() {
        for text in ["", "plain", "a \"b\" \\ c\n\td\u{0}\u{1f}é😀\u{7f}"] {
            let read: String = serde_json::from_str(&json_quoted(text)).expect("it is JSON");
            assert_eq!(read, text);
        }
    }
}
