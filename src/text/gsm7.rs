//! How many segments a text message takes, and how to stay out of the expensive alphabet.
//!
//! A message whose characters are all in the GSM 7-bit alphabet holds 160 of them, or 153 in each
//! of several segments; any other character makes the whole message UCS-2 with 70, or 67 in each.
//! A character that takes two units is never split between segments.

/// Besides letters and digits of ASCII.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// Written with an escape: two units.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// What stands for characters that the alphabet lacks; the sense stays the same.
const STAND_INS: &[(&str, &str)] = &[
    ("‘’‚‛′`´", "'"),
    ("“”„‟″«»", "\""),
    ("‐‑‒–—―−", "-"),
    ("\u{a0}\u{2002}\u{2003}\u{2009}\u{202f}\t", " "),
    ("…", "..."),
    ("•·", "*"),
    ("→", "->"),
    ("←", "<-"),
    ("×", "x"),
    ("÷", "/"),
    ("≤", "<="),
    ("≥", ">="),
    ("°", "deg"),
    ("µμ", "u"),
    ("©", "(c)"),
    ("®", "(R)"),
    ("™", "TM"),
    ("áâãāăą", "a"),
    ("ÀÁÂÃĀĂĄ", "A"),
    ("çćĉċč", "c"),
    ("ĆĈĊČ", "C"),
    ("ďđð", "d"),
    ("ĎĐÐ", "D"),
    ("êëēĕėęě", "e"),
    ("ÈÊËĒĔĖĘĚ", "E"),
    ("ĝğġģ", "g"),
    ("ĜĞĠĢ", "G"),
    ("ĥħ", "h"),
    ("ĤĦ", "H"),
    ("íîïĩīĭįı", "i"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("ĵ", "j"),
    ("Ĵ", "J"),
    ("ķ", "k"),
    ("Ķ", "K"),
    ("ĺļľŀł", "l"),
    ("ĹĻĽĿŁ", "L"),
    ("ńņň", "n"),
    ("ŃŅŇ", "N"),
    ("óôõōŏő", "o"),
    ("ÒÓÔÕŌŎŐ", "O"),
    ("œ", "oe"),
    ("Œ", "OE"),
    ("ŕŗř", "r"),
    ("ŔŖŘ", "R"),
    ("śŝşšș", "s"),
    ("ŚŜŞŠȘ", "S"),
    ("ţťŧț", "t"),
    ("ŢŤŦȚ", "T"),
    ("úûũūŭůűų", "u"),
    ("ÙÚÛŨŪŬŮŰŲ", "U"),
    ("ŵ", "w"),
    ("Ŵ", "W"),
    ("ýÿŷ", "y"),
    ("ÝŶŸ", "Y"),
    ("źżž", "z"),
    ("ŹŻŽ", "Z"),
    ("þ", "th"),
    ("Þ", "Th"),
];

/// Units of the 7-bit alphabet that a character takes; `None` if it has no place there.
fn septets(letter: char) -> Option<usize> {
    if letter.is_ascii_alphanumeric() || BASIC.contains(letter) {
        Some(1)
    } else if EXTENDED.contains(letter) {
        Some(2)
    } else {
        None
    }
}

/// Segments that a text takes.
pub fn segments(text: &str) -> usize {
    let septets: Option<Vec<usize>> = text.chars().map(septets).collect();
    let (alone, each, units) = match septets {
        Some(septets) => (160, 153, septets),
        None => (70, 67, text.chars().map(char::len_utf16).collect()),
    };
    if units.iter().sum::<usize>() <= alone {
        return 1;
    }
    let mut segments = 1;
    let mut used = 0;
    for units in units {
        if used + units > each {
            segments += 1;
            used = 0;
        }
        used += units;
    }
    segments
}

/// The text in the 7-bit alphabet, with stand-ins for common characters; as it was if some
/// character has none, because then the whole message is UCS-2 anyway.
pub fn simplified(text: &str) -> String {
    let mut simple = String::with_capacity(text.len());
    for letter in text.chars() {
        if septets(letter).is_some() {
            simple.push(letter);
        } else if let Some(stand_in) = stand_in(letter) {
            simple.push_str(stand_in);
        } else {
            return text.to_owned();
        }
    }
    simple
}

fn stand_in(letter: char) -> Option<&'static str> {
    STAND_INS
        .iter()
        .find(|(letters, _)| letters.contains(letter))
        .map(|(_, stand_in)| *stand_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_counted_in_the_alphabet_that_the_text_needs() {
        let cases = [
            (String::new(), 1),
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("я".repeat(70), 1),
            ("я".repeat(71), 2),
            ("я".repeat(134), 2),
            ("я".repeat(135), 3),
            ("🔥".repeat(35), 1),
            ("🔥".repeat(36), 2),
        ];
        for (text, expected) in cases {
            assert_eq!(segments(&text), expected, "{text}");
        }
    }

    #[test]
    fn a_character_of_two_units_is_never_split_between_segments() {
        // The escape would begin at unit 153: it moves on whole, and one unit stays unused.
        let gsm = format!("{}€{}", "a".repeat(152), "a".repeat(152));
        assert_eq!(segments(&gsm), 3);
        assert_eq!(segments(&gsm[1..]), 2);
        let emoji = format!("{}🔥{}", "я".repeat(66), "я".repeat(66));
        assert_eq!(segments(&emoji), 3);
    }

    #[test]
    fn common_characters_get_stand_ins_only_if_that_saves_the_alphabet() {
        let cases = [
            ("“disk” – full…", "\"disk\" - full..."),
            ("São João naïve", "Sao Joao naive"),
            ("größer als Ærø à", "größer als Ærø à"),
            ("São 東京", "São 東京"),
            ("🔥 “hot”", "🔥 “hot”"),
        ];
        for (text, expected) in cases {
            assert_eq!(simplified(text), expected);
        }
    }

    #[test]
    fn every_stand_in_is_in_the_alphabet_and_stands_for_what_is_not() {
        for (letters, stand_in) in STAND_INS {
            assert!(
                stand_in.chars().all(|it| septets(it).is_some()),
                "{stand_in}"
            );
            for letter in letters.chars() {
                assert_eq!(septets(letter), None, "{letter}");
            }
        }
    }
}
