//! One Rust file as the rules see it: line by line, without comments and the insides of literals,
//! and with the lines marked that only tests use.

/// A Rust file.
#[derive(Debug)]
pub struct Source {
    /// From the root of the repository, with `/`.
    pub path: String,
    pub lines: Vec<Line>,
}

/// One line of a file.
#[derive(Debug)]
pub struct Line {
    pub number: usize,
    /// As written.
    pub raw: String,
    /// Comments and the insides of literals are blanks.
    pub code: String,
    /// Compiled for tests only.
    pub is_test: bool,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let mut lines: Vec<Line> = (1..)
            .zip(text.lines().zip(code.lines()))
            .map(|(number, (raw, code))| Line {
                number,
                raw: raw.to_owned(),
                code: code.to_owned(),
                is_test: path.starts_with("tests/"),
            })
            .collect();
        mark_tests(&mut lines);
        Self {
            path: path.to_owned(),
            lines,
        }
    }

    /// The path beneath `src/`, for files of the product.
    pub fn in_src(&self) -> Option<&str> {
        self.path.strip_prefix("src/")
    }

    /// The room to which it belongs, for files of the product.
    pub fn room(&self) -> Option<&str> {
        self.in_src()?.split(['/', '.']).next()
    }

    /// The lines of the product; none for a file that only tests use.
    pub fn product(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.is_test)
    }

    /// The code of the product as one text; test lines are empty, so that lines keep their numbers.
    pub fn product_code(&self) -> String {
        let code = |line: &Line| {
            if line.is_test {
                String::new()
            } else {
                line.code.clone()
            }
        };
        self.lines.iter().map(|line| code(line) + "\n").collect()
    }

    /// Files of modules that this file declares for tests only, without `.rs`.
    pub fn test_modules(&self) -> Vec<String> {
        let stem = self.path.trim_end_matches(".rs");
        let is_parent = stem.ends_with("/mod") || stem == "src/lib" || stem == "src/main";
        let parent = stem.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = if is_parent { parent } else { stem };
        self.lines
            .iter()
            .filter(|line| line.is_test)
            .filter_map(|line| {
                let declared = line.code.trim().strip_suffix(';')?;
                let (_, name) = declared.rsplit_once("mod ")?;
                Some(format!("{folder}/{name}"))
            })
            .collect()
    }
}

/// Marks each item under `#[cfg(test)]`.
fn mark_tests(lines: &mut [Line]) {
    let mut depth: Option<usize> = None;
    for line in lines {
        let code = line.code.trim();
        if depth.is_none() && code.starts_with("#[cfg(test)]") {
            depth = Some(0);
        }
        let Some(open) = depth else { continue };
        line.is_test = true;
        let begins = code.matches(['{', '(', '[']).count();
        let ends = code.matches(['}', ')', ']']).count();
        let open = (open + begins).saturating_sub(ends);
        let is_over = open == 0 && (code.ends_with('}') || code.ends_with(';'));
        depth = (!is_over).then_some(open);
    }
}

/// The text with blanks in place of comments and the insides of literals.
fn blank(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    while let Some(first) = rest.chars().next() {
        let previous = code.chars().next_back();
        let length = match token(rest, previous) {
            Token::Plain => {
                code.push(first);
                first.len_utf8()
            }
            Token::Blank(length) => {
                let blank = |c| if c == '\n' { c } else { ' ' };
                code.extend(rest[..length].chars().map(blank));
                length
            }
        };
        rest = &rest[length..];
    }
    code
}

enum Token {
    /// One character of code.
    Plain,
    /// So many bytes of a comment or literal.
    Blank(usize),
}

fn token(rest: &str, previous: Option<char>) -> Token {
    let in_word = previous.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return Token::Blank(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Token::Blank(rest.find("*/").map_or(rest.len(), |end| end + 2));
    }
    if rest.starts_with('"') {
        return Token::Blank(quoted(rest, '"'));
    }
    if rest.starts_with('\'') {
        return char_literal(rest).map_or(Token::Plain, Token::Blank);
    }
    match rest
        .strip_prefix('r')
        .filter(|_| !in_word || previous == Some('b'))
    {
        Some(raw) => raw_string(raw).map_or(Token::Plain, |length| Token::Blank(1 + length)),
        None => Token::Plain,
    }
}

/// The bytes of a literal that begins with its quote.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            end if end == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The bytes of a character literal; `None` for a lifetime.
fn char_literal(rest: &str) -> Option<usize> {
    let mut characters = rest.chars().skip(1);
    let first = characters.next()?;
    (first == '\\' || characters.next() == Some('\'')).then(|| quoted(rest, '\''))
}

/// The bytes of a raw string after its `r`; `None` for anything else that begins so.
fn raw_string(after_r: &str) -> Option<usize> {
    let hashes = after_r.len() - after_r.trim_start_matches('#').len();
    let inside = after_r[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
    Some(hashes + 1 + length)
}
