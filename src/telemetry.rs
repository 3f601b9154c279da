//! Tracing and metrics set-up; names of log fields as constants.
//!
//! Logs go to standard error: text on a terminal, one JSON object a line otherwise. `REVEILLE_LOG`
//! filters them. What is measured is in [`Metrics`].

pub mod fields;
mod metrics;
mod plain;

pub use metrics::{Audit, Metrics, Queue};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// How much is logged when `REVEILLE_LOG` is not set.
const DEFAULT_FILTER: &str = "info";

/// The shape of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// For people at a terminal.
    Text,
    /// For collectors.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("REVEILLE_LOG = {filter:?} is no log filter: write info, debug or reveille=debug,info")]
    Filter { filter: String },
    #[error("logging was set up before in this process")]
    Twice,
}

/// Sends the logs of this process to standard error. On a terminal, characters that `is_unwanted`
/// names are shown as escapes.
pub fn start(
    filter: Option<&str>,
    shape: Shape,
    is_unwanted: fn(char) -> bool,
) -> Result<(), Error> {
    let filter = parse_filter(filter)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_span_events(FmtSpan::NONE);
    match shape {
        Shape::Text => builder
            .with_target(false)
            .fmt_fields(plain::Plain { is_unwanted })
            .try_init(),
        Shape::Json => builder
            .json()
            .flatten_event(true)
            .with_ansi(false)
            .try_init(),
    }
    .map_err(|_| Error::Twice)
}

fn parse_filter(filter: Option<&str>) -> Result<EnvFilter, Error> {
    let filter = filter
        .filter(|filter| !filter.trim().is_empty())
        .unwrap_or(DEFAULT_FILTER);
    EnvFilter::builder()
        .parse(filter)
        .map_err(|_| Error::Filter {
            filter: filter.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_filter_is_refused_with_the_cure_and_an_empty_one_means_info() {
        let cases = [
            (None, Some("info")),
            (Some(" "), Some("info")),
            (Some("debug"), Some("debug")),
            (Some("reveille=loud"), None),
        ];
        for (filter, expected) in cases {
            let parsed = parse_filter(filter).ok().map(|filter| filter.to_string());
            assert_eq!(parsed.as_deref(), expected, "{filter:?}");
        }
        let error = parse_filter(Some("reveille=loud")).expect_err("no level is called loud");
        assert!(error.to_string().contains("reveille=loud"));
    }
}
