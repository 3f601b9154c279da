//! The reading of one body in each format. Bodies are those of the fixtures of the tests.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use reveille::inbound::{FORMATS, parse};

use crate::engine::NOW;
use crate::rules::{TEAM, compiled};

/// An integration of each format, under the word of the format.
const INTEGRATIONS: &str = "
integrations:
  native: { format: native }
  alertmanager: { format: alertmanager }
  alertmanager_api: { format: alertmanager_api }
  pagerduty: { format: pagerduty }
  generic:
    format: generic
    mapping:
      action: /heartbeat/status
      actions: { '0': trigger, '1': resolve }
      dedup_key: [/monitor/id]
      summary: /msg
      source: /monitor/name
      links: { Site: /monitor/url }
      details: /heartbeat
route: { policy: team }
";

macro_rules! fixture {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/fixtures/inbound/", $name, ".json"))
    };
}

/// By the word of the format.
const BODIES: [(&str, &[u8]); 5] = [
    ("native", fixture!("native/one_trigger")),
    (
        "alertmanager",
        fixture!("alertmanager/firing_and_resolved_together"),
    ),
    (
        "alertmanager_api",
        fixture!("alertmanager_api/prometheus_batch"),
    ),
    ("pagerduty", fixture!("pagerduty/documented_trigger")),
    ("generic", fixture!("generic/uptime_kuma_webhook")),
];

/// Each format that there is, so that one without a body here ends the run.
pub fn bodies(criterion: &mut Criterion) {
    let rules = compiled(format!("{TEAM}{INTEGRATIONS}"));
    let mut group = criterion.benchmark_group("format");
    for word in FORMATS.iter().map(|format| format.word) {
        let body = BODIES.iter().find(|(of, _)| *of == word);
        let (_, body) = body.unwrap_or_else(|| panic!("no body of the format {word} is here"));
        let integration = &rules.integrations[word];
        let parsed = parse(integration, body, NOW.wall);
        assert!(parsed.faults.is_empty(), "{word}: {:?}", parsed.faults);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(word, |bencher| {
            bencher.iter(|| parse(integration, black_box(body), NOW.wall));
        });
    }
    group.finish();
}
