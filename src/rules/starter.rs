//! The starter rules, for a process that finds no folder of rules.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::SourceFile;
use crate::engine;

/// Where the rotation of the example begins, as it stands in the file, and in which zone it is
/// handed off at which hour.
const START: &str = "start: 2026-01-05";
const HANDOFF: (&str, i64) = ("Europe/Lisbon", 9);

/// The files of the folder `rules`, as they were when this was built.
pub fn files() -> Vec<SourceFile> {
    [
        ("default.yaml", include_str!("../../rules/default.yaml")),
        (
            "integrations.yaml",
            include_str!("../../rules/integrations.yaml"),
        ),
        (
            "team-example.yaml",
            include_str!("../../rules/team-example.yaml"),
        ),
    ]
    .into_iter()
    .map(|(path, text)| SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    })
    .collect()
}

/// The same, with a rotation that began this week: the first of the example is on call.
pub fn files_at(now: engine::time::Timestamp) -> Vec<SourceFile> {
    let now = Timestamp::from_millisecond(now.0).unwrap_or_default();
    let start = format!("start: {}", last_handoff(now));
    let mut files = files();
    for file in &mut files {
        file.text = file.text.replace(START, &start);
    }
    files
}

/// The date of the last handoff of the example.
fn last_handoff(now: Timestamp) -> Date {
    let (zone, hour) = HANDOFF;
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let date = zone.to_datetime(now - hour.hours()).date();
    let since_monday = date.weekday().since(Weekday::Monday);
    date.saturating_sub(i64::from(since_monday).days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rotation_of_the_example_begins_with_the_last_handoff() {
        let cases = [
            ("2026-11-30T08:59:00Z", "2026-11-23"),
            ("2026-11-30T09:00:00Z", "2026-11-30"),
            ("2026-12-06T23:00:00Z", "2026-11-30"),
            // In summer Lisbon is an hour ahead of UTC.
            ("2026-07-06T07:59:00Z", "2026-06-29"),
            ("2026-07-06T08:00:00Z", "2026-07-06"),
        ];
        for (now, start) in cases {
            assert_eq!(
                last_handoff(now.parse().unwrap()).to_string(),
                start,
                "{now}"
            );
        }
        let tuesday: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        let files = files_at(engine::time::Timestamp(tuesday.as_millisecond()));
        let is_set = |file: &SourceFile| file.text.contains("start: 2026-11-30 ");
        assert!(files.iter().any(is_set));
    }
}
