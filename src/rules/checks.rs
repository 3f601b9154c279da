//! Checks of our own: what is tried, how often, and what has to be so.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::document::{
    Code, Diagnostics, Entry, MapReader, MapSchema, Node, Position, Value, check_count, named,
};
use crate::engine::event::Text;
use crate::engine::ids::{OwnCheckName, ProviderName};
use crate::engine::own_check::{CheckTarget, HostPort, HttpCheck, OwnCheck};
use crate::engine::time::Duration;
use crate::engine::urgency::Urgency;
use crate::text::truncate::quoted;

use super::Context;
use super::documents::Section;
use super::limits;
use super::names::{check_ascii, check_word};

const CHECK: MapSchema = MapSchema {
    what: "a check",
    keys: &[
        "http",
        "tcp",
        "tls",
        "dns",
        "status",
        "body",
        "latency",
        "certificate",
        "address",
        "every",
        "timeout",
        "urgency",
        "labels",
        "service",
    ],
    foreign: &[
        ("url", "write `http`"),
        ("host", "write `tcp: \"host:port\"` or `tls: \"host:port\"`"),
        ("interval", "write `every`"),
        ("expect", "write `status` or `body`"),
    ],
    may_be_empty: false,
};

/// What can be tried, each with the conditions that belong to it.
const KINDS: [(&str, &[&str]); 4] = [
    ("http", &["status", "body", "latency", "certificate"]),
    ("tcp", &[]),
    ("tls", &["certificate"]),
    ("dns", &["address"]),
];

const EVERY: Duration = Duration::minutes(1);
const EVERY_RANGE: RangeInclusive<Duration> = Duration::seconds(30)..=Duration::hours(1);
const TIMEOUT: Duration = Duration::seconds(10);
const TIMEOUT_RANGE: RangeInclusive<Duration> = Duration::seconds(1)..=Duration::seconds(30);
const LATENCY_RANGE: RangeInclusive<Duration> = Duration(1)..=Duration::seconds(30);
const CERTIFICATE_RANGE: RangeInclusive<Duration> = Duration::hours(1)..=Duration::days(365);
const STATUS: RangeInclusive<u16> = 200..=299;

/// A check as it stands in the documents, with its provider if it stands there.
type WrittenCheck<'doc> = (Option<&'doc str>, &'doc Entry);

impl<'doc> Context<'doc> {
    pub(super) fn checks(&mut self) -> BTreeMap<OwnCheckName, OwnCheck> {
        self.check_providers_checks();
        let written = self.written_checks();
        if let Some((_, entry)) = written.last() {
            let (at, count) = (entry.at, written.len());
            check_count(at, "`checks`", count, limits::CHECKS, &mut self.faults);
        }
        let read = written.into_iter().map(|(provider, entry)| {
            let check = self.own_check(provider, entry);
            (check.name.clone(), check)
        });
        read.collect()
    }

    /// The names of all checks.
    pub(super) fn check_names(&self) -> impl Iterator<Item = OwnCheckName> {
        let written = self.written_checks().into_iter();
        written.map(|(provider, entry)| full_name(provider, &entry.key))
    }

    fn written_checks(&self) -> Vec<WrittenCheck<'doc>> {
        let alone = self.names.entries(Section::Checks);
        let providers = self.names.entries(Section::Providers);
        let of_providers = providers.into_iter().flat_map(|provider| {
            let checks = provider.node.get("checks").map_or(&[][..], Node::entries);
            let name = Some(provider.key.as_str());
            checks.iter().map(move |entry| (name, entry))
        });
        let alone = alone.into_iter().map(|entry| (None, entry));
        alone.chain(of_providers).collect()
    }

    /// The names of top-level checks were looked at with all others.
    fn check_providers_checks(&mut self) {
        let faults = &mut self.faults;
        for provider in self.names.entries(Section::Providers) {
            let Some(node) = provider.node.get("checks") else {
                continue;
            };
            let most = limits::CHECKS_PER_PROVIDER;
            for entry in named(node, "`checks`", most, faults) {
                check_word("check", &entry.key, entry.at, faults);
                check_ascii("check", &entry.key, entry.at, faults);
            }
        }
    }

    fn own_check(&mut self, provider: Option<&str>, entry: &Entry) -> OwnCheck {
        let table = MapReader::open(&entry.node, &CHECK, &mut self.faults);
        let kind = kind_of(entry, &table, &mut self.faults);
        let target = self.check_target(entry, &table, kind);
        let faults = &mut self.faults;
        let every = table.duration("every", EVERY_RANGE, faults);
        let timeout = table.duration("timeout", TIMEOUT_RANGE, faults);
        let timeout = timeout.unwrap_or(TIMEOUT);
        if let CheckTarget::Http(http) = &target {
            check_latency(&table, http, timeout, faults);
        }
        let urgency = table.choice("urgency", &["high", "low"], faults);
        let service = table.text("service", faults).map(Text::from);
        OwnCheck {
            name: full_name(provider, &entry.key),
            provider: provider.map(ProviderName::from),
            target,
            every: every.unwrap_or(EVERY),
            timeout,
            urgency: match urgency {
                Some(0) => Urgency::High,
                _ => Urgency::Low,
            },
            labels: self.labels(&table),
            service,
        }
    }

    fn check_target(&mut self, entry: &Entry, table: &MapReader<'_>, kind: &str) -> CheckTarget {
        let faults = &mut self.faults;
        let certificate = table.duration("certificate", CERTIFICATE_RANGE, faults);
        let written = table.text(kind, faults).unwrap_or_default();
        match kind {
            "tcp" => CheckTarget::Tcp(self.host_port(entry, table, kind, written)),
            "tls" => CheckTarget::Tls {
                at: self.host_port(entry, table, kind, written),
                certificate,
            },
            "dns" => CheckTarget::Dns {
                name: dns_name(table, written, faults),
                address: dns_address(table, faults),
            },
            _ => {
                let body = table.text("body", faults).map(Text::from);
                let latency = table.duration("latency", LATENCY_RANGE, faults);
                let status = status_range(table, faults);
                let is_secret = !written.starts_with("http://");
                if let (false, Some(at)) = (is_secret, table.key_at("certificate")) {
                    let message = "an address with http:// has no certificate";
                    faults.error(Code::UnknownKey, at, message, "write https://");
                }
                self.check_url(entry, table, written);
                CheckTarget::Http(HttpCheck {
                    url: written.into(),
                    status: status.unwrap_or(STATUS),
                    body,
                    latency,
                    certificate,
                })
            }
        }
    }

    fn check_url(&mut self, entry: &Entry, table: &MapReader<'_>, url: &str) {
        let Some(node) = table.get("http").filter(|_| !url.is_empty()) else {
            return;
        };
        let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
        match host {
            // The address is not repeated: it holds a secret.
            Some(host) if host.contains('@') => {
                let message = format!("the address of check {} has a user name", entry.key);
                let help = "remove what is in front of the @";
                self.faults.error(Code::BadAddress, node.at, message, help);
            }
            Some(host) if !host.is_empty() => {
                let whose = format!("check {}", entry.key);
                self.check_asked_address(&whose, url, node.at);
            }
            _ => {
                let message = format!("{} is not an address on the web", quoted(url));
                let help = "write it whole: \"https://api.example.com/health\"";
                self.faults.error(Code::BadAddress, node.at, message, help);
            }
        }
    }

    fn host_port(
        &mut self,
        entry: &Entry,
        table: &MapReader<'_>,
        kind: &str,
        written: &str,
    ) -> HostPort {
        let nowhere = HostPort {
            host: "".into(),
            port: 0,
        };
        let Some(node) = table.get(kind).filter(|_| !written.is_empty()) else {
            return nowhere;
        };
        let Some(found) = split_host(written) else {
            let message = format!("{} is no host with a port", quoted(written));
            let help = "write \"db.example.com:5432\", an IPv6 address in brackets";
            self.faults.error(Code::BadAddress, node.at, message, help);
            return nowhere;
        };
        // What the process may reach is said of addresses on the web.
        let whose = format!("check {}", entry.key);
        self.check_asked_address(&whose, &format!("https://{found}/"), node.at);
        found
    }
}

fn full_name(provider: Option<&str>, name: &str) -> OwnCheckName {
    match provider {
        Some(provider) => format!("{provider}/{name}").into(),
        None => name.into(),
    }
}

/// Exactly one of the kinds, and no condition of another one.
fn kind_of(entry: &Entry, table: &MapReader<'_>, faults: &mut Diagnostics) -> &'static str {
    let given = KINDS.iter().filter(|(kind, _)| table.get(kind).is_some());
    let given: Vec<_> = given.collect();
    let (kind, own) = match given[..] {
        [found] => found,
        [] => {
            let message = format!("check {} tries nothing", quoted(&entry.key));
            let help = "add `http: \"https://…\"`, `tcp: \"host:port\"`, `tls: \"host:port\"` or \
                `dns: \"name\"`";
            faults.error(Code::MissingKey, entry.at, message, help);
            return "http";
        }
        [first, second, ..] => {
            let message = format!("a check has `{}` or `{}`, not both", first.0, second.0);
            let at = table.key_at(second.0).unwrap_or(entry.at);
            let help = "make two checks of it";
            faults.error(Code::RepeatedKey, at, message, help);
            return first.0;
        }
    };
    for (owner, conditions) in KINDS {
        let foreign = conditions.iter().filter(|key| !own.contains(key));
        for (key, at) in foreign.filter_map(|key| Some((key, table.key_at(key)?))) {
            let message = format!("`{key}` is no condition of a check with `{kind}`");
            let help = format!("remove it; it belongs to `{owner}`");
            faults.error(Code::UnknownKey, at, message, help);
        }
    }
    kind
}

/// One status, or a range of them.
fn status_range(table: &MapReader<'_>, faults: &mut Diagnostics) -> Option<RangeInclusive<u16>> {
    let node = table.get("status")?;
    let (first, last) = match &node.value {
        Value::Integer(status) => (u16::try_from(*status).ok(), u16::try_from(*status).ok()),
        Value::Text(range) => {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            (first.trim().parse().ok(), last.trim().parse().ok())
        }
        _ => (None, None),
    };
    if let (Some(first), Some(last)) = (first, last)
        && 100 <= first
        && first <= last
        && last <= 599
    {
        return Some(first..=last);
    }
    let message = "`status` is neither a status nor a range of them";
    let help = "write 200, or 200-299, between 100 and 599";
    faults.error(Code::BadNumber, node.at, message, help);
    None
}

/// An answer that is too late is no answer: a latency beyond the time limit would never count.
fn check_latency(
    table: &MapReader<'_>,
    http: &HttpCheck,
    timeout: Duration,
    faults: &mut Diagnostics,
) {
    let Some(at) = table.key_at("latency") else {
        return;
    };
    if http.latency.is_some_and(|latency| latency >= timeout) {
        let message = "`latency` is not shorter than `timeout`";
        let help = "choose a shorter `latency` or a longer `timeout`, which is 10s without one";
        faults.error(Code::BadDuration, at, message, help);
    }
}

fn split_host(written: &str) -> Option<HostPort> {
    let (host, port) = written.rsplit_once(':')?;
    let bracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_plain = |host: &str| is_host(host) && !host.contains(':');
    let host = match bracketed {
        Some(host) => host.parse::<core::net::Ipv6Addr>().ok().map(|_| host)?,
        None => Some(host).filter(|host| is_plain(host))?,
    };
    let port = port.parse().ok().filter(|port| *port != 0)?;
    Some(HostPort {
        host: host.into(),
        port,
    })
}

fn is_host(host: &str) -> bool {
    const HOST_BYTES_MAX: usize = 253;
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !host.is_empty() && host.len() <= HOST_BYTES_MAX && host.bytes().all(is_allowed)
}

fn dns_name(table: &MapReader<'_>, written: &str, faults: &mut Diagnostics) -> Text {
    let is_address = written.parse::<core::net::IpAddr>().is_ok();
    let at = at(table, "dns").filter(|_| !written.is_empty());
    if let Some(at) = at
        && (is_address || !is_host(written))
    {
        let message = format!("{} is no name of a host", quoted(written));
        let help = "write a name such as \"api.example.com\"";
        faults.error(Code::BadAddress, at, message, help);
    }
    written.into()
}

fn dns_address(table: &MapReader<'_>, faults: &mut Diagnostics) -> Option<core::net::IpAddr> {
    let written = table.text("address", faults)?;
    let parsed = written.parse().ok();
    if let (None, Some(at)) = (parsed, at(table, "address")) {
        let message = format!("{} is no IP address", quoted(written));
        let help = "write one such as \"192.0.2.1\"";
        faults.error(Code::BadAddress, at, message, help);
    }
    parsed
}

fn at(table: &MapReader<'_>, key: &str) -> Option<Position> {
    table.get(key).map(|node| node.at)
}
