//! Markdown: its marks go, its lines, items and links stay.

use crate::text::truncate::prefix;

/// The text without marks, line by line. Lines that only draw something are left out.
pub fn without_marks(text: &str) -> String {
    let lines = text.lines().filter_map(|line| {
        let line = line.trim();
        (!is_drawing(line)).then(|| without_line_marks(line))
    });
    let lines: Vec<String> = lines.filter(|line| !line.trim().is_empty()).collect();
    lines.join("\n").trim().to_owned()
}

/// `---`, `***`, `===` and the line under a table's head.
fn is_drawing(line: &str) -> bool {
    let is_stroke = |letter: char| matches!(letter, '-' | '*' | '_' | '=' | '|' | ':' | ' ');
    line.len() >= 3 && line.chars().all(is_stroke)
}

fn without_line_marks(line: &str) -> String {
    let mut line = line;
    while let Some(quoted) = line.strip_prefix('>') {
        line = quoted.trim_start();
    }
    let heading = line.trim_start_matches('#');
    if heading.starts_with(' ') {
        line = heading.trim();
    }
    let bullets = ["* ", "+ ", "• ", "- "];
    if let Some(item) = bullets.iter().find_map(|bullet| line.strip_prefix(bullet)) {
        return format!("- {}", without_inline_marks(item.trim()));
    }
    let row = line.strip_prefix('|').and_then(|row| row.strip_suffix('|'));
    match row {
        Some(row) => {
            let cells = row.split('|').map(|cell| without_inline_marks(cell.trim()));
            cells.collect::<Vec<_>>().join(" | ")
        }
        None => without_inline_marks(line),
    }
}

fn without_inline_marks(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(letter) = rest.chars().next() {
        let before = plain.chars().next_back();
        let (written, length) = match letter {
            '\\' => escaped(rest),
            '*' | '_' | '~' | '`' => emphasis(rest, letter, before),
            '[' => link(rest),
            '!' if rest.starts_with("![") => image(rest),
            '<' => address(rest),
            _ => None,
        }
        .unwrap_or_else(|| (letter.to_string(), letter.len_utf8()));
        plain.push_str(&written);
        rest = rest.get(length..).unwrap_or_default();
    }
    plain
}

/// What is written instead of a mark, and the bytes that it took.
type Written = Option<(String, usize)>;

fn escaped(rest: &str) -> Written {
    let letter = rest.chars().nth(1)?;
    "[]()*_#|~`!<>-"
        .contains(letter)
        .then(|| (letter.to_string(), 2))
}

/// Code and bold; single marks are as often part of a name or a sum.
fn emphasis(rest: &str, mark: char, before: Option<char>) -> Written {
    // A longer run is no mark of anything.
    const RUN_MAX: usize = 8;
    let run = rest
        .chars()
        .take(RUN_MAX)
        .take_while(|letter| *letter == mark);
    let length = run.count();
    let after = rest.get(length..).unwrap_or_default();
    let is_edge = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    let next = after.chars().next();
    let touches = |letter: Option<char>| letter.is_some_and(|letter| !letter.is_whitespace());
    let is_mark = match mark {
        '`' => true,
        '_' => length == 2 && (is_edge(before) || is_edge(next)),
        '*' | '~' => length >= 2 && (touches(before) || touches(next)),
        _ => false,
    };
    is_mark.then(|| (String::new(), length))
}

/// `[text](address)`.
fn link(rest: &str) -> Written {
    const TEXT_CHARACTERS_MAX: usize = 300;
    const ADDRESS_CHARACTERS_MAX: usize = 600;
    let near = prefix(rest, TEXT_CHARACTERS_MAX);
    let (text, _) = near.strip_prefix('[')?.split_once("](")?;
    let start = text.len().saturating_add(3);
    let near = prefix(rest.get(start..)?, ADDRESS_CHARACTERS_MAX);
    let (address, _) = near.split_once(')')?;
    let target = address.split_whitespace().next()?;
    let length = start.saturating_add(address.len()).saturating_add(1);
    Some((super::link(text, target), length))
}

/// `![text](address)`: nobody can look at it here.
fn image(rest: &str) -> Written {
    let (_, length) = link(rest.get(1..)?)?;
    let text = rest.get(2..)?.split("](").next()?;
    Some((text.to_owned(), length.saturating_add(1)))
}

/// `<https://example.com>`.
fn address(rest: &str) -> Written {
    const ADDRESS_CHARACTERS_MAX: usize = 600;
    let near = prefix(rest.strip_prefix('<')?, ADDRESS_CHARACTERS_MAX);
    let (address, _) = near.split_once('>')?;
    let is_address = address.starts_with("https://") || address.starts_with("http://");
    is_address.then(|| (address.to_owned(), address.len().saturating_add(2)))
}
