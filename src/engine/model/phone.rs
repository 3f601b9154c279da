//! Phone numbers as gateways spell them, compared with those of the rules, which are written as
//! networks dial them: `+`, country, number.
//!
//! A gateway may leave the plus out, write `00` or a trunk `0`, put spaces and brackets between the
//! digits, or a scheme such as `tel:` in front.

use std::ops::RangeInclusive;

/// Digits of a national number that are enough to know somebody by; fewer are a short code.
const NATIONAL_DIGITS_MIN: usize = 8;
/// Digits of a number with its country.
const INTERNATIONAL_DIGITS: RangeInclusive<usize> = 8..=15;

/// Which of the rules' numbers is meant by what a gateway wrote. Without a country it must fit
/// only one of them.
pub fn find<'rules>(
    numbers: impl IntoIterator<Item = &'rules str>,
    spelled: &str,
) -> Option<&'rules str> {
    let numbers: Vec<&str> = numbers.into_iter().collect();
    let spelled = Spelled::read(spelled)?;
    let whole = numbers
        .iter()
        .find(|number| spelled.is_whole(digits_of(number)));
    if let Some(number) = whole {
        return Some(number);
    }
    let mut national = numbers
        .iter()
        .filter(|number| spelled.is_end_of(digits_of(number)));
    let first = national.next()?;
    national.all(|other| other == first).then_some(first)
}

/// A number as networks dial it, from what a gateway wrote with its country: `None` without one.
pub fn international(spelled: &str) -> Option<String> {
    let spelled = Spelled::read(spelled)?;
    let digits = match spelled.has_plus {
        true => spelled.digits.as_str(),
        false => spelled.digits.strip_prefix("00")?,
    };
    let is_number = INTERNATIONAL_DIGITS.contains(&digits.len()) && !digits.starts_with('0');
    is_number.then(|| format!("+{digits}"))
}

fn digits_of(number: &str) -> &str {
    number.trim_start_matches('+')
}

/// What a gateway wrote, without all that only separates.
struct Spelled {
    digits: String,
    has_plus: bool,
}

impl Spelled {
    /// `None` for a name, and for anything that is no number.
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.rsplit_once(':').map_or(text, |(_, number)| number);
        let has_plus = text.trim_start().starts_with('+');
        let mut digits = String::new();
        for letter in text.chars() {
            match letter {
                '0'..='9' => digits.push(letter),
                ' ' | '\u{a0}' | '-' | '.' | '/' | '(' | ')' | '+' => {}
                _ => return None,
            }
        }
        (!digits.is_empty()).then_some(Self { digits, has_plus })
    }

    /// Whether it is this number with its country.
    fn is_whole(&self, number: &str) -> bool {
        if self.digits == number {
            return true;
        }
        // As it is dialled abroad; `011` is the prefix of North America.
        let prefixes = ["00", "011"].iter();
        !self.has_plus
            && prefixes
                .filter_map(|prefix| self.digits.strip_prefix(prefix))
                .any(|rest| rest == number)
    }

    /// Whether it is this number without its country.
    fn is_end_of(&self, number: &str) -> bool {
        let national = self.digits.strip_prefix('0').unwrap_or(&self.digits);
        !self.has_plus
            && national.len() >= NATIONAL_DIGITS_MIN
            && national.len() < number.len()
            && number.ends_with(national)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISBON: &str = "+351912345678";
    const LONDON: &str = "+447912345678";
    const NEW_YORK: &str = "+12125550123";

    #[test]
    fn every_spelling_of_a_number_finds_it() {
        let numbers = [LISBON, NEW_YORK, "+6591234567"];
        for (spelled, expected) in [
            ("+351912345678", Some(LISBON)),
            ("351912345678", Some(LISBON)),
            ("00351912345678", Some(LISBON)),
            ("+351 912 345 678", Some(LISBON)),
            ("(+351) 912-345-678", Some(LISBON)),
            ("tel:+351912345678", Some(LISBON)),
            ("whatsapp:+351912345678", Some(LISBON)),
            ("912345678", Some(LISBON)),
            ("912 345 678", Some(LISBON)),
            ("+1 (212) 555-0123", Some(NEW_YORK)),
            ("1.212.555.0123", Some(NEW_YORK)),
            ("2125550123", Some(NEW_YORK)),
            ("01112125550123", Some(NEW_YORK)),
            ("91234567", Some("+6591234567")),
            ("+912345678", None),
            ("345678", None),
            ("+3519123456789", None),
            ("12345", None),
            ("ana", None),
            ("REVEILLE1", None),
            ("+", None),
            ("", None),
        ] {
            assert_eq!(find(numbers, spelled), expected, "{spelled:?}");
        }
    }

    #[test]
    fn a_number_with_its_country_is_known_as_networks_dial_it() {
        for (spelled, expected) in [
            ("+351 912-345-678", Some(LISBON)),
            ("tel:+351912345678", Some(LISBON)),
            ("00351912345678", Some(LISBON)),
            ("351912345678", None),
            ("912345678", None),
            ("+0912345678", None),
            ("+12345", None),
            ("+3519123456781234567", None),
            ("REVEILLE", None),
        ] {
            assert_eq!(international(spelled).as_deref(), expected, "{spelled}");
        }
    }

    #[test]
    fn a_national_number_must_fit_one_person_only() {
        assert_eq!(find([LONDON, NEW_YORK], "07912345678"), Some(LONDON));
        assert_eq!(find([LONDON, "+617912345678"], "07912345678"), None);
        // Two people may share one number.
        assert_eq!(find([LONDON, LONDON], "07912345678"), Some(LONDON));
        assert_eq!(find([LONDON, LONDON], "447912345678"), Some(LONDON));
    }
}
