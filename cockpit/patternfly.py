#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""patternfly.py DIR: prints patternfly.css, the rules of PatternFly for the classes that the page
uses, with the variables that these and style.css need, light and dark. DIR has the package
@patternfly/patternfly that package.json names (npm install). The result is in the tree, so that
no build needs a network; a test compares the two."""

import glob
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
CLASS = re.compile(r"\.([\w-]+)")
NAMED = re.compile(r"\bpf-[\w-]*\w")
VARIABLE = re.compile(r"var\((--[\w-]+)")
DECLARATION = re.compile(r"([\w-]+)\s*:\s*((?:\"[^\"]*\"|'[^']*'|[^;\"'])+)")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def blocks(css):
    """(prelude, body) of each block that is in no other."""
    depth, begin, prelude = 0, 0, ""
    for brace in re.finditer(r"[{}]", css):
        if brace[0] == "{":
            if not depth:
                prelude, begin = css[begin : brace.start()].strip(), brace.end()
            depth += 1
        else:
            depth -= 1
            if not depth:
                yield prelude, css[begin : brace.start()]
                begin = brace.end()


def rules(css, media=""):
    """(media, [selector], [(name, value)]); a group other than @media has nothing for the page."""
    for prelude, body in blocks(css):
        if prelude.startswith("@media"):
            yield from rules(body, prelude)
        elif not prelude.startswith("@"):
            values = [(name, " ".join(value.split())) for name, value in DECLARATION.findall(body)]
            yield media, re.split(r",\s*(?![^()]*\))", prelude), values


def applies(selector, used):
    """Whether an element of the page can be meant. No class at all: the elements themselves."""
    return set(CLASS.findall(re.sub(r":not\([^()]*\)", "", selector))) <= used


def needed(found, own):
    """The variables of these rules and of `own`, and those that their values name."""
    variables = {}
    todo = set(VARIABLE.findall(own))
    for _, _, values in found:
        for name, value in values:
            if name.startswith("--"):
                variables.setdefault(name, set()).update(VARIABLE.findall(value))
            else:
                todo.update(VARIABLE.findall(value))
    names = set()
    while todo:
        name = todo.pop()
        names.add(name)
        todo |= variables.get(name, set()) - names
    return names


def main():
    css = re.sub(r"/\*.*?\*/", "", read(sys.argv[1], "patternfly.css"), flags=re.DOTALL)
    version = json.loads(read(sys.argv[1], "package.json"))["version"]
    pages = glob.glob(os.path.join(HERE, "*.js")) + [os.path.join(HERE, "index.html")]
    used = {name for page in pages for name in NAMED.findall(read(page))}
    found = []
    for media, selectors, values in rules(re.sub(r"@charset[^;]*;", "", css)):
        selectors = [selector for selector in selectors if applies(selector, used)]
        if selectors:
            found.append((media, selectors, values))
    names = needed(found, read(HERE, "style.css"))
    print("/* SPDX-License-Identifier: MIT */")
    print(f"\n/* The part of PatternFly {version} that the page uses, made by patternfly.py. */")
    for media, selectors, values in found:
        values = [(name, value) for name, value in values if not name.startswith("--") or name in names]
        if values:
            body = "".join(f"\n  {name}: {value};" for name, value in values)
            rule = ",\n".join(selectors) + " {" + body + "\n}"
            print("\n" + (f"{media} {{\n{rule}\n}}" if media else rule))


main()
