#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# test-look.sh WORK: cockpit/patternfly.css is what patternfly.py makes of the package of npm that
# cockpit/package-lock.json names; WORK keeps the package. Exits with 77, and says why, where it cannot be had.
set -euo pipefail

page=$(realpath -- "$(dirname -- "$0")/../../cockpit")
work=$1
command -v npm >/dev/null || {
    echo "skipped: there is no npm" >&2
    exit 77
}
mkdir -p "$work"
cp "$page"/package*.json "$work"
if ! cmp -s "$work/package-lock.json" "$work/installed.json"; then
    (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent) || {
        echo "skipped: PatternFly cannot be had from npm" >&2
        exit 77
    }
    cp "$work/package-lock.json" "$work/installed.json"
fi
diff <("$page/patternfly.py" "$work/node_modules/@patternfly/patternfly") "$page/patternfly.css"
