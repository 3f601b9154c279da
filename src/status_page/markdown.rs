//! The Markdown of posts as safe HTML and as plain text; the only file that knows the parser.
//!
//! Whoever may write posts may still have pasted from anywhere. What becomes an element is on a
//! list: HTML stays text, pictures become their descriptions, a link leads to the web or to a
//! mail address or is none. Headings are one rank, below those of the page. Length and depth are
//! bounded.

use pulldown_cmark::{CodeBlockKind, Event, LinkType, Options, Parser, Tag};

use crate::text::clean::is_unsafe;
use crate::text::truncate::prefix;

use super::escape::xml;

/// Characters that are read of a text.
const CHARACTERS_MAX: usize = 20_000;
/// Bytes of output after which nothing more is written.
const BYTES_MAX: usize = 64_000;
/// Elements within each other; deeper ones are left out, their text stays.
const DEPTH_MAX: usize = 12;

/// Safe HTML: block elements, in which every character of the text is escaped.
pub fn html(text: &str) -> String {
    let mut writer = HtmlWriter::default();
    with_events(text, |event| writer.take(event));
    writer.finish()
}

/// Plain text: paragraphs with a blank line between, items with a dash, links with their address.
pub fn plain(text: &str) -> String {
    let mut writer = PlainWriter::default();
    with_events(text, |event| writer.take(event));
    writer.finish()
}

/// Hands out what a text consists of until the writer has had enough.
fn with_events(text: &str, mut take: impl FnMut(Event<'_>) -> bool) {
    let text: String = prefix(text, CHARACTERS_MAX)
        .chars()
        .filter(|letter| !is_unsafe(*letter))
        .collect();
    for event in Parser::new_ext(&text, Options::ENABLE_STRIKETHROUGH) {
        if !take(event) {
            break;
        }
    }
}

/// The address of a link if it may be one: to the web or to a mail address.
fn address(link_type: LinkType, url: &str) -> Option<String> {
    let url = match link_type {
        LinkType::Email => format!("mailto:{url}"),
        _ => url.trim().to_owned(),
    };
    let lower = url.to_ascii_lowercase();
    let is_known = ["https://", "http://", "mailto:"]
        .iter()
        .any(|scheme| lower.starts_with(scheme) && lower.len() > scheme.len());
    let is_clean = !url
        .chars()
        .any(|letter| letter.is_whitespace() || letter.is_control());
    (is_known && is_clean).then_some(url)
}

#[derive(Default)]
struct HtmlWriter {
    html: String,
    /// What closes each open element; nothing for one that was left out.
    open: Vec<&'static str>,
}

impl HtmlWriter {
    /// Whether it wants more.
    fn take(&mut self, event: Event<'_>) -> bool {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(_) => {
                let end = self.open.pop().unwrap_or_default();
                self.html.push_str(end);
            }
            Event::Code(text) => {
                self.html.push_str("<code>");
                self.text(&text);
                self.html.push_str("</code>");
            }
            Event::SoftBreak => self.html.push('\n'),
            Event::HardBreak => self.html.push_str("<br>"),
            Event::Rule => self.html.push_str("<hr>"),
            Event::TaskListMarker(_) => {}
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.text(&text),
        }
        self.html.len() < BYTES_MAX
    }

    fn text(&mut self, text: &str) {
        self.html.push_str(&xml(text));
    }

    fn start(&mut self, tag: Tag<'_>) {
        let (start, end) = match tag {
            Tag::Paragraph | Tag::HtmlBlock => ("<p>", "</p>"),
            Tag::Heading { .. } => ("<h4>", "</h4>"),
            Tag::BlockQuote(_) => ("<blockquote>", "</blockquote>"),
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => {
                ("<pre><code>", "</code></pre>")
            }
            Tag::List(Some(_)) => ("<ol>", "</ol>"),
            Tag::List(None) => ("<ul>", "</ul>"),
            Tag::Item => ("<li>", "</li>"),
            Tag::Emphasis => ("<em>", "</em>"),
            Tag::Strong => ("<strong>", "</strong>"),
            Tag::Strikethrough => ("<del>", "</del>"),
            Tag::Link {
                link_type,
                dest_url,
                ..
            } => return self.link(link_type, &dest_url),
            // A picture becomes its description; nothing else is made with our options.
            _ => ("", ""),
        };
        self.element(start, end);
    }

    fn link(&mut self, link_type: LinkType, url: &str) {
        match address(link_type, url) {
            Some(url) => {
                let start = format!("<a href=\"{}\" rel=\"nofollow noopener\">", xml(&url));
                self.element(&start, "</a>");
            }
            None => self.element("", ""),
        }
    }

    fn element(&mut self, start: &str, end: &'static str) {
        if self.open.len() < DEPTH_MAX {
            self.html.push_str(start);
            self.open.push(end);
        } else {
            self.open.push("");
        }
    }

    fn finish(mut self) -> String {
        while let Some(end) = self.open.pop() {
            self.html.push_str(end);
        }
        self.html
    }
}

#[derive(Default)]
struct PlainWriter {
    text: String,
    /// The address of each open element that is a link with one.
    open: Vec<Option<String>>,
}

impl PlainWriter {
    /// Whether it wants more.
    fn take(&mut self, event: Event<'_>) -> bool {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(_) => self.end(),
            Event::SoftBreak | Event::HardBreak => self.text.push('\n'),
            Event::Rule => self.lines(2),
            Event::TaskListMarker(_) => {}
            Event::Text(text)
            | Event::Code(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.text.push_str(&text),
        }
        self.text.len() < BYTES_MAX
    }

    fn start(&mut self, tag: Tag<'_>) {
        let mut link = None;
        match tag {
            Tag::Paragraph if self.text.ends_with("- ") => {}
            Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::BlockQuote(_)
            | Tag::CodeBlock(_)
            | Tag::HtmlBlock => self.lines(2),
            Tag::List(_) => self.lines(if self.open.is_empty() { 2 } else { 1 }),
            Tag::Item => {
                if !self.text.ends_with('\n') {
                    self.lines(1);
                }
                self.text.push_str("- ");
            }
            Tag::Link {
                link_type,
                dest_url,
                ..
            } if link_type != LinkType::Email => link = address(link_type, &dest_url),
            _ => {}
        }
        self.open.push(link);
    }

    fn end(&mut self) {
        if let Some(url) = self.open.pop().flatten()
            && !self.text.ends_with(&url)
        {
            self.text.push_str(&format!(" ({url})"));
        }
    }

    /// Ends the line, so that so many breaks are between what is there and what comes.
    fn lines(&mut self, breaks: usize) {
        let length = self.text.trim_end().len();
        self.text.truncate(length);
        if !self.text.is_empty() {
            self.text.push_str(&"\n".repeat(breaks));
        }
    }

    fn finish(self) -> String {
        self.text.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_becomes_plain_elements() {
        let cases = [
            (
                "We look *into* **it**.",
                "<p>We look <em>into</em> <strong>it</strong>.</p>",
            ),
            ("# One\n### Three", "<h4>One</h4><h4>Three</h4>"),
            ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
            ("1. a", "<ol><li>a</li></ol>"),
            ("> said", "<blockquote><p>said</p></blockquote>"),
            ("`a<b` ~~no~~", "<p><code>a&lt;b</code> <del>no</del></p>"),
            ("```sh\na & b\n```", "<pre><code>a &amp; b\n</code></pre>"),
            ("a  \nb\nc", "<p>a<br>b\nc</p>"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(html(text), expected, "{text}");
        }
        let link = html("[a](https://example.com/?a=1&b=2)");
        let expected = "<p><a href=\"https://example.com/?a=1&amp;b=2\" \
                        rel=\"nofollow noopener\">a</a></p>";
        assert_eq!(link, expected);
        assert!(html("<ana@example.com>").contains("href=\"mailto:ana@example.com\""));
    }

    #[test]
    fn nothing_that_acts_gets_through() {
        let hostile = [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<iframe src='https://example.com'></iframe>\n\ntext",
            "[a](javascript:alert(1))",
            "[a](JaVaScRiPt:alert(1))",
            "[a](&#106;avascript:alert(1))",
            "[a](java\tscript:alert(1))",
            "[a](data:text/html;base64,PHNjcmlwdD4=)",
            "[a](//example.com)",
            "[a](/admin)",
            "<javascript:alert(1)>",
            "![a](https://example.com/pixel.gif)",
            "![a](javascript:alert(1))",
            "```\"><script>alert(1)</script>\n</code></pre><script>\n```",
        ];
        for text in hostile {
            let html = html(text);
            for sought in ["<script", "<img", "<iframe", "<a ", "src=x>", "pixel"] {
                assert!(!html.contains(sought), "{text}: {html}");
            }
        }
        let breakout = html("[a](https://example.com/\"onmouseover=\"alert(1))");
        assert!(!breakout.contains("\"onmouseover"), "{breakout}");
        let title = html("[a](https://example.com \"t\\\" onclick=alert(1)\")");
        assert!(!title.contains("onclick"), "{title}");
    }

    #[test]
    fn every_element_that_is_opened_is_closed() {
        let texts = [
            ">".repeat(50_000),
            "- ".repeat(50_000),
            "[".repeat(50_000),
            "*a ".repeat(20_000),
            "![[".repeat(20_000),
            "`".repeat(30_001),
            "> - 1. ".repeat(10_000),
            "<a".repeat(20_000),
            format!(
                "[a]: https://example.com/{}\n\n{}",
                "x".repeat(9_000),
                "[a] ".repeat(2_000)
            ),
            "é\u{202e}\u{0}".repeat(9_000),
        ];
        for text in &texts {
            let html = html(text);
            assert!(html.len() < 2 * BYTES_MAX, "{} of {text:.9}", html.len());
            for name in [
                "p",
                "blockquote",
                "ul",
                "ol",
                "li",
                "em",
                "a",
                "h4",
                "strong",
            ] {
                let starts = html.matches(&format!("<{name}>")).count()
                    + html.matches(&format!("<{name} ")).count();
                let ends = html.matches(&format!("</{name}>")).count();
                assert_eq!(starts, ends, "{name} of {text:.9}");
            }
            assert!(plain(text).len() < 2 * BYTES_MAX);
            assert!(!html.contains('\u{202e}') && !html.contains('\u{0}'));
        }
        let deep = html(&format!("{}deep", "> ".repeat(200)));
        assert_eq!(deep.matches("<blockquote>").count(), DEPTH_MAX);
        assert!(deep.contains("deep"));
    }

    #[test]
    fn plain_text_keeps_lines_items_and_addresses() {
        let text = "# Down\n\nThe *API* is **down**.\nSee [here](https://example.com/a).\n\n\
                    - one\n- two\n  - three\n\n> said\n\n![a picture](https://example.com/p)\n\n\
                    <https://example.com/b>";
        let expected = "Down\n\nThe API is down.\nSee here (https://example.com/a).\n\n\
                        - one\n- two\n- three\n\nsaid\n\na picture\n\nhttps://example.com/b";
        assert_eq!(plain(text), expected);
        assert_eq!(plain("<b>raw</b> & [x](javascript:1)"), "<b>raw</b> & x");
        assert_eq!(plain(" \n "), "");
    }
}
