//! Maintenance as a calendar that people subscribe to, by RFC 5545.
//!
//! A maintenance keeps its UID for ever; SEQUENCE goes up with each update, so that calendars take
//! over what changed. One that ended before it began was called off and says so.

use crate::engine::status_post::{PostKind, PostState};
use crate::text::one_line;

use super::phrases::phrases;
use super::time_text::calendar as stamp;
use super::view::{PostView, StatusPageView};
use super::{addresses, markdown, overall};

/// Events that the calendar has at most.
const EVENTS_MAX: usize = 100;
/// Octets of a line, its end not counted.
const LINE_OCTETS_MAX: usize = 75;

/// The calendar.
pub fn calendar(view: &StatusPageView) -> String {
    let past = view.past.iter();
    let past = past.filter(|post| post.kind == PostKind::Maintenance);
    let mut lines = FoldedLines::default();
    lines.push("BEGIN", "VCALENDAR");
    lines.push("VERSION", "2.0");
    lines.push("PRODID", "-//Reveille//Status page//EN");
    lines.push("CALSCALE", "GREGORIAN");
    lines.push("METHOD", "PUBLISH");
    let name = format!(
        "{}: {}",
        view.title,
        phrases(&view.language).posts.maintenance
    );
    lines.push("X-WR-CALNAME", &escaped(&one_line(&name)));
    for post in view.maintenance.iter().chain(past).take(EVENTS_MAX) {
        event(&mut lines, view, post);
    }
    lines.push("END", "VCALENDAR");
    lines.0
}

fn event(lines: &mut FoldedLines, view: &StatusPageView, post: &PostView) {
    let from = post.scheduled_for.unwrap_or(post.started_at);
    let is_called_off =
        post.state == PostState::Completed && post.resolved_at.is_some_and(|end| end < from);
    let newest = post.updates.first();
    let text = newest.map(|update| markdown::plain(&update.text));
    let updates = post.updates.len().saturating_sub(1);
    lines.push("BEGIN", "VEVENT");
    lines.push(
        "UID",
        &format!("{}@{}", post.id, addresses::host(&view.url)),
    );
    lines.push("SEQUENCE", &updates.to_string());
    lines.push("DTSTAMP", &stamp(post.updated_at));
    lines.push("CREATED", &stamp(post.created_at));
    lines.push("LAST-MODIFIED", &stamp(post.updated_at));
    lines.push("DTSTART", &stamp(from));
    // An end that is not after the start is none.
    if let Some(until) = post.scheduled_until.filter(|until| *until > from) {
        lines.push("DTEND", &stamp(until));
    }
    lines.push("SUMMARY", &escaped(&one_line(&post.title)));
    lines.push("DESCRIPTION", &escaped(&text.unwrap_or_default()));
    let names = overall::names(view, &post.components);
    if !names.is_empty() {
        let names: Vec<String> = names.iter().map(|name| escaped(&one_line(name))).collect();
        lines.push("CATEGORIES", &names.join(","));
    }
    lines.push("URL", &format!("{}{}", view.url, addresses::post(&post.id)));
    lines.push(
        "STATUS",
        if is_called_off {
            "CANCELLED"
        } else {
            "CONFIRMED"
        },
    );
    lines.push("TRANSP", "TRANSPARENT");
    lines.push("END", "VEVENT");
}

/// A text as a value: what separates values is escaped, and line breaks are written out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | ';' | ',' => escaped.extend(['\\', letter]),
            '\n' => escaped.push_str("\\n"),
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

/// FoldedLines that end as the format wants it and are folded where they are too long.
#[derive(Default)]
struct FoldedLines(String);

impl FoldedLines {
    fn push(&mut self, name: &str, value: &str) {
        let mut octets = 0;
        for letter in name.chars().chain([':']).chain(value.chars()) {
            if octets + letter.len_utf8() > LINE_OCTETS_MAX {
                self.0.push_str("\r\n ");
                // The blank that says that the line goes on.
                octets = 1;
            }
            self.0.push(letter);
            octets += letter.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Duration;
    use crate::status_page::samples;

    fn unfolded(view: &StatusPageView) -> Vec<String> {
        let text = calendar(view).replace("\r\n ", "");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_maintenance_is_an_event_with_all_that_calendars_want() {
        let mut view = samples::quiet();
        view.url = "https://status.example.com/acme".into();
        view.maintenance = vec![samples::maintenance("maintenance2", samples::NOW)];
        let lines = unfolded(&view);
        let expected = [
            "BEGIN:VEVENT",
            "UID:maintenance2@status.example.com",
            "SEQUENCE:0",
            "DTSTAMP:20261126T150400Z",
            "DTSTART:20261130T150400Z",
            "DTEND:20261130T170400Z",
            "SUMMARY:Databases move to a new rack",
            "DESCRIPTION:Reports cannot be made for a few minutes\\; everything else goes on.",
            "URL:https://status.example.com/acme/incidents/maintenance2",
            "STATUS:CONFIRMED",
            "END:VEVENT",
        ];
        let mut found = lines.iter();
        for line in expected {
            assert!(found.any(|other| other == line), "{line} in {lines:#?}");
        }
    }

    #[test]
    fn an_update_raises_the_sequence_and_keeps_the_uid() {
        let mut view = samples::quiet();
        let mut post = samples::maintenance("maintenance2", samples::NOW);
        post.updates.push(post.updates[0].clone());
        post.scheduled_until = Some(samples::NOW);
        view.maintenance = vec![post];
        let lines = unfolded(&view);
        assert!(lines.contains(&"SEQUENCE:1".to_owned()));
        assert!(lines.contains(&"UID:maintenance2@status.example.com".to_owned()));
        assert!(
            !lines.iter().any(|line| line.starts_with("DTEND")),
            "an end before the start"
        );
    }

    #[test]
    fn what_ended_before_it_began_was_called_off() {
        let mut view = samples::quiet();
        let mut post = samples::maintenance("maintenance2", samples::NOW);
        post.state = PostState::Completed;
        post.resolved_at = Some(samples::NOW.minus(Duration::hours(1)));
        view.past = vec![post, samples::over("pastpastpas1", samples::NOW)];
        let lines = unfolded(&view);
        assert!(lines.contains(&"STATUS:CANCELLED".to_owned()));
        let events = lines.iter().filter(|line| *line == "BEGIN:VEVENT");
        assert_eq!(events.count(), 1, "incidents are no events");
    }

    #[test]
    fn lines_are_folded_between_characters_and_nothing_starts_a_line_of_its_own() {
        let mut view = samples::quiet();
        let mut post = samples::maintenance("maintenance2", samples::NOW);
        post.title = "é€😀 ".repeat(60).into();
        post.updates[0].text = "a\r\nEND:VEVENT\nx;y,z\\\u{0}".into();
        view.title = "x\r\nMETHOD:REQUEST".into();
        view.maintenance = vec![post];
        let text = calendar(&view);
        assert!(text.ends_with("END:VCALENDAR\r\n"));
        for line in text.split("\r\n") {
            assert!(line.len() <= 75, "{} octets: {line}", line.len());
            assert!(!line.contains(['\n', '\r']), "{line:?}");
        }
        let lines = unfolded(&view);
        assert_eq!(lines.iter().filter(|line| *line == "END:VEVENT").count(), 1);
        assert!(!lines.contains(&"METHOD:REQUEST".to_owned()));
        let title = "é€😀 ".repeat(60);
        assert!(lines.contains(&format!("SUMMARY:{}", title.trim())));
        let description = "DESCRIPTION:a\\nEND:VEVENT\\nx\\;y\\,z\\\\";
        assert!(lines.contains(&description.to_owned()), "{lines:#?}");
    }
}
