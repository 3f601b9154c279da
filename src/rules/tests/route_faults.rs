//! What is wrong with routes and integrations. Each is one file beside [`super::BASE`].

use super::faults::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "words of Alertmanager",
        text: r#"
receivers: []
routes:
  - name: r
    receiver: team
    match: { team: x }
    group_interval: 5m
    repeat_interval: 4h
    matchers: ['a="b"']
"#,
        expected: &[
            "1:1: error[foreign-word]: `receivers` is not a key of a rules file",
            "4:5: error[foreign-word]: `receiver` is not a key of a route",
            "5:5: error[foreign-word]: `match` is not a key of a route",
            "6:5: error[foreign-word]: `group_interval` is not a key of a route",
            "7:5: error[foreign-word]: `repeat_interval` is not a key of a route",
        ],
    },
    Case {
        name: "routes that nothing reaches",
        text: r#"
routes:
  - { name: a, matchers: ['team="x"'] }
  - { name: b, matchers: ['severity="info"', 'team="x"'] }
  - { name: c, continue: true }
  - { name: d }
  - { name: e, matchers: ['team="y"'] }
"#,
        expected: &[
            r#"3:5: error[unreachable-route]: no alert reaches the route "b": "a" before it matches all of them"#,
            r#"6:5: error[unreachable-route]: no alert reaches the route "e": "d" before it matches all of them"#,
        ],
    },
    Case {
        name: "conditions on closed fields that decide nothing",
        text: r#"
integrations: { ups: { format: native }, grid: { format: native } }
routes:
  - { name: a, matchers: ['severity_class="critcal"', 'x=a'] }
  - { name: b, matchers: ['severity_class!="Critical"', 'x=b'] }
  - { name: c, matchers: ['severity_class=~"critical|eror"', 'x=c'] }
  - { name: d, matchers: ['severity_class=~"sev[0-9]"', 'x=d'] }
  - { name: e, matchers: ['severity_class!~"sev[0-9]"', 'x=e'] }
  - { name: f, matchers: ['severity_class!~".*"', 'x=f'] }
  - { name: g, matchers: ['severity_class!~"info|nome"', 'x=g'] }
  - { name: h, matchers: ['severity_class=', 'x=h'] }
  - { name: i, matchers: ['integration=upps', 'x=i'] }
  - { name: j, matchers: ['integration!=mains', 'x=j'] }
  - { name: k, matchers: ['integration=reveille', 'x=k'] }
  - { name: l, matchers: ['integration=~"u.*|grid"', 'severity_class!=unknown', 'x=l'] }
  - { name: m, matchers: ['severity_class=~"crit.*|none"', 'x=m'] }
"#,
        expected: &[
            r#"3:27: warning[never-matches]: severity_class="critcal" never matches: there is no severity class "critcal""#,
            r#"4:27: warning[always-matches]: severity_class!="Critical" always matches: there is no severity class "Critical""#,
            r#"5:27: warning[never-matches]: severity_class=~"critical|eror" names the severity class "eror", which does not exist"#,
            r#"6:27: warning[never-matches]: severity_class=~"sev[0-9]" never matches, for any severity class"#,
            r#"7:27: warning[always-matches]: severity_class!~"sev[0-9]" always matches, for any severity class"#,
            r#"8:27: warning[never-matches]: severity_class!~".*" never matches, for any severity class"#,
            r#"9:27: warning[always-matches]: severity_class!~"info|nome" names the severity class "nome", which does not exist"#,
            r#"10:27: warning[never-matches]: severity_class="" never matches: there is no severity class """#,
            r#"11:27: warning[never-matches]: integration="upps" never matches: there is no integration "upps""#,
            r#"12:27: warning[always-matches]: integration!="mains" always matches: there is no integration "mains""#,
            r#"13:27: warning[never-matches]: integration="reveille" never matches: there is no integration "reveille""#,
        ],
    },
    Case {
        name: "a label of that name opens a closed field",
        text: r#"
integrations: { ups: { format: native, labels: { severity_class: mine } } }
routes:
  - { name: a, matchers: ['severity_class=mine'] }
"#,
        expected: &[],
    },
    Case {
        name: "a severity that is almost a usual one, and any other word",
        text: r#"
routes:
  - { name: a, matchers: ['severity=~"critcal|error"'] }
  - { name: b, matchers: ['severity!="Warnnig"'] }
  - { name: c, matchers: ['severity=~"Critical|sev0|disaster|alert|note"'] }
"#,
        expected: &[
            r#"2:27: warning[unknown-severity]: severity=~"critcal|error" names the severity "critcal", which common senders never send"#,
            r#"3:27: warning[unknown-severity]: severity!="Warnnig" names the severity "Warnnig", which common senders never send"#,
        ],
    },
    Case {
        name: "a text that Alertmanager's two parsers read differently",
        text: r#"
routes:
  - { name: a, matchers: ['x=~"\\bdb\\b"'] }
  - { name: b, matchers: ['y=~"\bdb\b"'] }
  - { name: c, matchers: ['"y"=~"\\bdc\\b"'] }
  - { name: d, matchers: ['y=~"db\.\d+"'] }
  - { name: e, matchers: ['y="a\tb"'] }
"#,
        expected: &[
            r#"3:27: warning[two-readings]: y=~"\bdb\b" is ambiguous: y=~"\\bdb\\b" for Alertmanager's classic parser, which is used here, and "y"=~"\u0008db\u0008" for its newer one"#,
            r#"6:27: warning[two-readings]: y="a\tb" is ambiguous: y="a\\tb" for Alertmanager's classic parser, which is used here, and "y"="a\tb" for its newer one"#,
        ],
    },
    Case {
        name: "an unnamed route gets its path as name",
        text: r#"
routes:
  - matchers: ['team="x"']
    routes: [{ matchers: [severity=critical] }]
  - { name: payments, matchers: ['team="y"'] }
  - { name: payments, matchers: ['team="z"'] }
"#,
        expected: &[
            r#"2:5: warning[unnamed-route]: this route has no name, so it is named "{team=\"x\"}""#,
            r#"3:14: warning[unnamed-route]: this route has no name, so it is named "{team=\"x\"}/{severity=\"critical\"}""#,
            r#"5:13: error[duplicate-name]: the route "payments" is already defined in case.yaml on line 4"#,
        ],
    },
    Case {
        name: "a key where the name of a variable belongs is not shown",
        text: r#"
integrations:
  ups: { format: native, key: "env: s3cret" }
  disk: { format: native, key: "env:s3cret-s3cret" }
"#,
        expected: &[
            "2:31: error[bad-key-name]: the text after `env:` for ups is not a variable name",
            "3:32: error[bad-key-name]: the text after `env:` for disk is not a variable name",
        ],
    },
    Case {
        name: "waits for a report that do not fit",
        text: r#"
integrations: { ups: { format: native, resolve_after: never } }
routes:
  - { name: a, matchers: ['team="x"'], resolve_after: soon }
  - { name: b, matchers: ['team="y"'], resolve_after: 10s }
"#,
        expected: &[
            "1:55: error[bad-duration]: `resolve_after` must be a duration, not the text \
             \"never\"",
            "3:55: error[bad-duration]: `resolve_after` must be a duration, not the text \"soon\"",
            "4:55: error[bad-duration]: `resolve_after` is 10s, outside 1m to 365d",
        ],
    },
    Case {
        name: "matchers, grouping and urgency that do not fit",
        text: r#"
routes:
  - { name: a, matchers: 'team="x"' }
  - { name: b, matchers: ['team=~"("', 'team', 5] }
  - { name: c, matchers: ['team="c"'], group_by: ["...", team], urgency: medium, page: 1, copy_to: [user/ana, channel/slack/x] }
"#,
        expected: &[
            r#"2:26: error[not-a-list]: `matchers` must be a list, not the text "team=\"x\"""#,
            r#"3:27: error[bad-matcher]: "team=~\"(\"" is not a matcher: the regular expression does not parse: unclosed group; write a literal one as `\(`"#,
            r#"3:40: error[bad-matcher]: "team" is not a matcher: the operator is missing; use = != =~ or !~"#,
            "3:48: error[not-text]: a matcher must be text, not the number 5",
            "4:50: error[bad-choice]: `...` makes each alert its own incident, so it cannot be \
             combined with labels",
            r#"4:74: error[bad-choice]: `urgency` cannot be "medium""#,
            "4:88: error[not-a-truth-value]: `page` must be true or false, not the number 1",
            r#"4:101: error[bad-target]: `copy_to` takes channels only, not "user/ana""#,
            r#"4:111: error[bad-target]: "x" is not an address on the channel slack"#,
        ],
    },
    Case {
        name: "a second root",
        text: "route: { policy: default }",
        expected: &[
            "1:1: error[second-route]: a root `route` is already defined in base.yaml on line 6",
        ],
    },
    Case {
        name: "integrations that do not fit",
        text: "
integrations:
  a: { format: nativ }
  b: {}
  c: { format: generic }
  d: { format: native, mapping: { summary: /a } }
  e: { format: native, key_sha256: abc, labels: { integration: x, tier: 1 }, max_age: 1s }
  f: { format: pagerduty, key: short }
  g: { format: native, key: 12345 }
  h: { format: native, type: x }
  i: { format: native, key: [sha256:abc, env:I] }
",
        expected: &[
            r#"2:16: error[bad-choice]: `format` cannot be "nativ""#,
            "3:6: error[missing-key]: an integration needs `format`",
            "4:6: error[missing-key]: an integration needs `mapping`",
            "5:24: error[unknown-key]: only the format `generic` has a `mapping`",
            "6:36: error[bad-key-hash]: `key_sha256` is not a SHA-256 hash",
            "6:51: error[bad-name]: the label `integration` is always the name of the integration",
            r#"6:73: error[not-text]: the label "tier" must be text, not the number 1"#,
            "6:87: error[bad-duration]: `max_age` is 1s, outside 1m to 365d",
            "7:32: warning[literal-key]: the key of f is written in the file; only its hash is \
             stored",
            "7:32: warning[key-length]: the key of f has 5 characters; many senders accept a \
             routing key of 32 only",
            "7:32: warning[weak-key]: the key of f has 5 characters and needs 20",
            "8:29: error[not-text]: `key` must be text, not the number 12345",
            "9:24: error[foreign-word]: `type` is not a key of an integration",
            "10:30: error[bad-key-hash]: the hash behind `sha256:` is not a SHA-256 hash",
        ],
    },
    Case {
        name: "former names that are in use or claimed twice",
        text: "
integrations:
  new: { format: native, was: [old, other, reveille] }
  other: { format: native, was: [old, \"\"] }
  third: { format: native, was: old }
",
        expected: &[
            "2:37: error[duplicate-name]: `was` of new names \"other\", which is an integration",
            "2:44: error[duplicate-name]: `was` of new names \"reveille\", which is the router \
             itself",
            "3:34: error[duplicate-name]: `was` of other names \"old\", which is also in `was` \
             of new",
            "3:39: error[empty-value]: a name in `was` is empty",
            "4:33: error[not-a-list]: `was` must be a list, not the text \"old\"",
        ],
    },
    Case {
        name: "two integrations with one key",
        text: r#"
integrations:
  a: { format: native, key: env:KEY }
  b: { format: native, key: [env:OTHER, env:KEY] }
  c: { format: native, key_sha256: "abababababababababababababababababababababababababababababababab" }
  d: { format: native, key_sha256: "abababababababababababababababababababababababababababababababab" }
  e: { format: native, key: "sha256:abababababababababababababababababababababababababababababababab" }
"#,
        expected: &[
            "3:41: error[duplicate-key]: b has the same key as a",
            "5:36: error[duplicate-key]: d has the same key as c",
            "6:29: error[duplicate-key]: e has the same key as c",
        ],
    },
    Case {
        name: "mappings that do not fit",
        text: "
integrations:
  a:
    format: generic
    mapping:
      summary: title
      dedup_key: [/id, /a~2]
      action: /status
      actions: { ok: resolved }
      severities: { P1: critical }
      labels: { team: 5 }
      titel: /x
",
        expected: &[
            r#"5:16: error[bad-pointer]: a JSON pointer is expected, not the text "title""#,
            r#"6:24: error[bad-pointer]: a JSON pointer is expected, not the text "/a~2""#,
            r#"8:22: error[bad-choice]: "resolved" is not an action"#,
            "9:7: error[missing-key]: `severities` needs `severity`, the pointer to the text it \
             maps",
            "10:23: error[bad-pointer]: a JSON pointer is expected, not the number 5",
            "11:7: error[unknown-key]: `mapping` has no key `titel`",
        ],
    },
];
