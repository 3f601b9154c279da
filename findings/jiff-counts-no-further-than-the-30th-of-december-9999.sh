#!/usr/bin/env bash
# jiff reads the last second of the year 9999 and can make no moment of it, in any zone.
#
# X.509 writes "this certificate has no end" as 99991231235959Z (RFC 5280, 4.1.2.5), and one would
# guess that a library whose dates go to the end of 9999 makes a moment of it. Its civil times do;
# its moments end at 9999-12-30T22:00:00.999999999Z, so that a moment has a civil time in every
# zone. Who turns the end of such a certificate into a moment gets an error, and a router that takes
# that for a damaged certificate does not start. Take the largest moment instead.
#
# Seen with jiff 0.2.15 and 1.0.1. Needs cargo and the registry of crates.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

ask() {
    mkdir -p "$folder/$1/src"
    cat >"$folder/$1/Cargo.toml" <<TOML
[package]
name = "asks"
version = "0.0.0"
edition = "2021"
[dependencies]
jiff = { version = "=$1", default-features = false, features = ["std"] }
TOML
    cat >"$folder/$1/src/main.rs" <<'RUST'
use jiff::{civil::DateTime, tz::TimeZone, Timestamp};

fn main() {
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", "99991231235959Z");
    println!("civil: {}", civil.as_ref().expect("it is a date"));
    let moment = TimeZone::UTC.to_timestamp(civil.unwrap());
    println!("moment: {}", if moment.is_ok() { "made" } else { "refused" });
    let parsed: Result<Timestamp, _> = "9999-12-31T23:59:59Z".parse();
    println!("parsed: {}", if parsed.is_ok() { "made" } else { "refused" });
    println!("last: {}", Timestamp::MAX);
}
RUST
    (cd "$folder/$1" && cargo run --quiet)
}

expected='civil: 9999-12-31T23:59:59
moment: refused
parsed: refused
last: 9999-12-30T22:00:00.999999999Z'
for version in 0.2.15 1.0.1; do
    seen=$(ask "$version")
    printf 'jiff %s\n%s\n' "$version" "$seen"
    [ "$seen" = "$expected" ] || { echo "it behaves differently now"; exit 1; }
done
