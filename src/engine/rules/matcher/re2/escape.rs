//! A backslash before a single character, as RE2 reads it.

/// The character for which what stands behind a backslash stands, and what follows.
pub(super) fn character(after: &str) -> Result<(char, &str), String> {
    let mut characters = after.chars();
    let Some(sign) = characters.next() else {
        return Err("a backslash is at the end; write a literal one as `\\\\`".into());
    };
    let rest = characters.as_str();
    let is_octal = |text: &str| text.starts_with(|digit| ('0'..='7').contains(&digit));
    let letter = match sign {
        'a' => '\x07',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        'x' => return hexadecimal(rest),
        '0' => return octal(after),
        '1'..='7' if is_octal(rest) => return octal(after),
        '1'..='9' => return Err(format!("`\\{sign}`: backreferences are not supported")),
        sign if sign.is_ascii() && !sign.is_ascii_alphanumeric() => sign,
        other => return Err(unknown(other)),
    };
    Ok((letter, rest))
}

fn unknown(sign: char) -> String {
    let help = match sign {
        'Z' => r"; write the end of the text as `\z`",
        'u' | 'U' => r"; write a character by its number as `\x{263a}`",
        'C' => "; a single byte cannot be matched",
        _ => "",
    };
    format!("`\\{sign}` is not an RE2 escape{help}")
}

/// Up to three octal digits.
fn octal(text: &str) -> Result<(char, &str), String> {
    let digits = text.bytes().take(3);
    let length = digits
        .take_while(|digit| (b'0'..=b'7').contains(digit))
        .count();
    let (digits, rest) = text.split_at(length);
    let number = u32::from_str_radix(digits, 8).ok();
    let letter = number.and_then(char::from_u32);
    let letter = letter.ok_or_else(|| format!("`\\{digits}` is not a character"))?;
    Ok((letter, rest))
}

/// Two digits, or any number of them in braces.
fn hexadecimal(text: &str) -> Result<(char, &str), String> {
    let braced = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let (digits, rest) = match braced {
        Some(braced) => braced,
        None => text.split_at_checked(2).unwrap_or((text, "")),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if !is_number || (braced.is_none() && digits.len() != 2) {
        return Err(r"`\x` needs two hexadecimal digits, or some in braces: `\x{263a}`".to_owned());
    }
    let significant = digits.trim_start_matches('0');
    let number = match significant {
        "" => Some(0),
        significant => u32::from_str_radix(significant, 16).ok(),
    };
    let letter = number.and_then(char::from_u32);
    let letter = letter.ok_or_else(|| format!("`\\x{{{digits}}}` is not a character"))?;
    Ok((letter, rest))
}
