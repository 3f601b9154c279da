#!/usr/bin/env bash
# A date of HTTP whose weekday does not fit is a date to some libraries and none to others.
#
# `Retry-After: Mon, 06 Nov 1994 08:49:37 GMT` names a Sunday as Monday. The weekday adds nothing,
# and one would guess that readers leave it alone, as Python's does. The Rust crate httpdate, under
# hyper and most of what is built on it, refuses the whole date. So a server that makes its weekday
# by hand tells some clients when to come again, and others nothing.
#
# Seen with httpdate 1.0.3 of crates.io and the email.utils of Python 3. Needs python3 and cargo.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo init --quiet --vcs none --name ask
cargo add --quiet httpdate@=1.0.3 2>/dev/null
cat >src/main.rs <<'RUST'
fn main() {
    for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 06 Nov 1994 08:49:37 GMT"] {
        println!("httpdate: {text}: {}", httpdate::parse_http_date(text).is_ok());
    }
}
RUST
cat >ask.py <<'PYTHON'
from email.utils import parsedate_to_datetime

for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 06 Nov 1994 08:49:37 GMT"]:
    print(f"python: {text}: {parsedate_to_datetime(text).isoformat()}")
PYTHON

{ cargo run --quiet; python3 ask.py; } >seen
cat seen
cat >expected <<'EXPECTED'
httpdate: Sun, 06 Nov 1994 08:49:37 GMT: true
httpdate: Mon, 06 Nov 1994 08:49:37 GMT: false
python: Sun, 06 Nov 1994 08:49:37 GMT: 1994-11-06T08:49:37+00:00
python: Mon, 06 Nov 1994 08:49:37 GMT: 1994-11-06T08:49:37+00:00
EXPECTED
diff expected seen
echo "as seen before"
