//! From the settings to channels: each `[[channel]]` becomes one, the console always stands last.

use std::sync::Arc;

use super::options::millis;
use crate::channels::console::Screen;
use crate::channels::http::guard::Guard;
use crate::channels::http::{self, Http, HttpOptions, Proxy};
use crate::channels::links::Links;
use crate::channels::{Channel, Parts};
use crate::config::{self, Settings};
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{ChannelInfo, Settings as EngineSettings};
use crate::rules::web_address::{Objection, WebAddresses};
use crate::rules::zones::Zones;
use crate::rules::{Environment, Fit};
use crate::runtime::clock;

/// One channel with what the settings say of it.
pub struct BuiltChannel {
    pub info: ChannelInfo,
    pub kind: &'static str,
    pub channel: Arc<dyn Channel>,
}

/// All channels, in the order in which they are tried.
pub struct Built {
    entries: Vec<BuiltChannel>,
    http: Arc<Http>,
}

impl Built {
    /// The channels themselves.
    pub fn all(&self) -> &[BuiltChannel] {
        &self.entries
    }

    /// A channel by its name.
    pub fn find(&self, name: &ChannelName) -> Option<&BuiltChannel> {
        self.entries.iter().find(|entry| entry.info.name == *name)
    }

    /// The guarded client.
    pub fn http(&self) -> &Arc<Http> {
        &self.http
    }
}

/// Makes all channels, of which the console is the last. They connect only when there is something
/// to send.
pub fn build(settings: &Settings, links: &Links, screen: &Screen) -> anyhow::Result<Built> {
    let parts = Parts {
        http: Arc::new(Http::new(http_options(settings))?),
        links: links.clone(),
        screen: screen.clone(),
    };
    let mut entries = Vec::new();
    let mut faults = Vec::new();
    for configured in &settings.channels {
        let mut info = configured.info();
        // No provider can report to an address that only this machine knows.
        info.capabilities.receipts &= !links.is_local();
        match configured.provider.build(&parts) {
            Ok(channel) => entries.push(BuiltChannel {
                info,
                kind: configured.kind,
                channel,
            }),
            Err(fault) => faults.push(format!("{:#}", anyhow::Error::from_boxed(fault))),
        }
    }
    if !faults.is_empty() {
        anyhow::bail!("{}", faults.join("\n"));
    }
    let http = parts.http;
    Ok(Built { entries, http })
}

/// The settings' proxy.
fn proxy(outbound: &config::Outbound) -> Option<Proxy> {
    let url = outbound.proxy.clone()?;
    let exempt = outbound.no_proxy.clone();
    Some(Proxy { url, exempt })
}

/// How calls leave this process.
pub fn http_options(settings: &Settings) -> HttpOptions {
    HttpOptions {
        clock: Arc::new(clock::wall_now),
        allow_networks: settings.outbound.allow_networks.clone(),
        proxy: proxy(&settings.outbound),
        extra_roots: Vec::new(),
    }
}

/// What rules are compiled against in this process.
pub fn environment(settings: &Settings, channels: &Built, zones: Zones) -> Environment {
    Environment {
        channels: channels
            .all()
            .iter()
            .map(|entry| entry.info.clone())
            .collect(),
        settings: EngineSettings {
            failover_after: millis(settings.failover_after),
            still_firing_hold: millis(settings.still_firing_hold),
            silence_max: millis(settings.silence_max),
            page_limit: settings.page_limit,
            page_window: millis(settings.page_window),
            test_page: settings.test_page,
            watch_policy: settings.watch.policy.as_deref().map(Into::into),
            ..EngineSettings::default()
        },
        web_addresses: judged_by(channels.http().guard().clone()),
        zones,
        fit: Fit::Strict,
        ..Environment::default()
    }
}

/// What a process with these settings says to web addresses of rules.
pub fn web_addresses(outbound: &config::Outbound) -> WebAddresses {
    judged_by(Arc::new(Guard::new(outbound.allow_networks.clone())))
}

/// By what each call is judged before it leaves.
fn judged_by(guard: Arc<Guard>) -> WebAddresses {
    WebAddresses::new(move |address| {
        let url = http::parse_url(address).map_err(|problem| Objection::Address(problem.into()))?;
        http::literal(&guard, &url).map_err(|refused| {
            let kind = refused.kind;
            Objection::Network(format!("is {kind}, which webhooks may not reach"))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::channels::configured::Configured;
    use crate::channels::twilio;

    #[test]
    fn no_reports_are_expected_at_an_address_of_this_machine() {
        let provider = twilio::Settings {
            name: "sms".into(),
            account_sid: "AC1".to_owned(),
            auth_token: "hush".into(),
            shared_keys: Vec::new(),
            sender: twilio::Sender::Number("+15005550006".to_owned()),
            balance_min: None,
            api_url: "https://api.twilio.com".to_owned(),
        };
        let twilio = Configured {
            name: "sms".into(),
            kind: twilio::KIND.name,
            concurrency: 7,
            depends_on: Vec::new(),
            provider: Arc::new(provider),
        };
        let settings = Settings {
            channels: vec![twilio],
            ..Settings::default()
        };
        let screen: Screen = Arc::new(Mutex::new(Vec::new()));
        for (public_url, expected) in [
            ("http://localhost:8080", false),
            ("https://pager.example.com", true),
        ] {
            let built = build(&settings, &Links::new(public_url, [7; 32]), &screen);
            let built = built.expect("good settings");
            let info = &built.all()[0].info;
            assert_eq!(info.capabilities.receipts, expected, "{public_url}");
            assert_eq!(info.concurrency, 7);
        }
    }
}
