//! Bytes as lower-case hexadecimal digits.

/// Two digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// Reads the 64 digits of a SHA-256, in either case.
pub fn decode_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_as_it_is_written() {
        let hash: [u8; 32] = std::array::from_fn(|index| u8::try_from(index * 8).expect("small"));
        let text = encode(&hash);
        assert_eq!(decode_hash(&text), Some(hash));
        assert_eq!(decode_hash(&text.to_uppercase()), Some(hash));
        let short = text[1..].to_owned();
        for wrong in [
            "",
            &*short,
            &format!("{text}0"),
            &format!("+{short}"),
            &format!("é{}", &short[1..]),
        ] {
            assert_eq!(decode_hash(wrong), None, "{wrong}");
        }
    }
}
