# packages.sh - which packages of Debian and Ubuntu are needed, and a function that installs what is missing of them.
# Sourced by packaging/run.sh, tests/run.sh and .ci/run. Asks nothing; touches nothing when all is there.
# shellcheck shell=sh disable=SC2034  # the lists are for those who source this file

BUILD_PACKAGES="gcc cmake make pkg-config libc6-dev libmicrohttpd-dev libcjson-dev libsystemd-dev libyaml-dev libsqlite3-dev libcurl4-openssl-dev libgnutls28-dev libwslay-dev libhiredis-dev libncurses-dev"
RUN_PACKAGES="curl ca-certificates" # for the line to try, and for actions that post
DEB_PACKAGES="debhelper dpkg-dev systemd" # systemd tells where units go
TEST_PACKAGES="libcmocka-dev libssl-dev curl python3 python3-pytest python3-pytest-xdist python3-jsonschema python3-yaml python3-prometheus-client python3-pyte redis-server python3-redis groff-base openssl ca-certificates"
HUB_PACKAGES="nodejs npm" # for tests of sessions, where there is no npm
BROWSER_PACKAGES="chromium chromium-driver python3-selenium fonts-inter fonts-noto-color-emoji" # for tests/browser: 430 MB
IMAGE_PACKAGES="buildah debootstrap iproute2" # for tests/system/image
COVERAGE_PACKAGES="gcovr"
CI_PACKAGES="clang libclang-rt-14-dev llvm clang-format cppcheck lintian systemd-container debootstrap valgrind"

# Those of the named packages that are not installed.
missing_packages() {
    for package in "$@"; do
        case " $(dpkg-query -W -f='${db:Status-Status} ' "$package" 2>/dev/null)" in
        *' installed '*) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# apt-get as root. What it has to say goes to stdout and stderr.
as_root_apt_get() {
    set -- env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
    if [ "$(id -u)" -eq 0 ]; then
        "$@" </dev/null
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@" </dev/null
    fi
}

install_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        printf '%s\n' "This script installs what it needs with apt, and this machine has none." \
            "On Debian 12 and 13 and on Ubuntu 24.04 these packages are needed: $*" >&2
        return 1
    fi
    packages=$(missing_packages "$@")
    [ -n "$packages" ] || return 0

    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        printf '%s\n' "Packages are missing, and installing them takes root or sudo. As root:" \
            "  apt-get install --no-install-recommends $packages" >&2
        return 1
    fi
    printf 'Installing: %s\n' "$packages"
    apt_log=$(mktemp) || return 1
    # An update that fails for some source is no reason to stop: what counts is whether the packages can be had.
    # shellcheck disable=SC2086  # a list of words
    if { as_root_apt_get update || true; } >"$apt_log" 2>&1 &&
        as_root_apt_get install --no-install-recommends $packages >>"$apt_log" 2>&1; then
        rm -f "$apt_log"
        return 0
    fi
    cat "$apt_log" >&2
    rm -f "$apt_log"
    printf '%s\n' "Installing failed; what apt said stands above. Missing: $packages" >&2
    return 1
}
