#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""password.py USER PASSWORD COMMAND...: runs it as the user, who has logged in on a terminal of
their own, types the password when one is asked for, and passes on what was written and how it
ended."""

import os
import pty
import select
import subprocess
import sys
import termios
import time

BOUND_SECONDS = 30
ECHO_LOOK_SECONDS = 0.01


def start(user, terminal, command):
    """The login is systemd's: a service whose terminal this is."""
    return subprocess.Popen(
        ["systemd-run", "--quiet", "--wait", "--collect", f"--uid={user}", "--property=PAMName=login",
         "--property=StandardInput=tty", "--property=StandardOutput=tty",
         "--property=StandardError=tty", f"--property=TTYPath={terminal}", *command],
        stdin=subprocess.DEVNULL)


def is_silent(terminal):
    """Whoever asks throws away what was typed before the echo was off."""
    return not termios.tcgetattr(terminal)[3] & termios.ECHO


def main():
    user, password, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    mine, theirs = pty.openpty()
    child = start(user, os.ttyname(theirs), command)
    end = time.monotonic() + BOUND_SECONDS
    asked = False
    written = b""

    while child.poll() is None or select.select([mine], [], [], 0)[0]:
        if time.monotonic() > end:
            child.kill()
            sys.exit("not in time; there was: " + written.decode(errors="replace"))
        if select.select([mine], [], [], ECHO_LOOK_SECONDS)[0]:
            written += os.read(mine, 4096)
        if not asked and b"Password: " in written and is_silent(mine):
            asked = True
            os.write(mine, password.encode() + b"\n")
    sys.stdout.write(written.decode(errors="replace"))
    sys.stdout.flush()
    sys.exit(child.returncode)


main()
