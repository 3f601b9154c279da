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

mod aws;
mod better_stack;
mod cachet2;
mod cachet3;
mod cstate;
mod firehydrant;
mod google;
mod heroku;
mod incident_io;
mod instatus;
mod openstatus;
mod slack;
mod status_io;
mod statuspage;
mod uptime_kuma;

#[cfg(test)]
mod tests;

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
