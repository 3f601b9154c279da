//! A folder of rule documents: all its `.yaml` and `.yml` files make one rule set.

use std::borrow::Cow;
use std::path::Path;

use serde_json::{Value, json};

use super::report::Failure;
use crate::rules::SourceFile;
use crate::text::is_unwanted;

/// Reads the folder; files are known by their names in it.
pub fn read(folder: &Path) -> Result<Vec<SourceFile>, Failure> {
    let shown = folder.display();
    let unreadable = |error: &std::io::Error| {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "give another folder, write the rules in force there with `reveille rules \
                 export`, or starter rules with `reveille rules init`"
            }
            _ => "give another folder",
        };
        Failure::Usage(format!(
            "failed to read the rules folder {shown}: {error}; {help}"
        ))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(&error))? {
        let path = entry.map_err(|error| unreadable(&error))?.path();
        let Some(name) = rules_name(&path) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::Usage(format!("failed to read {}: {error}", path.display()))
        })?;
        files.push(SourceFile { path: name, text });
    }
    if files.is_empty() {
        let message = format!("the folder {shown} contains no .yaml file: give another folder");
        return Err(Failure::Usage(message));
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// The name of a file of rules; `None` if it is no such file. A link that leads nowhere has one, so
/// that reading it says so.
fn rules_name(path: &Path) -> Option<String> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let is_rules = matches!(extension, Some("yaml" | "yml")) && !path.is_dir();
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.filter(|_| is_rules).map(Cow::into_owned)
}

/// The first file of rules in a folder, which need not be there.
pub fn any_rules(folder: &Path) -> Result<Option<String>, Failure> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(Failure::Usage(format!(
                "failed to read the folder {}: {error}; give another folder",
                folder.display()
            )));
        }
    };
    let mut first = None;
    for entry in entries {
        let entry = entry.map_err(|error| {
            Failure::Usage(format!(
                "failed to read the folder {}: {error}; give another folder",
                folder.display()
            ))
        })?;
        let name = rules_name(&entry.path());
        first = first.into_iter().chain(name).min();
    }
    Ok(first)
}

/// The body that the API takes.
pub fn body(files: &[SourceFile]) -> Value {
    let files = files
        .iter()
        .map(|file| json!({ "path": file.path, "text": file.text }));
    json!({ "files": files.collect::<Vec<_>>() })
}

/// Whether files that stand there already may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    Never,
    Always,
}

/// Writes files into the folder; the answer is their names. Nothing is written when one of them
/// may not be.
pub fn write(
    folder: &Path,
    files: &[SourceFile],
    overwrite: Overwrite,
) -> Result<Vec<String>, Failure> {
    for file in files {
        let is_plain = Path::new(&file.path).file_name() == Some(file.path.as_ref())
            && !file.path.contains(is_unwanted);
        if !is_plain {
            return Err(Failure::Server(format!(
                "the server sent a file name that is not a plain name: {:?}",
                file.path
            )));
        }
        let path = folder.join(&file.path);
        let present = std::fs::read_to_string(&path).ok();
        let is_other = present.is_some_and(|text| text != file.text);
        if is_other && overwrite == Overwrite::Never {
            return Err(Failure::NotSo(format!(
                "{} exists with different content: export to another folder, or add --force",
                path.display()
            )));
        }
    }
    let failed = |path: &Path, error: &std::io::Error| {
        Failure::Usage(format!("failed to write {}: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    for file in files {
        let path = folder.join(&file.path);
        std::fs::write(&path, &file.text).map_err(|error| failed(&path, &error))?;
    }
    Ok(files.iter().map(|file| file.path.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> SourceFile {
        SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_other_files_are_left_out() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let files = [file("a.yaml", "a: 1\n"), file("b.yml", "b: 1\n")];
        write(folder.path(), &files, Overwrite::Never).expect("the folder is empty");
        std::fs::write(folder.path().join("notes.txt"), "x").expect("it is written");
        let read = read(folder.path()).expect("the folder reads");
        assert_eq!(read, files);
    }

    #[test]
    fn a_folder_that_is_missing_or_empty_is_named() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let cases = [folder.path().to_owned(), folder.path().join("missing")];
        for path in cases {
            let failure = read(&path).expect_err("there is nothing to read");
            assert_eq!(failure.code(), 2);
            assert!(
                failure.to_string().contains(&path.display().to_string()),
                "{failure}"
            );
        }
    }

    #[test]
    fn an_export_never_replaces_other_text_unasked_and_never_leaves_the_folder() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mine = [file("a.yaml", "mine\n")];
        write(folder.path(), &mine, Overwrite::Never).expect("the folder is empty");
        let theirs = [file("a.yaml", "theirs\n")];
        assert_eq!(
            write(folder.path(), &theirs, Overwrite::Never).map_err(|f| f.code()),
            Err(1)
        );
        assert!(write(folder.path(), &mine, Overwrite::Never).is_ok());
        assert!(write(folder.path(), &theirs, Overwrite::Always).is_ok());
        for path in ["../a.yaml", "/tmp/a.yaml", "x/a.yaml", ".."] {
            let outside = [file(path, "")];
            let written = write(folder.path(), &outside, Overwrite::Always);
            assert_eq!(written.map_err(|failure| failure.code()), Err(3), "{path}");
        }
    }
}
