//! The compiled rules: who is on call, what matches, where alerts go.

pub mod calendar;
pub mod dependency;
pub mod integration;
pub mod matcher;
pub mod own_check;
pub mod policy;
pub mod provider;
pub mod routing;
pub mod ruleset;
pub mod status_page;
