//! Long texts on narrow terminals: broken between words, and inside of a word that is too long.

/// The text as lines of at most `width` characters; at least one line.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = vec![String::new()];
    for word in text.split(' ').flat_map(|word| pieces(word, width)) {
        let line = lines.last_mut().expect("there is always a line");
        let taken = line.chars().count();
        if taken > 0 && taken + 1 + word.chars().count() > width {
            lines.push(word);
        } else {
            if taken > 0 {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}

/// A word in pieces that fit; nothing of it is lost.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    let pieces = characters.chunks(width);
    let pieces: Vec<String> = pieces.map(|piece| piece.iter().collect()).collect();
    if pieces.is_empty() {
        vec![String::new()]
    } else {
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_and_nothing_is_lost() {
        let cases: [(&str, usize, &[&str]); 6] = [
            ("", 10, &[""]),
            ("short", 10, &["short"]),
            ("one two three", 7, &["one two", "three"]),
            ("one  two", 20, &["one  two"]),
            ("abcdefghij kl", 4, &["abcd", "efgh", "ij", "kl"]),
            ("→→→ ééé", 3, &["→→→", "ééé"]),
        ];
        for (text, width, expected) in cases {
            assert_eq!(wrap(text, width), expected, "{text:?} in {width}");
        }
    }
}
