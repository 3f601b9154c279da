//! What is measured, and its text for `/metrics`.
//!
//! Labels hold configured names and our own words only, never what a sender wrote: their number is
//! bounded by the configuration.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry, Unit};

type Labels = Vec<(&'static str, String)>;

/// All measurements of the process. Share it in an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Families,
    attempts: Family<Labels, Counter>,
    attempt_seconds: Family<Labels, Histogram>,
    queues: Family<Labels, Gauge>,
    commit_seconds: Histogram,
    batch_inputs: Histogram,
    timers_overdue: Gauge,
    incidents_held: Gauge,
    checks_held: Gauge,
    audit_clean: Gauge,
    disk_free_bytes: Gauge,
    connections: Family<Labels, Gauge>,
    body_bytes: Family<Labels, Gauge>,
    log_lines_lost: Counter,
}

/// Measurements by labels that are only ever counted up by one, or set: each with the method that
/// does it, whose arguments are the labels and, for a gauge, the value.
macro_rules! measures {
    (
        counts { $(
            #[doc = $count_doc:literal]
            $count:ident($($count_label:ident: $count_text:ty),+)
                = $count_name:literal, $count_help:literal;
        )+ }
        gauges { $(
            #[doc = $gauge_doc:literal]
            $gauge:ident($gauge_label:ident: $gauge_text:ty; $value:ident: $number:ty)
                = $gauge_name:literal, $gauge_help:literal;
        )+ }
    ) => {
        #[derive(Debug)]
        struct Families {
            $($count: Family<Labels, Counter>,)+
            $($gauge: Family<Labels, Gauge>,)+
        }

        impl Families {
            fn new(registry: &mut Registry) -> Self {
                Self {
                    $($count: add(registry, $count_name, $count_help),)+
                    $($gauge: add(registry, $gauge_name, $gauge_help),)+
                }
            }
        }

        impl Metrics {
            $(
                #[doc = $count_doc]
                pub fn $count(&self, $($count_label: $count_text),+) {
                    let labels = [$((stringify!($count_label), $count_label)),+];
                    at(&self.families.$count, labels).inc();
                }
            )+
            $(
                #[doc = $gauge_doc]
                pub fn $gauge(&self, $gauge_label: $gauge_text, $value: $number) {
                    let labels = [(stringify!($gauge_label), $gauge_label)];
                    at(&self.families.$gauge, labels).set(signed($value));
                }
            )+
        }
    };
}

measures! {
    counts {
        /// An event of a configured integration that was made durable.
        event_accepted(integration: &str) = "events_accepted", "Events stored durably";
        /// A receipt with its disposition.
        receipt(disposition: &'static str) = "receipts", "Receipts by disposition";
        /// A delivery report by a channel on an attempt that went by another.
        report_refused(channel: &str)
            = "delivery_reports_refused", "Delivery reports on attempts of another channel";
        /// A request in the name of a channel's provider, refused for its signature or key.
        request_refused(channel: &str)
            = "requests_refused",
              "Replies, buttons and reports refused for their signature or key";
        /// A page of a kind, on a medium, that reached a state.
        page(kind: &'static str, medium: &'static str, state: &'static str)
            = "pages", "Pages that reached a state";
        /// A client was not let in.
        connection_refused(listener: &'static str, why: &'static str)
            = "http_connections_refused", "Connections that were refused";
        /// As many clients are connected as may be.
        connections_full(listener: &'static str)
            = "http_connections_full",
              "How often all connections of a listener, or the share of a client, were in use";
        /// A client did not come as far as its first request.
        handshake_failed(listener: &'static str, why: &'static str)
            = "tls_handshakes_failed",
              "Connections whose client did not complete the handshake";
        /// The system gave no connection to a listener.
        accept_failed(listener: &'static str)
            = "http_accepts_failed",
              "Connections that could not be accepted for lack of descriptors or memory";
        /// A connection was ended to make room for another.
        connection_gave_way(listener: &'static str, was: &'static str)
            = "http_connections_gave_way", "Connections closed to make room for others";
        /// A request was refused because its pool has no room.
        body_refused(pool: &'static str)
            = "http_bodies_refused", "Requests refused because too many bytes of bodies were held";
        /// A task failed inside.
        task_panicked(task: &'static str) = "task_panics", "Tasks that panicked";
        /// A status page of a provider was looked at.
        provider_look(result: &'static str) = "provider_looks", "Looks at status pages";
        /// A request for one of our own status pages: the form and the class of its answer.
        status_request(page: &str, form: &'static str, code: &'static str)
            = "status_requests", "Requests for status pages of ours";
        /// A status page of ours was not written as files.
        status_export_failed(page: &str)
            = "status_export_failures", "Exports of status pages that failed";
        /// A check of our own was tried.
        check_run(outcome: &'static str) = "check_runs", "Tries of checks";
    }
    gauges {
        /// How many incidents are open in a status.
        set_open_incidents(status: &'static str; count: usize)
            = "open_incidents", "Open incidents by status";
        /// How many attempts wait in the lane of a channel.
        set_lane_waiting(channel: &str; count: usize) = "lane_waiting", "Queued attempts";
        /// When a channel last took a message, in seconds since 1970.
        set_last_success(channel: &str; at_seconds: i64)
            = "channel_last_success_timestamp_seconds", "When a channel last accepted a message";
        /// When the certificate of a listener expires.
        set_certificate_end(listener: &'static str; seconds: i64)
            = "tls_certificate_expires_timestamp_seconds",
              "When the certificate of a listener expires";
    }
}

/// The queues in front of the driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Outcomes, acknowledgments and all else that is no event.
    Command,
    Events,
}

impl Queue {
    fn as_str(self) -> &'static str {
        match self {
            Self::Command => "commands",
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

impl Metrics {
    /// Nothing measured yet.
    pub fn new() -> Self {
        let mut root = Registry::with_prefix("reveille");
        let registry = &mut root;
        let disk_free = "Free space on the disk of the store";
        let audit_clean = "1 if the last self-audit found nothing";
        let incidents_held = "Incidents that wait under one of a provider";
        let body_bytes = "Bytes of request bodies held in memory";
        let log_lines_lost = "Log lines that were dropped or could not be written";
        Self {
            families: Families::new(registry),
            attempts: add(registry, "attempts", "Attempts that ended, by outcome"),
            attempt_seconds: add_seconds(
                registry,
                "attempt",
                "Time from the start of an attempt to its outcome",
                Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.01, 2.0, 14))),
            ),
            queues: add(registry, "queue_length", "Queued inputs"),
            commit_seconds: add_seconds(
                registry,
                "commit",
                "Time to make a batch durable",
                Histogram::new(exponential_buckets(0.000_1, 2.0, 16)),
            ),
            batch_inputs: add_metric(
                registry,
                "batch_inputs",
                "Inputs in one commit",
                Histogram::new(exponential_buckets(1.0, 2.0, 9)),
            ),
            timers_overdue: add(registry, "timers_overdue", "Timers that are overdue"),
            incidents_held: add(registry, "incidents_held", incidents_held),
            checks_held: add(
                registry,
                "checks_held",
                "Checks that most likely our own network fails",
            ),
            audit_clean: add(registry, "audit_clean", audit_clean),
            disk_free_bytes: add(registry, "disk_free_bytes", disk_free),
            connections: add(registry, "http_connections", "Connections of clients"),
            body_bytes: add(registry, "http_body_bytes", body_bytes),
            log_lines_lost: add(registry, "log_lines_lost", log_lines_lost),
            registry: root,
        }
    }

    /// An attempt that ended.
    pub fn attempt(&self, channel: &str, outcome: &'static str, took: Duration) {
        at(&self.attempts, [("channel", channel), ("outcome", outcome)]).inc();
        at(&self.attempt_seconds, [("channel", channel)]).observe(took.as_secs_f64());
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

    /// How many timers should have run by now.
    pub fn set_timers_overdue(&self, count: usize) {
        self.timers_overdue.set(signed(count));
    }

    /// How many incidents wait under those of providers.
    pub fn set_incidents_held(&self, count: usize) {
        self.incidents_held.set(signed(count));
    }

    /// How many checks reach nothing, most likely for trouble of our own.
    pub fn set_checks_held(&self, count: usize) {
        self.checks_held.set(signed(count));
    }

    /// The result of the self-audit.
    pub fn set_audit(&self, audit: Audit) {
        self.audit_clean.set(i64::from(audit == Audit::Clean));
    }

    /// Free space on the disk of the store.
    pub fn set_disk_free(&self, bytes: u64) {
        self.disk_free_bytes.set(signed(bytes));
    }

    /// A client connected.
    pub fn connection_opened(&self, listener: &'static str) {
        at(&self.connections, [("listener", listener)]).inc();
    }

    /// A connection of a client ended.
    pub fn connection_closed(&self, listener: &'static str) {
        at(&self.connections, [("listener", listener)]).dec();
    }

    /// More bytes of bodies are held in a pool.
    pub fn body_bytes_held(&self, pool: &'static str, bytes: usize) {
        at(&self.body_bytes, [("pool", pool)]).inc_by(signed(bytes));
    }

    /// Bytes of bodies were given back to a pool.
    pub fn body_bytes_freed(&self, pool: &'static str, bytes: usize) {
        at(&self.body_bytes, [("pool", pool)]).dec_by(signed(bytes));
    }

    /// How many log lines were lost since the process began. Whether there are new ones.
    pub fn set_log_lines_lost(&self, count: u64) -> bool {
        let new = count.saturating_sub(self.log_lines_lost.get());
        self.log_lines_lost.inc_by(new);
        new > 0
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
    family: &Family<Labels, M>,
    labels: [(&'static str, &str); COUNT],
) -> M {
    family.get_or_create_owned(&labels.map(|(name, value)| (name, value.to_owned())).into())
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

fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
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
        metrics.set_queue_length(Queue::Command, 1);
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
        metrics.provider_look("changed");
        metrics.check_run("good");
        metrics.status_request("public", "api", "2xx");
        metrics.status_export_failed("public");
        metrics.set_checks_held(5);
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
            r#"reveille_queue_length{queue="commands"} 1"#,
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
            r#"reveille_provider_looks_total{result="changed"} 1"#,
            r#"reveille_check_runs_total{outcome="good"} 1"#,
            "reveille_checks_held 5",
            r#"reveille_status_requests_total{page="public",form="api",code="2xx"} 1"#,
            r#"reveille_status_export_failures_total{page="public"} 1"#,
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
