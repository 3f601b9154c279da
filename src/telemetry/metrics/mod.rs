//! What is measured, and its text for `/metrics`.
//!
//! Labels hold configured names and our own words only, never what a sender wrote: their number is
//! bounded by the configuration.

mod clients;

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry, Unit};

type Labels<const COUNT: usize> = [(&'static str, String); COUNT];
type Counters<const COUNT: usize> = Family<Labels<COUNT>, Counter>;
type Gauges<const COUNT: usize> = Family<Labels<COUNT>, Gauge>;

/// All measurements of the process. Share it in an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    events: Counters<1>,
    receipts: Counters<1>,
    attempts: Counters<2>,
    attempt_seconds: Family<Labels<1>, Histogram>,
    reports_refused: Counters<1>,
    requests_refused: Counters<1>,
    pages: Counters<3>,
    open_incidents: Gauges<1>,
    queues: Gauges<1>,
    commit_seconds: Histogram,
    batch_inputs: Histogram,
    lanes_waiting: Gauges<1>,
    timers_overdue: Gauge,
    audit_clean: Gauge,
    last_success: Gauges<1>,
    disk_free_bytes: Gauge,
    connections: Connections,
    log_lines_lost: Counter,
    panics: Counters<1>,
    body_bytes: Gauges<1>,
    bodies_refused: Counters<1>,
}

/// Connections of clients, by the listener that they came to.
#[derive(Debug)]
struct Connections {
    open: Gauges<1>,
    full: Counters<1>,
    refused: Counters<2>,
    handshakes: Counters<2>,
    accepts_failed: Counters<1>,
    gave_way: Counters<2>,
    certificates: Gauges<1>,
}

impl Connections {
    fn new(registry: &mut Registry) -> Self {
        let refused = "Connections that were refused";
        let full = "How often all connections of a listener, or the share of a client, were in \
            use";
        let handshakes = "Connections whose client did not complete the handshake";
        let accepts = "Connections that could not be accepted for lack of descriptors or memory";
        let gave_way = "Connections closed to make room for others";
        let certificates = "tls_certificate_expires_timestamp_seconds";
        let expires = "When the certificate of a listener expires";
        Self {
            accepts_failed: add(registry, "http_accepts_failed", accepts),
            gave_way: add(registry, "http_connections_gave_way", gave_way),
            handshakes: add(registry, "tls_handshakes_failed", handshakes),
            certificates: add(registry, certificates, expires),
            open: add(registry, "http_connections", "Connections of clients"),
            full: add(registry, "http_connections_full", full),
            refused: add(registry, "http_connections_refused", refused),
        }
    }
}

/// The queues in front of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Outcomes, acknowledgments, timers.
    Control,
    Events,
}

impl Queue {
    fn as_str(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Events => "events",
        }
    }
}

/// What the self-audit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audit {
    Clean,
    Troubled,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

const BODY_BYTES: &str = "Bytes of request bodies held in memory";
const BODIES_REFUSED: &str = "Requests refused because too many bytes of bodies were held";
const REPORTS_REFUSED: &str = "Delivery reports on attempts of another channel";
const LOG_LINES_LOST: &str = "Log lines that were dropped or could not be written";
const REQUESTS_REFUSED: &str = "Replies, buttons and reports refused for their signature or key";

impl Metrics {
    /// Nothing measured yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("reveille");
        Self {
            events: add(&mut registry, "events_accepted", "Events stored durably"),
            receipts: add(&mut registry, "receipts", "Receipts by disposition"),
            attempts: add(&mut registry, "attempts", "Attempts that ended, by outcome"),
            attempt_seconds: add_seconds(
                &mut registry,
                "attempt",
                "Time from the start of an attempt to its outcome",
                Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.01, 2.0, 14))),
            ),
            reports_refused: add(&mut registry, "delivery_reports_refused", REPORTS_REFUSED),
            requests_refused: add(&mut registry, "requests_refused", REQUESTS_REFUSED),
            pages: add(&mut registry, "pages", "Pages that reached a state"),
            open_incidents: add(&mut registry, "open_incidents", "Open incidents by status"),
            queues: add(&mut registry, "queue_length", "Queued inputs"),
            commit_seconds: add_seconds(
                &mut registry,
                "commit",
                "Time to make a batch durable",
                Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
            ),
            batch_inputs: add_metric(
                &mut registry,
                "batch_inputs",
                "Inputs in one commit",
                Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            ),
            lanes_waiting: add(&mut registry, "lane_waiting", "Queued attempts"),
            timers_overdue: add(&mut registry, "timers_overdue", "Timers that are overdue"),
            audit_clean: add(
                &mut registry,
                "audit_clean",
                "1 if the last self-audit found nothing",
            ),
            last_success: add(
                &mut registry,
                "channel_last_success_timestamp_seconds",
                "When a channel last accepted a message",
            ),
            disk_free_bytes: add(
                &mut registry,
                "disk_free_bytes",
                "Free space on the disk of the store",
            ),
            connections: Connections::new(&mut registry),
            body_bytes: add(&mut registry, "http_body_bytes", BODY_BYTES),
            bodies_refused: add(&mut registry, "http_bodies_refused", BODIES_REFUSED),
            log_lines_lost: add(&mut registry, "log_lines_lost", LOG_LINES_LOST),
            panics: add(&mut registry, "task_panics", "Tasks that panicked"),
            registry,
        }
    }

    /// An event of a configured integration that was made durable.
    pub fn event_accepted(&self, integration: &str) {
        at(&self.events, [("integration", integration)]).inc();
    }

    /// A receipt with its disposition.
    pub fn receipt(&self, disposition: &'static str) {
        at(&self.receipts, [("disposition", disposition)]).inc();
    }

    /// An attempt that ended.
    pub fn attempt(&self, channel: &str, outcome: &'static str, took: Duration) {
        at(&self.attempts, [("channel", channel), ("outcome", outcome)]).inc();
        at(&self.attempt_seconds, [("channel", channel)]).observe(took.as_secs_f64());
    }

    /// A delivery report by a channel on an attempt that went by another.
    pub fn report_refused(&self, channel: &str) {
        at(&self.reports_refused, [("channel", channel)]).inc();
    }

    /// A request in the name of a channel's provider, refused for its signature or key.
    pub fn request_refused(&self, channel: &str) {
        at(&self.requests_refused, [("channel", channel)]).inc();
    }

    /// A page of a kind, on a medium, that reached a state.
    pub fn page(&self, kind: &'static str, medium: &'static str, state: &'static str) {
        at(
            &self.pages,
            [("kind", kind), ("medium", medium), ("state", state)],
        )
        .inc();
    }

    /// How many incidents are open in a status.
    pub fn set_open_incidents(&self, status: &'static str, count: usize) {
        at(&self.open_incidents, [("status", status)]).set(signed(count));
    }

    /// How many inputs wait for the driver.
    pub fn set_queue_length(&self, queue: Queue, count: usize) {
        at(&self.queues, [("queue", queue.as_str())]).set(signed(count));
    }

    /// A commit: how long it took and how many inputs it made durable.
    pub fn commit(&self, took: Duration, inputs: u32) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.batch_inputs.observe(f64::from(inputs));
    }

    /// How many attempts wait in the lane of a channel.
    pub fn set_lane_waiting(&self, channel: &str, count: usize) {
        at(&self.lanes_waiting, [("channel", channel)]).set(signed(count));
    }

    /// How many timers should have run by now.
    pub fn set_timers_overdue(&self, count: usize) {
        self.timers_overdue.set(signed(count));
    }

    /// The result of the self-audit.
    pub fn set_audit(&self, audit: Audit) {
        self.audit_clean.set(match audit {
            Audit::Clean => 1,
            Audit::Troubled => 0,
        });
    }

    /// When a channel last took a message, in seconds since 1970.
    pub fn set_last_success(&self, channel: &str, at_seconds: i64) {
        at(&self.last_success, [("channel", channel)]).set(at_seconds);
    }

    /// Free space on the disk of the store.
    pub fn set_disk_free(&self, bytes: u64) {
        self.disk_free_bytes
            .set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// How many log lines were lost since the process began. Whether there are new ones.
    pub fn set_log_lines_lost(&self, count: u64) -> bool {
        let new = count.saturating_sub(self.log_lines_lost.get());
        self.log_lines_lost.inc_by(new);
        new > 0
    }

    /// A task failed inside.
    pub fn task_panicked(&self, task: &'static str) {
        at(&self.panics, [("task", task)]).inc();
    }

    /// All of it in the OpenMetrics text format.
    pub fn render(&self) -> String {
        let mut text = String::new();
        // Writing into a string cannot fail; an empty answer would show if it ever did.
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(std::fmt::Error) => String::new(),
        }
    }
}

/// The measurement with these labels.
fn at<const COUNT: usize, M: Clone>(
    family: &Family<Labels<COUNT>, M>,
    labels: [(&'static str, &str); COUNT],
) -> M {
    family.get_or_create_owned(&labels.map(|(name, value)| (name, value.to_owned())))
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    add_metric(registry, name, help, M::default())
}

fn add_metric<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn add_seconds<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_in_the_text() {
        let metrics = Metrics::new();
        metrics.event_accepted("prometheus");
        metrics.receipt("opened");
        metrics.attempt("sms", "accepted", Duration::from_millis(400));
        metrics.report_refused("sms");
        metrics.request_refused("sms");
        metrics.page("bundle", "sms", "sent");
        metrics.set_open_incidents("triggered", 2);
        metrics.set_queue_length(Queue::Control, 1);
        metrics.commit(Duration::from_micros(900), 5);
        metrics.set_lane_waiting("sms", 4);
        metrics.set_timers_overdue(1);
        metrics.set_audit(Audit::Clean);
        metrics.set_last_success("sms", 1_700_000_000);
        metrics.set_disk_free(1 << 30);
        metrics.connection_opened("listen");
        metrics.connection_opened("listen");
        metrics.connection_closed("listen");
        metrics.connections_full("listen");
        metrics.connection_refused("listen", "share");
        metrics.handshake_failed("listen", "slow");
        metrics.accept_failed("listen");
        metrics.connection_gave_way("listen", "idle");
        metrics.set_certificate_end("listen", 1_800_000_000);
        metrics.body_bytes_held("known", 7);
        metrics.body_bytes_freed("known", 2);
        metrics.body_refused("unknown");
        assert!(metrics.set_log_lines_lost(7));
        assert!(!metrics.set_log_lines_lost(7), "no new ones");
        metrics.task_panicked("attempt");
        let text = metrics.render();
        let expected = [
            r#"reveille_events_accepted_total{integration="prometheus"} 1"#,
            r#"reveille_receipts_total{disposition="opened"} 1"#,
            r#"reveille_attempts_total{channel="sms",outcome="accepted"} 1"#,
            r#"reveille_attempt_seconds_count{channel="sms"} 1"#,
            r#"reveille_delivery_reports_refused_total{channel="sms"} 1"#,
            r#"reveille_requests_refused_total{channel="sms"} 1"#,
            r#"reveille_pages_total{kind="bundle",medium="sms",state="sent"} 1"#,
            r#"reveille_open_incidents{status="triggered"} 2"#,
            r#"reveille_queue_length{queue="control"} 1"#,
            "reveille_commit_seconds_count 1",
            "reveille_batch_inputs_sum 5",
            r#"reveille_lane_waiting{channel="sms"} 4"#,
            "reveille_timers_overdue 1",
            "reveille_audit_clean 1",
            r#"reveille_channel_last_success_timestamp_seconds{channel="sms"} 1700000000"#,
            "reveille_disk_free_bytes 1073741824",
            r#"reveille_http_connections{listener="listen"} 1"#,
            r#"reveille_http_connections_full_total{listener="listen"} 1"#,
            r#"reveille_http_connections_refused_total{listener="listen",why="share"} 1"#,
            r#"reveille_http_accepts_failed_total{listener="listen"} 1"#,
            r#"reveille_http_connections_gave_way_total{listener="listen",was="idle"} 1"#,
            r#"reveille_tls_handshakes_failed_total{listener="listen",why="slow"} 1"#,
            r#"reveille_tls_certificate_expires_timestamp_seconds{listener="listen"} 1800000000"#,
            r#"reveille_http_body_bytes{pool="known"} 5"#,
            r#"reveille_http_bodies_refused_total{pool="unknown"} 1"#,
            "reveille_log_lines_lost_total 7",
            r#"reveille_task_panics_total{task="attempt"} 1"#,
            "# EOF",
        ];
        for line in expected {
            assert!(
                text.lines().any(|found| found.starts_with(line)),
                "{line}\n{text}"
            );
        }
    }

    #[test]
    fn a_name_cannot_break_out_of_its_label() {
        let metrics = Metrics::new();
        metrics.set_lane_waiting("a\"} 1\nb", 1);
        let text = metrics.render();
        assert!(text.contains(r#"{channel="a\"} 1\nb"} 1"#), "{text}");
    }
}
