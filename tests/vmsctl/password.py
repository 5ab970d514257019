#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""password.py PASSWORD COMMAND...: runs it in a terminal of its own as it is, types the password
when one is asked for, and passes on what was written and how it ended."""

import os
import pty
import select
import sys

BOUND_SECONDS = 30

password, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(command[0], command)

asked = False
written = b""
while True:
    if not select.select([terminal], [], [], BOUND_SECONDS)[0]:
        os.kill(pid, 9)
        sys.exit("not in time; there was: " + written.decode(errors="replace"))
    try:
        data = os.read(terminal, 4096)
    except OSError:  # how Linux tells the end
        data = b""
    if not data:
        break
    written += data
    if not asked and b"Password: " in written:
        asked = True
        os.write(terminal, password.encode() + b"\n")
sys.stdout.write(written.decode(errors="replace"))
sys.stdout.flush()
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
