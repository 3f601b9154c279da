//! Reveille under load: the binary of this build, its settings and its rules.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::Failure;
use crate::server::Setup;

/// The key of the one sender; the other servers get it too and do not look at it.
pub const KEY: &str = "the-key-of-the-loader-0123456789";

/// Opens what people ask for.
pub const TOKEN: &str = "the-token-of-the-loader-0123456789";

const CHANNEL: &str = r#"
[outbound]
allow_networks = ["127.0.0.0/8"]

[[channel]]
name = "hooks"
kind = "webhook"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"
"#;

const INTEGRATION: &str = "
integrations:
  prometheus: { format: alertmanager_api, key: env:LOAD_KEY }
";

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
    command.arg("serve").env_clear();
    command
        .env("LOAD_KEY", KEY)
        .env("REVEILLE_ADMIN_TOKEN", TOKEN);
    command
}

/// Where it keeps its state.
pub const DATA: &str = "data";

/// Writes settings and rules into its folder.
pub fn write(folder: &Path, address: SocketAddr, setup: &Setup) -> Result<(), Failure> {
    let channel = match setup {
        Setup::Quiet { .. } | Setup::OnCall { .. } => "",
        Setup::Lean => "store_cache = \"16 MiB\"\n",
        Setup::Paging { .. } | Setup::Waiting { .. } | Setup::Watching { .. } => CHANNEL,
    };
    let settings = format!("listen = \"{address}\"\n{channel}");
    fs::write(folder.join("reveille.toml"), settings)?;
    fs::create_dir(folder.join("rules"))?;
    let rules = INTEGRATION.to_owned() + &rules(setup)?;
    fs::write(folder.join("rules/all.yaml"), rules)?;
    Ok(())
}

fn rules(setup: &Setup) -> Result<String, Failure> {
    Ok(match setup {
        Setup::Quiet { routes } => quiet(*routes)?,
        Setup::Lean => quiet(0)?,
        Setup::Paging { receiver } => format!(
            "{}route: {{ policy: team, group_by: [\"...\"] }}\n",
            policy("team", *receiver, "1h")
        ),
        Setup::Waiting { receiver } => format!(
            "{}route:\n  policy: team\n  group_by: [\"...\"]\n  group_wait: 1h\n  routes:\n    \
             - {{ name: due, matchers: ['team=\"team-00001\"'], group_wait: 0s }}\n",
            policy("team", *receiver, "5s")
        ),
        Setup::OnCall { schedules } => on_call(*schedules)?,
        Setup::Watching {
            pages,
            count,
            receiver,
        } => watching(pages, *count, *receiver)?,
    })
}

/// Two steps to the same receiver.
fn policy(name: &str, receiver: SocketAddr, wait: &str) -> String {
    let target = format!("\"channel/hooks/http://{receiver}/page\"");
    format!(
        "policies:\n  {name}:\n    steps:\n      - {{ targets: [{target}], wait: {wait} }}\n      \
         - {{ targets: [{target}], wait: 1h }}\n"
    )
}

fn quiet(routes: u64) -> Result<String, Failure> {
    let mut rules = String::from(
        "policies:\n  team:\n    steps:\n      - { targets: [channel/console], wait: 1h }\n\
         route:\n  policy: team\n  group_by: [alertname]\n  group_wait: 1h\n",
    );
    if routes > 0 {
        rules += "  routes:\n";
    }
    for team in 0..routes {
        writeln!(
            rules,
            "    - {{ name: r{team}, matchers: ['team=\"team-{team:05}\"'] }}"
        )?;
    }
    Ok(rules)
}

fn watching(pages: &[SocketAddr], count: usize, receiver: SocketAddr) -> Result<String, Failure> {
    let policy = policy("team", receiver, "1h");
    let mut rules = format!("{policy}route: {{ policy: team }}\nproviders:\n");
    for (number, address) in (0..count).zip(pages.iter().cycle()) {
        writeln!(
            rules,
            "  p{number:05}: {{ url: \"http://{address}\", kind: statuspage, every: 1m }}"
        )?;
    }
    Ok(rules)
}

/// Of each team one route, one policy and one schedule; three people are on call in turn.
fn on_call(schedules: u64) -> Result<String, Failure> {
    let mut rules = String::from("users:\n");
    for name in ["ana", "bob", "cyd"] {
        let contacts = format!("{{ mail: {{ email: {name}@example.com }} }}");
        let user = format!("{{ full_name: {name}, time_zone: UTC, contacts: {contacts} }}");
        writeln!(rules, "  {name}: {user}")?;
    }
    rules += "schedules:\n";
    for team in 0..schedules {
        writeln!(
            rules,
            "  s{team:05}: {{ time_zone: Europe/Lisbon, layers: [{{ users: [ana, bob, cyd], \
             rotate: weekly, handoff: \"mon 09:00\", start: 2026-01-05 }}] }}"
        )?;
    }
    rules += "policies:\n";
    for team in 0..schedules {
        writeln!(
            rules,
            "  p{team:05}: {{ steps: [{{ targets: [schedule/s{team:05}], wait: 1h }}] }}"
        )?;
    }
    rules += "route:\n  policy: p00000\n  group_by: [alertname]\n  group_wait: 1h\n  routes:\n";
    for team in 0..schedules {
        writeln!(
            rules,
            "    - {{ name: r{team}, matchers: ['team=\"team-{team:05}\"'], policy: p{team:05} }}"
        )?;
    }
    Ok(rules)
}
