//! Any JSON as a status page, read by the pointers and words of the rules.

use crate::engine::provider_rules::StatusMapping;
use crate::engine::status_report::StatusReport;

use super::{StatusLook, StatusUnreadable};

/// Reads the one document of such a page.
pub fn read(_: &StatusMapping, _: &StatusLook<'_>) -> Result<StatusReport, StatusUnreadable> {
    let problem = "pages of the kind json cannot be read yet".to_owned();
    Err(StatusUnreadable::Shape {
        kind: "json",
        problem,
    })
}
