//! What a router may write into its log while a test watches it: no error that the test does not
//! expect, and nothing that is no log line, such as a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use super::server::Place;

/// What is wrong with a log, given parts of the errors that are expected in it.
pub fn faults(log: &str, expected: &[String]) -> Vec<String> {
    let errors: Vec<&str> = log.lines().filter(|line| is_error(line)).collect();
    let is_expected = |line: &str| expected.iter().any(|part| line.contains(part));
    let unexpected = errors.iter().filter(|line| !is_expected(line));
    let unexpected = unexpected.map(|line| format!("unexpected: {line}"));
    let missing = expected
        .iter()
        .filter(|part| !errors.iter().any(|line| line.contains(part.as_str())));
    let missing = missing.map(|part| format!("expected, but never logged: {part}"));
    unexpected.chain(missing).collect()
}

/// The router logs one JSON object a line; whatever else stands there was written in distress.
fn is_error(line: &str) -> bool {
    let logged: Result<Value, _> = serde_json::from_str(line);
    logged.map_or(true, |logged| logged["level"] == "ERROR")
}

#[test]
fn an_error_or_a_panic_in_the_log_is_a_fault_unless_it_is_expected() {
    let log = "{\"level\":\"INFO\",\"message\":\"ERROR is only a word here\"}\n\
               {\"level\":\"WARN\",\"message\":\"slow\"}\n\
               {\"level\":\"ERROR\",\"message\":\"the store failed\"}\n\
               thread 'main' panicked at src/main.rs:1:1:\n";
    let expecting = |parts: &[&str]| {
        let parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        faults(log, &parts).len()
    };
    assert_eq!(expecting(&[]), 2);
    assert_eq!(expecting(&["the store failed"]), 1);
    assert_eq!(expecting(&["the store failed", "panicked"]), 0);
    assert_eq!(
        expecting(&["the store failed", "panicked", "slow"]),
        1,
        "a warning is no error"
    );
    assert_eq!(faults("", &["never".to_owned()]).len(), 1);
    assert_eq!(faults("", &[]).len(), 0);
}

#[test]
fn a_test_fails_for_an_error_in_the_log_of_its_router_that_it_does_not_expect() {
    let error = "{\"level\":\"ERROR\",\"message\":\"the store failed\"}\n";
    let ends_well = |expected: Option<&str>| {
        let place = Place::new("", "");
        std::fs::write(place.path().join("log"), error).unwrap();
        if let Some(part) = expected {
            place.expects_error(part);
        }
        catch_unwind(AssertUnwindSafe(|| drop(place))).is_ok()
    };
    assert!(!ends_well(None));
    assert!(!ends_well(Some("something else")));
    assert!(ends_well(Some("the store failed")));
}
