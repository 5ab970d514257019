#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tests/fuzz.sh [SECONDS [TARGET...]]
#
# Builds each parser of outside data with clang, libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer, and runs each for so many seconds (5): options, domain-xml,
# snapshot-xml, libvirt-uri, daemon-watch, method-options. What is found new goes into build-fuzz/corpus,
# where the next run goes on from; tests/fuzz/corpus is where all begin. What fails is left in
# build-fuzz, to be tried again with "build-fuzz/fuzz-TARGET FILE" and, when it is mended, kept in
# tests/fuzz/corpus/TARGET.
set -euo pipefail

cd "$(dirname -- "$(dirname -- "$(realpath -- "$0")")")"
seconds=${1:-5}
targets=("${@:2}")
((${#targets[@]})) || targets=(options domain-xml snapshot-xml libvirt-uri daemon-watch method-options)
echo 'int main(void) { return 0; }' | clang -fsanitize=fuzzer-no-link,address -x c -o /dev/null - \
    2>/dev/null || {
    echo "skipped: clang with libFuzzer is not installed" >&2
    exit 77
}

# The sources of each, beside its own.
declare -A sources=(
    [options]="vmsd/options.c util/log.c util/utf8.c"
    [daemon-watch]="core/daemon-watch.c util/log.c util/utf8.c"
    [libvirt-uri]="model/libvirt-uri.c"
    [method-options]="bus/method-options.c"
    [snapshot-xml]="model/snapshot-xml.c model/rows.c util/xml.c util/utf8.c"
    [domain-xml]="model/domain.c model/domain-next.c model/domain-xml.c model/domain-xml-config.c
        model/domain-xml-device.c model/domain-xml-disk.c model/domain-xml-graphics.c
        model/domain-xml-hostdev.c model/domain-xml-nic.c model/domain-xml-peek.c
        model/domain-xml-row.c model/guest.c
        model/hardware.c model/problems.c model/rows.c util/xml.c util/utf8.c"
)
includes=()
for folder in src/*/; do
    includes+=("-I$folder")
done
read -ra flags < <(pkg-config --cflags --libs glib-2.0 libsystemd libxml-2.0)

build() {
    local target=$1 files=()
    read -ra files -d '' <<<"${sources[$target]}" || true
    clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
        -fno-sanitize-recover=undefined -DFUZZING -Ibuild-fuzz "${includes[@]}" \
        -o "build-fuzz/fuzz-$target" "tests/fuzz/fuzz-$target.c" "${files[@]/#/src/}" "${flags[@]}"
}

failed=()
mkdir -p build-fuzz
echo '#define PROJECT_VERSION "fuzz"' >build-fuzz/config.h
for target in "${targets[@]}"; do
    build "$target"
    mkdir -p "build-fuzz/corpus/$target"
    echo "fuzz-$target: $seconds s"
    G_SLICE=always-malloc "build-fuzz/fuzz-$target" -max_total_time="$seconds" -timeout=10 \
        -rss_limit_mb=1024 -max_len=16384 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix="build-fuzz/$target-" "build-fuzz/corpus/$target" \
        "tests/fuzz/corpus/$target" 2>&1 | tee "build-fuzz/$target.log" |
        grep -E '^stat::number_of_executed|ERROR|SUMMARY|Test unit|crash|leak' || true
    if ! grep -q '^stat::number_of_executed' "build-fuzz/$target.log" ||
        grep -q 'SUMMARY: ' "build-fuzz/$target.log"; then
        failed+=("$target")
    fi
done
((${#failed[@]} == 0)) || {
    echo "failed: ${failed[*]}" >&2
    exit 1
}
