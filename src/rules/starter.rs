//! The starter rules, for a process that finds no folder of rules.

use super::SourceFile;

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
