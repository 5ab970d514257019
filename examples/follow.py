#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Lists the VMs and follows them, through any restart of libvirt and of the service itself (Debian:
python3-dasbus)."""

from dasbus.connection import SystemMessageBus
from dasbus.error import DBusError
from dasbus.loop import EventLoop
from dasbus.typing import get_native
from gi.repository import Gio

SERVICE, ROOT = "org.unraid.Vms", "/org/unraid/Vms"
DOMAIN, MANAGER = SERVICE + ".Domain", SERVICE + ".Manager"
vms = {}  # path: properties of the Domain interface


def show(path):
    print(vms[path]["Name"], vms[path]["State"], flush=True)


def show_available(properties):
    if "Available" in properties:
        print("VMs are", "available" if properties["Available"] else "not available", flush=True)


def add(path, interfaces):
    if DOMAIN in interfaces:
        vms[path] = interfaces[DOMAIN]
        show(path)


def remove(path, interfaces):
    if DOMAIN in interfaces and path in vms:
        print(vms.pop(path)["Name"], "is gone", flush=True)


def change(path, interface, changed, _invalidated):
    if interface == MANAGER:
        show_available(changed)
    elif interface == DOMAIN and path in vms:
        vms[path].update(changed)
        if "State" in changed or "Name" in changed:
            show(path)


def on_signal(_bus, _sender, path, _interface, signal, body):
    handlers = {"PropertiesChanged": lambda *args: change(path, *args), "InterfacesAdded": add,
                "InterfacesRemoved": remove}
    if signal in handlers:
        handlers[signal](*get_native(body))


def read_all():
    """Make the mirror what the service says now. One that ends meanwhile is asked again when the name
    has its next owner."""
    try:
        read()
    except DBusError as error:
        if error.dbus_name != "org.freedesktop.DBus.Error.NoReply":
            raise


def read():
    manager = bus.get_proxy(SERVICE, ROOT)
    objects = get_native(manager.GetManagedObjects())
    show_available({"Available": manager.Available})
    for path in vms.keys() - objects.keys():
        remove(path, [DOMAIN])
    for path in sorted(objects, key=lambda path: objects[path].get(DOMAIN, {}).get("Name", "")):
        known, found = vms.get(path), objects[path].get(DOMAIN)
        if found and known and (known["Name"], known["State"]) == (found["Name"], found["State"]):
            vms[path] = found
        else:
            add(path, objects[path])


def on_owner_changed(_name, _old, new):
    # Another process owns the name: no signal tells how its objects differ from the mirror.
    if new:
        read_all()


bus = SystemMessageBus()
# One subscription for all objects, before asking what there is: so nothing falls between.
bus.connection.signal_subscribe(SERVICE, None, None, None, None, Gio.DBusSignalFlags.NONE,
                                on_signal)
bus.connection.signal_subscribe("org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
                                None, SERVICE, Gio.DBusSignalFlags.NONE,
                                lambda *args: on_owner_changed(*get_native(args[5])))
read_all()
EventLoop().run()
