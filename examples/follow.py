#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lists the VMs and follows them, through any restart of libvirt and of the service itself (Debian:
python3-dasbus): their states, start times, problems, pending changes, screens, host names, systems
and addresses, and with --usage what they use."""

import sys
import time

from dasbus.connection import SystemMessageBus
from dasbus.error import DBusError
from dasbus.loop import EventLoop
from dasbus.typing import get_native
from gi.repository import Gio, GLib

SERVICE, ROOT = "org.unraid.Vms", "/org/unraid/Vms"
CONFIG, DISPLAY, DOMAIN = SERVICE + ".Config", SERVICE + ".Display", SERVICE + ".Domain"
GUEST, MANAGER = SERVICE + ".Guest", SERVICE + ".Manager"
INTERVAL_USEC = 2_000_000
MIB = 1 << 20
ERROR = "org.freedesktop.DBus.Error."


def row_by(between, *keys):
    """The values that a row has of these keys, in their order."""
    return lambda row: between.join(str(row[key]) for key in keys if key in row)


def rows_by(*args):
    return lambda rows: ", ".join(map(row_by(*args), rows))


def to_time(usec):
    """Local time, in whole seconds; nothing for 0."""
    local = time.localtime(usec // 1_000_000)
    return time.strftime("%Y-%m-%d %H:%M:%S", local) if usec else ""


# The properties that are told: their value as text, the words before it, and those for no text.
TOLD = (
    (MANAGER, "Available", lambda value: "available" if value else "not available", " are ", ""),
    (DOMAIN, "State", str, " ", ""),
    (DOMAIN, "StartedAt", to_time, " has been up since ", " is not up any more"),
    (DOMAIN, "Problems", rows_by(": ", "kind", "device", "message"),
     " has a problem: ", " has no problems any more"),
    (CONFIG, "Next", ", ".join, " changes at its next start: ", " has no pending change any more"),
    (DISPLAY, "Graphics", rows_by(" ", "type", "listen", "port", "socket"),
     " has the screens ", " has no screens any more"),
    (GUEST, "Hostname", str, " has the host name ", " has no known host name any more"),
    (GUEST, "OsInfo", row_by(" ", "name", "version"), " runs ", " runs no known system any more"),
    (GUEST, "Addresses", rows_by("", "address"),
     " has the addresses ", " has no addresses any more"),
)

# The figures that are told: in which unit, with how many decimals, and the words after it.
FIGURES = (
    ("cpu", 0.01, 1, " % of a processor"),
    ("memory_rss", MIB, 0, " MiB of memory"),
    ("memory_used", MIB, 0, " MiB of memory in the guest"),
    ("disk_read", MIB, 1, " MiB/s read from disks"),
    ("disk_write", MIB, 1, " MiB/s written to disks"),
    ("net_rx", MIB, 1, " MiB/s received"),
    ("net_tx", MIB, 1, " MiB/s sent"),
)
mirror = {}  # path: {"Name": its name, property: as which text it was told}; the Manager is "VMs"
renewal = None  # the timer of the request for Usage


def printable(text):
    """Any text may be a guest's: what a terminal would act on becomes an escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def say(*texts):
    print(printable("".join(texts)), flush=True)


def tell(path, interfaces):
    """Takes over properties, all or those that changed, and prints what is new."""
    known = mirror.setdefault(path, {})
    name = interfaces.get(DOMAIN, {}).get("Name") or known.get("Name", "VMs")
    if known.setdefault("Name", name) != name:
        say(known["Name"], " is now called ", name)
        known["Name"] = name
    for interface, key, to_text, words, without in TOLD:
        if key in interfaces.get(interface, {}):
            text = to_text(interfaces[interface][key])
            if text != known.get(key, ""):
                say(name, words if text else without, text)
            known[key] = text


def add(path, interfaces):
    if DOMAIN in interfaces:
        tell(path, interfaces)


def remove(path, interfaces):
    if DOMAIN in interfaces and path in mirror:
        say(mirror.pop(path)["Name"], " is gone")


def change(path, interface, changed, _invalidated):
    if path in mirror:
        tell(path, {interface: changed})


def tell_usage(_path, _timestamp, usage):
    for path, figures in usage.items():
        texts = [f"{figures[key] / unit:.{decimals}f}{words}"
                 for key, unit, decimals, words in FIGURES if key in figures]
        if figures.get("stale"):
            words = " does not answer"
        else:
            words = " uses " + ", ".join(texts) if texts else " has no figures"
        if path in mirror:
            say(mirror[path]["Name"], words)


def on_signal(_bus, _sender, path, _interface, signal, body):
    handlers = {"PropertiesChanged": lambda *args: change(path, *args), "InterfacesAdded": add,
                "InterfacesRemoved": remove, "Usage": lambda *args: tell_usage(path, *args)}
    if signal in handlers:
        handlers[signal](*get_native(body))


def ask(question):
    """A service that ends meanwhile is asked again when the name has its next owner."""
    try:
        question()
    except DBusError as error:
        is_gone = error.dbus_name == ERROR + "NoReply" or (
            mirror and error.dbus_name == ERROR + "ServiceUnknown")
        if not is_gone:
            sys.exit(printable(str(error)))


def read():
    """Make the mirror what the service says now."""
    root = bus.get_proxy(SERVICE, ROOT)
    objects = get_native(root.GetManagedObjects())
    tell(ROOT, {MANAGER: get_native(root.GetAll(MANAGER))})
    for path in mirror.keys() - objects.keys() - {ROOT}:
        remove(path, [DOMAIN])
    for path in sorted(objects, key=lambda path: objects[path].get(DOMAIN, {}).get("Name", "")):
        add(path, objects[path])
    if "--usage" in sys.argv:
        subscribe_usage()


def subscribe_usage():
    """Usage comes to this connection alone, for the time that the reply says."""
    global renewal
    renewal = None
    valid_for_usec = bus.get_proxy(SERVICE, ROOT).SubscribeUsage(INTERVAL_USEC, {})
    renewal = GLib.timeout_add(valid_for_usec // 2000, ask, subscribe_usage)


def on_owner_changed(_name, _old, new):
    global renewal
    if renewal:
        GLib.source_remove(renewal)
        renewal = None
    # Another process owns the name: no signal tells how its objects differ from the mirror.
    if new:
        ask(read)


bus = SystemMessageBus()
# One subscription for all objects, before asking what there is: so nothing falls between.
bus.connection.signal_subscribe(SERVICE, None, None, None, None, Gio.DBusSignalFlags.NONE,
                                on_signal)
bus.connection.signal_subscribe("org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
                                None, SERVICE, Gio.DBusSignalFlags.NONE,
                                lambda *args: on_owner_changed(*get_native(args[5])))
ask(read)
EventLoop().run()
