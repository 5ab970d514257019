#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
tests/coverage.py SUMMARY LEAST

Prints, from gcovr's summary in JSON, how many lines and branches ran in each folder of src/, and the
files with the most lines that did not. Fails if fewer than LEAST percent of the lines of the daemon,
all but those of vmsctl, ran.
"""

import collections
import json
import sys

FILES = 10


def percent(covered, total):
    return 100 * covered / total if total else 100.0


def row(name, counts):
    lines = f"{percent(counts['line_covered'], counts['line_total']):.1f} % of {counts['line_total']:,}"
    branches = f"{percent(counts['branch_covered'], counts['branch_total']):.1f} % of {counts['branch_total']:,}"
    return f"| {name} | {lines} | {branches} |"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        files = json.load(file)["files"]
    least = float(sys.argv[2])
    if not files:
        print("coverage: nothing was recorded; the build needs -Db_coverage=true")
        return 1
    folders, daemon = collections.defaultdict(collections.Counter), collections.Counter()
    for one in files:
        counts = {key: one[key] for key in one if key.endswith(("_total", "_covered"))}
        folder = one["filename"].split("/")[1]
        folders[folder].update(counts)
        if folder != "vmsctl":
            daemon.update(counts)
    print("| folder | lines | branches |\n| --- | --- | --- |")
    for folder in sorted(folders, key=lambda name: (name == "vmsctl", name)):
        print(row(f"`{folder}/`", folders[folder]))
    print(row("the daemon: all but `vmsctl/`", daemon))
    print("\nMost lines that did not run:")
    for one in sorted(files, key=lambda one: one["line_covered"] - one["line_total"])[:FILES]:
        print(f"  {one['line_total'] - one['line_covered']:4} of {one['line_total']:4} {one['filename']}")
    reached = percent(daemon["line_covered"], daemon["line_total"])
    if reached < least:
        print(f"coverage: {reached:.1f} % of the daemon's lines, and {least:g} % are wanted")
        return 1
    return 0


sys.exit(main())
