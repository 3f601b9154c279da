//! HTML and Markdown of status pages as text that people read on any medium.
//!
//! Pages escape their text once or twice, or not at all; so it is read until nothing changes. Only
//! elements that HTML knows are marks: `latency < 5 ms` and `<your-region>` stay as they are. Each
//! reading goes through the text once.

mod markdown;
mod markup;

use crate::text::truncate::{prefix, truncate};

/// Texts are escaped twice at most; what is escaped more often is shown as it is.
const READINGS_MAX: usize = 3;

/// The text of a piece of HTML or Markdown, without marks, scripts and styles, cut to so many
/// characters.
pub fn plain_text(marked_up: &str, characters_max: usize) -> String {
    // A reading makes nothing longer that matters, and what is far behind the end is not shown.
    let kept = characters_max.saturating_mul(16).saturating_add(256);
    let mut text = markup::without_elements(marked_up, kept);
    for _ in 1..READINGS_MAX {
        let again = markup::without_elements(&text, kept);
        if again == text {
            break;
        }
        text = again;
    }
    truncate(
        &markdown::without_marks(prefix(&text, kept)),
        characters_max,
    )
}

/// A link as people read it: the address stands after the text only where the text does not say it.
fn link(text: &str, address: &str) -> String {
    const ADDRESS_BYTES_MAX: usize = 500;
    let text = text.trim();
    let known = ["https://", "http://", "mailto:"];
    let scheme = known.iter().find_map(|scheme| address.strip_prefix(scheme));
    let Some(rest) = scheme.filter(|_| address.len() <= ADDRESS_BYTES_MAX) else {
        return text.to_owned();
    };
    let bare = |text: &str| {
        let scheme = known.iter().find_map(|scheme| text.strip_prefix(scheme));
        scheme.unwrap_or(text).trim_end_matches('/').to_lowercase()
    };
    match text {
        "" => address.to_owned(),
        _ if bare(text) == bare(rest) => text.to_owned(),
        _ => format!("{text} ({address})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: &[(&str, &str)]) {
        for (marked_up, expected) in cases {
            assert_eq!(plain_text(marked_up, 2_000), *expected, "{marked_up:?}");
        }
    }

    #[test]
    fn html_becomes_lines() {
        check(&[
            (
                "<p>One.</p><p>Two\n  and a half.</p>",
                "One.\nTwo and a half.",
            ),
            ("a<br>b<BR/>c<br />d", "a\nb\nc\nd"),
            (
                "<ul><li>API</li><li><p>Mail</p></li></ul>after",
                "- API\n- Mail\nafter",
            ),
            (
                "<table><tr><th>What</th><th>Until</th></tr>\
                 <tr><td>API</td><td>10:00</td></tr></table>",
                "What | Until\nAPI | 10:00",
            ),
            (
                "<p><small>Jul <var data-var='date'>16</var>, 20:10 UTC</small><br>\
                 <strong>Resolved</strong> - All is well.</p>",
                "Jul 16, 20:10 UTC\nResolved - All is well.",
            ),
            (
                "<style>p { color: red }</style><script>if (a < b) {}</script >Seen<!-- not -->",
                "Seen",
            ),
            ("a<script>b", "ab"),
            ("<svg><title>x</title></svg><b>x</b>y", "x\nxy"),
        ]);
    }

    #[test]
    fn what_only_looks_like_an_element_stays() {
        check(&[
            ("latency < 5 ms and > 1 ms", "latency < 5 ms and > 1 ms"),
            ("set <your-region> to eu", "set <your-region> to eu"),
            ("a <", "a <"),
            ("<b", "<b"),
            (
                "5 * 3 and snake_case and __init__ and 2 ** 3",
                "5 * 3 and snake_case and init and 2 ** 3",
            ),
            ("[Resolved] API errors", "[Resolved] API errors"),
            ("errors [1] (2)", "errors [1] (2)"),
        ]);
    }

    #[test]
    fn entities_are_decoded_also_when_escaped_twice() {
        check(&[
            ("Ca&ntilde;on &amp; S&ouml;hne", "Ca&ntilde;on & Söhne"),
            ("&#8211;&#x2014;&quot;&apos;&nbsp;&hellip;x", "–—\"' …x"),
            ("&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;", "One\nTwo"),
            (
                "&amp;lt;b&amp;gt;bold&amp;lt;/b&amp;gt; &amp;amp; more",
                "bold & more",
            ),
            (
                "&#0;&#27;[31m&#x110000;&#;& &;&unknown;",
                "[31m&#x110000;&#;& &;&unknown;",
            ),
        ]);
    }

    #[test]
    fn links_show_their_address_where_the_text_does_not() {
        check(&[
            (
                r#"see <a class="x" href="https://example.com/a?b=1&amp;c=2">the report</a>."#,
                "see the report (https://example.com/a?b=1&c=2).",
            ),
            (
                "<a href='https://status.example.com/'>status.example.com</a>",
                "status.example.com",
            ),
            (
                "<a href=https://example.com>x</a>",
                "x (https://example.com)",
            ),
            ("<a href='javascript:alert(1)'>x</a> <a>y</a>", "x y"),
            ("<a href='/here'>x</a>", "x"),
            (
                "[the report](https://example.com/a)",
                "the report (https://example.com/a)",
            ),
            ("![graph](https://example.com/a.png) ok", "graph ok"),
            ("<https://example.com/a>", "https://example.com/a"),
            ("[x](/relative) [y] (z) [w](", "x [y] (z) [w]("),
        ]);
    }

    #[test]
    fn markdown_loses_its_marks_and_keeps_its_lines() {
        check(&[
            (
                "## Summary\n\nWe see **errors** in `eu-1`.\n\n* API\n+ Mail\n- Web\n---\n> quoted",
                "Summary\nWe see errors in eu-1.\n- API\n- Mail\n- Web\nquoted",
            ),
            (
                "| What | Until |\n|------|:-----:|\n| API | 10:00 |",
                "What | Until\nAPI | 10:00",
            ),
            (r"\[EU\] \*down\* \_x\_", "[EU] *down* _x_"),
            ("~~gone~~ __bold__ ***both***", "gone bold both"),
        ]);
    }

    #[test]
    fn nothing_steers_a_terminal_and_it_is_cut() {
        assert_eq!(plain_text("a\u{1b}[2Jb\u{202e}c\td", 50), "a [2Jb c d");
        assert_eq!(plain_text("<p>größer als</p>", 6), "größe…");
        assert_eq!(plain_text("", 5), "");
        assert_eq!(plain_text("abc", 0), "…");
    }

    #[test]
    fn a_hostile_megabyte_is_read_once() {
        let pieces = [
            "<",
            "<a ",
            "<div>",
            "<li>",
            "<script>",
            "<!--",
            "&",
            "&amp;",
            "[",
            "[](",
            "*",
            "`",
            "|",
            "<td>",
            "&lt;",
            "</script",
            "\\",
            "<a href=\"",
            "#",
            "> ",
            "\n",
            "ä<",
            "<a href=x>",
        ];
        for piece in pieces {
            let bytes = if matches!(piece, "<" | "<div>") {
                1_000_000
            } else {
                100_000
            };
            let text = piece.repeat(bytes / piece.len());
            assert!(
                plain_text(&text, 2_000).chars().count() <= 2_000,
                "{piece:?}"
            );
        }
    }
}
