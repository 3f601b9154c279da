#!/usr/bin/env bash
# Twilio's own validators accept a request whose signature leaves out the port of the URL.
#
# One would guess that the signature covers the URL exactly as it was configured. Behind
# https://host:8443 Twilio signs some requests as https://host, and both official validators
# therefore try the URL with and without its port, whatever the port is, and not only the default
# one. Whoever compares the configured URL alone answers genuine replies and reports with 403.
#
# Seen with twilio 9.13.0 (Python) and twilio 6.3.1 (JavaScript): both print `True` / `true` for the
# signature without the port, and refuse one for another port.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

python3 -m venv python >/dev/null
python/bin/pip install -q twilio==9.13.0
npm install --silent --no-fund --no-audit twilio@6.3.1 >/dev/null

cat >seen.py <<'PYTHON'
from twilio.request_validator import RequestValidator

form = {"From": "+15005550006", "Body": "ack 1"}
validator = RequestValidator("a-token")
asked = "https://pager.example.com:8443/sms/inbound"
for signed in (asked, "https://pager.example.com/sms/inbound", "https://pager.example.com:99/sms/inbound"):
    signature = validator.compute_signature(signed, form)
    print(validator.validate(asked, form, signature))
PYTHON

cat >seen.js <<'JAVASCRIPT'
const crypto = require("crypto");
const { validateRequest } = require("twilio");

const form = { From: "+15005550006", Body: "ack 1" };
const asked = "https://pager.example.com:8443/sms/inbound";
const others = ["https://pager.example.com/sms/inbound", "https://pager.example.com:99/sms/inbound"];
for (const signed of [asked, ...others]) {
  const text = signed + "Body" + form.Body + "From" + form.From;
  const signature = crypto.createHmac("sha1", "a-token").update(text).digest("base64");
  console.log(validateRequest("a-token", signature, asked, form));
}
JAVASCRIPT

python_said=$(python/bin/python seen.py | tr '\n' ' ')
javascript_said=$(node seen.js | tr '\n' ' ')
echo "Python: $python_said"
echo "JavaScript: $javascript_said"
[ "$python_said" = "True True False " ] && [ "$javascript_said" = "true true false " ] || {
    echo "this has changed"
    exit 1
}
