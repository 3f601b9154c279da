//! HTML: elements become lines and blanks, and entities their characters.

use crate::text::clean::is_unwanted;

/// Elements that stand on lines of their own.
const BLOCKS: &[&str] = &[
    "p",
    "div",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "dl",
    "dt",
    "dd",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "caption",
    "blockquote",
    "pre",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "nav",
    "aside",
    "figure",
    "figcaption",
    "hr",
    "br",
    "li",
    "title",
    "body",
    "html",
    "head",
];

/// Elements within a line.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "big", "center", "cite", "code", "del", "em", "font", "i",
    "img", "ins", "kbd", "label", "link", "mark", "meta", "q", "s", "samp", "small", "span",
    "strike", "strong", "sub", "sup", "svg", "td", "th", "time", "tt", "u", "var", "wbr",
];

/// Elements whose content nobody reads, with what ends them.
const DROPPED: &[(&str, &str)] = &[("script", "</script"), ("style", "</style")];

/// What pages name by words; all others are written by number or as they are.
const ENTITIES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("mdash", '—'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("bull", '•'),
    ("middot", '·'),
    ("deg", '°'),
    ("euro", '€'),
    ("times", '×'),
    ("rarr", '→'),
    ("larr", '←'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("agrave", 'à'),
    ("ccedil", 'ç'),
];

/// The text without elements and with entities decoded, up to about so many characters.
pub fn without_elements(text: &str, characters_max: usize) -> String {
    // Where elements make the lines, line breaks of the source are blanks.
    let has_blocks = MarkupPieces::of(text)
        .any(|piece| matches!(piece, MarkupPiece::Element { name, .. } if is_one_of(BLOCKS, name)));
    let mut lines = Lines::default();
    let mut open_link: Option<(String, usize)> = None;
    for piece in MarkupPieces::of(text) {
        if lines.text.len() > characters_max.saturating_mul(4) {
            break;
        }
        match piece {
            MarkupPiece::Text(text) => lines.add_decoded(text, has_blocks),
            MarkupPiece::Element { name, rest } if name.eq_ignore_ascii_case("a") => {
                lines.end_link(open_link.take());
                let address = attribute(rest, "href");
                open_link = address.map(|address| (address, lines.text.len()));
            }
            MarkupPiece::End { name } if name.eq_ignore_ascii_case("a") => {
                lines.end_link(open_link.take());
            }
            MarkupPiece::Element { name, .. } if name.eq_ignore_ascii_case("li") => {
                lines.start_item();
            }
            MarkupPiece::Element { name, .. } if is_one_of(&["td", "th"], name) => {
                lines.start_cell();
            }
            MarkupPiece::Element { name, .. } | MarkupPiece::End { name }
                if is_one_of(BLOCKS, name) =>
            {
                lines.end_line();
            }
            MarkupPiece::Element { .. } | MarkupPiece::End { .. } => {}
        }
    }
    lines.end_link(open_link);
    lines.finish()
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// A piece of HTML.
enum MarkupPiece<'text> {
    Text(&'text str),
    Element { name: &'text str, rest: &'text str },
    End { name: &'text str },
}

/// Cuts HTML into pieces.
struct MarkupPieces<'text> {
    rest: &'text str,
    /// Ends that were sought in vain, so that each is sought to the end of the text only once.
    missing: Vec<&'static str>,
}

impl<'text> MarkupPieces<'text> {
    fn of(rest: &'text str) -> Self {
        Self {
            rest,
            missing: Vec::new(),
        }
    }

    /// Where this end begins in the rest.
    fn find_end(&mut self, end: &'static str) -> Option<usize> {
        if self.missing.contains(&end) {
            return None;
        }
        let is_end = |at: &usize| {
            let found = self.rest.get(*at..at.saturating_add(end.len()));
            found.is_some_and(|found| found.eq_ignore_ascii_case(end))
        };
        let start = end.get(..1).unwrap_or(end);
        let found = self
            .rest
            .match_indices(start)
            .map(|(at, _)| at)
            .find(is_end);
        if found.is_none() {
            self.missing.push(end);
        }
        found
    }

    /// The mark that begins with the `<` at the start of the rest; `None` if it is a character.
    fn mark(&mut self) -> Option<MarkupPiece<'text>> {
        if self.rest.starts_with("<!--") {
            let end = self.find_end("-->")?;
            self.rest = self.rest.get(end..)?.strip_prefix("-->")?;
            return Some(MarkupPiece::Text(""));
        }
        let inside = self.rest.strip_prefix('<')?;
        let (is_end, inside) = match inside.strip_prefix('/') {
            Some(inside) => (true, inside),
            None => (false, inside),
        };
        let length = inside.find(|letter: char| !letter.is_ascii_alphanumeric());
        let (name, after) = inside.split_at_checked(length?)?;
        let ends = |letter: char| letter == '>' || letter == '/' || letter.is_ascii_whitespace();
        let dropped = DROPPED
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        let is_known = is_one_of(BLOCKS, name) || is_one_of(INLINE, name) || dropped.is_some();
        if !is_known || !after.starts_with(ends) {
            return None;
        }
        let close = self.find_end(">")?;
        let tag = self.rest.get(..close)?;
        self.rest = self.rest.get(close..)?.strip_prefix('>')?;
        if is_end {
            return Some(MarkupPiece::End { name });
        }
        if let Some((_, end)) = dropped {
            if let Some(at) = self.find_end(end) {
                self.rest = self.rest.get(at..)?;
            }
            return Some(MarkupPiece::Text(""));
        }
        let rest = tag.get(name.len().saturating_add(1)..).unwrap_or_default();
        Some(MarkupPiece::Element { name, rest })
    }
}

impl<'text> Iterator for MarkupPieces<'text> {
    type Item = MarkupPiece<'text>;

    fn next(&mut self) -> Option<MarkupPiece<'text>> {
        let whole = self.rest;
        if whole.is_empty() {
            return None;
        }
        let skipped = match whole.strip_prefix('<') {
            None => 0,
            Some(after) => match self.mark() {
                Some(piece) => return Some(piece),
                None => whole.len().saturating_sub(after.len()),
            },
        };
        let after = whole.get(skipped..).unwrap_or_default();
        let end = after
            .find('<')
            .map_or(whole.len(), |at| skipped.saturating_add(at));
        let (text, rest) = whole.split_at_checked(end)?;
        self.rest = rest;
        Some(MarkupPiece::Text(text))
    }
}

/// The value of an attribute, decoded.
fn attribute(rest: &str, name: &str) -> Option<String> {
    let is_name = |(at, _): &(usize, &str)| {
        let found = rest.get(*at..at.saturating_add(name.len()));
        let before = rest.get(..*at).unwrap_or_default();
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
            && before.ends_with(|letter: char| letter.is_ascii_whitespace())
    };
    let first = name.chars().next()?;
    let either = [first.to_ascii_lowercase(), first.to_ascii_uppercase()];
    let (at, _) = rest.match_indices(either).find(is_name)?;
    let value = rest.get(at..)?.get(name.len()..)?.trim_start();
    let value = value.strip_prefix('=')?.trim_start();
    let quote = value.chars().next()?;
    let value = match quote {
        '"' | '\'' => value.get(1..)?.split(quote).next()?,
        _ => value.split_ascii_whitespace().next()?,
    };
    let mut address = String::new();
    decode(value, |letter| address.push(letter));
    let is_plain = |letter: char| !letter.is_whitespace() && !is_unwanted(letter);
    let address = address.trim();
    address.chars().all(is_plain).then(|| address.to_owned())
}

/// Gives the characters of a text, with one for each entity.
fn decode(text: &str, mut give: impl FnMut(char)) {
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        rest = rest.get(letter.len_utf8()..).unwrap_or_default();
        let entity = if letter == '&' { entity(rest) } else { None };
        match entity {
            Some((decoded, length)) => {
                give(decoded);
                rest = rest.get(length..).unwrap_or_default();
            }
            None => give(letter),
        }
    }
}

/// The character that is named after an ampersand, and the bytes of its name with the semicolon.
fn entity(rest: &str) -> Option<(char, usize)> {
    const NAME_BYTES_MAX: usize = 10;
    let length = rest
        .bytes()
        .take(NAME_BYTES_MAX)
        .position(|byte| byte == b';')?;
    let name = rest.get(..length)?;
    let decoded = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
        None => ENTITIES.iter().find(|(known, _)| *known == name)?.1,
    };
    Some((decoded, length.saturating_add(1)))
}

/// Lines as they grow. Blanks are joined, and no line is empty.
#[derive(Default)]
struct Lines {
    text: String,
    /// A blank is due before the next character of the line.
    has_blank: bool,
    /// The line has characters of text.
    has_text: bool,
    /// The line has the mark of a list's item.
    has_mark: bool,
}

impl Lines {
    fn add_decoded(&mut self, text: &str, are_breaks_blanks: bool) {
        let mut rest = text.split('\n');
        self.add_line(rest.next().unwrap_or_default());
        for line in rest {
            if are_breaks_blanks {
                self.has_blank = true;
            } else {
                self.end_line();
            }
            self.add_line(line);
        }
    }

    fn add_line(&mut self, text: &str) {
        decode(text, |letter| self.add(letter));
    }

    fn add(&mut self, letter: char) {
        if letter.is_whitespace() || is_unwanted(letter) {
            self.has_blank = true;
            return;
        }
        if self.has_blank && self.has_text {
            self.text.push(' ');
        }
        self.text.push(letter);
        self.has_text = true;
        self.has_blank = false;
    }

    fn end_line(&mut self) {
        self.has_blank = false;
        if self.has_text {
            self.text.push('\n');
            self.has_text = false;
            self.has_mark = false;
        }
    }

    fn start_item(&mut self) {
        self.end_line();
        if !self.has_mark {
            self.text.push_str("- ");
            self.has_mark = true;
        }
    }

    fn start_cell(&mut self) {
        if self.has_text {
            self.text.push_str(" | ");
            self.has_blank = false;
        }
    }

    /// Writes the address of a link that began there after its text.
    fn end_link(&mut self, link: Option<(String, usize)>) {
        let Some((address, start)) = link else {
            return;
        };
        let text = self.text.get(start..).unwrap_or_default();
        if text.contains('\n') {
            return;
        }
        let written = super::link(text, &address);
        let added = written.strip_prefix(text.trim()).unwrap_or_default();
        let added: Vec<char> = added.chars().collect();
        for letter in added {
            self.add(letter);
        }
    }

    fn finish(self) -> String {
        self.text.trim_end().trim_end_matches("\n-").to_owned()
    }
}
