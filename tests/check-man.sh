#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# check-man.sh PAGE...: neither man nor mandoc has anything to complain of.
set -euo pipefail

for tool in man mandoc; do
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: there is no $tool" >&2
        exit 77
    fi
done

found=$(
    for page in "$@"; do
        [[ -s $page ]] || echo "$page: empty"
        LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 \
            man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null || true
        # Which other pages are installed here says nothing about this one.
        mandoc -T lint "$page" 2>&1 | grep -vE 'referenced manual not found|outdated mandoc.db' ||
            true
    done
)
[[ -z $found ]] || {
    printf '%s\n' "$found"
    exit 1
}
