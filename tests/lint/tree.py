# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the lint tests in Python share: the files of the tree, and findings about them."""

import collections
import fnmatch
import os
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
SKIP = 77

# A finding of that rule, whose path and text match these patterns, is not reported yet.
Exemption = collections.namedtuple("Exemption", "rule path text reason")


def skip(reason):
    print(f"skipped: {reason}", file=sys.stderr)
    sys.exit(SKIP)


def files():
    """Every file of the tree, tracked or new, by its path from the top."""
    # The tree may belong to another user than the one who tests it.
    command = ["git", "-C", TOP, "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        skip(f"the files of the tree cannot be listed: {error}")
    return sorted(path for path in listed.splitlines() if os.path.isfile(os.path.join(TOP, path)))


def lines(path):
    """The numbered lines of a text; none of a file that is no text."""
    with open(os.path.join(TOP, path), "rb") as file:
        content = file.read()
    if b"\0" in content:
        return []
    return list(enumerate(content.decode("utf-8", "replace").splitlines(), 1))


def circles(graph):
    """The circles of a graph {node: {neighbour: anything}}: sets of nodes that reach each other."""

    def reach(start):
        seen, todo = set(), [start]
        while todo:
            new = set(graph.get(todo.pop(), ())) - seen
            seen |= new
            todo += new
        return seen

    reached = {node: reach(node) for node in graph}
    found = {
        frozenset(other for other in reached[node] if node in reached.get(other, ()))
        for node in graph
        if node in reached[node]
    }
    return sorted(sorted(circle) for circle in found)


class Findings:
    """Findings, and the exemptions from them; an exemption that nothing needs is a finding."""

    def __init__(self, exemptions=()):
        self.exemptions = {Exemption(*exemption): 0 for exemption in exemptions}
        self.found = []

    def excused(self, rule, path, text):
        for exemption in self.exemptions:
            if (
                exemption.rule == rule
                and fnmatch.fnmatch(path, exemption.path)
                and fnmatch.fnmatch(text, exemption.text)
            ):
                self.exemptions[exemption] += 1
                return True
        return False

    def add(self, rule, path, line, text):
        if not self.excused(rule, path, text):
            self.found.append((path, line, rule, text))

    def cannot_check(self, rule):
        """Its exemptions may be needed."""
        for exemption in [one for one in self.exemptions if one.rule == rule]:
            del self.exemptions[exemption]

    def finish(self):
        """Prints what was found. The exit status."""
        for path, line, rule, text in sorted(self.found):
            print(f"{path}:{line}: {rule}: {text}")
        unused = [exemption for exemption, used in self.exemptions.items() if not used]
        for exemption in unused:
            print(f"{sys.argv[0]}: this exemption is no longer needed: {tuple(exemption)}")
        excused = sum(self.exemptions.values())
        print(f"{len(self.found)} findings, {excused} excused, {len(unused)} exemptions to remove")
        return int(bool(self.found or unused))
