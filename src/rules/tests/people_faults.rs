//! What is wrong with users, schedules and policies. Each is one file beside [`super::BASE`].

use super::faults::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "test pages at no time of the week",
        text: r#"
users:
  eve:
    contacts: { mail: { email: eve@example.com } }
    test_page: tue
  flo:
    contacts: { mail: { email: flo@example.com } }
    test_page: "tue 24:00"
  gus:
    contacts: { mail: { email: gus@example.com } }
    test_page: "wed 14:00"
  hal:
    contacts: { mail: { email: hal@example.com } }
    test_page: never
"#,
        expected: &[
            r#"4:16: error[bad-time]: `test_page` cannot be the text "tue""#,
            r#"7:16: error[bad-time]: `test_page` cannot be the text "tue 24:00""#,
        ],
    },
    Case {
        name: "an unknown key with the nearest one",
        text: "
policies:
  p: { step: [{ targets: [user/ana] }] }
",
        expected: &[
            "2:6: error[missing-key]: a policy needs `steps`",
            "2:8: error[unknown-key]: a policy has no key `step`",
        ],
    },
    Case {
        name: "an unknown top-level key",
        text: "polices: {}",
        expected: &["1:1: error[unknown-key]: a rules file has no key `polices`"],
    },
    Case {
        name: "a key without a value",
        text: "
users:
  cy: { full_name: , contacts: { mail: { email: cy@example.com } } }
routes:
  - { name: r, matchers: }
schedules:
",
        expected: &[
            "2:9: error[empty-value]: `full_name` has no value",
            "4:16: error[empty-value]: `matchers` has no value",
        ],
    },
    Case {
        name: "duplicate names over files",
        text: "
users:
  ana: { contacts: { mail: { email: a@example.com } } }
",
        expected: &[
            r#"2:3: error[duplicate-name]: the user "ana" is already defined in base.yaml on line 2"#,
        ],
    },
    Case {
        name: "reserved and impossible names",
        text: r#"
users:
  nobody: { contacts: { mail: { email: a@example.com } } }
  a b: { contacts: { "x/y": { email: a@example.com } } }
policies:
  none: { steps: [{ targets: [user/ana] }] }
integrations:
  reveille: { format: native }
  é: { format: native }
"#,
        expected: &[
            "2:3: error[bad-name]: `nobody` means an empty turn in schedules, so a user cannot \
             have this name",
            r#"3:3: error[bad-name]: "a b" cannot be the name of a user"#,
            r#"3:22: error[bad-name]: "x/y" cannot be the name of a contact"#,
            "5:3: error[bad-name]: `none` means that nobody is expected to acknowledge, so a \
             policy cannot have this name",
            "7:3: error[bad-name]: `reveille` is the integration of the router itself, so a \
             integration cannot have this name",
            r#"8:3: error[bad-name]: the integration name "é" cannot be used in a URL"#,
        ],
    },
    Case {
        name: "dangling references",
        text: r#"
policies:
  p:
    steps: [{ targets: [user/anna, schedule/s, channel/slak/#x] }]
    fallback: [user/zoe]
schedules:
  t: { time_zone: UTC, layers: [{ users: [bob] }] }
routes: [{ name: r, matchers: ['a="b"'], policy: defualt }]
"#,
        expected: &[
            r#"3:25: error[unknown-user]: no user "anna""#,
            r#"3:36: error[unknown-schedule]: no schedule "s""#,
            r#"3:48: error[unknown-channel]: no channel "slak""#,
            r#"4:16: error[unknown-user]: no user "zoe""#,
            r#"6:43: error[unknown-user]: no user "bob""#,
            r#"7:50: error[unknown-policy]: no policy "defualt""#,
        ],
    },
    Case {
        name: "targets that are none",
        text: r#"
policies:
  p: { steps: [{ targets: [ana, team/x, channel/slack, "channel/mail/#x", 5] }] }
"#,
        expected: &[
            r#"2:28: error[bad-target]: "ana" is not a target"#,
            r#"2:33: error[bad-target]: "team/x" is not a target"#,
            "2:41: error[bad-target]: the target channel/slack has no address",
            r##"2:56: error[bad-target]: "#x" is not an address on the channel mail"##,
            "2:75: error[not-text]: a target must be text, not the number 5",
        ],
    },
    Case {
        name: "two people with one phone",
        text: r#"
users:
  day: { contacts: { phone: { sms: "+351912345678" }, spare: { sms: "+351912345678" } } }
  night: { contacts: { duty: { sms: "+351912345678" } } }
  relief: { contacts: { phone: { sms: "+351912345679" } } }
"#,
        expected: &["3:3: warning[shared-contact]: night has the same phone number as day"],
    },
    Case {
        name: "a policy without anybody",
        text: "
users:
  cy: {}
policies:
  p: { steps: [] }
  q: { steps: [{ targets: [user/cy] }] }
  r: {}
  s: { steps: [{ targets: [] }] }
  t: { steps: [{ wait: 5m }] }
",
        expected: &[
            "2:3: warning[user-without-contacts]: the user cy has no contacts and cannot be paged",
            "4:3: error[policy-without-anybody]: the policy p has nobody to page",
            "5:3: error[policy-without-anybody]: the policy q has nobody to page",
            "6:6: error[missing-key]: a policy needs `steps`",
            "7:27: error[empty-list]: `targets` names nobody",
            "8:16: error[missing-key]: a policy step needs `targets`",
        ],
    },
    Case {
        name: "zones, lengths, numbers and truth values that do not parse",
        text: r#"
schedules:
  s: { time_zone: Europe/Lisboa, layers: [{ users: [ana] }] }
policies:
  p: { repeat: two, ack_timeout: 10s, escalate_low: "true", steps: [{ targets: [user/ana], wait: 300 }] }
  q: { repeat: 500, steps: [{ targets: [user/ana], wait: soon }, { targets: [user/bo], wait: 0s }] }
"#,
        expected: &[
            r#"2:19: error[bad-zone]: "Europe/Lisboa" is not a time zone"#,
            r#"4:16: error[not-a-number]: `repeat` must be a whole number, not the text "two""#,
            "4:34: error[bad-duration]: `ack_timeout` is 10s, outside 1m to 30d",
            r#"4:53: error[not-a-truth-value]: `escalate_low` must be true or false, not the text "true""#,
            "4:98: error[bad-duration]: `wait` must be a duration, not the number 300",
            "5:16: error[bad-number]: `repeat` is 500, outside 0 to 100",
            r#"5:58: error[bad-duration]: `wait` must be a duration, not the text "soon""#,
            "5:94: error[bad-duration]: `wait` is 0s, outside 1s to 7d",
        ],
    },
    Case {
        name: "times, dates and days that do not parse",
        text: r#"
schedules:
  s:
    time_zone: UTC
    layers:
      - users: [ana, bo]
        rotate: weekly
        handoff: "09:00"
        start: 5 January
        only:
          - { days: [mon, tus], from: "9:00", to: "25:00" }
          - { from: "08:00", to: "08:00" }
          - { from: "24:00", to: "08:00" }
          - { days: [] }
      - { users: [ana], rotate: daily, handoff: "mon 09:00", start: 2026-01-05 }
      - { users: [ana], rotate: hourly, handoff: "09:00", start: 2026-01-05 }
      - { users: [ana], rotate: { every: 90m }, handoff: "09:00", start: 2026-02-30 }
"#,
        expected: &[
            r#"7:18: error[bad-handoff]: `handoff` cannot be the text "09:00""#,
            r#"8:16: error[bad-date]: `start` is a date, not the text "5 January""#,
            r#"10:27: error[bad-choice]: "tus" is not a weekday"#,
            r#"10:39: error[bad-time]: `from` is a time of day, not the text "9:00""#,
            r#"10:51: error[bad-time]: `to` is a time of day, not the text "25:00""#,
            "11:13: error[empty-window]: `from` and `to` are the same, so the window is empty",
            "12:13: error[bad-time]: `from` cannot be 24:00, the end of the day",
            "13:21: error[empty-list]: `days` names no day",
            r#"14:49: error[bad-handoff]: `handoff` cannot be the text "mon 09:00""#,
            r#"15:33: error[bad-choice]: `rotate` cannot be the text "hourly""#,
            r#"16:42: error[bad-duration]: `every` cannot be the text "90m""#,
            r#"16:74: error[bad-date]: `start` is a date, not the text "2026-02-30""#,
        ],
    },
    Case {
        name: "rotations that lack something",
        text: "
schedules:
  s:
    time_zone: UTC
    gaps: allowed
    layers:
      - { users: [ana, bo] }
      - { users: [ana], start: 2026-01-05 }
      - { users: [ana, bo], rotate: weekly }
  t: { layers: [{ users: [nobody] }] }
  u: { time_zone: UTC }
",
        expected: &[
            r#"4:11: error[bad-choice]: `gaps` cannot be "allowed""#,
            "6:9: error[rotation-incomplete]: 2 users take turns, but there is no `rotate`",
            "7:25: error[rotation-incomplete]: `start` says when turns change, but there is no \
             `rotate`",
            "8:9: error[missing-key]: a layer needs `handoff`",
            "8:9: error[missing-key]: a layer needs `start`",
            "9:3: error[schedule-without-anybody]: the schedule t names nobody",
            "9:6: error[missing-key]: a schedule needs `time_zone`",
            "10:6: error[missing-key]: a schedule needs `layers`",
        ],
    },
    Case {
        name: "contacts that do not fit",
        text: r#"
users:
  cy:
    contacts:
      a: { email: cy }
      b: { sms: "912345678" }
      c: { slack: "@cy" }
      d: { webhook: example.com }
      e: { email: cy@example.com, sms: "+351912345678" }
      f: {}
      g: cy@example.com
      h: { email: "" }
    phone: "+351912345678"
"#,
        expected: &[
            r#"4:19: error[bad-address]: "cy" is not an e-mail address"#,
            r#"5:17: error[bad-address]: "912345678" is not a phone number in international form"#,
            r#"6:19: error[bad-address]: "@cy" is not a Slack member id or an e-mail address"#,
            r#"7:21: error[bad-address]: "example.com" is not a web address"#,
            "8:40: error[bad-address]: the contact e has both email and sms",
            "9:7: error[missing-key]: the contact f has no address",
            "10:7: error[missing-key]: the contact g has no address",
            r#"10:10: error[not-a-map]: a contact must be a map of keys, not the text "cy@example.com""#,
            "11:19: error[empty-value]: `email` is empty",
            "12:5: error[foreign-word]: `phone` is not a key of a user",
        ],
    },
    Case {
        name: "notify steps that do not fit",
        text: "
users:
  cy:
    contacts: { mail: { email: cy@example.com } }
    notify:
      high:
        - { via: [mail] }
        - { via: [mal] }
        - { after: 1m, via: [] }
        - { after: 30s }
      low: []
  dan: { contacts: { mail: { email: d@example.com } }, notify: { high: mail } }
",
        expected: &[
            "7:11: error[not-ascending]: this step comes after 0s, the one before it after 0s",
            r#"7:19: error[unknown-contact]: this user has no contact "mal""#,
            "8:29: error[empty-list]: `via` names no contact",
            "9:11: error[missing-key]: a notify step needs `via`",
            "9:11: error[not-ascending]: this step comes after 30s, the one before it after 1m",
            "10:12: error[empty-list]: `low` has no steps, so nothing would be sent",
            r#"11:72: error[not-a-list]: `high` must be a list, not the text "mail""#,
        ],
    },
];
