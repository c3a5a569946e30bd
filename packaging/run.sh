#!/bin/sh
# run.sh - from nothing to a running daemon: installs what is missing (Debian 12 or 13, Ubuntu 24.04, as root or with
# sudo), builds, and runs sonoran-pushd in the foreground with config/demo.yaml. Arguments go to the daemon. Ctrl-C ends it.
set -eu
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$top/packaging/packages.sh"

# shellcheck disable=SC2086  # lists of words
install_packages $BUILD_PACKAGES $RUN_PACKAGES

# The tests need cmocka, the daemon does not.
testing=OFF
if pkg-config --exists cmocka; then
    testing=ON
fi
echo "Building …"
build_log=$(mktemp)
trap 'rm -f "$build_log"' EXIT
if ! { cmake -S "$top" -B "$top/build" -DBUILD_TESTING=$testing &&
    cmake --build "$top/build" --target sonoran-pushd --target sonoran-pushctl -j "$(nproc)"; } >"$build_log" 2>&1; then
    cat "$build_log" >&2
    echo "The build failed; the output stands above." >&2
    exit 1
fi
rm -f "$build_log"
trap - EXIT

cat <<'END'

To try it, in a second terminal:

  curl http://127.0.0.1:30120/sonorancad/event -d '{"key":"demo","type":"EVENT_911","data":{"call":{"callId":90417,"isEmergency":true,"caller":"John Doe","location":"118 Lantern St","description":"Smoke from the attic"}}}'

Ctrl-C ends the daemon.

END
exec "$top/build/sonoran-pushd" -c "$top/config/demo.yaml" "$@"
