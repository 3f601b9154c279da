//! Whole sets of rules: the example of the reference, the starter rules, what compiling makes.

use std::sync::Arc;

use jiff::civil::{Time, Weekday};

use super::*;
use crate::document::{Code, Diagnostic};
use crate::engine::calendar::Turn;
use crate::engine::ids::ContactName;
use crate::engine::matcher::Fields;
use crate::engine::routing::{GroupBy, ResolveAfter, Route};
use crate::engine::ruleset::{NotifyStep, RuleSet, Target};
use crate::engine::time::{Duration, Timestamp};
use crate::engine::urgency::UrgencyRule;
use crate::rules::moves::moves_on_call;
use crate::rules::{Compiled, starter};

/// What an administrator may write, all kinds of things in one file.
const EXAMPLE: &str = include_str!("example.yaml");

/// The rules of some files without any fault.
fn rules_of(files: &[SourceFile]) -> RuleSet {
    let (_, Compiled { rules, faults }) = check(files, &environment());
    assert_eq!(faults, []);
    rules.expect("rules are there when nothing is wrong")
}

fn example() -> RuleSet {
    rules_of(&[file("all.yaml", EXAMPLE)])
}

/// The targets as documents write them.
fn shown(targets: &[Target]) -> String {
    let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
    targets.join(" ")
}

#[test]
fn the_example_of_the_reference_compiles_wholly() {
    let rules = example();
    assert_eq!(rules.users.len(), 5);
    let ana = &rules.users["ana"];
    let contacts: Vec<&str> = ana
        .contacts
        .iter()
        .map(|contact| contact.name.as_str())
        .collect();
    assert_eq!(contacts, ["mail", "phone", "chat", "hook"]);
    assert_eq!(ana.full_name, "Ana Silva".into());
    assert_eq!(ana.time_zone.iana_name(), Some("Europe/Lisbon"));
    let step = |after, via: &[&str]| NotifyStep {
        after,
        via: via.iter().map(|contact| (*contact).into()).collect(),
    };
    let high = [
        step(Duration::ZERO, &["chat", "phone"]),
        step(Duration::minutes(3), &["mail"]),
    ];
    assert_eq!(ana.notify.high, high);
    assert_eq!(ana.notify.low, [step(Duration::ZERO, &["mail"])]);

    let policy = &rules.policies["payments"];
    let waits: Vec<Duration> = policy.steps.iter().map(|step| step.wait).collect();
    assert_eq!(
        waits,
        [
            Duration::minutes(5),
            Duration::minutes(10),
            Duration::minutes(15)
        ]
    );
    let second = "schedule/payments-secondary channel/slack/#payments";
    assert_eq!(shown(&policy.steps[1].targets), second);
    assert_eq!(shown(&policy.fallback), "user/ops-lead");
    assert_eq!(
        (policy.repeat, policy.ack_timeout),
        (2, Some(Duration::hours(1)))
    );

    let prometheus = &rules.integrations["prometheus"];
    assert_eq!(prometheus.format, "alertmanager");
    assert_eq!(
        prometheus.labels.get("origin").map(|value| &**value),
        Some("prometheus")
    );
    assert_eq!(prometheus.max_age, Duration::hours(6));
}

#[test]
fn schedules_keep_layers_rotation_and_windows() {
    let rules = example();
    let schedule = &rules.schedules["payments-primary"];
    let [weekly, nights] = schedule.layers.as_slice() else {
        panic!("two layers, not {}", schedule.layers.len());
    };
    let rotation = weekly.rotation.as_ref().expect("the first layer rotates");
    let weekday = Weekday::Monday;
    assert_eq!(rotation.turn, Turn::Weeks { every: 1, weekday });
    assert_eq!(rotation.handoff, Time::constant(9, 0, 0, 0));
    assert_eq!(rotation.start.to_string(), "2026-01-05");
    let window = &weekly.only[0];
    assert_eq!(window.days.len(), 5);
    assert_eq!((window.from_minute, window.to_minute), (540, 1_080));
    assert_eq!(nights.rotation, None);
    assert_eq!(nights.time_zone.iana_name(), Some("Asia/Singapore"));
    assert_eq!(weekly.time_zone.iana_name(), Some("Europe/Lisbon"));
}

struct Labels(Vec<(&'static str, &'static str)>);

impl Fields for Labels {
    fn field(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(label, _)| *label == name);
        found.map_or("", |(_, value)| value)
    }
}

fn route(rules: &RuleSet, labels: &[(&'static str, &'static str)]) -> Arc<Route> {
    let routes = rules.tree.routes(&Labels(labels.to_vec()));
    routes[0].clone()
}

#[test]
fn routes_inherit_what_they_do_not_say() {
    let rules = example();
    let payments = route(&rules, &[("team", "payments"), ("severity", "critical")]);
    assert_eq!(payments.name.as_str(), "payments-critical");
    assert_eq!(payments.policy, Some("payments".into()));
    assert_eq!(payments.service, Some("payments-api".into()));
    let labels = GroupBy::Labels(vec!["alertname".into(), "cluster".into()]);
    assert_eq!(payments.group_by, labels);
    assert_eq!(payments.urgency, UrgencyRule::BySeverity);
    assert_eq!(
        payments.copy_to[0].to_string(),
        "channel/slack/#payments-all"
    );
    let watchdog = route(&rules, &[("alertname", "Watchdog")]);
    assert!(!watchdog.page);
    assert_eq!(watchdog.policy, Some("default".into()));
    assert_eq!(watchdog.group_by, GroupBy::EachAlert);
    assert_eq!(watchdog.join_interval, Duration::minutes(5));
    let rest = route(&rules, &[]);
    assert_eq!(rest.name.as_str(), "root");
}

#[test]
fn files_add_routes_beneath_the_root_and_copies_add_up() {
    let text = "routes:
  - name: a
    matchers: ['team=\"a\"']
    policy: none
    urgency: low
    copy_to: [channel/mail/a@example.com]
    group_by: []
    group_wait: 30s
    routes:
      - name: b
        matchers: ['severity=\"critical\"']
        urgency: high
        copy_to: [\"channel/slack/#b\", channel/mail/a@example.com]
";
    let rules = rules_of(&[file("a.yaml", text), file("base.yaml", BASE)]);
    let b = route(&rules, &[("team", "a"), ("severity", "critical")]);
    let copies: Vec<String> = b.copy_to.iter().map(ToString::to_string).collect();
    assert_eq!(copies, ["channel/mail/a@example.com", "channel/slack/#b"]);
    assert_eq!((b.policy.clone(), b.urgency), (None, UrgencyRule::High));
    assert_eq!(b.group_by, GroupBy::Labels(Vec::new()));
    assert_eq!(b.group_wait, Duration::seconds(30));
}

#[test]
fn resolve_after_is_inherited_until_a_route_says_otherwise() {
    let text = "integrations: { ups: { format: native, resolve_after: 90m } }
routes:
  - name: a
    matchers: ['team=\"a\"']
    resolve_after: 2h
    routes:
      - { name: b, matchers: ['x=\"b\"'] }
      - { name: c, matchers: ['x=\"c\"'], resolve_after: never }
";
    let rules = rules_of(&[file("a.yaml", text), file("base.yaml", BASE)]);
    assert_eq!(
        rules.integrations["ups"].resolve_after,
        Some(Duration::minutes(90))
    );
    let word = |labels| route(&rules, labels).resolve_after;
    assert_eq!(word(&[]), None);
    let two_hours = ResolveAfter::After(Duration::hours(2));
    assert_eq!(word(&[("team", "a")]), Some(two_hours));
    assert_eq!(word(&[("team", "a"), ("x", "b")]), Some(two_hours));
    assert_eq!(
        word(&[("team", "a"), ("x", "c")]),
        Some(ResolveAfter::Never)
    );
}

#[test]
fn without_notify_high_pages_all_contacts_and_low_the_first_mail() {
    let cases = [
        (
            "a: { sms: \"+351912345678\" }, b: { email: a@b }, c: { email: c@d }",
            "a b c",
            "b",
        ),
        (
            "a: { sms: \"+351912345678\" }, b: { slack: U024BE7LH }",
            "a b",
            "a",
        ),
    ];
    for (contacts, high, low) in cases {
        let text = format!("users: {{ cy: {{ contacts: {{ {contacts} }} }} }}\n");
        let rules = rules_of(&[file("base.yaml", BASE), file("cy.yaml", &text)]);
        let notify = &rules.users["cy"].notify;
        let names = |steps: &[NotifyStep]| {
            let via: Vec<&str> = steps[0].via.iter().map(ContactName::as_str).collect();
            via.join(" ")
        };
        assert_eq!(
            (names(&notify.high), names(&notify.low)),
            (high.into(), low.into())
        );
    }
}

#[test]
fn a_missing_urgency_uses_the_steps_of_the_other() {
    let text = "users: { cy: { contacts: { a: { email: a@b }, b: { email: c@d } }, \
                notify: { low: [{ via: [b] }] } } }\n";
    let rules = rules_of(&[file("base.yaml", BASE), file("cy.yaml", text)]);
    let notify = &rules.users["cy"].notify;
    assert_eq!(notify.high, notify.low);
    assert_eq!(notify.high[0].via, ["b".into()]);
}

#[test]
fn a_policy_without_fallback_takes_the_first_step_of_the_roots_policy() {
    let text = "policies: { other: { steps: [{ targets: [user/bo] }] } }\n";
    let rules = rules_of(&[file("base.yaml", BASE), file("other.yaml", text)]);
    let other = &rules.policies["other"];
    assert_eq!(shown(&other.fallback), "user/ana");
    assert_eq!(
        (other.steps[0].wait, other.repeat),
        (Duration::minutes(5), 0)
    );
}

#[test]
fn windows_may_end_at_midnight_or_last_all_day() {
    let text = "schedules:
  s:
    time_zone: UTC
    layers:
      - users: [ana, nobody, bo]
        rotate: { every: 12h }
        handoff: \"09:30\"
        start: 2026-01-05
        only: [{ days: [Sat, sunday] }, { from: \"18:00\", to: \"00:00\" },
          { from: \"22:00\", to: \"06:00\" }]
";
    let rules = rules_of(&[file("base.yaml", BASE), file("s.yaml", text)]);
    let layer = &rules.schedules["s"].layers[0];
    let windows: Vec<(usize, u16, u16)> = layer
        .only
        .iter()
        .map(|window| (window.days.len(), window.from_minute, window.to_minute))
        .collect();
    assert_eq!(windows, [(2, 0, 1_440), (0, 1_080, 1_440), (0, 1_320, 360)]);
    assert_eq!(layer.users, [Some("ana".into()), None, Some("bo".into())]);
    let rotation = layer.rotation.as_ref().expect("it rotates");
    assert_eq!(rotation.turn, Turn::Hours(12));
}

#[test]
fn json_is_read_like_yaml() {
    let text = r#"{"users":{"ana":{"contacts":{"mail":{"email":"ana@example.com"}}}},
        "policies":{"default":{"steps":[{"targets":["user/ana"],"wait":"5m"}],"repeat":2}},
        "route":{"policy":"default","routes":[{"name":"\u00e9\n","page":false,
        "matchers":["a=\"b\""]}]}}"#;
    let found = faults_of(&[file("rules.json", text)], &environment());
    let fault = "rules.json:3:55: error[bad-name]: \"é\\n\" cannot be the name of a route";
    assert_eq!(found, [fault]);
    let rules = rules_of(&[file("rules.json", &text.replace("\\n", ""))]);
    assert_eq!(rules.policies["default"].repeat, 2);
}

#[test]
fn a_mapping_is_read_with_its_pointers_and_maps() {
    let text = "integrations:
  hook:
    format: generic
    max_age: 1h
    mapping:
      each: /alerts
      action: /status
      actions: { ok: resolve, seen: acknowledge }
      dedup_key: [/id, /host]
      severity: /level
      severities: { P1: critical }
      labels: { team: /tags/team }
      links: { Runbook: /a~1b }
      details: \"\"
";
    let rules = rules_of(&[file("base.yaml", BASE), file("hook.yaml", text)]);
    let hook = &rules.integrations["hook"];
    assert_eq!(hook.max_age, Duration::hours(1));
    let mapping = hook.mapping.as_ref().expect("it is generic");
    assert_eq!(mapping.each.as_deref(), Some("/alerts"));
    assert_eq!(mapping.details.as_deref(), Some(""), "the whole body");
    assert_eq!(mapping.dedup_key, ["/id", "/host"]);
    assert_eq!(mapping.actions.len(), 2);
    assert_eq!(mapping.severities["P1"], "critical");
    assert_eq!(mapping.labels["team"], "/tags/team");
    assert_eq!(mapping.links["Runbook"], "/a~1b");
}

#[test]
fn the_starter_rules_have_no_fault_and_cover_each_format() {
    let mut environment = environment();
    environment.channels = vec![channel(
        ChannelName::CONSOLE,
        &[
            Medium::Email,
            Medium::Sms,
            Medium::Slack,
            Medium::Webhook,
            Medium::Console,
        ],
    )];
    let (documents, Compiled { rules, faults }) = check(&starter::files(), &environment);
    assert_eq!(faults, []);
    let rules = rules.expect("the starter rules are good");
    let formats: Vec<&str> = rules
        .integrations
        .values()
        .map(|integration| integration.format)
        .collect();
    assert_eq!(
        formats,
        [
            "alertmanager",
            "native",
            "pagerduty",
            "alertmanager_api",
            "generic"
        ]
    );
    let with_keys: Vec<String> = documents
        .key_references()
        .iter()
        .map(|reference| reference.integration.to_string())
        .collect();
    assert!(
        !with_keys.contains(&"native".to_owned()),
        "the first start makes its key"
    );
    assert_eq!(with_keys.len(), 4);
    // As a process sees them that has none of the variables.
    environment.keys = Some([].into());
    let Compiled { rules, faults } = crate::rules::compile(&documents, &environment);
    assert!(rules.is_some() && faults.len() == 4 && !faults.iter().any(Diagnostic::is_error));
}

#[test]
fn a_change_that_moves_who_is_on_call_now_is_told() {
    let schedule = |user: &str| {
        let text =
            format!("schedules: {{ s: {{ time_zone: UTC, layers: [{{ users: [{user}] }}] }} }}\n");
        rules_of(&[file("base.yaml", BASE), file("s.yaml", &text)])
    };
    let (ana, bo) = (schedule("ana"), schedule("bo"));
    let none = rules_of(&[file("base.yaml", BASE)]);
    let told = |old, new| -> Vec<String> {
        let moves = moves_on_call(old, new, Timestamp(1_800_000_000_000), &[]);
        moves.iter().map(ToString::to_string).collect()
    };
    assert_eq!(told(&ana, &ana), [""; 0]);
    assert_eq!(told(&ana, &bo), ["s: on call now ana -> bo"]);
    assert_eq!(told(&none, &bo), ["s: on call now nobody -> bo"]);
    assert_eq!(told(&ana, &none), ["s: on call now ana -> nobody"]);
}

#[test]
fn the_examples_of_the_reference_page_are_right() {
    let page = include_str!("../../../docs/rules.md");
    let blocks = page.split("```yaml\n").skip(1);
    let examples: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    let is_whole = |text: &&&str| !text.starts_with("notify:");
    let mut count = 0;
    for text in examples.iter().filter(is_whole) {
        let (_, Compiled { faults, .. }) = check(&[file("docs.yaml", text)], &environment());
        let about_others = [
            Code::NoRoute,
            Code::UnknownUser,
            Code::UnknownSchedule,
            Code::UnknownPolicy,
        ];
        let own = faults
            .into_iter()
            .filter(|fault| !about_others.contains(&fault.code));
        assert_eq!(own.collect::<Vec<Diagnostic>>(), [], "{text}");
        count += 1;
    }
    assert!(count >= 5, "{count} examples");
    let faults = faults_of(&[file("docs.yaml", examples[0])], &environment());
    assert_eq!(faults, [""; 0], "the first example is whole");
}
