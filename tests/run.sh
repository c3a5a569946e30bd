#!/bin/sh
# run.sh - installs what is missing (Debian 12 or 13, Ubuntu 24.04, as root or with sudo), builds into build/ and runs
# all tests. Arguments go to ctest: "-L unit", "-R config".
set -eu
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$top/packaging/packages.sh"

# shellcheck disable=SC2086  # lists of words
install_packages $BUILD_PACKAGES $TEST_PACKAGES
# shellcheck disable=SC2086
command -v npm >/dev/null || install_packages $HUB_PACKAGES || echo "skipped: the tests of sessions, without npm"

cmake -S "$top" -B "$top/build" -DBUILD_TESTING=ON -DASSERTS=ON
cmake --build "$top/build" -j "$(nproc)"

results=$top/build/results.xml
rm -f "$results"
status=0
ctest --test-dir "$top/build" -j "$(nproc)" --output-on-failure --no-tests=error \
    --output-junit "$results" --test-output-size-passed 10000000 --test-output-size-failed 10000000 "$@" || status=$?
/usr/bin/python3 "$top/tests/checks/summary" "$results" || status=1
exit "$status"
