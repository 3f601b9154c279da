//! Regular expressions as Go's `regexp` package reads them (RE2), rewritten for the `regex` crate.
//!
//! The two look alike and differ in what they take and mean: `\d`, `\w`, `\s` and `\b` are ASCII in
//! RE2, a `[` or `&&` in a class is literal, `a**` is refused, `\<` is a plain sign. Every part is
//! read here by RE2's rules and written in a form that the crate reads the same way. What is read
//! is only ever asked whether it matches, so names of groups and laziness are checked and dropped.

mod class;
mod escape;
mod repetition;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use repetition::{Operand, Repetition};

/// Rewrites an expression; the cause, where RE2 or the `regex` crate does not take it.
pub(super) fn translate(expression: &str) -> Result<String, String> {
    let mut translation = Translation::new(expression);
    while !translation.rest.is_empty() {
        translation.part()?;
    }
    match translation.groups.is_empty() {
        true => Ok(translation.written),
        false => Err("unclosed group; write a literal one as `\\(`".to_owned()),
    }
}

/// An expression while it is rewritten.
struct Translation<'text> {
    /// What is still to be read.
    rest: &'text str,
    written: String,
    /// For each open group, from the outermost, the repeats of the one around it.
    groups: Vec<u32>,
    /// What a repetition would repeat.
    operand: Operand,
    /// The most that anything in the group of this moment repeats a part.
    repeats: u32,
}

impl<'text> Translation<'text> {
    fn new(expression: &'text str) -> Self {
        Self {
            rest: expression,
            written: String::new(),
            groups: Vec::new(),
            operand: Operand::Missing,
            repeats: 1,
        }
    }

    /// Reads the next part.
    fn part(&mut self) -> Result<(), String> {
        let mut characters = self.rest.chars();
        let Some(first) = characters.next() else {
            return Ok(());
        };
        if let Some((repetition, rest)) = Repetition::read(self.rest)? {
            self.rest = rest;
            return self.repeat(repetition);
        }
        match first {
            '\\' => return self.escaped(),
            '(' => return self.open(),
            '[' => {
                let (class, rest) = class::bracketed(self.rest)?;
                self.rest = rest;
                self.atom(&class);
                return Ok(());
            }
            _ => self.rest = characters.as_str(),
        }
        match first {
            ')' => self.close()?,
            '|' => {
                self.written.push('|');
                self.operand = Operand::Missing;
            }
            '.' => self.atom("."),
            '^' | '$' => self.atom(&format!("(?:{first})")),
            literal => self.literal(literal),
        }
        Ok(())
    }

    /// Writes something that a repetition can stand behind.
    fn atom(&mut self, text: &str) {
        self.operand = Operand::Part { repeats: 1 };
        self.written.push_str(text);
    }

    fn literal(&mut self, literal: char) {
        self.atom(&regex::escape(literal.encode_utf8(&mut [0; 4])));
    }

    fn repeat(&mut self, repetition: Repetition) -> Result<(), String> {
        let repeats = repetition.of(self.operand)?;
        self.repeats = self.repeats.max(repeats);
        self.operand = Operand::Repeated;
        // Writing to a string does not fail.
        let _ = write!(self.written, "{repetition}");
        Ok(())
    }

    fn escaped(&mut self) -> Result<(), String> {
        let Some(after) = self.rest.strip_prefix('\\') else {
            return Ok(());
        };
        if let Some(quoted) = after.strip_prefix('Q') {
            return self.quoted(quoted);
        }
        if let Some((class, rest)) = class::escaped(self.rest)? {
            self.rest = rest;
            self.atom(&class);
            return Ok(());
        }
        let anchor = match after.chars().next() {
            Some('A') => r"(?:\A)",
            Some('z') => r"(?:\z)",
            Some('b') => r"(?-u:\b)",
            Some('B') => r"(?-u:\B)",
            _ => {
                let (literal, rest) = escape::character(after)?;
                self.rest = rest;
                self.literal(literal);
                return Ok(());
            }
        };
        self.rest = &after[1..];
        self.atom(anchor);
        Ok(())
    }

    /// Everything up to `\E` means itself.
    fn quoted(&mut self, quoted: &'text str) -> Result<(), String> {
        let Some((literals, rest)) = quoted.split_once(r"\E") else {
            // The bracket with which Alertmanager closes the expression would be quoted as well.
            return Err(r"a `\Q` needs its `\E`".to_owned());
        };
        for literal in literals.chars() {
            self.literal(literal);
        }
        self.rest = rest;
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        let Some(special) = self.rest.strip_prefix("(?") else {
            self.rest = &self.rest[1..];
            self.group("(?:");
            return Ok(());
        };
        let named = special
            .strip_prefix("P<")
            .or_else(|| special.strip_prefix('<'));
        if let Some((name, rest)) = named.and_then(|named| named.split_once('>')) {
            let is_plain = |sign: char| sign.is_ascii_alphanumeric() || sign == '_';
            if !name.is_empty() && name.chars().all(is_plain) {
                self.rest = rest;
                self.group("(?:");
                return Ok(());
            }
        }
        self.flags(special)
    }

    fn group(&mut self, opening: &str) {
        self.groups.push(self.repeats);
        self.written.push_str(opening);
        self.operand = Operand::Missing;
        self.repeats = 1;
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(repeats_around) = self.groups.pop() else {
            return Err("unopened group; write a literal one as `\\)`".to_owned());
        };
        self.written.push(')');
        let repeats = self.repeats;
        self.operand = Operand::Part { repeats };
        self.repeats = repeats_around.max(repeats);
        Ok(())
    }

    /// `(?i)` or `(?i:`, read from behind the question mark.
    fn flags(&mut self, special: &'text str) -> Result<(), String> {
        let unknown = || {
            let shown: String = special.chars().take(2).collect();
            format!("`(?{shown}` is not an RE2 group; its flags are i, m, s and U")
        };
        let (mut on, mut off) = (String::new(), String::new());
        let (mut negates, mut is_complete) = (false, true);
        for (at, sign) in special.char_indices() {
            let end = &special[at + sign.len_utf8()..];
            match sign {
                'i' | 'm' | 's' | 'U' => {
                    // The last word on a flag counts; what `U` turns around is never asked.
                    on.retain(|flag| flag != sign);
                    let into = if negates { &mut off } else { &mut on };
                    if sign != 'U' && !into.contains(sign) {
                        into.push(sign);
                    }
                    is_complete = true;
                }
                '-' if !negates => (negates, is_complete) = (true, false),
                ':' if is_complete => {
                    self.rest = end;
                    self.group(&format!("(?{}:", written_flags(&on, &off)));
                    return Ok(());
                }
                ')' if is_complete => {
                    self.rest = end;
                    if !(on.is_empty() && off.is_empty()) {
                        let _ = write!(self.written, "(?{})", written_flags(&on, &off));
                    }
                    self.operand = Operand::Flags;
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(unknown())
    }
}

fn written_flags(on: &str, off: &str) -> String {
    if off.is_empty() {
        on.to_owned()
    } else {
        format!("{on}-{off}")
    }
}
