//! Badges: a name and a state as a small picture, for other pages. The state is in words, too.

use crate::engine::status_report::ComponentState;
use crate::text::{one_line, truncate};

use super::escape::xml;
use super::overall;
use super::phrases::phrases;
use super::view::StatusPageView;

/// Characters of a name.
const NAME_MAX: usize = 40;
/// Space around a text, and height of the badge.
const PADDING: usize = 8;
const HEIGHT: usize = 20;

/// The badge of the page.
pub fn of_page(view: &StatusPageView) -> String {
    let state = overall::of_page(view);
    badge(&view.title, phrases(&view.language).overall(state), state)
}

/// The badge of a component; `None` where the page has none of this id.
pub fn of_component(view: &StatusPageView, id: &str) -> Option<String> {
    let component = overall::component(view, id)?;
    let word = phrases(&view.language).component(component.state);
    Some(badge(&component.name, word, component.state))
}

/// White on each of them is well read.
fn colour(state: ComponentState) -> &'static str {
    match state {
        ComponentState::Operational => "#187a4c",
        ComponentState::Degraded => "#8f5f00",
        ComponentState::PartialOutage => "#b84a0c",
        ComponentState::MajorOutage => "#c0262d",
        ComponentState::Maintenance => "#2a5fc0",
        ComponentState::Unknown => "#626c79",
    }
}

/// About as wide as the text is; each text is fitted into what was reckoned.
fn width(text: &str) -> usize {
    let letters = text.chars();
    // Tenths of pixels at eleven pixels of height.
    let tenths = letters.map(|letter| match letter {
        'i' | 'l' | 'j' | '.' | ',' | ':' | '\'' | '|' | ' ' | 'I' => 36,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 98,
        letter if letter.is_ascii_lowercase() => 66,
        letter if letter.is_ascii() => 74,
        // Letters of other scripts may be twice as wide.
        letter if u32::from(letter) >= 0x1100 => 110,
        _ => 74,
    });
    tenths.sum::<usize>().div_ceil(10)
}

fn badge(name: &str, word: &str, state: ComponentState) -> String {
    let name = truncate(&one_line(name), NAME_MAX);
    let (name_width, word_width) = (width(&name), width(word));
    let left = name_width + 2 * PADDING;
    let right = word_width + 2 * PADDING;
    let whole = left + right;
    let word_at = left + PADDING;
    let label = xml(&format!("{name}: {word}"));
    let (name, word) = (xml(&name), xml(word));
    let fill = colour(state);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"{HEIGHT}\" \
         role=\"img\" aria-label=\"{label}\"><title>{label}</title>\
         <clipPath id=\"r\"><rect width=\"{whole}\" height=\"{HEIGHT}\" rx=\"4\"/></clipPath>\
         <g clip-path=\"url(#r)\"><rect width=\"{whole}\" height=\"{HEIGHT}\" fill=\"#3a4450\"/>\
         <rect x=\"{left}\" width=\"{right}\" height=\"{HEIGHT}\" fill=\"{fill}\"/></g>\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\">\
         <text x=\"{PADDING}\" y=\"14\" textLength=\"{name_width}\">{name}</text>\
         <text x=\"{word_at}\" y=\"14\" textLength=\"{word_width}\">{word}</text></g></svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status_page::samples;

    #[test]
    fn a_badge_says_name_and_state_in_words() {
        let view = samples::busy();
        let page = of_page(&view);
        assert!(
            page.contains("<title>Acme Cloud: Major outage</title>"),
            "{page}"
        );
        assert!(page.contains("#c0262d"));
        let unknown = of_component(&view, &samples::id(15)).expect("it is on the page");
        assert!(
            unknown.contains("aria-label=\"SMS delivery: Not known\""),
            "{unknown}"
        );
        assert_eq!(of_component(&view, "nothing"), None);
    }

    #[test]
    fn a_name_is_cut_and_stays_text() {
        let mut view = samples::quiet();
        view.title = format!("\"><script>\n{}", "W".repeat(10_000)).into();
        let badge = of_page(&view);
        assert!(badge.len() < 2_000, "{}", badge.len());
        assert!(!badge.contains("<script"));
        assert_eq!(badge.lines().count(), 1);
    }
}
