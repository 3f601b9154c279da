//! Pages as files: exactly what is public, nothing left over, and nothing touched that is not ours.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::super::export::write;
use super::super::form::addresses;
use super::{SiteUnderTest, all, published};
use crate::engine::status_page_rules::{PageAccess, PageAudience, PagePlace};
use crate::status_page::published::{PublishedPage, PublishedPages};
use crate::status_page::samples;
use crate::status_page::view::StatusPageView;

fn public(view: StatusPageView) -> PublishedPage {
    published(PagePlace::Path("/status".into()), PageAccess::PUBLIC, view)
}

fn export(folder: &Path, pages: &Arc<PublishedPages>) {
    let faults = write(folder, pages, true);
    assert!(faults.is_empty(), "{faults:?}");
}

/// Paths of all files below a folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(folder).unwrap();
                found.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn all_forms_of_a_page_are_files_and_nothing_else_is() {
    let folder = TempDir::new().unwrap();
    export(folder.path(), &all(vec![public(samples::quiet())]));
    let badges = (0..3).map(|index| format!("badge/{}.svg", samples::id(index)));
    let fixed = [
        ".reveille-files",
        "404.html",
        "api/v2/components.json",
        "api/v2/incidents.json",
        "api/v2/incidents/unresolved.json",
        "api/v2/scheduled-maintenances.json",
        "api/v2/scheduled-maintenances/active.json",
        "api/v2/scheduled-maintenances/upcoming.json",
        "api/v2/status.json",
        "api/v2/summary.json",
        "badge.svg",
        "feed.json",
        "history.atom",
        "history.rss",
        "history/2026-11/index.html",
        "history/index.html",
        "index.html",
        "maintenance.ics",
    ];
    let expected = fixed.map(str::to_owned).into_iter().chain(badges);
    let expected = expected.map(|file| format!("public/{file}"));
    assert_eq!(files(folder.path()), expected.collect());
}

#[tokio::test]
async fn each_file_holds_what_its_address_answers() {
    let folder = TempDir::new().unwrap();
    let pages = || vec![public(samples::busy())];
    export(folder.path(), &all(pages()));
    let site = SiteUnderTest::new(pages());
    let addresses = addresses(&samples::busy());
    assert!(addresses.len() > 40, "{addresses:?}");
    for address in addresses {
        let answer = site.get(&format!("/status{address}")).await;
        let path = folder
            .path()
            .join("public")
            .join(&address[1.min(address.len())..]);
        let file = if path.is_dir() {
            path.join("index.html")
        } else {
            path
        };
        assert_eq!(fs::read_to_string(file).unwrap(), answer.body, "{address}");
    }
}

#[test]
fn what_is_gone_is_removed_and_files_of_others_stay() {
    let folder = TempDir::new().unwrap();
    export(folder.path(), &all(vec![public(samples::busy())]));
    let post = folder.path().join("public/incidents/openopenope1");
    assert!(post.join("index.html").is_file());
    let others = [
        "public/robots.txt",
        "public/incidents/note.txt",
        "site/index.html",
    ];
    fs::create_dir(folder.path().join("site")).unwrap();
    for other in others {
        fs::write(folder.path().join(other), "of somebody else").unwrap();
    }
    export(folder.path(), &all(vec![public(samples::quiet())]));
    assert!(!post.exists());
    let found = files(folder.path());
    assert!(
        others.iter().all(|other| found.contains(*other)),
        "{found:?}"
    );

    export(folder.path(), &all(Vec::new()));
    assert_eq!(files(folder.path()), others.map(str::to_owned).into());
}

#[test]
fn a_page_that_is_no_longer_for_all_is_removed() {
    let folder = TempDir::new().unwrap();
    export(folder.path(), &all(vec![public(samples::quiet())]));
    let access = PageAccess {
        audience: PageAudience::Token,
        key_hashes: Vec::new(),
    };
    let page = published(PagePlace::Path("/status".into()), access, samples::quiet());
    export(folder.path(), &all(vec![page]));
    assert_eq!(files(folder.path()), BTreeSet::new());
    assert!(!folder.path().join("public").exists());
}

#[test]
fn a_file_that_did_not_change_is_not_written_again() {
    let folder = TempDir::new().unwrap();
    let pages = all(vec![public(samples::quiet())]);
    export(folder.path(), &pages);
    let badge = folder.path().join("public/badge.svg");
    let page = folder.path().join("public/index.html");
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    let before = (inode(&badge), inode(&page));
    let faults = write(folder.path(), &pages, false);
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(inode(&badge), before.0);
    assert_ne!(inode(&page), before.1, "it says that it is the last known");
}

#[test]
fn a_failure_is_told_by_page_and_path_and_the_other_pages_are_written() {
    let folder = TempDir::new().unwrap();
    fs::write(
        folder.path().join("blocked"),
        "a file where a folder must be",
    )
    .unwrap();
    let mut blocked = samples::quiet();
    blocked.name = "blocked".into();
    let pages = all(vec![public(blocked), public(samples::quiet())]);
    let faults = write(folder.path(), &pages, true);
    let [fault] = faults.as_slice() else {
        panic!("{faults:?}");
    };
    assert_eq!(fault.page, "blocked");
    let text = fault.to_string();
    assert!(text.contains("blocked/.reveille-files"), "{text}");
    assert!(text.contains("status_export"), "{text}");
    assert!(folder.path().join("public/index.html").is_file());
    fs::remove_file(folder.path().join("blocked")).unwrap();
    export(folder.path(), &pages);
    assert!(folder.path().join("blocked/index.html").is_file());
}

#[test]
fn a_list_that_leads_out_of_the_folder_removes_nothing() {
    let folder = TempDir::new().unwrap();
    let outside = folder.path().join("precious");
    fs::write(&outside, "of somebody else").unwrap();
    let page = folder.path().join("old");
    fs::create_dir(&page).unwrap();
    for line in ["../precious", outside.to_str().unwrap()] {
        fs::write(page.join(".reveille-files"), format!("{line}\n")).unwrap();
        let faults = write(folder.path(), &all(Vec::new()), true);
        assert_eq!(faults.len(), 1, "{line}");
        assert!(outside.exists(), "{line}");
    }
}
