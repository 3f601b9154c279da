//! Process settings: how they are read, and every fault in them at once.
//!
//! Flags win over the environment, the environment over the file, the file over the defaults.
//! `default.toml` is embedded: it holds every key with its default and is the manual of settings.
//! Nothing here reads the process environment: it arrives in [`Sources`], so that it is testable.

mod layers;
mod settings;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::channels::configured;
use crate::document::section::{Reading, Section};
use crate::document::{Diagnostic, units};

pub use self::layers::{Secrets, Sources};
pub use self::settings::{Outbound, Settings, TimeZones, TlsFiles, Watch};

use self::layers::Layers;
use self::settings::{LISTEN_TLS, OUTBOUND, SCHEMA, WATCH};

/// A `public_url` beyond this crowds the text out of an SMS.
const PUBLIC_URL_CHARACTERS_MAX: usize = 60;

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
    let listeners = [
        (
            "listen_public",
            settings.listen_public,
            &settings.listen_public_tls,
        ),
        (
            "listen_status",
            settings.listen_status,
            &settings.listen_status_tls,
        ),
    ];
    for (name, address, files) in listeners {
        if files.is_some() && address.is_none() {
            let message = format!("{name}_tls has files, and {name} is not set");
            root.refuse(&message, &format!("set {name} as well"));
        }
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

fn read_root(root: &mut Section<'_, '_>) -> Settings {
    let mut settings = Settings::default();
    settings.read_values(root);
    let public_url = root.read_address("public_url", units::url);
    warn_of_long_url(public_url.as_deref(), root);
    settings.listen_tls = tls_files(root.section("listen_tls", &LISTEN_TLS));
    let has_tls = settings.listen_tls.is_some();
    settings.public_url = public_url.unwrap_or_else(|| url_of(settings.listen, has_tls));
    settings.listen_public_tls = tls_files(root.section("listen_public_tls", &LISTEN_TLS));
    settings.listen_status_tls = tls_files(root.section("listen_status_tls", &LISTEN_TLS));
    settings
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
