//! What can be set, under which keys and with which defaults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::channels::configured::Configured;
use crate::document::MapSchema;
use crate::engine::ruleset::WeeklyTime;

/// Settings of the process, complete and checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    /// Serves only what the internet side needs.
    pub listen_public: Option<SocketAddr>,
    /// With these `listen` speaks TLS, and nothing else.
    pub listen_tls: Option<TlsFiles>,
    pub listen_public_tls: Option<TlsFiles>,
    /// Without a slash at the end.
    pub public_url: String,
    pub data: PathBuf,
    pub rules: PathBuf,
    pub time_zones: TimeZones,
    pub body_limit_bytes: usize,
    pub body_limit_alertmanager_bytes: usize,
    pub body_budget_bytes: usize,
    /// Whose headers are believed about where a request came from.
    pub trusted_proxies: Vec<IpNet>,
    pub failover_after: Duration,
    pub still_firing_hold: Duration,
    pub silence_max: Duration,
    pub page_limit: usize,
    pub page_window: Duration,
    /// When each person's contacts are tested, on their own clock.
    pub test_page: Option<WeeklyTime>,
    pub disk_warn_bytes: u64,
    pub disk_min_bytes: u64,
    pub keep_events: Duration,
    pub keep_incidents: Duration,
    pub disk_cap_bytes: u64,
    pub watch: Watch,
    pub outbound: Outbound,
    /// In the order in which they are tried; the console always exists and stands last.
    pub channels: Vec<Configured>,
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

impl Default for Settings {
    fn default() -> Self {
        const DAY: u64 = 24 * 60 * 60;
        const MIB: usize = 1024 * 1024;
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            listen_public: None,
            listen_tls: None,
            listen_public_tls: None,
            public_url: "http://127.0.0.1:8080".to_owned(),
            data: PathBuf::from("data"),
            rules: PathBuf::from("rules"),
            time_zones: TimeZones::default(),
            body_limit_bytes: MIB / 2,
            body_limit_alertmanager_bytes: 4 * MIB,
            body_budget_bytes: 64 * MIB,
            trusted_proxies: Vec::new(),
            failover_after: Duration::from_secs(10),
            still_firing_hold: Duration::from_secs(30 * 60),
            silence_max: Duration::from_secs(30 * DAY),
            page_limit: 10,
            page_window: Duration::from_secs(10 * 60),
            test_page: None,
            disk_warn_bytes: 1 << 30,
            disk_min_bytes: 256 << 20,
            keep_events: Duration::from_secs(30 * DAY),
            keep_incidents: Duration::from_secs(400 * DAY),
            disk_cap_bytes: 10 << 30,
            watch: Watch::default(),
            outbound: Outbound::default(),
            channels: vec![Configured::console()],
        }
    }
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
    keys: &[
        "listen",
        "listen_public",
        "listen_tls",
        "listen_public_tls",
        "public_url",
        "data",
        "rules",
        "time_zones",
        "body_limit",
        "body_limit_alertmanager",
        "body_budget",
        "trusted_proxies",
        "failover_after",
        "still_firing_hold",
        "silence_max",
        "page_limit",
        "page_window",
        "test_page",
        "disk_warn",
        "disk_min",
        "keep_events",
        "keep_incidents",
        "disk_cap",
        "watch",
        "outbound",
        "channel",
    ],
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
pub const SECTIONS: [(&str, &MapSchema); 4] = [
    ("listen_tls", &LISTEN_TLS),
    ("listen_public_tls", &LISTEN_TLS),
    ("watch", &WATCH),
    ("outbound", &OUTBOUND),
];

pub const LISTEN_TLS: MapSchema = MapSchema::new("the TLS of a listener", &["certificate", "key"]);

pub const WATCH: MapSchema = MapSchema::new("[watch]", &["policy", "heartbeat_url"]);

pub const OUTBOUND: MapSchema =
    MapSchema::new("[outbound]", &["allow_networks", "proxy", "no_proxy"]);
