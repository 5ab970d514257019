#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The modules of the page that know neither bus nor screen. Exits with 77 where there is no node.
set -euo pipefail

here=$(dirname -- "$(realpath -- "$0")")
command -v node >/dev/null || {
    echo "skipped: there is no node" >&2
    exit 77
}
exec node --test "$here"/modules-*.mjs
