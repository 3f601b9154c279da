//! One file per kind of status page.

mod aws;
mod azure;
mod better_stack;
mod cachet2;
mod cachet3;
mod checkly;
mod cstate;
mod feed;
mod firehydrant;
mod google;
mod heroku;
mod incident_io;
mod instatus;
mod one_uptime;
mod openstatus;
mod pagerduty;
mod rootly;
mod salesforce;
mod slack;
mod sorry;
mod status_io;
mod statuscast;
mod statuspage;
mod statuspal;
mod uptime_kuma;
mod uptime_robot;

use super::StatusKind;

#[cfg(test)]
pub(super) mod tests;

/// All kinds, in the order in which an unknown page is tried. A new one is a file and a line here.
pub static KINDS: &[&StatusKind] = &[
    &statuspage::STATUSPAGE,
    &incident_io::INCIDENT_IO,
    &instatus::INSTATUS,
    &better_stack::BETTER_STACK,
    &status_io::STATUS_IO,
    &cachet2::CACHET2,
    &cachet3::CACHET3,
    &uptime_kuma::UPTIME_KUMA,
    &cstate::CSTATE,
    &openstatus::OPENSTATUS,
    &firehydrant::FIREHYDRANT,
    &heroku::HEROKU,
    &slack::SLACK,
    &google::GOOGLE,
    &aws::AWS,
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
