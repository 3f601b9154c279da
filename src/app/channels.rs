//! From the settings to channels: each `[[channel]]` becomes one, the console always stands last.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context;
use secrecy::ExposeSecret;

use super::millis;
use crate::channels::Channel;
use crate::channels::console::{Console, Role, Screen};
use crate::channels::email::{self, Email};
use crate::channels::http::guard::Guard;
use crate::channels::http::{self, Http, HttpOptions, Proxy};
use crate::channels::links::Links;
use crate::channels::slack::{self, Slack};
use crate::channels::sms_gateway::{self, SmsWebhook};
use crate::channels::twilio::{self, Twilio};
use crate::channels::webhook::{self, Webhook};
use crate::config::{self, ChannelKind, Settings};
use crate::engine::ids::ChannelName;
use crate::engine::ruleset::{ChannelInfo, Settings as EngineSettings};
use crate::rules::web_address::{Objection, WebAddresses};
use crate::rules::zones::Zones;
use crate::rules::{Environment, Fit};
use crate::runtime::clock;
use crate::signing::standard_webhooks::Secret;

/// One channel with what the settings say of it.
struct Entry {
    channel: Arc<dyn Channel>,
    concurrency: usize,
    kind: &'static str,
}

/// All channels, in the order in which they are tried.
pub struct Built {
    entries: Vec<Entry>,
    http: Arc<Http>,
}

impl Built {
    /// The channels themselves.
    pub fn all(&self) -> Vec<Arc<dyn Channel>> {
        let entries = self.entries.iter();
        entries.map(|entry| entry.channel.clone()).collect()
    }

    /// Names and kinds.
    pub fn kinds(&self) -> impl Iterator<Item = (ChannelName, &'static str)> {
        self.entries
            .iter()
            .map(|entry| (entry.channel.info().name.clone(), entry.kind))
    }

    /// A channel by its name.
    pub fn find(&self, name: &ChannelName) -> Option<&Arc<dyn Channel>> {
        let channels = self.entries.iter().map(|entry| &entry.channel);
        channels
            .into_iter()
            .find(|channel| channel.info().name == *name)
    }

    /// The guarded client.
    pub fn http(&self) -> &Arc<Http> {
        &self.http
    }

    fn infos(&self) -> Vec<ChannelInfo> {
        let info = |entry: &Entry| ChannelInfo {
            concurrency: entry.concurrency,
            ..entry.channel.info().clone()
        };
        self.entries.iter().map(info).collect()
    }
}

/// Makes all channels. They connect only when there is something to send.
pub fn build(settings: &Settings, links: &Links, screen: &Screen) -> anyhow::Result<Built> {
    let http = Arc::new(Http::new(http_options(settings))?);
    let mut entries = Vec::new();
    let mut console_concurrency = None;
    let mut faults = Vec::new();
    for configured in &settings.channels {
        let channel = match one(configured, settings, &http, links) {
            Ok(Some(channel)) => channel,
            Ok(None) => {
                console_concurrency = Some(configured.concurrency);
                continue;
            }
            Err(fault) => {
                faults.push(format!("{fault:#}"));
                continue;
            }
        };
        let (concurrency, kind) = (configured.concurrency, configured.kind.as_str());
        entries.push(Entry {
            channel,
            concurrency,
            kind,
        });
    }
    if !faults.is_empty() {
        anyhow::bail!("{}", faults.join("\n"));
    }
    let role = if entries.is_empty() {
        Role::Only
    } else {
        Role::Beside
    };
    let console = Console::new(role, screen.clone(), links.clone());
    entries.push(Entry {
        channel: Arc::new(console),
        concurrency: console_concurrency.unwrap_or(1),
        kind: "console",
    });
    Ok(Built { entries, http })
}

/// The settings' proxy.
pub fn proxy(outbound: &config::Outbound) -> Option<Proxy> {
    let url = outbound.proxy.clone()?;
    let exempt = outbound.no_proxy.clone();
    Some(Proxy { url, exempt })
}

fn http_options(settings: &Settings) -> HttpOptions {
    HttpOptions {
        clock: Arc::new(clock::wall_now),
        allow_networks: settings.outbound.allow_networks.clone(),
        proxy: proxy(&settings.outbound),
        extra_roots: Vec::new(),
    }
}

/// One channel; `None` for the console, which is made last.
fn one(
    configured: &config::Channel,
    settings: &Settings,
    http: &Arc<Http>,
    links: &Links,
) -> anyhow::Result<Option<Arc<dyn Channel>>> {
    let name = ChannelName::from(configured.name.as_str());
    let (http, links) = (http.clone(), links.clone());
    Ok(Some(match &configured.kind {
        ChannelKind::Smtp(smtp) => Arc::new(Email::new(
            smtp_settings(name, smtp, &settings.public_url),
            links,
        )?),
        ChannelKind::Slack(slack) => {
            Arc::new(Slack::new(slack_settings(name, slack), http, links)?)
        }
        ChannelKind::Twilio(twilio) => {
            Arc::new(Twilio::new(twilio_settings(name, twilio), http, links)?)
        }
        ChannelKind::SmsWebhook(gateway) => Arc::new(SmsWebhook::new(
            gateway_settings(name, gateway),
            http,
            links,
        )?),
        ChannelKind::Webhook(webhook) => {
            let secret = Secret::parse(webhook.secret.expose_secret())
                .with_context(|| format!("channel {name}: secret"))?;
            let secrets = vec![secret];
            let settings = webhook::Settings { name, secrets };
            Arc::new(Webhook::new(settings, http, links)?)
        }
        ChannelKind::Console => return Ok(None),
    }))
}

fn slack_settings(name: ChannelName, slack: &config::Slack) -> slack::Settings {
    let is_signed = slack.signing_secret.is_some();
    slack::Settings {
        name,
        token: slack.token.clone(),
        api_url: slack.api_url.clone(),
        buttons: if is_signed {
            slack::Buttons::Shown
        } else {
            slack::Buttons::Hidden
        },
    }
}

fn twilio_settings(name: ChannelName, twilio: &config::Twilio) -> twilio::Settings {
    twilio::Settings {
        name,
        account_sid: twilio.account_sid.clone(),
        auth_token: twilio.auth_token.clone(),
        sender: match twilio.sender.clone() {
            config::TwilioSender::Number(number) => twilio::Sender::Number(number),
            config::TwilioSender::Letters(name) => twilio::Sender::Letters(name),
            config::TwilioSender::MessagingService(sid) => twilio::Sender::MessagingService(sid),
        },
        balance_min: twilio.balance_min,
        api_url: twilio.api_url.clone(),
    }
}

/// What is posted when the settings have no template.
const GATEWAY_BODY: &str =
    r#"{"to":{{ to|tojson }},"text":{{ text|tojson }},"page_id":{{ page_id|tojson }}}"#;

fn gateway_settings(name: ChannelName, gateway: &config::SmsWebhook) -> sms_gateway::Settings {
    let takes_replies = gateway.inbound_key.is_some();
    sms_gateway::Settings {
        name,
        url: gateway.url.clone(),
        method: gateway.method.clone(),
        headers: gateway.headers.clone(),
        body: gateway
            .body
            .clone()
            .unwrap_or_else(|| GATEWAY_BODY.to_owned()),
        success: gateway.success.clone(),
        message_id: gateway.message_id.clone(),
        balance: gateway
            .balance
            .as_ref()
            .map(|balance| sms_gateway::Balance {
                url: balance.url.clone(),
                amount: balance.amount.clone(),
                min: balance.min,
            }),
        replies: if takes_replies {
            sms_gateway::Replies::Read
        } else {
            sms_gateway::Replies::Lost
        },
    }
}

fn smtp_settings(name: ChannelName, smtp: &config::Smtp, public_url: &str) -> email::Settings {
    let host = public_url
        .split_once("://")
        .map_or(public_url, |(_, rest)| rest);
    let hello = smtp.hello.clone();
    email::Settings {
        name,
        host: smtp.host.clone(),
        port: smtp.port,
        tls: match smtp.tls {
            config::Tls::Starttls => email::Tls::StartTls,
            config::Tls::Implicit => email::Tls::Implicit,
            config::Tls::None => email::Tls::None,
        },
        username: smtp.username.clone(),
        password: smtp.password.clone(),
        from: smtp.from.clone(),
        reply_to: smtp.reply_to.clone(),
        hello: hello.unwrap_or_else(|| greeting_name(public_url, &smtp.from)),
        id_host: host.to_owned(),
        extra_roots: Vec::new(),
    }
}

/// The name with which relays are greeted unless one is set: the public host where that is a name
/// of the internet, else the domain of the sender. The machine's own name often has no domain, and
/// relays refuse such a name.
fn greeting_name(public_url: &str, from: &str) -> String {
    let host = public_url
        .split_once("://")
        .map_or(public_url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    let is_name = host.contains('.') && host.parse::<IpAddr>().is_err();
    if is_name {
        return host.to_owned();
    }
    let domain = from.rsplit('@').next().unwrap_or_default();
    domain.trim_end_matches(['>', ' ']).to_owned()
}

/// What rules are compiled against in this process.
pub fn environment(settings: &Settings, channels: &Built, zones: Zones) -> Environment {
    Environment {
        channels: channels.infos(),
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
    use super::*;

    #[test]
    fn a_relay_is_greeted_with_a_name_that_has_a_domain() {
        let from = "Reveille <pager@example.com>";
        for (public_url, from, expected) in [
            ("https://pager.example.org/", from, "pager.example.org"),
            ("https://pager.example.org:8443", from, "pager.example.org"),
            ("http://127.0.0.1:8080", from, "example.com"),
            ("http://[::1]:8080", "pager@example.com", "example.com"),
            ("http://pagerhost:8080", from, "example.com"),
        ] {
            assert_eq!(greeting_name(public_url, from), expected, "{public_url}");
        }
    }
}
