//! The last ninety days of a component as one small picture, and the same as text.
//!
//! A run of equal days is one stroke whose dashes are the days, so that a quiet component costs a
//! hundred bytes and not ninety elements. What happened on which day is told as text, for
//! everybody.

use std::collections::BTreeMap;

use crate::engine::status_report::ComponentState;
use crate::engine::time::Duration;

use super::escape::xml;
use super::phrases::{Phrases, fill};
use super::time_text;
use super::uptime::uptime;
use super::view::{ComponentDay, ComponentView};

/// Days that are shown.
pub const DAYS_MAX: usize = 90;
/// Units of the picture that a day takes; the last one is the gap.
const DAY_WIDTH: usize = 5;
/// From which share of a day on, in percent, time without knowledge makes it a day without.
const UNKNOWN_PERCENT: u64 = 10;
/// Days with trouble that are told one by one.
const STORY_MAX: usize = 8;

/// The class of a state in the style sheet.
pub fn class(state: ComponentState) -> &'static str {
    match state {
        ComponentState::Operational => "o",
        ComponentState::Degraded => "d",
        ComponentState::PartialOutage => "p",
        ComponentState::MajorOutage => "m",
        ComponentState::Maintenance => "w",
        ComponentState::Unknown => "u",
    }
}

/// A day with trouble.
pub struct TroubledDay {
    pub date: String,
    pub text: String,
}

/// What is said of a component's days.
pub struct DaysText {
    pub uptime: String,
    /// How many days had trouble.
    pub count: String,
    /// The newest first.
    pub days: Vec<TroubledDay>,
    /// That there are more.
    pub rest: Option<String>,
}

/// The days that are shown.
fn shown(component: &ComponentView) -> &[ComponentDay] {
    let first = component.days.len().saturating_sub(DAYS_MAX);
    component.days.get(first..).unwrap_or_default()
}

/// What is said of the days of a component.
pub fn text(component: &ComponentView, phrases: &Phrases) -> DaysText {
    let days = shown(component);
    let troubled = days.iter().rev().filter(|day| has_trouble(day));
    let count = troubled.clone().count();
    let told = troubled.take(STORY_MAX).map(|day| TroubledDay {
        date: time_text::date(day.begins, phrases),
        text: story(day, phrases),
    });
    let rest = count.saturating_sub(STORY_MAX);
    DaysText {
        uptime: phrases.uptime(uptime(days, DAYS_MAX)),
        count: match count {
            0 => phrases.page.no_trouble.to_owned(),
            1 => phrases.page.one_day_with_trouble.to_owned(),
            count => fill(phrases.page.days_with_trouble, &count.to_string()),
        },
        days: told.collect(),
        rest: (rest > 0).then(|| fill(phrases.page.earlier_days, &rest.to_string())),
    }
}

/// The picture, with a text for those who do not see it.
pub fn picture(component: &ComponentView, phrases: &Phrases) -> String {
    let days = shown(component);
    let text = text(component, phrases);
    let label = format!("{}: {}, {}", component.name, text.uptime, text.count);
    let width = DAYS_MAX * DAY_WIDTH - 1;
    let absent = DAYS_MAX - days.len();
    // The strokes of each class are one path.
    let mut paths = BTreeMap::from([("n", line(0, absent))]);
    let mut at = absent;
    for run in days.chunk_by(|one, other| state(one) == state(other)) {
        let class = run.first().map_or("n", state);
        paths
            .entry(class)
            .or_default()
            .push_str(&line(at, run.len()));
        at += run.len();
    }
    let paths = paths.iter().filter(|(_, lines)| !lines.is_empty());
    let paths = paths.map(|(class, lines)| format!("<path class=\"{class}\" d=\"{lines}\"/>"));
    format!(
        "<svg class=\"bars\" viewBox=\"0 -15 {width} 30\" preserveAspectRatio=\"none\" \
         role=\"img\" aria-label=\"{}\">{}</svg>",
        xml(&label),
        paths.collect::<String>()
    )
}

/// The stroke of so many days.
fn line(first: usize, days: usize) -> String {
    match days {
        0 => String::new(),
        days => format!("M{} 0h{}", first * DAY_WIDTH, days * DAY_WIDTH - 1),
    }
}

/// What a day was like, with its length; each only where there was some of it.
fn lengths(day: &ComponentDay) -> impl Iterator<Item = (ComponentState, Duration)> {
    let all = [
        (ComponentState::MajorOutage, day.major_outage),
        (ComponentState::PartialOutage, day.partial_outage),
        (ComponentState::Degraded, day.degraded),
        (ComponentState::Maintenance, day.maintenance),
        (ComponentState::Unknown, day.unknown),
    ];
    all.into_iter()
        .filter(|(_, length)| *length > Duration::ZERO)
}

fn has_trouble(day: &ComponentDay) -> bool {
    lengths(day).next().is_some()
}

fn story(day: &ComponentDay, phrases: &Phrases) -> String {
    let parts = lengths(day).map(|(state, length)| {
        let word = phrases.component(state);
        format!("{word} {}", time_text::length(length))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// The class of a day: the worst of it. A little time without knowledge does not make a day grey.
fn state(day: &ComponentDay) -> &'static str {
    if day.observed == Duration::ZERO {
        return "n";
    }
    let is_unknown =
        day.unknown.0.saturating_mul(100) >= day.observed.0.saturating_mul(UNKNOWN_PERCENT);
    let counts =
        |(state, _): &(ComponentState, Duration)| *state != ComponentState::Unknown || is_unknown;
    let worst = lengths(day).find(counts);
    class(worst.map_or(ComponentState::Operational, |(state, _)| state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status_page::phrases::{ENGLISH, GERMAN};
    use crate::status_page::samples;

    fn quiet_days(count: usize) -> ComponentView {
        let mut component = samples::component(1);
        for day in &mut component.days {
            *day = ComponentDay {
                degraded: Duration::ZERO,
                partial_outage: Duration::ZERO,
                major_outage: Duration::ZERO,
                maintenance: Duration::ZERO,
                unknown: Duration::ZERO,
                ..*day
            };
        }
        let first = component.days.len() - count;
        component.days.drain(..first);
        component
    }

    #[test]
    fn equal_days_are_one_stroke() {
        let svg = picture(&quiet_days(90), &ENGLISH);
        let expected = "<svg class=\"bars\" viewBox=\"0 -15 449 30\" preserveAspectRatio=\"none\" \
                        role=\"img\" aria-label=\"Webhooks: 100\u{a0}% uptime, no trouble\">\
                        <path class=\"o\" d=\"M0 0h449\"/></svg>";
        assert_eq!(svg, expected);
    }

    #[test]
    fn a_day_with_trouble_is_a_stroke_of_its_own_and_its_story_is_told() {
        let mut component = quiet_days(90);
        component.days[88].major_outage = Duration::minutes(23);
        component.days[88].degraded = Duration::minutes(65);
        let svg = picture(&component, &ENGLISH);
        let paths = "<path class=\"m\" d=\"M440 0h4\"/><path class=\"o\" d=\"M0 0h439M445 0h4\"/>";
        assert!(svg.contains(paths), "{svg}");
        let english = text(&component, &ENGLISH);
        let story = "Major outage 23 min, Degraded performance 1 h 5 min";
        assert_eq!(english.days[0].text, story);
        let german = text(&component, &GERMAN);
        assert_eq!(german.count, "1 Tag mit Störung");
        assert_eq!(german.days[0].date, "29. November 2026");
        assert_eq!(german.uptime, "99,98\u{a0}% verfügbar");
        for day in &mut component.days {
            day.maintenance = Duration::hours(1);
        }
        let many = text(&component, &ENGLISH);
        assert_eq!(
            (many.days.len(), many.rest.as_deref()),
            (8, Some("Earlier days: 82"))
        );
    }

    #[test]
    fn days_before_the_component_are_empty_and_too_many_are_cut() {
        let svg = picture(&quiet_days(2), &ENGLISH);
        assert!(svg.contains("<path class=\"n\" d=\"M0 0h439\"/>"), "{svg}");
        assert!(svg.contains("<path class=\"o\" d=\"M440 0h9\"/>"), "{svg}");
        let none = picture(&quiet_days(0), &ENGLISH);
        assert!(none.contains("No data yet, no trouble"), "{none}");
        let mut long = quiet_days(90);
        long.days.extend_from_slice(&long.days.clone());
        assert_eq!(picture(&long, &ENGLISH).matches("<path").count(), 1);
    }

    #[test]
    fn unknown_time_makes_a_day_grey_once_it_is_a_tenth() {
        let mut component = quiet_days(90);
        component.days[0].unknown = Duration::minutes(20);
        assert_eq!(state(&component.days[0]), "o");
        component.days[0].unknown = Duration::hours(3);
        assert_eq!(state(&component.days[0]), "u");
        component.days[0].partial_outage = Duration::minutes(1);
        assert_eq!(state(&component.days[0]), "p");
    }

    #[test]
    fn a_name_cannot_leave_the_picture() {
        let component = ComponentView {
            name: "\"><script>".into(),
            ..quiet_days(1)
        };
        assert!(!picture(&component, &ENGLISH).contains("<script"));
    }
}
