//! Time lines of whole stories on moved time: real rules, the real driver, scripted channels.

mod acts;
mod boundaries;
mod channels;
mod copies;
mod crashes;
mod departures;
mod durable;
mod world;

mod bundles;
mod checks;
mod checks_end;
mod clocks;
mod contact_tests;
mod contact_tests_apart;
mod dependents;
mod escalation;
mod events;
mod failover;
mod founding;
mod handing;
mod headlines;
mod histories;
mod joins;
mod monitors;
mod outages;
mod page_limit;
mod people;

mod phones;
mod previews;
mod providers;
mod replicas;
mod slots;

mod rounds;
mod silences;
mod snoozes;
mod status_pages;
mod steps;
mod storms;
mod troubled_tests;
mod troubles;
mod unreported;

/// Two people and a policy of two steps; the root route's alerts are incidents of their own.
pub const TEAM: &str = r#"
users:
  ana:
    full_name: Ana Silva
    time_zone: UTC
    contacts:
      phone: { sms: "+351900000001" }
      mail: { email: ana@example.com }
    notify:
      high:
        - { via: [phone] }
        - { after: 3m, via: [mail] }
      low:
        - { via: [mail] }
  bo:
    full_name: Bo Lind
    time_zone: UTC
    contacts:
      phone: { sms: "+351900000002" }
      mail: { email: bo@example.com }
    notify:
      high:
        - { via: [phone] }
        - { after: 3m, via: [mail] }
      low:
        - { via: [mail] }
  cy:
    full_name: Cy Ray
    time_zone: UTC
    contacts:
      mail: { email: cy@example.com }

policies:
  team:
    steps:
      - { targets: [user/ana], wait: 5m }
      - { targets: [user/bo], wait: 10m }
    fallback: [user/cy]

integrations:
  native: { format: native }

route:
  policy: team
  group_by: ["..."]
"#;
