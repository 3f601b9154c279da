//! One file per kind of status page.

mod azure;
mod checkly;
mod feed;
mod one_uptime;
mod pagerduty;
mod rootly;
mod salesforce;
mod sorry;
mod statuscast;
mod statuspal;
mod uptime_robot;
pub(crate) mod values;

use super::StatusKind;

/// All kinds, in the order in which an unknown page is tried. A new one is a file and a line here.
pub static KINDS: &[&StatusKind] = &[
    &checkly::CHECKLY,
    &one_uptime::ONE_UPTIME,
    &pagerduty::PAGERDUTY,
    &rootly::ROOTLY,
    &salesforce::SALESFORCE,
    &sorry::SORRY,
    &statuscast::STATUSCAST,
    &statuspal::STATUSPAL,
    &uptime_robot::UPTIME_ROBOT,
    &azure::AZURE,
    // Any feed is of the last kind.
    &feed::FEED,
];
