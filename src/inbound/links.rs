//! Collects links. Only `http` and `https` are kept: other schemes could act when they are opened.

use crate::engine::event::{Link, limit};
use crate::text::shared;

use super::faults::{Faults, Place, quote};
use super::limits;

/// Bytes of an address; a longer one is left out, because a cut one leads elsewhere.
const HREF_BYTES_MAX: usize = 2_048;
/// Bytes of the text of a link.
const TEXT_BYTES_MAX: usize = 255;

/// The links of one event.
#[derive(Debug, Default)]
pub struct Links {
    kept: Vec<Link>,
    surplus: usize,
}

impl Links {
    /// Adds a link; the same address again is passed over.
    pub fn add(&mut self, href: &str, text: Option<&str>, place: Place<'_>, faults: &mut Faults) {
        let href = href.trim();
        if let Some(problem) = problem(href) {
            faults.add(
                place,
                format_args!("{problem}: {}; the link was omitted", quote(href)),
            );
        } else if self.kept.iter().any(|link| *link.href == *href) {
            // The sender names one page twice.
        } else if self.kept.len() == limit::LINKS {
            self.surplus += 1;
        } else {
            let text = text.map(str::trim).filter(|text| !text.is_empty());
            self.kept.push(Link {
                href: shared(href),
                text: text.map(|text| limits::line(text, TEXT_BYTES_MAX, place, faults)),
            });
        }
    }

    /// The links kept; the surplus is reported.
    pub fn finish(self, place: Place<'_>, faults: &mut Faults) -> Vec<Link> {
        if self.surplus > 0 {
            let (surplus, max) = (self.surplus, limit::LINKS);
            faults.add(
                place,
                format_args!("has {surplus} links more than the {max} that are kept"),
            );
        }
        self.kept
    }
}

fn problem(href: &str) -> Option<&'static str> {
    let scheme = href
        .split_once("://")
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("http" | "https")) {
        Some("is not an http or https address")
    } else if href.len() > HREF_BYTES_MAX {
        Some("is too long for an address")
    } else if href.contains(|character: char| {
        character.is_whitespace() || character.is_control() || "<>\"`\\".contains(character)
    }) {
        Some("contains characters that an address cannot have")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_are_kept() {
        let long = format!("https://e.example/{}", "x".repeat(HREF_BYTES_MAX));
        let cases = [
            ("https://e.example/a?b=c#d", true),
            (" HTTP://e.example ", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("ftp://e.example", false),
            ("//e.example", false),
            ("/relative", false),
            ("https://e.example/a b", false),
            ("https://e.example/\"><script>", false),
            ("https://e.example/\n", true),
            ("https://e.example/\nx", false),
            (&*long, false),
        ];
        for (href, is_kept) in cases {
            let mut faults = Faults::of_event();
            let mut links = Links::default();
            links.add(href, Some(" a\nb "), Place::At("$"), &mut faults);
            let kept = links.finish(Place::At("$"), &mut faults);
            assert_eq!(kept.len() == 1, is_kept, "{href}");
            assert_eq!(faults.into_list().is_empty(), is_kept, "{href}");
        }
    }

    #[test]
    fn surplus_links_are_counted_and_repeated_ones_passed_over() {
        let mut faults = Faults::of_event();
        let mut links = Links::default();
        for index in [0, 0].into_iter().chain(1..25) {
            links.add(
                &format!("https://e.example/{index}"),
                None,
                Place::At("$"),
                &mut faults,
            );
        }
        assert_eq!(
            links.finish(Place::At("$"), &mut faults).len(),
            limit::LINKS
        );
        let list = faults.into_list();
        assert_eq!(
            list[0].problem,
            "has 5 links more than the 20 that are kept"
        );
    }
}
