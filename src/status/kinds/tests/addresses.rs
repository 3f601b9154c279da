//! Where the documents of a page are, from whatever address of it somebody pastes.

use super::*;

#[test]
fn the_documents_of_a_page_are_found_from_its_address() {
    let cases = [
        (
            "statuspage",
            "https://Status.example.com/incidents/abc#x",
            "https://status.example.com/api/v2/summary.json",
        ),
        (
            "incident_io",
            "https://status.example.com",
            "https://status.example.com/api/v2/summary.json",
        ),
        (
            "incident_io",
            "https://status.example.com/api/v1/summary",
            "https://status.example.com/api/v1/summary",
        ),
        (
            "status_io",
            "https://status.example.com/pages/history/5b36dc6502d06804c08349f7",
            "https://status-api.hostedstatus.com/1.0/status/5b36dc6502d06804c08349f7",
        ),
        (
            "status_io",
            "https://api.status.example/1.0/status/5b36dc6502d06804c08349f7",
            "https://api.status.example/1.0/status/5b36dc6502d06804c08349f7",
        ),
        (
            "uptime_kuma",
            "https://up.example.com/status/Main/",
            "https://up.example.com/api/status-page/main",
        ),
        (
            "uptime_kuma",
            "https://up.example.com",
            "https://up.example.com/api/status-page/default",
        ),
        (
            "cstate",
            "https://example.com/status/",
            "https://example.com/status/index.json",
        ),
        (
            "google",
            "https://status.cloud.google.com/summary",
            "https://status.cloud.google.com/incidents.json",
        ),
        (
            "google",
            "https://www.google.com/appsstatus/dashboard/summary",
            "https://www.google.com/appsstatus/dashboard/incidents.json",
        ),
        (
            "aws",
            "https://status.aws.amazon.com",
            "https://health.aws.amazon.com/public/currentevents",
        ),
    ];
    for (word, address, first) in cases {
        let address = StatusAddress::parse(address).expect("an address");
        let documents = (kind(word).expect("a kind").documents)(&address);
        assert_eq!(documents[0].url, first, "{word}");
        assert!(documents[0].is_required, "{word}");
    }
}
