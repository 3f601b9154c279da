//! `completions` and `man`: what the grammar of the command line says of itself.

use clap::{Args, Command};
use clap_complete::Shell;
use serde_json::json;

use super::report::{Failure, Report};

const NAME: &str = "reveille";

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// The manual page of this command, such as `rules apply` [default: of the program]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

/// The script that teaches a shell our commands.
pub fn completions(completions: &Completions, mut grammar: Command) -> Report {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut grammar, NAME, &mut script);
    report(&script)
}

/// A page for `man`.
pub fn man(man: &Man, mut grammar: Command) -> Result<Report, Failure> {
    grammar.build();
    let mut found = &grammar;
    for word in &man.command {
        found = found.find_subcommand(word).ok_or_else(|| {
            let asked = man.command.join(" ");
            Failure::Usage(format!("no command {asked:?}: see {NAME} --help"))
        })?;
    }
    let mut page = Vec::new();
    let written = clap_mangen::Man::new(found.clone()).render(&mut page);
    written.map_err(|error| Failure::Usage(format!("failed to write the manual page: {error}")))?;
    Ok(report(&page))
}

fn report(bytes: &[u8]) -> Report {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end();
    Report::new(json!(text), text)
}
