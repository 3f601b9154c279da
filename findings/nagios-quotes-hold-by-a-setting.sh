#!/usr/bin/env bash
# Quotes around a macro in a Nagios command protect nothing by themselves.
#
# One would guess that '$SERVICEOUTPUT$' in single quotes is safe, since $(…) is no command there.
# Nagios puts the text in before the shell reads the line, so that an apostrophe in the output of a
# check ends the quotes. What makes it safe is `illegal_macro_output_chars` of nagios.cfg, which
# takes the apostrophe out; it is no built-in default. Without that line `it's` loses its page: the
# shell finds an unterminated quote, and nothing is sent.
#
# Seen with nagios4-core 4.4.6 of Debian 12. Prints what each notification told; needs apt.
set -euo pipefail

folder=$(mktemp -d)
nagios=
trap '[ -z "$nagios" ] || kill "$nagios" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download nagios4-core >/dev/null 2>&1
dpkg -x nagios4-core_*.deb root
mkdir objects results archives

cat >objects/all.cfg <<CONFIG
define timeperiod {
  timeperiod_name always
  alias always
}
define command {
  command_name told
  command_line /usr/bin/printf '%s' '\$HOSTOUTPUT\$' > $folder/told
}
define contact {
  contact_name somebody
  host_notification_commands told
  service_notification_commands told
  host_notification_options d
  service_notification_options n
}
define host {
  host_name db1
  address 127.0.0.1
  max_check_attempts 1
  active_checks_enabled 0
  contacts somebody
  notification_options d
}
define service {
  host_name db1
  service_description any
  check_command told
  max_check_attempts 1
  active_checks_enabled 0
  contacts somebody
}
CONFIG

# Runs Nagios until it has told of a host whose check says something with an apostrophe.
tell() {
    rm -f told commands
    {
        echo "log_file=$folder/log"
        echo "cfg_dir=$folder/objects"
        echo "object_cache_file=$folder/cache"
        echo "status_file=$folder/status"
        echo "command_file=$folder/commands"
        echo "lock_file=$folder/lock"
        echo "temp_file=$folder/temp"
        echo "temp_path=$folder"
        echo "check_result_path=$folder/results"
        echo "log_archive_path=$folder/archives"
        echo "query_socket=$folder/socket"
        echo "nagios_user=$(id -un)"
        echo "nagios_group=$(id -gn)"
        echo "check_external_commands=1"
        echo "use_syslog=0"
        printf '%s\n' "$1"
    } >nagios.cfg
    root/usr/sbin/nagios4 nagios.cfg >out 2>&1 &
    nagios=$!
    for _ in $(seq 50); do [ -p commands ] && break || sleep 0.1; done
    echo "[$(date +%s)] PROCESS_HOST_CHECK_RESULT;db1;1;it's gone" >commands
    for _ in $(seq 50); do [ -e told ] && break || sleep 0.1; done
    kill "$nagios"
    wait "$nagios" || true
    nagios=
    if [ -s told ]; then echo "told: $(cat told)"; else echo "nothing was told"; fi
}

with=$(tell "illegal_macro_output_chars=\`~\$&|'\"<>")
without=$(tell "")
echo "with the line:    $with"
echo "without the line: $without"
[[ $with == "told: its gone" ]] && [[ $without == "nothing was told" ]] || {
    echo "this has changed"
    exit 1
}
