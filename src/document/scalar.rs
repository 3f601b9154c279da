//! What a YAML scalar without quotes means, and which ones are traps.
//!
//! YAML 1.1 and 1.2 disagree about words such as `no` and about numbers such as `09:00`; here such
//! a scalar is neither, it is a fault.

/// The meaning of a scalar without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    Null,
    Bool(bool),
    Integer(i64),
    Text,
    /// Understood differently by different readers; the words say as what.
    Trap(&'static str),
}

/// Reads a scalar without quotes.
pub fn plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        _ => {}
    }
    if is_yes_or_no(text) {
        return Plain::Trap("a truth value");
    }
    if is_sexagesimal(text) {
        return Plain::Trap("a base-60 number");
    }
    if let Some(integer) = integer(text) {
        return Plain::Integer(integer);
    }
    if is_like_a_number(text) {
        return Plain::Trap("a number");
    }
    Plain::Text
}

fn is_yes_or_no(text: &str) -> bool {
    let words = ["yes", "no", "on", "off"];
    words.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// `09:00`, `1:30:00`.
fn is_sexagesimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    digits.contains(':') && digits.split(':').all(is_digits)
}

/// Whole numbers as JSON writes them.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_padded = digits.len() > 1 && digits.starts_with('0');
    (is_digits(digits) && !is_padded).then(|| text.parse().ok())?
}

/// Other forms of numbers: with `+`, zeros in front, fractions, exponents, `0x1f`, `1_000`.
fn is_like_a_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some(hexadecimal) = unsigned.strip_prefix("0x") {
        return hexadecimal.chars().all(|digit| digit.is_ascii_hexdigit());
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN") {
        return true;
    }
    let is_number = |digit: char| digit.is_ascii_digit() || matches!(digit, '.' | '_');
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    mantissa.starts_with(|first: char| first.is_ascii_digit())
        && mantissa.matches('.').count() <= 1
        && mantissa.chars().all(is_number)
        && is_digits(exponent)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_without_quotes_means_one_thing_or_is_a_trap() {
        let trap = |text: &str| matches!(plain(text), Plain::Trap(_));
        for text in [
            "no",
            "Yes",
            "ON",
            "off",
            "09:00",
            "24:00",
            "1:30:00",
            "+351912345678",
            "0912",
            "1.5",
            "1e3",
            "0x1F",
            "1_000",
            ".inf",
        ] {
            assert!(trap(text), "{text}");
        }
        let cases = [
            ("true", Plain::Bool(true)),
            ("False", Plain::Bool(false)),
            ("~", Plain::Null),
            ("0", Plain::Integer(0)),
            ("-12", Plain::Integer(-12)),
            ("351912345678", Plain::Integer(351_912_345_678)),
            ("5m", Plain::Text),
            ("1h30m", Plain::Text),
            ("2026-01-05", Plain::Text),
            ("10.0.0.1", Plain::Text),
            ("env:KEY", Plain::Text),
            ("nobody", Plain::Text),
            ("payments", Plain::Text),
            ("12:ab", Plain::Text),
        ];
        for (text, meaning) in cases {
            assert_eq!(plain(text), meaning, "{text}");
        }
    }
}
