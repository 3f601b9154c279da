//! What can be set, under which keys and with which defaults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::channels::configured::Configured;
use crate::document::section::Section;
use crate::document::{MapSchema, Value, units};
use crate::engine::ruleset::WeeklyTime;

const DAY: u64 = 24 * 60 * 60;
const MIB: usize = 1024 * 1024;

/// Makes [`Settings`] from the settings that are one value: key, field, default, and what parses
/// it. The others stand in the macro itself.
macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])*
        $key:literal $field:ident: $type:ty = $default:expr, $parse:expr;
    )+) => {
        /// Settings of the process, complete and checked.
        #[derive(Clone, Debug)]
        pub struct Settings {
            $($(#[doc = $doc])* pub $field: $type,)+
            /// With these `listen` speaks TLS, and nothing else.
            pub listen_tls: Option<TlsFiles>,
            pub listen_public_tls: Option<TlsFiles>,
            pub listen_status_tls: Option<TlsFiles>,
            /// Without a slash at the end.
            pub public_url: String,
            pub watch: Watch,
            pub outbound: Outbound,
            /// In the order in which they are tried; the console always exists and stands last.
            pub channels: Vec<Configured>,
        }

        impl Default for Settings {
            fn default() -> Self {
                Self {
                    $($field: $default,)+
                    listen_tls: None,
                    listen_public_tls: None,
                    listen_status_tls: None,
                    public_url: "http://127.0.0.1:8080".to_owned(),
                    watch: Watch::default(),
                    outbound: Outbound::default(),
                    channels: vec![Configured::console()],
                }
            }
        }

        impl Settings {
            /// Reads those of the table; one that is not there or not good keeps its default.
            pub fn read_values(&mut self, root: &mut Section<'_, '_>) {
                $(root.read_into($key, $parse, &mut self.$field);)+
            }
        }

        const KEYS: &[&str] = &[
            $($key,)+
            "listen_tls",
            "listen_public_tls",
            "listen_status_tls",
            "public_url",
            "watch",
            "outbound",
            "channel",
        ];
    };
}

settings! {
    "listen" listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)), units::address;
    /// Serves only what the internet side needs.
    "listen_public" listen_public: Option<SocketAddr> = None, units::optional(units::address);
    /// Serves nothing but our own status pages.
    "listen_status" listen_status: Option<SocketAddr> = None, units::optional(units::address);
    /// Where public pages are written to as files.
    "status_export" status_export: Option<PathBuf> = None, units::optional(units::path);
    "data" data: PathBuf = PathBuf::from("data"), units::path;
    "rules" rules: PathBuf = PathBuf::from("rules"), units::path;
    "time_zones" time_zones: TimeZones = TimeZones::default(), TimeZones::parse;
    "body_limit" body_limit_bytes: usize = MIB / 2, units::memory;
    "body_limit_alertmanager" body_limit_alertmanager_bytes: usize = 4 * MIB, units::memory;
    "body_budget" body_budget_bytes: usize = 64 * MIB, units::budget;
    /// Whose headers are believed about where a request came from.
    "trusted_proxies" trusted_proxies: Vec<IpNet> = Vec::new(), units::hosts_and_networks;
    "failover_after" failover_after: Duration = Duration::from_secs(10), units::some_time;
    "still_firing_hold" still_firing_hold: Duration = Duration::from_secs(30 * 60), units::time;
    "silence_max" silence_max: Duration = Duration::from_secs(30 * DAY), units::some_time;
    "page_limit" page_limit: usize = 10, units::count;
    "page_window" page_window: Duration = Duration::from_secs(10 * 60), units::some_time;
    /// When each person's contacts are tested, on their own clock.
    "test_page" test_page: Option<WeeklyTime> = None, units::optional(units::weekly_time);
    "disk_warn" disk_warn_bytes: u64 = 1 << 30, units::size;
    "disk_min" disk_min_bytes: u64 = 256 << 20, units::size;
    "keep_events" keep_events: Duration = Duration::from_secs(30 * DAY), units::some_time;
    "keep_incidents" keep_incidents: Duration = Duration::from_secs(400 * DAY), units::some_time;
    "disk_cap" disk_cap_bytes: u64 = 10 << 30, units::size;
    /// Memory for pages of the database.
    "store_cache" store_cache_bytes: usize = 64 * MIB, units::cache;
}

/// Files in PEM that a listener presents itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those of its issuers.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Whose time zone database is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeZones {
    /// The one that is part of the program.
    #[default]
    Bundled,
    System,
}

impl TimeZones {
    fn parse(value: &Value) -> Result<Self, String> {
        match units::text(value)?.as_str() {
            "bundled" => Ok(Self::Bundled),
            "system" => Ok(Self::System),
            _ => Err("must be \"bundled\" or \"system\"".to_owned()),
        }
    }
}

/// Who hears of trouble in the router itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Without one, the root route's policy.
    pub policy: Option<String>,
    /// Called every minute, only after a clean self-audit.
    pub heartbeat_url: Option<String>,
}

/// What outgoing requests may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    /// Private ranges that webhooks may reach.
    pub allow_networks: Vec<IpNet>,
    /// For calls of provider APIs and of the heartbeat.
    pub proxy: Option<String>,
    /// What the proxy is not used for.
    pub no_proxy: Vec<String>,
}

impl Settings {
    /// The largest body that is accepted.
    pub fn largest_body_bytes(&self) -> usize {
        self.body_limit_bytes
            .max(self.body_limit_alertmanager_bytes)
    }
}

/// The keys of the file.
pub const SCHEMA: MapSchema = MapSchema {
    what: "a settings file",
    keys: KEYS,
    foreign: &[
        (
            "ceiling_pages",
            "use page_limit, which counts incidents, not messages",
        ),
        ("ceiling_window", "use page_window"),
    ],
    may_be_empty: false,
};

/// The tables that flags and variables can set as well.
pub const SECTIONS: [(&str, &MapSchema); 5] = [
    ("listen_tls", &LISTEN_TLS),
    ("listen_public_tls", &LISTEN_TLS),
    ("listen_status_tls", &LISTEN_TLS),
    ("watch", &WATCH),
    ("outbound", &OUTBOUND),
];

pub const LISTEN_TLS: MapSchema = MapSchema::new("the TLS of a listener", &["certificate", "key"]);

pub const WATCH: MapSchema = MapSchema::new("[watch]", &["policy", "heartbeat_url"]);

pub const OUTBOUND: MapSchema =
    MapSchema::new("[outbound]", &["allow_networks", "proxy", "no_proxy"]);
