//! Public pages as files, laid out so that any web server serves them at the same addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use axum::body::Bytes;

use crate::engine::status_page_rules::PageAudience;
use crate::status_page::published::PublishedPages;

use super::form::{FormKind, addresses};
use super::rendered::RenderedPage;

/// In the folder of each page: the files that are ours, so that no other is ever removed.
const LIST: &str = ".reveille-files";
/// A file before it is whole.
const UNFINISHED: &str = ".reveille-unfinished";
/// What a web server is told to show where nothing is.
const MISSING: &str = "404.html";

/// A page was not exported, or not wholly.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path} of the status page {page}: {source}; check that the process may write below \
     status_export and that there is room"
)]
pub struct ExportFault {
    pub page: String,
    path: PathBuf,
    source: io::Error,
}

/// Makes `folder` hold the public pages, each in a folder with its name, and removes what was
/// exported before and is no longer public. Each file is replaced at once, and only if it changed.
/// Blocks on the disk.
pub fn write(folder: &Path, published: &PublishedPages, is_certain: bool) -> Vec<ExportFault> {
    let pages = published.pages.values();
    let public = pages.filter(|page| page.rules.access.audience == PageAudience::Public);
    let mut names = BTreeSet::new();
    let mut faults = Vec::new();
    for page in public {
        let name = page.rules.name.to_string();
        let files = files(&RenderedPage::new(page, is_certain));
        let exported = PageFolder::open(folder, &name).and_then(|page| page.replace(&files));
        faults.extend(exported.err());
        names.insert(name);
    }
    match exported_before(folder) {
        Ok(before) => {
            for name in before.difference(&names) {
                let removed = PageFolder::open(folder, name).and_then(|page| page.remove());
                faults.extend(removed.err());
            }
        }
        Err(source) => faults.push(ExportFault {
            page: String::new(),
            path: folder.to_owned(),
            source,
        }),
    }
    faults
}

/// All files of a page, by their paths within its folder.
fn files(rendered: &RenderedPage) -> BTreeMap<String, Bytes> {
    let mut files = BTreeMap::new();
    for address in addresses(rendered.view()) {
        let form = rendered.form(&address);
        let form = form.unwrap_or_else(|| panic!("{address} is listed and has no form"));
        let path = match form.kind {
            FormKind::Html => format!("{address}/index.html"),
            _ => address,
        };
        files.insert(path.trim_start_matches('/').to_owned(), form.body.clone());
    }
    files.insert(MISSING.to_owned(), rendered.missing().into());
    files
}

/// Folders with a list of ours.
fn exported_before(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        // A name that is no text is none of ours.
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().join(LIST).is_file()
        {
            names.insert(name);
        }
    }
    Ok(names)
}

/// Where one page is exported to.
struct PageFolder<'name> {
    page: &'name str,
    path: PathBuf,
    /// Files that earlier exports wrote.
    known: BTreeSet<String>,
}

impl<'name> PageFolder<'name> {
    fn open(folder: &Path, page: &'name str) -> Result<Self, ExportFault> {
        let path = folder.join(page);
        let list = path.join(LIST);
        let fault = |source| ExportFault {
            page: page.to_owned(),
            path: list.clone(),
            source,
        };
        let text = match fs::read_to_string(&list) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(fault(error)),
        };
        let known: BTreeSet<String> = text.lines().map(str::to_owned).collect();
        if let Some(line) = known.iter().find(|line| !is_inside(line)) {
            let text = format!("the line `{line}` leads out of the folder; remove it");
            return Err(fault(io::Error::new(io::ErrorKind::InvalidData, text)));
        }
        Ok(Self { page, path, known })
    }

    fn replace(&self, files: &BTreeMap<String, Bytes>) -> Result<(), ExportFault> {
        // Listed before they are there and until they are gone: whatever happens meanwhile, the
        // next export knows of them.
        let now: BTreeSet<String> = files.keys().cloned().collect();
        let both: BTreeSet<String> = now.union(&self.known).cloned().collect();
        if both != self.known {
            self.write_list(&both)?;
        }
        for (file, body) in files {
            self.write(file, body)?;
        }
        for file in self.known.difference(&now) {
            self.remove_file(file)?;
        }
        if both != now {
            self.write_list(&now)?;
        }
        Ok(())
    }

    fn remove(&self) -> Result<(), ExportFault> {
        for file in &self.known {
            self.remove_file(file)?;
        }
        self.remove_file(LIST)?;
        // What somebody else put there stays.
        let _others = fs::remove_dir(&self.path);
        Ok(())
    }

    fn write_list(&self, files: &BTreeSet<String>) -> Result<(), ExportFault> {
        let lines: String = files.iter().map(|file| format!("{file}\n")).collect();
        self.write(LIST, lines.as_bytes())
    }

    fn write(&self, file: &str, body: &[u8]) -> Result<(), ExportFault> {
        let path = self.path.join(file);
        let write = || {
            if fs::read(&path).is_ok_and(|before| before == body) {
                return Ok(());
            }
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            let unfinished = self.path.join(UNFINISHED);
            fs::write(&unfinished, body)?;
            fs::rename(&unfinished, &path)
        };
        write().map_err(|source| self.fault(file, source))
    }

    /// Removes a file, and the folders that it was the last one in.
    fn remove_file(&self, file: &str) -> Result<(), ExportFault> {
        match fs::remove_file(self.path.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(self.fault(file, error));
            }
            Ok(()) | Err(_) => {}
        }
        let mut folder = Path::new(file).parent();
        while let Some(inner) = folder.filter(|inner| *inner != Path::new("")) {
            if fs::remove_dir(self.path.join(inner)).is_err() {
                // Something else is in it.
                break;
            }
            folder = inner.parent();
        }
        Ok(())
    }

    fn fault(&self, file: &str, source: io::Error) -> ExportFault {
        ExportFault {
            page: self.page.to_owned(),
            path: self.path.join(file),
            source,
        }
    }
}

fn is_inside(file: &str) -> bool {
    let mut parts = Path::new(file).components();
    !file.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}
