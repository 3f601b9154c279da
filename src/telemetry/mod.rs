//! Tracing and metrics set-up.
//!
//! Logs go to standard error: text on a terminal, one JSON object a line otherwise. `REVEILLE_LOG`
//! filters them. Logging never blocks and never fails: see [`Log`]. What is measured is in
//! [`Metrics`].

mod log_writer;
mod metrics;
mod plain;

pub use log_writer::{Log, LostLines};
pub use metrics::{Audit, Metrics, Queue};

use std::backtrace::{Backtrace, BacktraceStatus};

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
    #[error(
        "REVEILLE_LOG = {filter:?} is not a log filter: write info, debug or \
        reveille=debug,info"
    )]
    Filter { filter: String },
    #[error("logging was set up before in this process")]
    Twice,
}

/// Sends the logs of this process to standard error, what panics say included. On a terminal,
/// unwanted characters are shown as escapes. Keep what is returned until the end.
pub fn start(filter: Option<&str>, shape: Shape) -> Result<Log, Error> {
    let filter = parse_filter(filter)?;
    let (log, writer) = Log::to(std::io::stderr());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_span_events(FmtSpan::NONE);
    match shape {
        Shape::Text => builder
            .with_target(false)
            .fmt_fields(plain::Plain)
            .try_init(),
        Shape::Json => builder
            .json()
            .flatten_event(true)
            .with_ansi(false)
            .try_init(),
    }
    .map_err(|_| Error::Twice)?;
    // Written straight to standard error, a panic would wait for whoever does not read it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let text = panic.payload_as_str().unwrap_or("no text");
        let backtrace = Backtrace::capture();
        let backtrace =
            matches!(backtrace.status(), BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(
            panic.message = text,
            panic.place = place,
            panic.backtrace = backtrace,
            "a panic"
        );
    }));
    Ok(log)
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
