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
    command.arg("serve").env_clear().env("LOAD_KEY", KEY);
    command
}

/// Where it keeps its state.
pub const DATA: &str = "data";

/// Writes settings and rules into its folder.
pub fn write(folder: &Path, address: SocketAddr, setup: &Setup) -> Result<(), Failure> {
    let channel = match setup {
        Setup::Quiet { .. } => "",
        Setup::Paging { .. } | Setup::Waiting { .. } => CHANNEL,
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
        Setup::Paging { receiver } => format!(
            "{}route: {{ policy: team, group_by: [\"...\"] }}\n",
            policy("team", *receiver, "1h")
        ),
        Setup::Waiting { receiver } => format!(
            "{}route:\n  policy: team\n  group_by: [\"...\"]\n  group_wait: 1h\n  routes:\n    \
             - {{ name: due, matchers: ['team=\"team-00001\"'], group_wait: 0s }}\n",
            policy("team", *receiver, "5s")
        ),
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
