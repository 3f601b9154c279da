//! What is wrong with a document as YAML. Each is one file beside [`super::BASE`].

use super::faults::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "a tab as indentation is not YAML",
        text: "users:\n\tcy: {}",
        expected: &[
            "2:2: error[syntax]: invalid YAML: tabs disallowed within this context (block \
             indentation)",
        ],
    },
    Case {
        name: "a bracket that is not closed is not YAML",
        text: "
policies:
  p: { steps: [ }
",
        expected: &["2:15: error[syntax]: invalid YAML: mismatched bracket '[' closed by '}'"],
    },
    Case {
        name: "a second document in a file",
        text: "
users: {}
---
users: {}
",
        expected: &["2:1: error[unused-yaml]: this file contains a second document"],
    },
    Case {
        name: "a merge key inside of a map",
        text: "
users:
  cy: { <<: *x }
",
        expected: &["2:9: error[unused-yaml]: merge keys (`<<`) are not supported"],
    },
    Case {
        name: "a merge key",
        text: "
users:
  <<: { cy: {} }
",
        expected: &["2:3: error[unused-yaml]: merge keys (`<<`) are not supported"],
    },
    Case {
        name: "a tag",
        text: "
users:
  cy: !person { contacts: {} }
",
        expected: &["2:15: error[unused-yaml]: the YAML tag !person is not supported"],
    },
    Case {
        name: "a map as a key",
        text: "
? { a: b }
: c
",
        expected: &["1:3: error[unused-yaml]: a key must be text"],
    },
    Case {
        name: "an alias inside of itself",
        text: "
users: &all
  cy: *all
",
        expected: &["2:7: error[unused-yaml]: this alias refers to a value that contains it"],
    },
    Case {
        name: "a document that is no map",
        text: "- users",
        expected: &["1:1: error[not-a-map]: a rules file must be a map of keys, not a list"],
    },
    Case {
        name: "a key twice",
        text: "
users:
  cy: { contacts: { mail: { email: cy@example.com } } }
  cy: { contacts: {} }
",
        expected: &[r#"3:3: error[repeated-key]: the key "cy" is already on line 2"#],
    },
    Case {
        name: "an unquoted phone number with a plus",
        text: "
users:
  cy: { contacts: { phone: { sms: +351912345678 } } }
",
        expected: &[
            "2:35: error[unquoted]: many YAML parsers read +351912345678 without quotes as a \
             number",
        ],
    },
    Case {
        name: "an unquoted phone number without a plus",
        text: "
users:
  cy: { contacts: { phone: { sms: 351912345678 } } }
",
        expected: &["2:35: error[unquoted]: YAML reads a phone number without quotes as a number"],
    },
    Case {
        name: "an unquoted time",
        text: r#"
schedules:
  s:
    time_zone: UTC
    layers:
      - users: [ana]
        only: [{ from: 09:00, to: "17:00" }]
"#,
        expected: &[
            "6:24: error[unquoted]: many YAML parsers read 09:00 without quotes as a base-60 \
             number",
        ],
    },
    Case {
        name: "a time that another reader made a number",
        text: r#"
schedules:
  s:
    time_zone: UTC
    layers: [{ users: [ana], only: [{ from: 540, to: "17:00" }] }]
"#,
        expected: &[
            r#"4:45: error[unquoted]: `from` is the number 540: a time without quotes was "09:00""#,
        ],
    },
    Case {
        name: "no as a value and as a name",
        text: "
users:
  no: { full_name: yes, contacts: { mail: { email: a@example.com } } }
",
        expected: &[
            "2:3: error[unquoted]: many YAML parsers read no without quotes as a truth value",
            "2:20: error[unquoted]: many YAML parsers read yes without quotes as a truth value",
        ],
    },
    Case {
        name: "a list where a map is meant and the other way round",
        text: "
users: [cy]
policies:
  p: { steps: { targets: [user/ana] } }
routes: { name: x }
",
        expected: &[
            "1:8: error[not-a-map]: `users` must be a map of names, not a list",
            "3:15: error[not-a-list]: `steps` must be a list, not a map",
            "4:9: error[not-a-list]: `routes` must be a list, not a map",
        ],
    },
];
