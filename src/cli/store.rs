//! `store check` and `store save`: what can still be read of a damaged data directory.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::report::{Failure, Report};
use crate::app::rescue::{self, Survey};

#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Report what can be read of a data directory; changes nothing
    Check {
        /// The data directory; no router may be running in it
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
    /// Copy what can be read of a data directory into a new one
    Save {
        /// The data directory; no router may be running in it
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// The new data directory; it must not exist yet
        #[arg(value_name = "NEW")]
        new: PathBuf,
    },
}

/// What to expect of a start with what was saved.
const AGAIN: &str = "what was closed or changed in a lost part may be back in its earlier state, \
    and the router may page for it again: check the open incidents after the start; how many \
    tokens, keys and audited actions were lost is unknown";
/// As many damaged places are named.
const PLACES_MAX: usize = 20;

/// Checks or saves.
pub fn run(command: StoreCommand) -> Result<Report, Failure> {
    match command {
        StoreCommand::Check { directory } => {
            let survey = rescue::check(&directory).map_err(Failure::NotSo)?;
            Ok(report(&survey).so(survey.is_whole()))
        }
        StoreCommand::Save { directory, new } => {
            let survey = rescue::save(&directory, &new).map_err(Failure::NotSo)?;
            let new = new.display();
            let again = (!survey.is_whole()).then_some(AGAIN);
            let left_behind = survey.left_behind.iter();
            let report = report(&survey)
                .remarks(again)
                .remarks(left_behind.map(|file| format!("not copied: {file}")));
            Ok(report.remark(format!("saved into {new}; start with --data {new}")))
        }
    }
}

fn report(survey: &Survey) -> Report {
    let mut lines: Vec<String> = survey
        .counts
        .iter()
        .map(|(name, count)| format!("{count:>10}  {name}"))
        .collect();
    lines.extend(damaged(survey));
    let missing = survey.missing.iter();
    lines.extend(missing.map(|what| format!("missing: {what}")));
    let unreadable = survey.unreadable.iter();
    lines.extend(unreadable.map(|what| format!("unreadable: {what}")));
    let unnamed = survey.unreadable_total - survey.unreadable.len() as u64;
    if unnamed > 0 {
        lines.push(format!("unreadable: {unnamed} more"));
    }
    if survey.is_whole() {
        lines.push("nothing is damaged or missing".to_owned());
    }
    let value = json!({
        "counts": survey.counts,
        "damaged": survey.damaged,
        "database": survey.database,
        "left_behind": survey.left_behind,
        "missing": survey.missing,
        "unreadable": survey.unreadable,
        "unreadable_total": survey.unreadable_total,
        "whole": survey.is_whole(),
    });
    Report::new(value, lines.join("\n"))
}

/// Where in the file something cannot be read.
fn damaged(survey: &Survey) -> Vec<String> {
    let places = survey.damaged.iter().take(PLACES_MAX);
    let file = survey.database.display();
    let mut lines: Vec<String> = places
        .map(|it| format!("damaged: {} bytes at {} of {file}", it.bytes, it.offset))
        .collect();
    if survey.damaged.len() > PLACES_MAX {
        let more = &survey.damaged[PLACES_MAX..];
        let bytes: u64 = more.iter().map(|it| it.bytes).sum();
        lines.push(format!(
            "damaged: {bytes} bytes in {} more places",
            more.len()
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::cli::report::Verdict;
    use crate::store::{
        Batch, DocumentKind, DocumentWrite, Options, Partition, SledStore, Store as _,
    };

    fn filled(path: &Path) -> SledStore {
        let store = SledStore::open(path, Options::default()).unwrap();
        let epoch = store.claim(Partition::default()).unwrap();
        // So many that the first ones are written again in one.
        for name in 0..20 {
            let batch = Batch {
                documents: vec![DocumentWrite {
                    kind: DocumentKind::Audit,
                    name: name.to_string(),
                    bytes: Some(b"act".to_vec()),
                }],
                ..Batch::default()
            };
            store.commit(Partition::default(), epoch, &batch).unwrap();
        }
        store
    }

    fn check(directory: &Path) -> Result<Report, Failure> {
        let directory = directory.to_owned();
        run(StoreCommand::Check { directory })
    }

    fn save(directory: &Path, new: &Path) -> Result<Report, Failure> {
        let (directory, new) = (directory.to_owned(), new.to_owned());
        run(StoreCommand::Save { directory, new })
    }

    #[test]
    fn a_whole_directory_is_said_to_be_whole_and_saved() {
        let place = tempfile::tempdir().unwrap();
        let (data, new) = (place.path().join("data"), place.path().join("new"));
        drop(filled(&data));
        let report = check(&data).unwrap();
        assert_eq!(report.verdict, Verdict::Done);
        assert!(report.text.ends_with("nothing is damaged or missing"));
        let report = save(&data, &new).unwrap();
        assert_eq!(report.remarks.len(), 1, "{report:?}");
        assert_eq!(check(&new).unwrap().verdict, Verdict::Done);
        SledStore::open(&new, Options::default()).unwrap();
    }

    #[test]
    fn damage_is_named_with_its_place_and_what_may_follow_is_said() {
        let place = tempfile::tempdir().unwrap();
        let (data, new) = (place.path().join("data"), place.path().join("new"));
        drop(filled(&data));
        let file = data.join("db/db");
        let mut bytes = fs::read(&file).unwrap();
        bytes[21] ^= 1;
        fs::write(&file, bytes).unwrap();
        let report = check(&data).unwrap();
        assert_eq!(report.verdict, Verdict::NotSo);
        assert!(report.text.contains("bytes at 20 of "), "{}", report.text);
        assert_eq!(report.value["damaged"][0]["offset"], 20);
        let report = save(&data, &new).unwrap();
        assert_eq!(report.verdict, Verdict::Done);
        let [again, saved] = &report.remarks[..] else {
            panic!("{report:?}");
        };
        assert!(again.contains("may page for it again"), "{again}");
        assert!(saved.starts_with("saved into "), "{saved}");
    }

    #[test]
    fn a_secret_that_was_not_taken_over_is_a_remark() {
        let place = tempfile::tempdir().unwrap();
        let (data, new) = (place.path().join("data"), place.path().join("new"));
        drop(filled(&data));
        fs::create_dir(data.join("first-key")).unwrap();
        let report = save(&data, &new).unwrap();
        assert_eq!(report.verdict, Verdict::Done);
        let [left, _saved] = &report.remarks[..] else {
            panic!("{report:?}");
        };
        let named = format!("not copied: {}", data.join("first-key").display());
        assert!(left.starts_with(&named), "{left}");
    }

    #[test]
    fn what_cannot_be_read_or_written_is_refused_with_the_reason() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let store = filled(&at("data"));
        let in_use = check(&at("data")).unwrap_err();
        drop(store);
        fs::create_dir(at("full")).unwrap();
        fs::write(at("full").join("file"), "x").unwrap();
        let cases = [
            (in_use, "in use by another process"),
            (check(&at("nothing")).unwrap_err(), "there is no database"),
            (
                save(&at("data"), &at("full")).unwrap_err(),
                "exists already",
            ),
            (
                save(&at("data"), &at("data/new")).unwrap_err(),
                "is only read",
            ),
            (
                save(&at("data"), &at("no/new")).unwrap_err(),
                "No such file",
            ),
        ];
        for (failure, reason) in cases {
            assert!(failure.to_string().contains(reason), "{failure}");
        }
    }
}
