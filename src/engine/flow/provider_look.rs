//! What the stages of a look at a provider's page work with.

use crate::engine::provider_rules::{ComponentsById, ProviderRules};
use crate::engine::status_report::StatusReport;

/// A look at a page that could be read.
pub struct LookContext<'look> {
    pub rules: &'look ProviderRules,
    pub report: &'look StatusReport,
    pub components: ComponentsById<'look>,
    /// Nothing was known of it before.
    pub is_first: bool,
    /// Single components flip on such pages.
    pub flips: bool,
}
