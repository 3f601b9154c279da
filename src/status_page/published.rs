//! All status pages as they are published at one moment: what is served, exported and told to
//! subscribers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::view::StatusPageView;
use crate::engine::ids::StatusPageName;
use crate::engine::status_page_rules::StatusPageRules;

/// The pages of the rules in force.
#[derive(Clone, Debug, Default)]
pub struct PublishedPages {
    pub pages: BTreeMap<StatusPageName, Arc<PublishedPage>>,
}

/// A page, and the rules by which it is served. A page that did not change stays the same `Arc`.
#[derive(Clone, Debug)]
pub struct PublishedPage {
    pub rules: Arc<StatusPageRules>,
    pub view: StatusPageView,
}
