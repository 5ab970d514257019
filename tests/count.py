#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
tests/count.py COUNTED...

Prints for each file the time that its tests took and the longest of them, then each test that failed
with the end of its output, and then the sum of all: "N passed, N failed, N skipped". A file is the
testlog.json of each of the runs of "meson test" that belong together. It fails if a test failed, or if
none passed.
"""

import collections
import json
import sys

PASSED = ("OK", "EXPECTEDFAIL")
OUTPUT_LINES = 40


def name_of(test):
    """Meson writes "unraid-vms:unit / log", and newer ones "unit - unraid-vms:log"."""
    return test["name"].split(" / ")[-1].split(":")[-1]


def print_failure(build, test):
    """Of each stream the lines that TAP's reader needs, and the last ones: an abort stands there."""
    print(f"FAILED: {build}: {name_of(test)}: {test['result']} after {test['duration']:.0f} s")
    for stream in ("stdout", "stderr"):
        lines = test.get(stream, "").splitlines()
        early = [line for line in lines[:-OUTPUT_LINES] if line.startswith(("not ok", "Bail out!"))]
        for line in early + lines[-OUTPUT_LINES:]:
            print(f"    {line[:300]}")


seen = collections.Counter()
failures = []
for counted in sys.argv[1:]:
    build = counted.removesuffix(".json").removesuffix("/counted")
    with open(counted, encoding="utf-8") as lines:
        tests = sorted(map(json.loads, lines), key=lambda test: -test["duration"])
    seen.update(test["result"] for test in tests)
    failures += [(build, test) for test in tests if test["result"] not in (*PASSED, "SKIP")]
    longest = ", ".join(f"{name_of(t)} {t['duration']:.0f}" for t in tests[:5])
    print(f"{build}: {sum(test['duration'] for test in tests):.0f} s; {longest}")
for build, test in failures:
    print_failure(build, test)
passed = sum(seen[result] for result in PASSED)
skipped = seen["SKIP"]
print(f"{passed} passed, {len(failures)} failed, {skipped} skipped")
sys.exit(bool(failures) or passed == 0)
