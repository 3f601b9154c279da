//! The local time zone, by name: its rules come from the embedded database, so that the zone files
//! of the system, which may be old or missing, never matter.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;

/// The zone of `TZ`, else of the system, else UTC.
pub fn local(environment: &BTreeMap<String, String>) -> TimeZone {
    if let Some(name) = environment.get("TZ") {
        return named(name.trim_start_matches(':')).unwrap_or(TimeZone::UTC);
    }
    linked(Path::new("/etc/localtime"))
        .or_else(|| written(Path::new("/etc/timezone")))
        .unwrap_or(TimeZone::UTC)
}

/// `/etc/localtime` points to a file whose path ends with the name.
fn linked(path: &Path) -> Option<TimeZone> {
    let target = std::fs::read_link(path).ok()?;
    let (_, name) = target.to_str()?.split_once("zoneinfo/")?;
    named(name)
}

fn written(path: &Path) -> Option<TimeZone> {
    named(std::fs::read_to_string(path).ok()?.trim())
}

fn named(name: &str) -> Option<TimeZone> {
    // `TZ=/usr/share/zoneinfo/Europe/Lisbon` is common.
    let name = name.split_once("zoneinfo/").map_or(name, |(_, name)| name);
    TimeZone::get(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_is_taken_by_name_and_nonsense_is_utc() {
        let cases = [
            ("Europe/Lisbon", "Europe/Lisbon"),
            (":Asia/Singapore", "Asia/Singapore"),
            ("/usr/share/zoneinfo/Europe/Paris", "Europe/Paris"),
            ("Nowhere/Land", "UTC"),
            ("", "UTC"),
        ];
        for (text, expected) in cases {
            let environment = BTreeMap::from([("TZ".to_owned(), text.to_owned())]);
            assert_eq!(local(&environment).iana_name(), Some(expected), "{text}");
        }
    }
}
