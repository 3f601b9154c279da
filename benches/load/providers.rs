//! Thousands of status pages, watched once a minute each: what that takes of a processor and of
//! memory, and how soon a page leaves once a look has seen an outage.
//!
//! Each page is a server of its own on an address of the loopback network, as each provider is.
//! Sizes are from 5 to 400 KB, evenly over their magnitudes; three looks of five find what the look
//! before had, and are answered 304.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};

use crate::server::{Kind, Server, Setup};
use crate::{Failure, machine, say, tell};

const PAGES: usize = 4_000;
/// The first looks are spread over a minute.
const LEAD: Duration = Duration::from_secs(90);
const MEASURED: Duration = Duration::from_secs(120);
/// Outages whose pages are timed.
const OUTAGES: usize = 20;
/// A page is looked at within a minute.
const PATIENCE: Duration = Duration::from_secs(150);

const SMALL: f64 = 5_000.0;
const LARGE: f64 = 400_000.0;
const COMPONENT_BYTES: usize = 270;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// What the pages show.
struct Pages {
    /// Looks so far, by page.
    looks: Mutex<BTreeMap<Ipv4Addr, u64>>,
    /// Pages with an outage, and when a look first saw it.
    outages: Mutex<BTreeMap<Ipv4Addr, Option<Instant>>>,
    bodies: Vec<(String, String)>,
    served: Mutex<(u64, u64)>,
}

pub async fn measure(count: usize) -> Result<(), Failure> {
    let (sender, mut arrivals) = unbounded_channel();
    let receiver = receive_pages(sender).await?;
    let pages = Arc::new(Pages {
        looks: Mutex::default(),
        outages: Mutex::default(),
        bodies: (0..64).map(body).collect(),
        served: Mutex::default(),
    });
    let addresses = serve(&pages, count).await?;
    let setup = Setup::Watching {
        pages: addresses.clone(),
        count,
        receiver,
    };
    tell(&format!("{count} pages are watched, once a minute each"));
    let server = Server::start(Kind::Reveille, &setup).await?;
    sleep(LEAD).await;
    let before = machine::computed(server.process())?;
    *pages.served.lock().map_err(|_| "a server panicked")? = (0, 0);
    sleep(MEASURED).await;
    let computed = machine::computed(server.process())? - before;
    let (looks, unchanged) = *pages.served.lock().map_err(|_| "a server panicked")?;
    let resident = machine::resident(server.process())? / MEBIBYTE;
    let share = computed / MEASURED.as_micros() as f64 * 100.0;
    say(&format!(
        "{count} pages: {looks} documents in {} s, {unchanged} of them unchanged; {share:.1} % of \
         a processor, {resident:.0} MiB",
        MEASURED.as_secs()
    ));

    let mut times = Vec::new();
    let step = (addresses.len() / OUTAGES).max(1);
    for address in addresses.iter().step_by(step).take(OUTAGES) {
        let SocketAddr::V4(address) = address else {
            continue;
        };
        let ip = *address.ip();
        pages
            .outages
            .lock()
            .map_err(|_| "a server panicked")?
            .insert(ip, None);
    }
    for _ in 0..OUTAGES.min(addresses.len()) {
        let (ip, came) = timeout(PATIENCE, arrivals.recv())
            .await?
            .ok_or("the receiver of pages ended")?;
        let outages = pages.outages.lock().map_err(|_| "a server panicked")?;
        let seen = outages
            .get(&ip)
            .copied()
            .flatten()
            .ok_or("a page of no outage")?;
        times.push(came - seen);
    }
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    say(&format!(
        "from the answer with an outage to its page: p50 {:.1} ms, longest {:.1} ms, of {}",
        ms(times[times.len() / 2]),
        ms(times[times.len() - 1]),
        times.len()
    ));
    Ok(())
}

/// A server for each page, all on one port.
async fn serve(pages: &Arc<Pages>, count: usize) -> Result<Vec<SocketAddr>, Failure> {
    let mut addresses = Vec::new();
    let mut port = 0;
    for number in 0..count {
        let [high, low] = u16::try_from(number)?.to_be_bytes();
        let ip = Ipv4Addr::new(127, 1, high, low);
        let listener = TcpListener::bind((ip, port)).await?;
        let address = listener.local_addr()?;
        port = address.port();
        addresses.push(address);
        let router = Router::new()
            .route("/api/v2/summary.json", get(summary))
            .route("/api/v2/incidents.json", get(incidents))
            .with_state((pages.clone(), ip));
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    Ok(addresses)
}

type Page = (Arc<Pages>, Ipv4Addr);

async fn summary(State((pages, ip)): State<Page>, headers: HeaderMap) -> Response {
    let Ok(mut looks) = pages.looks.lock() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let look = looks.entry(ip).or_default();
    *look += 1;
    // Of five looks the first and the third find something new.
    let version = *look / 5 * 2 + u64::from(*look % 5 >= 1) + u64::from(*look % 5 >= 3);
    drop(looks);
    let is_out = {
        let Ok(mut outages) = pages.outages.lock() else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let outage = outages.get_mut(&ip);
        outage
            .map(|seen| seen.get_or_insert_with(Instant::now))
            .is_some()
    };
    let etag = format!("\"{version}-{is_out}\"");
    let is_same = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|known| *known == *etag);
    if let Ok(mut served) = pages.served.lock() {
        served.0 += 1;
        served.1 += u64::from(is_same);
    }
    if is_same {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    let place = ip
        .octets()
        .iter()
        .map(|byte| usize::from(*byte))
        .sum::<usize>();
    let (head, tail) = &pages.bodies[place % pages.bodies.len()];
    let incident = if is_out { outage(ip) } else { String::new() };
    let page =
        format!("\"page\":{{\"id\":\"{ip}\",\"name\":\"{ip}\",\"updated_at\":\"{version}\"}}");
    let body = format!("{{{page},{head}{incident}{tail}}}");
    ([(header::ETAG, etag)], body).into_response()
}

async fn incidents(State((pages, ip)): State<Page>) -> String {
    if let Ok(mut served) = pages.served.lock() {
        served.0 += 1;
    }
    let outages = pages.outages.lock();
    let is_out = outages.is_ok_and(|outages| outages.contains_key(&ip));
    let open = if is_out { outage(ip) } else { String::new() };
    let comma = if is_out { "," } else { "" };
    let past = incident("past", "resolved", "minor");
    format!("{{\"page\":{{\"id\":\"{ip}\"}},\"incidents\":[{open}{comma}{past}]}}")
}

fn outage(ip: Ipv4Addr) -> String {
    incident(&format!("out-{ip}"), "investigating", "major")
}

fn incident(id: &str, status: &str, impact: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"name\":\"outage {id}.\",\"status\":\"{status}\",\
         \"impact\":\"{impact}\",\
         \"created_at\":\"2026-11-01T08:00:00.000Z\",\"updated_at\":\"2026-11-01T09:00:00.000Z\",\
         \"incident_updates\":[],\"components\":[]}}"
    )
}

/// All of a summary but its incidents, of one of 64 sizes.
fn body(size: u32) -> (String, String) {
    let bytes = SMALL * (LARGE / SMALL).powf(f64::from(size) / 63.0);
    let count = bytes as usize / COMPONENT_BYTES;
    let component = |number: usize| {
        format!(
            "{{\"id\":\"component{number:05}\",\"name\":\"Region {number} of the service\",\
             \"status\":\"operational\",\"created_at\":\"2026-01-01T00:00:00.000Z\",\
             \"updated_at\":\"2026-11-01T00:00:00.000Z\",\"position\":{number},\
             \"description\":null,\"showcase\":false,\"group_id\":null,\"group\":false,\
             \"only_show_if_degraded\":false}}"
        )
    };
    let components: Vec<String> = (0..count).map(component).collect();
    let head = format!(
        "\"status\":{{\"indicator\":\"none\",\"description\":\"All Systems Operational\"}},\
         \"components\":[{}],\"scheduled_maintenances\":[],\"incidents\":[",
        components.join(",")
    );
    (head, "]".to_owned())
}

type Arrivals = UnboundedSender<(Ipv4Addr, Instant)>;

/// Receives pages; each names the address of the page that it is about.
async fn receive_pages(sender: Arrivals) -> Result<SocketAddr, Failure> {
    let receive = |State(sender): State<Arrivals>, page: Bytes| async move {
        let came = Instant::now();
        let page = String::from_utf8_lossy(&page);
        let ip = page.split("outage out-").nth(1).and_then(|rest| {
            let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
            rest[..end].trim_end_matches('.').parse().ok()
        });
        if let Some(ip) = ip {
            // Who does not wait for it any more has all that was measured.
            let _ = sender.send((ip, came));
        }
        StatusCode::OK
    };
    let router = Router::new()
        .route("/page", post(receive))
        .with_state(sender);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// All of them, or a tenth.
pub fn pages(divisor: u64) -> usize {
    PAGES / usize::try_from(divisor).unwrap_or(1).max(1)
}
