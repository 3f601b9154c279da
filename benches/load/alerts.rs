//! The requests: alerts as Prometheus sends them, about 350 bytes each, written once. Only digits
//! change from one request to the next, so that making them costs the loader next to nothing.

use jiff::{SignedDuration, Timestamp};

use crate::Failure;
use crate::reveille::KEY;

/// So many names of alerts, and with `group_by: [alertname]` so many groups.
const NAMES: u64 = 200;

/// What stands before the number by which an alert is known in a page.
const HOST: &str = "host-";
const HOST_DIGITS: usize = 8;

/// A request for a number of alerts.
#[derive(Clone)]
pub struct Request {
    bytes: Vec<u8>,
    places: Vec<Places>,
    teams: u64,
    is_repeated: bool,
}

/// Where the digits of one alert stand.
#[derive(Clone, Copy)]
struct Places {
    name: usize,
    host: usize,
    team: usize,
    starts: usize,
    ends: usize,
}

impl Request {
    /// For so many alerts at once, of so many teams.
    pub fn new(alerts: usize, teams: u64) -> Result<Self, Failure> {
        let body = format!("[{}]", vec![alert()?; alerts].join(","));
        let head = format!(
            "POST /api/v2/alerts HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {KEY}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let text = head + &body;
        let find = |word: &str| -> Vec<usize> {
            let found = text.match_indices(word).map(|(at, _)| at + word.len());
            found.collect()
        };
        let (names, hosts, teams_at) = (find("DiskFull"), find(HOST), find("team-"));
        let (starts, ends) = (find("\"startsAt\":\""), find("\"endsAt\":\""));
        let place = |alert: usize| Places {
            name: names[alert],
            host: hosts[alert],
            team: teams_at[alert],
            starts: starts[alert],
            ends: ends[alert],
        };
        Ok(Self {
            places: (0..alerts).map(place).collect(),
            bytes: text.into_bytes(),
            teams,
            is_repeated: false,
        })
    }

    /// The same alerts each time.
    pub fn repeated(mut self) -> Self {
        self.is_repeated = true;
        self
    }

    /// Lets the alerts begin and end at these times.
    pub fn set_times(&mut self, starts: Timestamp, ends: Timestamp) {
        let (starts, ends) = (format!("{starts:.3}"), format!("{ends:.3}"));
        for places in &self.places {
            for (at, text) in [(places.starts, &starts), (places.ends, &ends)] {
                self.bytes[at..][..text.len()].copy_from_slice(text.as_bytes());
            }
        }
    }

    /// With alerts that begin and end at these times.
    pub fn at(mut self, starts: Timestamp, ends: Timestamp) -> Self {
        self.set_times(starts, ends);
        self
    }

    pub fn alerts(&self) -> u64 {
        self.places.len() as u64
    }

    /// The request of this number, with alerts that no other number has.
    pub fn number(&mut self, number: u64) -> &[u8] {
        if !self.is_repeated {
            let first = number * self.alerts();
            for (alert, places) in (first..).zip(&self.places) {
                digits(&mut self.bytes[places.name..][..3], alert % NAMES);
                digits(&mut self.bytes[places.host..][..HOST_DIGITS], alert);
                digits(&mut self.bytes[places.team..][..5], alert % self.teams);
            }
        }
        &self.bytes
    }
}

/// The number of the alert that a page is about.
pub fn number_in(page: &[u8]) -> Option<u64> {
    let host = HOST.as_bytes();
    let at = page.windows(host.len()).position(|part| part == host)? + host.len();
    let digits = std::str::from_utf8(page.get(at..at + HOST_DIGITS)?).ok()?;
    digits.parse().ok()
}

/// Written over lines, sent in one.
const ALERT: &str = r#"{
"labels": {
  "alertname": "DiskFull000", "instance": "host-00000000", "job": "node", "severity": "critical",
  "team": "team-00000"
},
"annotations": {"summary": "disk 97 percent full", "description": "grows by 3 GB an hour"},
"startsAt": "START", "endsAt": "END",
"generatorURL": "http://prometheus:9090/graph?g0.expr=disk_used+%3E+97&g0.tab=1"
}"#;

#[expect(clippy::disallowed_methods, reason = "an alert starts when it starts")]
fn alert() -> Result<String, Failure> {
    let now = Timestamp::now();
    // It outlives every run.
    let end = now.checked_add(SignedDuration::from_hours(24))?;
    let alert = ALERT.replace('\n', "").replace("  ", "").replace(": ", ":");
    let alert = alert.replace("START", &format!("{now:.3}"));
    Ok(alert.replace("END", &format!("{end:.3}")))
}

/// Writes a number into a place of fixed width.
fn digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
