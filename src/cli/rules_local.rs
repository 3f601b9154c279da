//! Checking rules on this machine, without a server: the one place of the command line that calls
//! the `rules` room. Also how faults are shown, whoever found them.

use std::ops::Range;
use std::path::Path;

use ariadne::{CharSet, Color, Config, Label, Report, ReportKind, Source};

use super::context::Look;
use crate::api::wire::rules::RuleFault;
use crate::app::{rule_fault, web_addresses};
use crate::channels::configured::Configured;
use crate::config::Settings;
use crate::engine::ids::PolicyName;
use crate::engine::ruleset;
use crate::rules::zones::Zones;
use crate::rules::{self, Environment, SourceFile, sources};
use crate::text::clean::blanked;

/// All faults of the files, as the API would answer them, with these time zones.
pub fn check(files: &[SourceFile], settings: &Settings, zones: &Zones) -> Vec<RuleFault> {
    let environment = Environment {
        // Ranges that cannot be read were refused with the settings.
        web_addresses: web_addresses(&settings.outbound),
        zones: zones.clone(),
        channels: settings.channels.iter().map(Configured::info).collect(),
        settings: ruleset::Settings {
            watch_policy: settings.watch.policy.as_deref().map(PolicyName::from),
            ..ruleset::Settings::default()
        },
        ..Environment::default()
    };
    let (_, compiled) = rules::check(files, &environment);
    compiled.faults.iter().map(rule_fault).collect()
}

/// Whether the files cannot be used.
pub fn has_error(faults: &[RuleFault]) -> bool {
    !faults.iter().all(is_warning)
}

fn is_warning(fault: &RuleFault) -> bool {
    fault.severity == "warning"
}

/// All faults with their source lines, and their number.
pub fn render(faults: &[RuleFault], folder: &Path, files: &[SourceFile], look: Look) -> String {
    // What is shown ends up in the logs of whatever checks the rules.
    let files = sources::covered(files);
    let shown = faults
        .iter()
        .map(|fault| render_one(fault, folder, &files, look));
    let warnings = faults.iter().filter(|fault| is_warning(fault)).count();
    let count = count(faults.len() - warnings, "error");
    let summary = match warnings {
        0 => count,
        _ => format!("{count}, {}", self::count(warnings, "warning")),
    };
    shown.chain([summary]).collect::<Vec<_>>().join("\n")
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn render_one(fault: &RuleFault, folder: &Path, files: &[SourceFile], look: Look) -> String {
    let name = blanked(&fault.path);
    let place = folder.join(&name).display().to_string();
    let [code, message, help] =
        [&fault.code, &fault.message, &fault.help].map(|text| blanked(text));
    let file = files.iter().find(|file| file.path == name);
    let span = file.and_then(|file| span(&file.text, fault.line, fault.column));
    let (Some(file), Some(span)) = (file, span) else {
        let severity = blanked(&fault.severity);
        return format!("{place}: {severity}[{code}]: {message}\n  help: {help}\n");
    };
    let (kind, colour) = match is_warning(fault) {
        true => (ReportKind::Warning, Color::Yellow),
        false => (ReportKind::Error, Color::Red),
    };
    let label = Label::new((place.clone(), span.clone()))
        .with_message(help)
        .with_color(colour);
    let report = Report::build(kind, (place.clone(), span))
        .with_config(
            Config::default()
                .with_color(look.has_colour)
                .with_char_set(CharSet::Unicode),
        )
        .with_code(code)
        .with_message(message)
        .with_label(label)
        .finish();
    let mut bytes = Vec::new();
    // Writing into memory does not fail; what is there is shown in any case.
    let _ = report.write((place, Source::from(file.text.as_str())), &mut bytes);
    let lines = String::from_utf8_lossy(&bytes);
    let lines = lines.lines().map(str::trim_end);
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// The characters of the word at a line and a column, both from 1; never beyond the line.
fn span(text: &str, line: u32, column: u32) -> Option<Range<usize>> {
    let (line, column) = (usize::try_from(line).ok()?, usize::try_from(column).ok()?);
    let index = line.checked_sub(1)?;
    let lines_before = text.split_inclusive('\n').take(index);
    let before: usize = lines_before.map(|line| line.chars().count()).sum();
    let shown = text.split('\n').nth(index)?;
    let last = shown.chars().count().saturating_sub(1);
    let skipped = column.saturating_sub(1).min(last);
    let ends = |c: &char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | ':');
    let word = shown.chars().skip(skipped).take_while(|c| !ends(c)).count();
    let start = before + skipped;
    Some(start..start + word.max(usize::from(!shown.is_empty())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::tests::samples::sample;

    fn file(text: &str) -> SourceFile {
        SourceFile {
            path: "team.yaml".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_starter_rules_have_no_errors_under_the_default_settings() {
        let faults = check(
            &rules::starter::files(),
            &Settings::default(),
            &Zones::default(),
        );
        assert!(!has_error(&faults), "{faults:#?}");
    }

    #[test]
    fn faults_have_a_code_a_place_and_a_cure() {
        let faults = check(
            &[file("users:\n  ana:\n    colour: red\n")],
            &Settings::default(),
            &Zones::default(),
        );
        assert!(has_error(&faults));
        let fault = faults
            .iter()
            .find(|fault| fault.code == "unknown-key")
            .unwrap_or_else(|| panic!("no unknown-key in {faults:#?}"));
        assert_eq!((fault.line, fault.column), (3, 5));
        assert!(!fault.help.is_empty());
    }

    #[test]
    fn a_fault_is_shown_with_its_source_line() {
        let fault = json!({"code": "unknown-user", "severity": "error", "path": "team.yaml",
            "line": 2, "column": 15, "message": "no user is called \"anna\"",
            "help": "did you mean \"ana\"?"});
        let files = [file("steps:\n  - targets: [user/anna]\n")];
        let shown = render(&[sample(&fault)], Path::new("rules"), &files, Look::PLAIN);
        let expected = "\
[unknown-user] Error: no user is called \"anna\"
   ╭─[ rules/team.yaml:2:15 ]
   │
 2 │   - targets: [user/anna]
   │               ────┬────
   │                   ╰────── did you mean \"ana\"?
───╯

1 error";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_fault_without_a_place_or_file_is_shown_all_the_same() {
        let fault = json!({"code": "no-route", "severity": "warning", "path": "", "line": 0,
            "column": 0, "message": "there is no route", "help": "add one"});
        let shown = render(&[sample(&fault)], Path::new("rules"), &[], Look::PLAIN);
        assert_eq!(
            shown,
            "rules/: warning[no-route]: there is no route\n  help: add one\n\n0 errors, 1 warning"
        );
    }

    #[test]
    fn the_word_at_a_place_is_found_over_letters_of_several_bytes() {
        let text = "é: ü\n  päm: [x, y]\n";
        let cases = [
            (1, 1, Some(0..1)),
            (2, 3, Some(7..10)),
            (2, 9, Some(13..14)),
            (9, 1, None),
            (3, 1, Some(19..19)),
            (0, 0, None),
            (2, 99, Some(17..18)),
        ];
        for (line, column, expected) in cases {
            assert_eq!(span(text, line, column), expected, "{line}:{column}");
        }
    }
}
