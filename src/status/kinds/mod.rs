//! One file per kind of status page.

mod azure;
mod checkly;
mod feed;
mod rootly;
mod sorry;
mod statuscast;
mod uptime_robot;
pub(crate) mod values;

use super::StatusKind;

/// All kinds, in the order in which an unknown page is tried. A new one is a file and a line here.
pub static KINDS: &[&StatusKind] = &[
    &checkly::CHECKLY,
    &rootly::ROOTLY,
    &sorry::SORRY,
    &statuscast::STATUSCAST,
    &uptime_robot::UPTIME_ROBOT,
    &azure::AZURE,
    // Any feed is of the last kind.
    &feed::FEED,
];
