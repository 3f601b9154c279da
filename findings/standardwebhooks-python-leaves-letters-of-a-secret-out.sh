#!/usr/bin/env bash
# Two libraries of Standard Webhooks make different things of one secret in URL-safe base64.
#
# A secret is `whsec_` and base64, and many make one with `secrets.token_urlsafe` or copy one in
# which + and / are - and _. One would guess that every library takes it or that every one refuses
# it. That for Python leaves the letters - and _ out without a word and signs with the shorter key
# that is left: it agrees with itself, and with nobody who read the secret right. That for
# JavaScript refuses the secret. So a sender in one language and a receiver in another meet "no
# matching signature" or an error, although both were given the same secret. Use + and /.
#
# Seen with standardwebhooks 1.1.0 of PyPI and 1.1.1 of npm. Needs python3 with venv, node and npm.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check standardwebhooks==1.1.0
npm init -y >/dev/null
npm install --silent standardwebhooks@1.1.1 >/dev/null

cat >ask.py <<'PYTHON'
import base64, datetime, hashlib, hmac
from standardwebhooks.webhooks import Webhook

secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_"
moment = datetime.datetime.fromtimestamp(1_767_225_600, tz=datetime.timezone.utc)

def signed_by(key):
    told = b"msg_1.1767225600.{}"
    return "v1," + base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()

seen = Webhook("whsec_" + secret).sign("msg_1", moment, "{}")
whole = base64.urlsafe_b64decode(secret)
short = base64.b64decode(secret.replace("-", "").replace("_", "") + "==")
print("python: key of", len(whole), "bytes:", seen == signed_by(whole))
print("python: key of", len(short), "bytes, two letters left out:", seen == signed_by(short))
PYTHON
cat >ask.js <<'JAVASCRIPT'
const { Webhook } = require("standardwebhooks");
try {
  new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_");
  console.log("javascript: taken");
} catch (error) {
  console.log("javascript: " + error.message);
}
JAVASCRIPT

expected='python: key of 24 bytes: False
python: key of 22 bytes, two letters left out: True
javascript: Base64Coder: incorrect characters for decoding'
seen=$(python/bin/python ask.py; node ask.js)
echo "$seen"
[ "$seen" = "$expected" ] || { echo "it behaves differently now"; exit 1; }
