//! What is wrong with watched providers, and what good ones become.

use super::faults::Case;
use crate::engine::provider_rules::ImpactUrgency;
use crate::engine::status_report::ComponentState;
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;
use crate::rules::providers::alone;

pub const CASES: &[Case] = &[
    Case {
        name: "a check of nothing, and of two things",
        text: "\
checks:
  a: { every: 1m }
  b: { http: \"https://a.example\", tcp: \"a.example:1\" }
",
        expected: &[
            "2:3: error[missing-key]: check \"a\" tries nothing",
            "3:35: error[repeated-key]: a check has `http` or `tcp`, not both",
        ],
    },
    Case {
        name: "conditions of another kind of check",
        text: "\
providers:
  p:
    url: \"https://a.example\"
    checks: { a: { tcp: \"a.example:1\", body: ok } }
",
        expected: &["4:40: error[unknown-key]: `body` is no condition of a check with `tcp`"],
    },
    Case {
        name: "what a check cannot try",
        text: "\
checks:
  a: { http: \"api.example.com\" }
  b: { tcp: \"db.example.com\" }
  c: { dns: \"192.0.2.1\" }
  d: { http: \"https://a.example\", status: ok, latency: 20s }
  e: { http: \"http://a.example\", certificate: 14d }
",
        expected: &[
            "2:14: error[bad-address]: \"api.example.com\" is not an address on the web",
            "3:13: error[bad-address]: \"db.example.com\" is no host with a port",
            "4:13: error[bad-address]: \"192.0.2.1\" is no name of a host",
            "5:43: error[bad-number]: `status` is neither a status nor a range of them",
            "5:47: error[bad-duration]: `latency` is not shorter than `timeout`",
            "6:34: error[unknown-key]: an address with http:// has no certificate",
        ],
    },
    Case {
        name: "a provider without a page",
        text: "providers:\n  stripe: { every: 1m }\n",
        expected: &["2:3: error[missing-key]: provider \"stripe\" has no page"],
    },
    Case {
        name: "two pages",
        text: "\
providers:
  stripe: { url: \"https://a.example\", feed: \"https://a.example/rss\" }
",
        expected: &["2:39: error[repeated-key]: a provider has `url` or `feed`, not both"],
    },
    Case {
        name: "no address",
        text: "\
providers:
  a: { url: \"status.example.com\" }
  b: { url: \"ftp://b.example\" }
",
        expected: &[
            "2:13: error[bad-address]: \"status.example.com\" is not the address of a page",
            "3:13: error[bad-address]: \"ftp://b.example\" is not the address of a page",
        ],
    },
    Case {
        name: "a user name in the address",
        text: "providers:\n  a: { url: \"https://ana:secret@a.example\" }\n",
        expected: &["2:13: error[bad-address]: the address of provider a contains a user name"],
    },
    Case {
        name: "no kind",
        text: "providers:\n  a: { url: \"https://a.example\", kind: statuspag }\n",
        expected: &["2:40: error[bad-choice]: \"statuspag\" is no kind of status page"],
    },
    Case {
        name: "a kind beside what says it already",
        text: "providers:\n  a: { feed: \"https://a.example\", kind: statuspage }\n",
        expected: &["2:41: error[unknown-key]: `feed` says of which kind it is: feed"],
    },
    Case {
        name: "too often, and urgencies that are none",
        text: "\
providers:
  a: { url: \"https://a.example\", every: 5s, urgency: { minor: urgent, huge: low } }
",
        expected: &[
            "2:41: error[bad-duration]: `every` is 5s, outside 30s to 1h",
            "2:63: error[bad-choice]: `minor` cannot be \"urgent\"",
            "2:71: error[unknown-key]: the urgency of a provider has no key `huge`",
        ],
    },
    Case {
        name: "matchers about what a page does not have",
        text: "\
providers:
  a: { url: \"https://a.example\", match: ['team=\"x\"', 'component=~\"(\"'] }
",
        expected: &[
            "2:42: error[never-matches]: `match` of a provider knows no \"team\"",
            "2:54: error[bad-matcher]: \"component=~\\\"(\\\"\" is not a matcher: the regular \
             expression does not parse: unclosed group; write a literal one as `\\(`",
        ],
    },
    Case {
        name: "a map without a page that it reads",
        text: "providers:\n  a: { url: \"https://a.example\", map: { incidents: /i } }\n",
        expected: &["2:34: error[unknown-key]: only a page under `json` has a `map`"],
    },
    Case {
        name: "a page that nobody maps",
        text: "providers:\n  a: { json: \"https://a.example\" }\n",
        expected: &["2:6: error[missing-key]: a provider needs `map`"],
    },
    Case {
        name: "pointers and words that are none",
        text: "\
providers:
  a: { json: \"https://a.example\", map: { incidents: i, states: { up: fine } } }
",
        expected: &[
            "2:53: error[bad-pointer]: a JSON pointer is expected, not the text \"i\"",
            "2:70: error[bad-choice]: `states` cannot be \"fine\"",
        ],
    },
    Case {
        name: "an age of a page that does not say when it was made, and one that is too short",
        text: "\
providers:
  a: { json: \"https://a.example\", map: { incidents: /i, age_max: 10m } }
  b: { json: \"https://b.example\", map: { incidents: /i, generated_at: /at, age_max: 10s } }
",
        expected: &[
            "2:57: error[unknown-key]: `age_max` without `generated_at` says nothing",
            "3:85: error[bad-duration]: `age_max` is 10s, outside 1m to 7d",
        ],
    },
    Case {
        name: "the page of all regions of AWS, of which nothing is left out",
        text: "\
providers:
  a: { url: \"https://health.aws.amazon.com\" }
  b: { url: \"https://health.aws.amazon.com\", match: ['component=\"eu-west-1\"'] }
  c: { url: \"https://proxy.example\", kind: aws }
  d: { feed: \"https://status.aws.amazon.com/rss/ec2-eu-west-1.rss\" }
",
        expected: &[
            "2:3: warning[all-regions]: provider \"a\" pages for each region and service of AWS, \
             some of which have incidents for months",
            "4:3: warning[all-regions]: provider \"c\" pages for each region and service of AWS, \
             some of which have incidents for months",
        ],
    },
    Case {
        name: "an integration that no provider has",
        text: "\
providers:
  stripe: { url: \"https://a.example\" }
routes:
  - { name: a, matchers: ['integration=\"provider/stripe\"'] }
  - { name: b, matchers: ['integration=\"provider/strip\"'] }
",
        expected: &[
            "5:27: warning[never-matches]: integration=\"provider/strip\" never matches: there is \
             no integration \"provider/strip\"",
        ],
    },
    Case {
        name: "dependencies that cannot be",
        text: "\
providers:
  stripe: { url: \"https://a.example\", raise_when: 0 }
services:
  shop: { depends_on: [provider/strip, stripe] }
  bank: { hold: all }
routes:
  - { name: a, matchers: ['a=\"1\"'], hold_for: 30s, depends_on: [\"provider/stripe/API\"] }
  - { name: b, matchers: ['a=\"2\"'], hold: none }
",
        expected: &[
            "2:51: error[bad-number]: `raise_when` is 0, outside 1 to 1000",
            "4:24: error[unknown-key]: no provider \"strip\"",
            "4:40: error[bad-target]: \"stripe\" is not a provider",
            "5:9: error[missing-key]: a service needs `depends_on`",
            "7:47: error[bad-duration]: `hold_for` is 30s, outside 1m to 1d",
            "8:37: error[unknown-key]: `hold` says nothing without `depends_on`",
        ],
    },
];

#[test]
fn a_provider_is_read_with_its_defaults_and_with_everything() {
    let (plain, faults) = alone(r#"{"url": "https://status.example.com"}"#);
    let plain = plain.expect("it is good");
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(plain.integration().as_str(), "provider/probe");
    assert_eq!((plain.every, plain.page.kind), (None, None));
    assert_eq!(plain.urgency, ImpactUrgency::default());
    assert!(plain.filter.matchers.is_empty() && !plain.pages_on_add);

    let (whole, _) = alone(
        r#"{"json": "https://in.example/api", "every": "2m", "on_add": "page", "service": "desk",
            "labels": {"team": "support"}, "match": ["component!=\"Test\""],
            "urgency": {"critical": "low", "maintenance": "high", "major": "none"},
            "map": {"components": "/c", "component_name": "/n", "component_state": "/s",
                    "states": {"grün": "operational"}}}"#,
    );
    let whole = whole.expect("it is good");
    assert_eq!(whole.page.kind, Some("json"));
    assert_eq!(whole.every, Some(Duration::minutes(2)));
    assert_eq!(whole.urgency.critical, Some(Urgency::Low));
    assert_eq!(whole.urgency.major, None);
    assert_eq!(whole.urgency.maintenance, Some(Urgency::High));
    let mapping = whole.page.mapping.expect("a map");
    assert_eq!(mapping.states["grün"], ComponentState::Operational);
    assert!(whole.pages_on_add);
    for broken in [
        "7",
        "[]",
        "{",
        "{\"url\": 5}",
        "\"}, b: { url: \\\"x\\\" }\"",
        "{}, users: {}",
    ] {
        assert!(alone(broken).0.is_none(), "{broken}");
    }
}

#[test]
fn what_depends_on_a_provider_is_read_from_services_and_inherited_by_routes() {
    use crate::engine::dependency::{DependencyRules, HoldRule};
    let text = "\
users: { ana: { contacts: { mail: { email: a@b.example } } } }
policies: { team: { steps: [{ targets: [user/ana], wait: 5m }], fallback: [user/ana] } }
providers: { stripe: { url: \"https://a.example\" }, aws: { url: \"https://b.example\" } }
services:
  Shop Front: { depends_on: [provider/stripe, provider/stripe] }
route:
  policy: team
  routes:
    - name: cloud
      matchers: ['cloud=\"aws\"']
      depends_on: [\"provider/aws/EC2 eu-west-1\"]
      hold: all
      hold_for: 10m
      routes:
        - { name: below, matchers: ['zone=\"a\"'] }
";
    let files = [super::file("rules.yaml", text)];
    let (_, compiled) = crate::rules::check(&files, &super::environment());
    let rules = compiled.rules.expect("they are good");
    let shop = &rules.services["Shop Front"];
    assert_eq!((shop.depends_on.len(), shop.hold), (1, HoldRule::Low));
    assert_eq!(shop.hold_for, DependencyRules::HOLD_FOR);
    for name in ["cloud", "below"] {
        let route = rules.tree.route(&name.into()).unwrap();
        let on = route.dependencies.as_ref().unwrap();
        assert_eq!(on.depends_on[0].to_string(), "provider/aws/EC2 eu-west-1");
        assert_eq!(
            (on.hold, on.hold_for),
            (HoldRule::All, Duration::minutes(10))
        );
    }
    assert!(rules.tree.root().unwrap().dependencies.is_none());
}
