#!/bin/sh
# deb.sh - makes the Debian package from the tree: installs what is missing (Debian 12, as root or with sudo), builds in
# build/deb and leaves build/sonoran-pushd_VERSION_ARCHITECTURE.deb, whose path is the last line.
#
#   sh packaging/deb.sh           the version of packaging/debian/changelog
#   sh packaging/deb.sh +test1    with that behind the version: a newer one of the same, to try an upgrade with
#
# debhelper makes it, not CPack: enabling and restarting units, conffiles, compressed man pages and the symbols of the
# programs are lines there and scripts of one's own here.
set -eu
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
. "$top/packaging/packages.sh"
suffix=${1:-}

# shellcheck disable=SC2086  # lists of words
install_packages $BUILD_PACKAGES $DEB_PACKAGES

version=$(dpkg-parsechangelog -l "$top/packaging/debian/changelog" -S Version)
if ! grep -q "^project(sonoran-pushd VERSION $version " "$top/CMakeLists.txt"; then
    echo "packaging/debian/changelog has version $version, CMakeLists.txt another." >&2
    exit 1
fi

# A tree of its own, with debian/ where the tools want it. The project's top level has no such folder.
work=$top/build/deb
source=$work/sonoran-pushd-$version$suffix
mkdir -p "$work"
rm -rf "$source"
mkdir "$source"
for name in CMakeLists.txt LICENSE README.md config include packaging src; do
    cp -R "$top/$name" "$source/"
done
mv "$source/packaging/debian" "$source/debian"
sed -i "1s/($version)/($version$suffix)/" "$source/debian/changelog"

# -d: what is needed was installed above; build-essential, which the check asks for, would bring a C++ compiler.
log=$work/build$suffix.log
if ! (cd "$source" && DEB_BUILD_OPTIONS="parallel=$(nproc) ${DEB_BUILD_OPTIONS:-}" \
    dpkg-buildpackage -b -us -uc -d) >"$log" 2>&1 </dev/null; then
    tail -n 50 "$log" >&2
    echo "Making the package failed; all that was said is in $log" >&2
    exit 1
fi
package=sonoran-pushd_$version${suffix}_$(dpkg --print-architecture).deb
mv "$work/$package" "$top/build/$package"
rm -rf "$source"
if command -v lintian >/dev/null; then
    lintian --allow-root --fail-on error,warning "$top/build/$package" >&2
fi
echo "$top/build/$package"
