//! The HTTP servers: the whole API, the part for the internet side, and status pages by themselves.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use super::bootstrap::First;
use super::desk::Desk;
use super::listener::{Limits, Listener};
use super::rules_service::RulesService;
use super::status_pages::{Served, StatusPages};
use super::tls::{self, Tls};
use super::watching::Watching;
use super::{secrets, serving};
use crate::api::audit_log::AuditLog;
use crate::api::auth::Auth;
use crate::api::body_budget::BodyBudget;
use crate::api::guesses::Guesses;
use crate::api::key_origin::note_keys_of_rules;
use crate::api::peer::TrustedProxies;
use crate::api::ports::{ApiSettings, ApiState, AppState, ReadinessLocks};
use crate::api::refusals::Refusals;
use crate::api::{public_router, router};
use crate::config::{Settings, TlsFiles};
use crate::engine::time::Timestamp;
use crate::runtime::clock;
use crate::runtime::handle::Handle;
use crate::runtime::supervise::Supervisor;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::web;

/// Requests under way are waited for at most this long.
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// What the API works with.
pub struct ServerParts<'start> {
    pub handle: &'start Handle,
    pub rulebook: Arc<RulesService>,
    pub providers: Arc<Watching>,
    pub desk: Arc<Desk>,
    pub status_pages: Arc<StatusPages>,
    pub metrics: &'start Arc<Metrics>,
    pub supervisor: &'start Supervisor,
    pub first: &'start First,
    pub audit_log: AuditLog,
    pub started_at: Timestamp,
    /// Version and source of those in use.
    pub time_zones: String,
}

/// Running servers.
pub struct Servers {
    /// Where the whole API listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Servers {
    /// Waits until one of them ends without having been told to.
    pub async fn failed(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Ok(())) | None => "it ended".to_owned(),
            Some(Err(error)) => error.to_string(),
        }
    }

    /// Takes no more connections and waits a moment for requests under way.
    pub async fn stop(mut self) {
        // Without a receiver the servers have ended already.
        let _ended = self.stop.send(true);
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                if let Err(error) = ended {
                    warn!(%error, "a server ended with an error");
                }
            }
        };
        if tokio::time::timeout(DRAIN_TIME, all).await.is_err() {
            warn!("some requests were still in progress");
        }
        // They may go on for as long as the process does.
        self.tasks.detach_all();
    }
}

/// Addresses that are ours, and certificates; nobody is listened to yet.
pub struct Bound {
    limits: Limits,
    /// Where the whole API will listen.
    address: SocketAddr,
    addresses: Vec<BoundAddress>,
}

/// An address with what is served there.
struct BoundAddress {
    /// The setting that names it.
    name: &'static str,
    address: SocketAddr,
    socket: TcpSocket,
    tls: Option<Tls>,
    serves: Serves,
}

/// What is served at an address.
#[derive(Clone, Copy)]
enum Serves {
    /// All routes, and status pages where no route is.
    Everything,
    /// The routes that the internet side needs.
    PublicRoutes,
    StatusPages,
}

impl Serves {
    fn served(self, state: &AppState, pages: &StatusPages) -> Served {
        match self {
            Self::Everything => pages.behind(router(state.clone(), web::routes)),
            Self::PublicRoutes => Served::Routes(public_router(state.clone(), web::routes)),
            Self::StatusPages => pages.alone(),
        }
    }
}

impl BoundAddress {
    fn bind(
        name: &'static str,
        address: SocketAddr,
        files: &Option<TlsFiles>,
        serves: Serves,
    ) -> anyhow::Result<Self> {
        let tls = files.as_ref().map(|files| Tls::open(name, files));
        let tls = tls
            .transpose()
            .with_context(|| format!("failed to read the certificate of {name}"))?;
        Ok(Self {
            name,
            address,
            socket: bind(address)?,
            tls,
            serves,
        })
    }
}

/// Binds the addresses, before anything is written: a start on a busy port leaves nothing behind.
pub fn bind_all(settings: &Settings, limits: Limits) -> anyhow::Result<Bound> {
    let files = &settings.listen_tls;
    let main = BoundAddress::bind("listen", settings.listen, files, Serves::Everything)?;
    let address = main.socket.local_addr();
    let address = address.context("failed to learn the address that was bound")?;
    let mut addresses = vec![main];
    for (name, address, files, serves) in [
        (
            "listen_public",
            settings.listen_public,
            &settings.listen_public_tls,
            Serves::PublicRoutes,
        ),
        (
            "listen_status",
            settings.listen_status,
            &settings.listen_status_tls,
            Serves::StatusPages,
        ),
    ] {
        if let Some(address) = address {
            addresses.push(BoundAddress::bind(name, address, files, serves)?);
        }
    }
    Ok(Bound {
        limits,
        address,
        addresses,
    })
}

/// Listens on the addresses and starts to serve.
pub async fn start(
    settings: &Settings,
    store: &dyn Store,
    bound: Bound,
    parts: ServerParts<'_>,
) -> anyhow::Result<Servers> {
    let metrics = parts.metrics.clone();
    let Bound {
        limits,
        address,
        addresses,
    } = bound;
    let proxies = Arc::new(TrustedProxies::new(settings.trusted_proxies.clone()));
    let supervisor = parts.supervisor;
    let pages = parts.status_pages.clone();
    let state = Arc::new(state(settings, store, parts)?);
    note_keys_of_rules(&state).await;
    for (listener, files) in [
        ("listen", &settings.listen_tls),
        ("listen_public", &settings.listen_public_tls),
        ("listen_status", &settings.listen_status_tls),
    ] {
        if files.is_none() {
            state.handle.tell(tls::without(listener));
        }
    }
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for bound in addresses {
        let listener = bound.socket.listen(BACKLOG);
        let listener = listener.with_context(|| cannot_listen(bound.address))?;
        let acceptor = bound.tls.as_ref().map(Tls::acceptor);
        let listener = Listener::new(
            listener,
            bound.name,
            limits,
            proxies.clone(),
            metrics.clone(),
        )
        .with_tls(acceptor);
        if let Some(tls) = bound.tls {
            let (tls, metrics) = (Arc::new(Mutex::new(tls)), metrics.clone());
            let handle = state.handle.clone();
            let keep = move || tls::keep(tls.clone(), handle.clone(), metrics.clone());
            supervisor.keep("certificate", keep);
        }
        let served = bound.serves.served(&state, &pages);
        let mut stopped = stopped.clone();
        let stopped = async move {
            // The sender going away means the same.
            let _gone = stopped.wait_for(|stop| *stop).await;
        };
        let (proxies, supervisor) = (proxies.clone(), supervisor.clone());
        tasks.spawn(serving::serve(
            listener, served, proxies, supervisor, stopped,
        ));
    }
    Ok(Servers {
        address,
        stop,
        tasks,
    })
}

/// A bound socket refuses connections until it listens, so that nobody waits for the recovery.
fn bind(address: SocketAddr) -> anyhow::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let bind = |socket: TcpSocket| {
        // A restart takes the address over from connections that linger.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    socket
        .and_then(bind)
        .with_context(|| cannot_listen(address))
}

fn cannot_listen(address: SocketAddr) -> String {
    format!("failed to listen on {address}; is another process using it? choose another --listen")
}

fn state(
    settings: &Settings,
    store: &dyn Store,
    parts: ServerParts<'_>,
) -> anyhow::Result<ApiState> {
    let inbound = settings.channels.iter().filter_map(|channel| {
        let inbound = channel.provider.inbound()?;
        Some((channel.name.clone(), inbound))
    });
    Ok(ApiState {
        handle: parts.handle.clone(),
        rulebook: parts.rulebook,
        checks: parts.providers.checks.clone(),
        providers: parts.providers,
        channels: parts.desk,
        auth: Auth::load(store, parts.first.admin_hash)?,
        audit_log: parts.audit_log,
        started_at: parts.started_at,
        metrics: parts.metrics.clone(),
        clock: Arc::new(clock::wall_now),
        random: Arc::new(secrets::fill),
        links_secret: parts.first.links_secret,
        inbound: inbound.collect(),
        refusals: Refusals::new(parts.metrics.clone()),
        guesses: Guesses::default(),
        bodies: BodyBudget::new(settings.body_budget_bytes, parts.metrics.clone()),
        looks: ReadinessLocks::default(),
        settings: ApiSettings {
            body_limit: settings.body_limit_bytes,
            body_limit_alertmanager: settings.body_limit_alertmanager_bytes,
            disk_min_bytes: settings.disk_min_bytes,
            public_url: settings.public_url.clone(),
            time_zones: parts.time_zones,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_that_panics_is_told_of_and_the_others_still_end_in_order() {
        let (stop, mut stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let _gone = stopped.wait_for(|stop| *stop).await;
        });
        tasks.spawn(async { panic!("a fault for this test") });
        let mut servers = Servers {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            stop,
            tasks,
        };
        let why = servers.failed().await;
        assert!(why.contains("panic"), "{why}");
        assert_eq!(servers.tasks.len(), 1);
        servers.stop().await;
    }
}
