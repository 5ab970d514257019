#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
tests/count.py COUNTED...

Prints for each file the time that its tests took and the longest of them, and then the sum of all: "N
passed, N failed, N skipped". A file is the testlog.json of each of the runs of "meson test" that belong
together. It fails if a test failed, or if none passed.
"""

import collections
import json
import sys

seen = collections.Counter()
for counted in sys.argv[1:]:
    with open(counted, encoding="utf-8") as lines:
        tests = sorted(map(json.loads, lines), key=lambda test: -test["duration"])
    seen.update(test["result"] for test in tests)
    longest = ", ".join(f"{t['name'].split(' / ')[-1]} {t['duration']:.0f}" for t in tests[:5])
    print(f"{counted.removesuffix('.json').removesuffix('/counted')}: {sum(test['duration'] for test in tests):.0f} s; {longest}")
passed = seen["OK"] + seen["EXPECTEDFAIL"]
skipped = seen["SKIP"]
failed = sum(seen.values()) - passed - skipped
print(f"{passed} passed, {failed} failed, {skipped} skipped")
sys.exit(failed != 0 or passed == 0)
