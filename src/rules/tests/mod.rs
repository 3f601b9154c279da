//! Checks of the room as a whole, through its public functions.

mod faults;
mod mapping_faults;
mod people_faults;
mod provider_faults;
mod round_trip;
mod route_faults;
mod schedule_faults;
mod status_page_faults;
mod whole;
mod yaml_faults;

use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{Capabilities, ChannelInfo, Medium};

use super::documents::SourceFile;
use super::{Environment, check};

/// Users, a policy and a root route, so that a case needs no more than what it is about.
const BASE: &str = "\
users:
  ana: { contacts: { mail: { email: ana@example.com } } }
  bo: { contacts: { mail: { email: bo@example.com } } }
policies:
  default: { steps: [{ targets: [user/ana] }] }
route: { policy: default }
";

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

fn channel(name: &str, media: &[Medium]) -> ChannelInfo {
    ChannelInfo {
        media: media.to_vec(),
        reaches_people: name != ChannelName::CONSOLE,
        ..ChannelInfo::new(name.into(), media[0], Capabilities::default())
    }
}

/// A process with a channel for each medium.
fn environment() -> Environment {
    Environment {
        channels: vec![
            channel("mail", &[Medium::Email]),
            channel("slack", &[Medium::Slack]),
            channel("sms", &[Medium::Sms]),
            channel("hooks", &[Medium::Webhook]),
            channel(ChannelName::CONSOLE, &[Medium::Console]),
        ],
        ..Environment::default()
    }
}

/// The faults of some files, one a line, as the command line shows them.
fn faults_of(files: &[SourceFile], environment: &Environment) -> Vec<String> {
    let (_, compiled) = check(files, environment);
    let has_error = compiled.faults.iter().any(super::Diagnostic::is_error);
    assert_eq!(
        compiled.rules.is_none(),
        has_error,
        "rules are there unless there is an error"
    );
    for fault in &compiled.faults {
        assert!(!fault.help.is_empty(), "{fault} has no help");
    }
    compiled.faults.iter().map(ToString::to_string).collect()
}
