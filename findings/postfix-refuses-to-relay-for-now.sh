#!/usr/bin/env bash
# Postfix refuses to relay with 454, as if it would pass, and not with 554.
#
# One would guess that "Relay access denied" is final: manuals and most relays show it as 554 5.7.1,
# and `relay_domains_reject_code` is 554 here too. By default the relay restrictions end in
# `defer_unauth_destination`, though, and a client that is nobody's is answered
# `454 4.7.1 <reader>: Relay access denied`. So a sender that a relay will never take tries again
# and again, and nothing looks broken for good. Debian's package writes the same into main.cf.
#
# Seen with postfix 3.7.11 of Debian 12. Prints the defaults; needs apt.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download postfix >/dev/null 2>&1
dpkg -x postfix_*.deb root
dpkg -e postfix_*.deb control
mkdir conf
: >conf/main.cf
: >conf/master.cf

default() {
    LD_LIBRARY_PATH=root/usr/lib/postfix root/usr/sbin/postconf -c conf -dh "$1"
}

restrictions=$(default smtpd_relay_restrictions)
package=$(grep -c 'smtpd_relay_restrictions=.*defer_unauth_destination' control/postinst || true)
echo "postfix $(default mail_version)"
echo "relay_domains_reject_code: $(default relay_domains_reject_code)"
echo "smtpd_relay_restrictions: $restrictions"
echo "the package writes the same: $package"
[[ $restrictions == *defer_unauth_destination* && $package -ge 1 ]] || {
    echo "this has changed"
    exit 1
}
