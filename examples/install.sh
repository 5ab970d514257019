#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# examples/install.sh OUTDIR: what follow.js needs, from npm, once.
set -eu

here=$(dirname -- "$(realpath -- "$0")")
mkdir -p "$1"
cp "$here/package.json" "$1"
cd "$1"
[ ! -d node_modules/dbus-next ] || exit 0
npm install --omit=optional --ignore-scripts --no-audit --no-fund --no-package-lock --silent
