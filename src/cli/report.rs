//! How a command ends: with something to say, or with a failure; and the exit code of each.

use std::process::ExitCode;

use serde_json::Value;

/// What a command has to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// For `--output json`.
    pub value: Value,
    /// For `--output table`; without a line break at the end.
    pub text: String,
    /// Beside the answer, on standard error.
    pub remarks: Vec<String>,
    pub verdict: Verdict,
}

/// Whether what was asked about is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// The command ran and found that it is not so.
    NotSo,
}

impl Report {
    /// Done, with the answer in both forms.
    pub fn new(value: Value, text: impl Into<String>) -> Self {
        Self {
            value,
            text: text.into(),
            remarks: Vec::new(),
            verdict: Verdict::Done,
        }
    }

    /// With a remark beside the answer.
    pub fn remark(self, remark: impl Into<String>) -> Self {
        self.remarks([remark])
    }

    /// With remarks beside the answer, of which there may be none.
    pub fn remarks(mut self, remarks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.remarks.extend(remarks.into_iter().map(Into::into));
        self
    }

    /// Whether what was asked about is so.
    pub fn so(mut self, is_so: bool) -> Self {
        self.verdict = match is_so {
            true => Verdict::Done,
            false => Verdict::NotSo,
        };
        self
    }
}

/// A list under a name, as the API answers lists.
pub fn list_as(field: &str, items: Vec<Value>) -> Value {
    [(field.to_owned(), Value::Array(items))]
        .into_iter()
        .collect()
}

impl Verdict {
    /// 0 done, 1 not so.
    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::NotSo => 1,
        })
    }
}

/// Why a command could not do what was asked. Messages name the thing, the value and the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The thing asked about is not so: there is none, or it has faults.
    #[error("{0}")]
    NotSo(String),
    /// The command cannot be understood or needs something that is not given.
    #[error("{0}")]
    Usage(String),
    /// The server was not reached or refused.
    #[error("{0}")]
    Server(String),
}

impl Failure {
    /// The number of the exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::NotSo(_) => 1,
            Self::Usage(_) => 2,
            Self::Server(_) => 3,
        }
    }
}
