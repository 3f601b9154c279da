//! What is wrong with our own status pages.

use super::faults::Case;

pub const CASES: &[Case] = &[
    Case {
        name: "a status page of nothing",
        text: "\
status_pages:
  public: { path: /status }
",
        expected: &[
            "2:11: error[missing-key]: a status page needs `title`",
            "2:11: error[missing-key]: a status page needs `components`",
        ],
    },
    Case {
        name: "places of status pages that cannot be",
        text: "\
status_pages:
  a: { title: A, path: status, components: [{ name: X }] }
  b: { title: B, path: /v1/x, components: [{ name: X }] }
  c: { title: C, host: \"https://a.example\", components: [{ name: X }] }
  d: { title: D, path: /d, host: d.example, components: [{ name: X }] }
  e: { title: E, host: e.example, components: [{ name: X }] }
  f: { title: F, host: e.example, components: [{ name: X }] }
",
        expected: &[
            "2:24: error[bad-address]: \"status\" is no path of a status page",
            "3:24: error[bad-address]: the path \"/v1/x\" is taken by Reveille itself",
            "4:24: error[bad-address]: \"https://a.example\" is no name of a host",
            "5:28: error[repeated-key]: a status page has `path` or `host`, not both",
            "7:3: error[repeated-key]: status page \"f\" is where status page \"e\" is",
        ],
    },
    Case {
        name: "components of status pages that cannot be",
        text: "\
status_pages:
  a:
    title: A
    components:
      - { name: X, providers: [nobody] }
      - { name: X }
      - { group: G, name: Y, components: [{ name: Z, providers: [\"/\"] }] }
      - { group: G, components: [{ group: H }] }
",
        expected: &[
            "2:3: error[duplicate-name]: component \"X\" is defined twice",
            "5:32: error[unknown-key]: no provider \"nobody\"",
            "7:21: error[unknown-key]: `name` says nothing of a group",
            "7:66: error[bad-target]: \"/\" is not a provider",
            "8:34: error[missing-key]: a component needs `name`",
            "8:36: error[unknown-key]: `group` belongs to a group, which holds only components",
        ],
    },
    Case {
        name: "what status pages say, in which language, and to whom",
        text: "\
status_pages:
  a:
    title: A
    components: [{ name: X }]
    languages: [fr]
    texts: { resolved: \"{{ host }} is well\", title: \"{{ duration }}\" }
    access: password
  b:
    title: B
    path: /b
    components: [{ name: X }]
    key_sha256: secret
    publish: { after: 2d, minimum: some }
",
        expected: &[
            "5:17: error[bad-choice]: there are no words in the language \"fr\"",
            "6:24: error[unknown-key]: the text `resolved` knows no variable \"host\"",
            "6:53: error[unknown-key]: the text `title` knows no variable \"duration\"",
            "7:5: error[missing-key]: nobody could read this page: it has no `key_sha256`",
            "12:17: error[bad-key-hash]: `key_sha256` is not a SHA-256 hash",
            "12:17: error[unknown-key]: `key_sha256` says nothing of a page \
               that everybody may read",
            "13:23: error[bad-duration]: `after` is 2d, outside 0s to 1h",
            "13:36: error[bad-choice]: `minimum` cannot be \"some\"",
        ],
    },
    Case {
        name: "a status page that a provider of these rules watches",
        text: "\
providers:
  own: { url: \"https://status.example.com/\" }
status_pages:
  a: { title: A, host: status.example.com, components: [{ name: X, providers: [own] }] }
",
        expected: &[
            "4:24: warning[bad-target]: provider \"own\" watches this status page: what it shows \
               would depend on itself",
        ],
    },
];
