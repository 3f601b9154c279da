//! What is wrong with a document: a stable code, the place, a message and help.
//!
//! Checking never stops at the first fault: [`Diagnostics`] gathers those of all files.

use std::fmt;

use serde::Serialize;

use super::code::Code;
use super::node::Position;

/// At most so many faults are kept; errors stay before warnings.
pub const DIAGNOSTICS_MAX: usize = 1_000;

/// Whether the documents can be used in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Error,
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One thing that is wrong, where, and how to mend it. Line and column count from 1; they are 0
/// where the place is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    pub code: Code,
    pub severity: Severity,
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Diagnostic {
    /// Whether the documents cannot be used because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// File, line and column, to sort by.
    pub fn place(&self) -> (&str, u32, u32) {
        (&self.path, self.line, self.column)
    }

    /// Place, message and help on one line, as people who start the process read it.
    pub fn one_line(&self) -> String {
        let Self {
            path,
            line,
            message,
            help,
            ..
        } = self;
        match (path.as_str(), line) {
            ("", _) => format!("{message}: {help}"),
            (_, 0) => format!("{path}: {message}: {help}"),
            (_, _) => format!("{path}:{line}: {message}: {help}"),
        }
    }
}

impl fmt::Display for Diagnostic {
    /// One line, without the help.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            severity,
            path,
            line,
            column,
            message,
            ..
        } = self;
        if *line == 0 {
            write!(formatter, "{path}: {severity}[{code}]: {message}")
        } else {
            write!(
                formatter,
                "{path}:{line}:{column}: {severity}[{code}]: {message}"
            )
        }
    }
}

/// A fault as plain text: its line, the source line with a caret, the help. `source` is the text
/// of its file, where there is one.
pub fn render(fault: &Diagnostic, source: Option<&str>) -> String {
    let excerpt = source
        .and_then(|text| excerpt(text, fault.line, fault.column))
        .unwrap_or_default();
    format!("{fault}\n{excerpt}help: {}\n", fault.help)
}

/// The source line and a caret beneath the column.
fn excerpt(text: &str, line: u32, column: u32) -> Option<String> {
    let index = usize::try_from(line.checked_sub(1)?).ok()?;
    let shown = text.lines().nth(index)?;
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let lead: String = shown
        .chars()
        .take(usize::try_from(column.saturating_sub(1)).ok()?)
        .map(|character| if character == '\t' { '\t' } else { ' ' })
        .collect();
    Some(format!(" {number} | {shown}\n {margin} | {lead}^\n"))
}

/// Gathers what is wrong while documents are read and compiled.
#[derive(Debug, Default)]
pub struct Diagnostics {
    /// With their positions; paths are filled in at the end.
    found: Vec<(Position, Diagnostic)>,
}

impl Diagnostics {
    /// Something with which the documents cannot be used.
    pub fn error(
        &mut self,
        code: Code,
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Error, code, at, (message.into(), help.into()));
    }

    /// Something that is probably not meant.
    pub fn warning(
        &mut self,
        code: Code,
        at: Position,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, at, (message.into(), help.into()));
    }

    fn add(&mut self, severity: Severity, code: Code, at: Position, text: (String, String)) {
        let (message, help) = text;
        let diagnostic = Diagnostic {
            code,
            severity,
            path: String::new(),
            line: at.line,
            column: at.column,
            message,
            help,
        };
        self.found.push((at, diagnostic));
    }

    /// Turns all errors into warnings.
    pub fn make_warnings(&mut self) {
        for (_, fault) in &mut self.found {
            fault.severity = Severity::Warning;
        }
    }

    /// Whether the documents cannot be used.
    pub fn has_error(&self) -> bool {
        self.found.iter().any(|(_, fault)| fault.is_error())
    }

    /// All of them by file, line and column; `paths` are the files by their index.
    pub fn finish(mut self, paths: &[&str]) -> Vec<Diagnostic> {
        let count = self.found.len();
        if count > DIAGNOSTICS_MAX {
            self.found.sort_by_key(|(at, fault)| (fault.severity, *at));
            self.found.truncate(DIAGNOSTICS_MAX - 1);
            let at = Position::default();
            let message = format!("{count} errors were found, more than are shown");
            self.error(Code::TooManyFaults, at, message, "fix these first");
        }
        self.found.sort_by_key(|(at, _)| *at);
        let placed = |(at, diagnostic): (Position, Diagnostic)| {
            let file = usize::try_from(at.file).unwrap_or(usize::MAX);
            let path = paths.get(file).copied().unwrap_or_default().to_owned();
            Diagnostic { path, ..diagnostic }
        };
        self.found.into_iter().map(placed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(line: u32, column: u32) -> Diagnostic {
        Diagnostic {
            code: Code::UnknownUser,
            severity: Severity::Error,
            path: "team.yaml".to_owned(),
            line,
            column,
            message: "no user is called \"anna\"".to_owned(),
            help: "did you mean \"ana\"?".to_owned(),
        }
    }

    #[test]
    fn a_fault_is_shown_with_its_source_line_and_a_caret() {
        let text = "steps:\n  - targets: [user/anna]\n";
        assert_eq!(
            render(&fault(2, 15), Some(text)),
            "team.yaml:2:15: error[unknown-user]: no user is called \"anna\"\n \
             2 |   - targets: [user/anna]\n   |               ^\n\
             help: did you mean \"ana\"?\n"
        );
    }

    #[test]
    fn a_fault_without_a_known_place_is_shown_without_a_source_line() {
        let shown = "team.yaml: error[unknown-user]: no user is called \"anna\"\n\
                     help: did you mean \"ana\"?\n";
        assert_eq!(render(&fault(0, 0), Some("x\n")), shown);
        let beyond = render(&fault(9, 1), Some("x\n"));
        assert!(!beyond.contains('^'), "{beyond}");
    }

    #[test]
    fn codes_are_unique_and_in_kebab_case() {
        let mut words: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(words.iter().all(|word| {
            word.chars()
                .all(|character| character.is_ascii_lowercase() || character == '-')
        }));
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Code::ALL.len());
    }

    #[test]
    fn beyond_the_limit_errors_are_kept_before_warnings_and_the_rest_is_counted() {
        let mut faults = Diagnostics::default();
        for line in 1..=2_000 {
            let at = Position {
                line,
                ..Position::default()
            };
            faults.warning(Code::UnnamedRoute, at, "w", "c");
        }
        let last = Position {
            line: 5_000,
            ..Position::default()
        };
        faults.error(Code::NoRoute, last, "e", "c");
        let list = faults.finish(&["a.yaml"]);
        assert_eq!(list.len(), DIAGNOSTICS_MAX);
        assert_eq!(list[0].code, Code::TooManyFaults);
        assert!(list.iter().any(|fault| fault.code == Code::NoRoute));
    }
}
