#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""patternfly.py DIR: prints patternfly.css, those of PatternFly's design tokens that style.css uses,
light and dark. DIR has the package @patternfly/patternfly that package.json names (npm install).
The result is in the tree, so that no build needs a network; a test compares the two."""

import json
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
TOKEN = re.compile(r"--pf-t--[\w-]+")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def tokens(css, selector):
    """{token: value} of the rules with exactly this selector, the later ones over the earlier."""
    found = {}
    for rule in re.finditer(r"(?:^|\})\s*" + re.escape(selector) + r"\s*\{([^{}]*)\}", css):
        for name, value in re.findall(r"(--pf-t--[\w-]+):\s*([^;]+);", rule[1]):
            found[name] = value.strip()
    return found


def closure(names, *tables):
    """These tokens, and those that their values name."""
    todo, found = set(names), set()
    while todo:
        name = todo.pop()
        found.add(name)
        for table in tables:
            todo |= set(TOKEN.findall(table.get(name, ""))) - found
    return sorted(found)


def main():
    css = re.sub(r"/\*.*?\*/", "", read(sys.argv[1], "patternfly-base.css"), flags=re.DOTALL)
    version = json.loads(read(sys.argv[1], "package.json"))["version"]
    light, dark = tokens(css, ":root"), tokens(css, ":root:where(.pf-v6-theme-dark)")
    names = closure(TOKEN.findall(read(HERE, "style.css")), light, dark)
    unknown = [name for name in names if name not in light and name not in dark]
    if unknown:
        sys.exit(f"PatternFly {version} does not have {', '.join(unknown)}")
    print("/* SPDX-License-Identifier: MIT */")
    print(f"\n/* Design tokens of PatternFly {version}, made by patternfly.py. */")
    for selector, table in (":root", light), (":root.dark", dark):
        print(f"\n{selector} {{")
        for name in names:
            if name in table:
                print(f"  {name}: {table[name]};")
        print("}")


main()
