//! Process settings: where they come from, what they are, and every fault in them at once.
//!
//! Flags win over the environment, the environment over the file, the file over the defaults.
//! `default.toml` is embedded: it holds every key with its default and is the manual of settings.
//! Nothing here reads the process environment: it arrives in [`Sources`], so that it is testable.

mod layers;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use crate::channels::configured::{self, Configured};
use crate::document::section::{Reading, Section};
use crate::document::{Diagnostic, MapSchema, Value, units};
use crate::engine::ruleset::WeeklyTime;

pub use layers::{Secrets, Sources};

use layers::Layers;

/// A `public_url` beyond this crowds the text out of an SMS.
const PUBLIC_URL_CHARACTERS_MAX: usize = 60;

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
    fn largest_body_bytes(&self) -> usize {
        self.body_limit_bytes
            .max(self.body_limit_alertmanager_bytes)
    }
}

/// Settings, and what their reader should be told.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub settings: Settings,
    pub warnings: Vec<Diagnostic>,
}

/// All that is wrong in the settings. Never holds a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Diagnostic>);

impl std::error::Error for Faults {}

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Diagnostic::one_line).collect();
        formatter.write_str(&lines.join("\n"))
    }
}

/// The keys of the file.
const SCHEMA: MapSchema = MapSchema {
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
const SECTIONS: [(&str, &MapSchema); 4] = [
    ("listen_tls", &LISTEN_TLS),
    ("listen_public_tls", &LISTEN_TLS),
    ("watch", &WATCH),
    ("outbound", &OUTBOUND),
];

const LISTEN_TLS: MapSchema = MapSchema::new("the TLS of a listener", &["certificate", "key"]);

const WATCH: MapSchema = MapSchema::new("[watch]", &["policy", "heartbeat_url"]);

const OUTBOUND: MapSchema = MapSchema::new("[outbound]", &["allow_networks", "proxy", "no_proxy"]);

/// Reads and checks all settings. Either all of them are good or every fault is named.
pub fn load(sources: &Sources) -> Result<Loaded, Faults> {
    let layers = Layers::read(sources)?;
    let mut reading = Reading::new(layers.secrets());
    let mut root = Section::open(&layers.document, &SCHEMA, String::new(), &mut reading);
    let mut settings = read_root(&mut root);
    check(&settings, &mut root);
    settings.watch = read_watch(root.section("watch", &WATCH));
    settings.outbound = read_outbound(root.section("outbound", &OUTBOUND));
    settings.channels = configured::read_all(&mut root);
    layers.report_unknown_variables(&mut reading.faults);

    let origins: Vec<&str> = layers.origins.iter().map(String::as_str).collect();
    let found = reading.faults.finish(&origins).into_iter();
    let (faults, warnings): (Vec<_>, Vec<_>) = found.partition(Diagnostic::is_error);
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    Ok(Loaded { settings, warnings })
}

/// What settings say only together.
fn check(settings: &Settings, root: &mut Section<'_, '_>) {
    if settings.listen_public_tls.is_some() && settings.listen_public.is_none() {
        let message = "listen_public_tls has files, and listen_public is not set";
        root.refuse(message, "set listen_public as well");
    }
    if settings.body_budget_bytes < settings.largest_body_bytes() {
        root.refuse(
            "body_budget is smaller than one body",
            "make it larger than body_limit and body_limit_alertmanager",
        );
    }
    // Links would lead to a listener that does not understand them.
    let has_tls = settings.listen_tls.is_some() || settings.listen_public_tls.is_some();
    let url = &settings.public_url;
    if has_tls && url.starts_with("http://") {
        let message =
            format!("public_url = \"{url}\" starts with http://, but a listener uses TLS");
        root.warn(message, "write https://");
    }
    // The self-incident would come with the first refusal, and end and come again with each
    // further one while `disk_min` is still free.
    if settings.disk_warn_bytes <= settings.disk_min_bytes && settings.disk_min_bytes > 0 {
        let message = "disk_warn is not above disk_min, so events are refused without a warning";
        root.warn(message.to_owned(), "make disk_warn larger than disk_min");
    }
}

/// The data directory alone, for commands that only look for a file in it. Other faults in the
/// settings are left to `serve`.
pub fn data_directory(sources: &Sources) -> Result<PathBuf, Faults> {
    let layers = Layers::read(sources)?;
    let mut reading = Reading::new(layers.secrets());
    let mut root = Section::open(&layers.document, &SCHEMA, String::new(), &mut reading);
    let data = root.read("data", units::path);
    Ok(data.unwrap_or_else(|| Settings::default().data))
}

fn tls_files(mut section: Section<'_, '_>) -> Option<TlsFiles> {
    let mut read = |key| section.read(key, units::optional(units::path)).flatten();
    match (read("certificate"), read("key")) {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            let help = "set both files, or neither";
            section.refuse("certificate and key must be set together", help);
            None
        }
    }
}

fn read_test_page(root: &mut Section<'_, '_>) -> Option<WeeklyTime> {
    let weekly_time = units::optional(units::weekly_time);
    root.read("test_page", weekly_time).flatten()
}

fn read_root(root: &mut Section<'_, '_>) -> Settings {
    let default = Settings::default();
    let listen = root.read("listen", units::address);
    let public_url = root.read_address("public_url", units::url);
    warn_of_long_url(public_url.as_deref(), root);
    let listen_tls = tls_files(root.section("listen_tls", &LISTEN_TLS));
    let has_tls = listen_tls.is_some();
    Settings {
        public_url: public_url.unwrap_or_else(|| url_of(listen.unwrap_or(default.listen), has_tls)),
        listen: listen.unwrap_or(default.listen),
        listen_tls,
        listen_public_tls: tls_files(root.section("listen_public_tls", &LISTEN_TLS)),
        listen_public: root
            .read("listen_public", units::optional(units::address))
            .flatten(),
        data: root.read("data", units::path).unwrap_or(default.data),
        rules: root.read("rules", units::path).unwrap_or(default.rules),
        time_zones: root
            .read("time_zones", time_zones)
            .unwrap_or(default.time_zones),
        body_limit_bytes: root
            .read("body_limit", units::memory)
            .unwrap_or(default.body_limit_bytes),
        body_limit_alertmanager_bytes: root
            .read("body_limit_alertmanager", units::memory)
            .unwrap_or(default.body_limit_alertmanager_bytes),
        body_budget_bytes: root
            .read("body_budget", units::budget)
            .unwrap_or(default.body_budget_bytes),
        trusted_proxies: root
            .read("trusted_proxies", units::hosts_and_networks)
            .unwrap_or_default(),
        failover_after: root
            .read("failover_after", units::some_time)
            .unwrap_or(default.failover_after),
        still_firing_hold: root
            .read("still_firing_hold", units::time)
            .unwrap_or(default.still_firing_hold),
        silence_max: root
            .read("silence_max", units::some_time)
            .unwrap_or(default.silence_max),
        page_limit: root
            .read("page_limit", units::count)
            .unwrap_or(default.page_limit),
        page_window: root
            .read("page_window", units::some_time)
            .unwrap_or(default.page_window),
        test_page: read_test_page(root),
        disk_warn_bytes: root
            .read("disk_warn", units::size)
            .unwrap_or(default.disk_warn_bytes),
        disk_min_bytes: root
            .read("disk_min", units::size)
            .unwrap_or(default.disk_min_bytes),
        keep_events: root
            .read("keep_events", units::some_time)
            .unwrap_or(default.keep_events),
        keep_incidents: root
            .read("keep_incidents", units::some_time)
            .unwrap_or(default.keep_incidents),
        disk_cap_bytes: root
            .read("disk_cap", units::size)
            .unwrap_or(default.disk_cap_bytes),
        watch: default.watch,
        outbound: default.outbound,
        channels: default.channels,
    }
}

fn time_zones(value: &Value) -> Result<TimeZones, String> {
    match units::text(value)?.as_str() {
        "bundled" => Ok(TimeZones::Bundled),
        "system" => Ok(TimeZones::System),
        _ => Err("must be \"bundled\" or \"system\"".to_owned()),
    }
}

fn read_watch(mut section: Section<'_, '_>) -> Watch {
    let policy = section.read("policy", units::optional(units::text));
    let url = units::optional(units::endpoint);
    Watch {
        policy: policy.flatten(),
        heartbeat_url: section.read_address("heartbeat_url", url).flatten(),
    }
}

fn read_outbound(mut section: Section<'_, '_>) -> Outbound {
    let allow_networks = section.read("allow_networks", units::networks);
    let proxy = section.read_address("proxy", units::optional(units::url));
    let no_proxy = section.read("no_proxy", units::texts);
    Outbound {
        allow_networks: allow_networks.unwrap_or_default(),
        proxy: proxy.flatten(),
        no_proxy: no_proxy.unwrap_or_default(),
    }
}

/// Where this listener is reached from the same machine: the default of `public_url`.
fn url_of(listen: SocketAddr, has_tls: bool) -> String {
    let scheme = if has_tls { "https" } else { "http" };
    if listen.ip().is_unspecified() {
        format!("{scheme}://127.0.0.1:{}", listen.port())
    } else {
        format!("{scheme}://{listen}")
    }
}

fn warn_of_long_url(public_url: Option<&str>, root: &mut Section<'_, '_>) {
    let characters = public_url.map_or(0, |url| url.chars().count());
    if characters > PUBLIC_URL_CHARACTERS_MAX {
        let message = format!(
            "public_url has {characters} characters; with more than {PUBLIC_URL_CHARACTERS_MAX} \
             the link leaves too little room for text in an SMS"
        );
        root.warn(message, "choose a shorter host name");
    }
}

#[cfg(test)]
mod tests;
