//! Alertmanager under load: what is installed, with a configuration that does the same.

use std::fmt::Write;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::Failure;
use crate::server::Setup;

/// Debian's name of it, and its own.
const PROGRAMS: [&str; 2] = ["prometheus-alertmanager", "alertmanager"];

const FILE: &str = "alertmanager.yml";

/// The first line that it says about itself, if it is installed.
pub fn version() -> Option<String> {
    let output = Command::new(program()?).arg("--version").output().ok()?;
    let texts = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&texts);
    text.lines().next().map(str::to_owned)
}

fn program() -> Option<&'static str> {
    let runs = |name: &&str| {
        let output = Command::new(name).arg("--version").output();
        output.is_ok_and(|output| output.status.success())
    };
    PROGRAMS.into_iter().find(runs)
}

pub fn command(folder: &Path, address: SocketAddr) -> Result<Command, Failure> {
    let mut command = Command::new(program().ok_or("Alertmanager is not installed")?);
    let storage = folder.join("alertmanager");
    command
        .arg(format!("--config.file={FILE}"))
        .arg(format!("--storage.path={}", storage.display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--cluster.listen-address=");
    Ok(command)
}

/// Writes its configuration into its folder.
pub fn write(folder: &Path, setup: &Setup) -> Result<(), Failure> {
    let text = match setup {
        Setup::Quiet { routes } => quiet(*routes)?,
        Setup::Lean => quiet(0)?,
        Setup::Paging { receiver } => format!(
            "route: {{ receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1h, \
             repeat_interval: 24h }}\nreceivers:\n  - name: hook\n    webhook_configs:\n      \
             - {{ url: 'http://{receiver}/page' }}\n"
        ),
        Setup::Waiting { .. } => return Err("Alertmanager keeps no alert over a restart".into()),
        Setup::OnCall { .. } => return Err("Alertmanager has no schedules".into()),
        Setup::Watching { .. } => return Err("Alertmanager watches no status pages".into()),
    };
    fs::write(folder.join(FILE), text)?;
    Ok(())
}

fn quiet(routes: u64) -> Result<String, Failure> {
    let mut text = String::from(
        "receivers:\n  - name: team\nroute:\n  receiver: team\n  group_by: [alertname]\n  \
         group_wait: 1h\n  group_interval: 1h\n  repeat_interval: 24h\n",
    );
    if routes > 0 {
        text += "  routes:\n";
    }
    for team in 0..routes {
        writeln!(text, "    - matchers: ['team=\"team-{team:05}\"']")?;
    }
    Ok(text)
}
