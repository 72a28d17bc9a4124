#!/usr/bin/env bash
# Chromium for the tests of the web pages: Debian's package, where this user may install it.
# Exit code 69: there is none here, and none can be had without somebody's doing.
set -euo pipefail
! command -v chromium >/dev/null || exit 0
root=()
[ "$(id -u)" = 0 ] || root=(sudo -n)
if ! command -v apt-get >/dev/null || { [ ${#root[@]} != 0 ] && ! sudo -n true 2>/dev/null; }; then
    echo 'chromium: it is not here, and cannot be installed; install the package chromium to test the web pages.' >&2
    exit 69
fi
echo '  apt-get install chromium'
if ! { "${root[@]}" apt-get update && "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes \
    --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300 chromium fonts-dejavu-core; } >/dev/null; then
    echo 'chromium: the package cannot be had here; the tests of the web pages need it.' >&2
    exit 69
fi
