//! What is odd about turns and windows. Each is one file beside [`super::BASE`].

use super::faults::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "turns and windows that give one person the same days for ever, or none",
        text: r#"
users: { cy: { contacts: { mail: { email: cy@example.com } } } }
schedules:
  s:
    time_zone: UTC
    layers:
      - users: [ana, bo, cy]
        rotate: daily
        handoff: "09:00"
        start: 2026-01-05
        only: [{ days: [mon, tue, wed, thu, fri] }]
      - users: [ana, bo, cy, ana, bo, cy, nobody]
        rotate: { every: 24h }
        handoff: "09:00"
        start: 2026-01-05
        only: [{ days: [mon, tue, wed, thu, fri] }]
      - users: [ana, ana, ana, ana, ana, bo, bo]
        rotate: daily
        handoff: "09:00"
        start: 2026-01-05
        only: [{ days: [mon, tue, wed, thu, fri] }]
      - users: [ana, bo]
        rotate: { every: 12h }
        handoff: "08:00"
        start: 2026-01-05
        only: [{ from: "08:00", to: "20:00" }]
      - users: [ana, bo]
        rotate: { every: 1d, counts: active }
        handoff: "09:00"
        start: 2026-01-05
        only: [{ days: [mon, tue] }]
"#,
        expected: &[
            "7:17: warning[uneven-turns]: whoever has fri has mon too: the turns in between fall \
             on days outside `only`",
            "12:17: warning[uneven-turns]: ana always has the same weekdays: mon, thu",
            "17:17: warning[uneven-turns]: bo is never on call: all days of these turns are \
             outside `only`",
            "22:17: warning[uneven-turns]: bo is never on call: all hours of these turns are \
             outside `only`",
            "27:17: warning[uneven-turns]: ana always has the same weekdays: mon",
        ],
    },
    Case {
        name: "turns and windows in which everybody comes to every day are not remarked on",
        text: r#"
users: { cy: { contacts: { mail: { email: cy@example.com } } } }
schedules:
  s:
    time_zone: UTC
    layers:
      - users: [ana, bo, cy]
        rotate: { every: 1d, counts: active }
        handoff: "09:00"
        start: 2026-01-05
        only: [{ days: [mon, tue, wed, thu, fri] }]
      - users: [ana, bo]
        rotate: daily
        handoff: "09:00"
        start: 2026-01-05
        only: [{ days: [mon, tue, wed, thu, fri] }]
      - users: [ana, bo, cy]
        rotate: weekly
        handoff: "mon 09:00"
        start: 2026-01-05
        only: [{ days: [sat, sun] }]
      - users: [ana, bo]
        rotate: { every: 5d, counts: active }
        handoff: "09:00"
        start: 2026-01-05
        only: [{ days: [mon, tue, wed, thu, fri] }]
      - users: [ana, bo, cy]
        rotate: { every: 8h }
        handoff: "08:00"
        start: 2026-01-05
        only: [{ days: [mon, tue, wed, thu, fri] }]
      - users: [ana]
        rotate: daily
        handoff: "09:00"
        start: 2026-01-05
        only: [{ days: [mon] }]
"#,
        expected: &[],
    },
    Case {
        name: "`counts: active` without days or windows to count",
        text: r#"
schedules:
  s:
    time_zone: UTC
    layers:
      - users: [ana, bo]
        rotate: { every: 1d, counts: active }
        handoff: "09:00"
        start: 2026-01-05
      - users: [ana, bo]
        rotate: { every: 12h, counts: active }
        handoff: "09:00"
        start: 2026-01-05
      - users: [ana, bo]
        rotate: { every: 1d, counts: activ }
        handoff: "09:00"
        start: 2026-01-05
"#,
        expected: &[
            "6:17: error[rotation-incomplete]: `counts: active` counts the days on which a \
             window of `only` begins, but there is no `only`",
            r#"10:26: error[bad-choice]: `counts: active` counts days, but `every` is the text "12h""#,
            r#"14:38: error[bad-choice]: `counts` cannot be "activ""#,
        ],
    },
    Case {
        name: "zones that are none, and zones that are fixed where a place is meant",
        text: "
users:
  cy: { time_zone: EST, contacts: { mail: { email: cy@example.com } } }
schedules:
  s:
    time_zone: Etc/GMT+5
    layers:
      - { users: [ana], time_zone: Etc/Unknown }
      - { users: [ana], time_zone: GMT+5 }
      - { users: [ana], time_zone: mst }
      - { users: [ana], time_zone: Factory }
      - { users: [ana], time_zone: EST5EDT }
      - { users: [ana], time_zone: PST }
      - { users: [ana], time_zone: Etc/UTC }
",
        expected: &[
            "2:20: warning[fixed-zone]: EST is always UTC-5 and does not follow daylight-saving \
             time",
            "5:16: warning[fixed-zone]: Etc/GMT+5 is UTC-5, because its sign is reversed, and does \
             not follow daylight-saving time",
            r#"7:36: error[bad-zone]: "Etc/Unknown" is not a time zone"#,
            r#"8:36: error[bad-zone]: "GMT+5" is not a time zone"#,
            "9:36: warning[fixed-zone]: mst is always UTC-7 and does not follow daylight-saving \
             time",
            r#"10:36: error[bad-zone]: "Factory" is not a time zone"#,
            r#"12:36: error[bad-zone]: "PST" is not a time zone"#,
        ],
    },
];
