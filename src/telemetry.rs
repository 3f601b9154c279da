//! Tracing and metrics set-up; names of log fields as constants.
