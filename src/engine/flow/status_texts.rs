//! What posts on our own status pages say that nobody wrote: the texts of the rules, with the names
//! of components and lengths of time, and nothing else that is known here.

use crate::engine::event::Text;
use crate::engine::status_page_rules::StatusPageRules;
use crate::engine::time::Duration;
use crate::text::truncate;

/// Components that a text names.
const NAMED_MAX: usize = 5;

/// A text of the rules with what its variables stand for.
pub fn fill(
    text: &str,
    page: &StatusPageRules,
    components: &[Text],
    duration: Duration,
    characters_max: usize,
) -> Text {
    let names = names(page, components);
    let filled = replaced(text, "component", &names);
    let filled = replaced(&filled, "duration", &length(duration));
    truncate(&filled, characters_max).into()
}

/// Every `{{ name }}`, however it is spaced.
fn replaced(text: &str, name: &str, value: &str) -> String {
    let mut filled = String::with_capacity(text.len() + value.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once("{{") {
        filled.push_str(before);
        match from.split_once("}}") {
            Some((named, after)) if named.trim() == name => {
                filled.push_str(value);
                rest = after;
            }
            _ => {
                filled.push_str("{{");
                rest = from;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The public names, in the order of the page.
fn names(page: &StatusPageRules, ids: &[Text]) -> String {
    let named = page.components.iter();
    let named = named.filter(|component| ids.contains(&component.id));
    let mut names: Vec<&str> = named.map(|component| &*component.name).collect();
    if names.len() > NAMED_MAX {
        names.truncate(NAMED_MAX);
        names.push("…");
    }
    names.join(", ")
}

/// `4 min`, `1 h 12 min`, `2 d 3 h`: the same in all languages.
fn length(duration: Duration) -> String {
    let minutes = duration.0.div_ceil(60_000).max(1);
    let (hours, days) = (minutes / 60, minutes / (24 * 60));
    match (days, hours, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, 0) => format!("{hours} h"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) if hours % 24 == 0 => format!("{days} d"),
        (days, hours, _) => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_variables_are_replaced_and_values_are_not_read_again() {
        let cases = [
            ("a {{ component }} b", "a {{ duration }} b"),
            (
                "{{component}}{{ component  }}",
                "{{ duration }}{{ duration }}",
            ),
            ("{{ host }} {{ component", "{{ host }} {{ component"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(replaced(text, "component", "{{ duration }}"), expected);
        }
    }

    #[test]
    fn lengths_are_cut_to_two_units() {
        let cases = [
            (Duration(1), "1 min"),
            (Duration::minutes(59), "59 min"),
            (Duration::minutes(60), "1 h"),
            (Duration::minutes(72), "1 h 12 min"),
            (Duration::hours(48), "2 d"),
            (Duration::hours(51), "2 d 3 h"),
        ];
        for (duration, expected) in cases {
            assert_eq!(length(duration), expected);
        }
    }
}
