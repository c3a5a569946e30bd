#!/bin/sh
# with_journald.sh COMMAND… - runs COMMAND (as this process) with a systemd-journald of its own, in a mount namespace of
# its own, so that the machine's journal is left alone. Needs root. The journal is in memory and without rate limits.
set -eu
if [ "${1:-}" != --inside ]; then
    exec unshare --mount --propagation private sh "$0" --inside "$@"
fi
shift
mount -t tmpfs -o size=2G tmpfs /run
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log
printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nRuntimeMaxUse=1G\nReadKMsg=no\nAudit=no\n' \
    >/run/systemd/journald.conf.d/bench.conf
# shellcheck disable=SC2086  # nothing, or a command before the command
setpriv --pdeathsig KILL ${JOURNALD_CPU:+taskset -c "$JOURNALD_CPU"} /lib/systemd/systemd-journald >/dev/null 2>&1 &
tries=0
until [ -S /run/systemd/journal/socket ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 6000 ] || { echo "systemd-journald does not start" >&2; exit 1; }
    sleep 0.01
done
exec "$@"
