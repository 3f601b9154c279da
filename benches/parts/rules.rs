//! The rules that the parts are measured with, written and compiled as those of a router.

use std::fmt::Write;

use reveille::engine::ruleset::{Capabilities, ChannelInfo, Medium, RuleSet};
use reveille::rules::{Environment, SourceFile, check};

/// One team that is paged by text message.
pub const TEAM: &str = r#"
policies:
  team:
    steps:
      - { targets: [channel/sms/+351900000009], wait: 5m }
"#;

/// Compiles rules; faults of them end the run.
pub fn compiled(text: String) -> RuleSet {
    let file = SourceFile {
        path: "rules.yaml".to_owned(),
        text,
    };
    let channel = ChannelInfo::new("sms".into(), Medium::Sms, Capabilities::default());
    let environment = Environment {
        channels: vec![channel],
        ..Environment::default()
    };
    let (_, compiled) = check(&[file], &environment);
    let faults = compiled.faults;
    let rules = compiled.rules;
    rules.unwrap_or_else(|| panic!("rules with faults: {faults:?}"))
}

/// Rules with so many routes below the root, each on the equality of one label.
pub fn with_routes(routes: u64) -> RuleSet {
    let mut text = TEAM.to_owned();
    text += "integrations:\n  monitor: { format: native }\n";
    text += "route:\n  policy: team\n  group_by: [alertname]\n  group_wait: 1h\n  routes:\n";
    for team in 0..routes {
        let line = format!("    - {{ name: r{team}, matchers: ['team=\"team-{team:05}\"'] }}");
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{line}");
    }
    compiled(text)
}
