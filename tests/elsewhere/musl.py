#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""
tests/elsewhere/musl.py BUILD

Checks the syntax of the sources of src/ with musl's headers in the place of glibc's. The options are
those of BUILD, warnings are errors, and of this system only the libraries' headers are used: nothing
is linked. Fails if musl-gcc finds something.
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

INCLUDE = pathlib.Path("/usr/include")
# Of the system's headers, those that are not the C library's.
LIBRARIES = ["libvirt", "systemd", "unicode", "linux", "asm-generic"]


def commands(build):
    """One for each source, though several programs may be made of it."""
    output = subprocess.run(["ninja", "-C", build, "-t", "compdb"], check=True, capture_output=True, text=True)
    return {command["file"]: command for command in json.loads(output.stdout[output.stdout.index("[\n"):])
            if "../src/" in command["file"] and command["file"].endswith(".c")}.values()


def check(command, headers):
    options = [word for word in shlex.split(command["command"])
               if word.startswith(("-I", "-D", "-std", "-W")) and not word.startswith("-Wl")]
    return subprocess.run(["musl-gcc", "-fsyntax-only", "-Werror", *options, "-isystem", headers, command["file"]],
                          cwd=command["directory"], capture_output=True, text=True).stderr


def main():
    with tempfile.TemporaryDirectory() as headers:
        for name in LIBRARIES:
            os.symlink(INCLUDE / name, pathlib.Path(headers) / name)
        machine = os.uname().machine
        os.symlink(INCLUDE / f"{machine}-linux-gnu" / "asm", pathlib.Path(headers) / "asm")
        files = commands(sys.argv[1])
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(filter(None, pool.map(lambda command: check(command, headers), files)))
    print("".join(found), end="")
    print(f"{len(files)} files, {len(found)} with findings")
    return 1 if found or not files else 0


if __name__ == "__main__":
    sys.exit(main())
