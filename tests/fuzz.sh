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

# The sources outside of model/ and util/, which are built into a library.
declare -A sources=(
    [options]="src/vmsd/options.c"
    [daemon-watch]="src/core/daemon-watch.c"
    [method-options]="src/bus/method-options.c"
)
includes=("-I$PWD/build-fuzz")
for folder in "$PWD"/src/*/; do
    includes+=("-I$folder")
done
packages=(glib-2.0 libsystemd libxml-2.0)
read -ra flags < <(pkg-config --cflags "${packages[@]}")
read -ra libraries < <(pkg-config --libs "${packages[@]}")

compile=(clang -std=gnu17 -D_GNU_SOURCE -g -O1 "-fsanitize=address,undefined"
    -fno-sanitize-recover=undefined -DFUZZING "${includes[@]}")

build_library() {
    rm -rf build-fuzz/objects build-fuzz/library.a
    mkdir build-fuzz/objects
    printf '%s\n' "$PWD"/src/{model,util}/*.c |
        (cd build-fuzz/objects && xargs -P "$(nproc)" -n 5 "${compile[@]}" "${flags[@]}" \
            -fsanitize=fuzzer-no-link -c)
    ar rc build-fuzz/library.a build-fuzz/objects/*.o
}

build() {
    "${compile[@]}" -fsanitize=fuzzer -o "build-fuzz/fuzz-$1" "tests/fuzz/fuzz-$1.c" \
        ${sources[$1]:+"${sources[$1]}"} build-fuzz/library.a "${flags[@]}" "${libraries[@]}"
}

failed=()
mkdir -p build-fuzz
echo '#define PROJECT_VERSION "fuzz"' >build-fuzz/config.h
build_library
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
