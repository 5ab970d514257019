#!/usr/bin/node
// SPDX-License-Identifier: LGPL-2.1-or-later
// Lists the VMs and follows them, through any restart of libvirt (npm install dbus-next).
'use strict';

const dbus = require('dbus-next');

const SERVICE = 'org.unraid.Vms';
const ROOT = '/org/unraid/Vms';
const DOMAIN = SERVICE + '.Domain';
const MANAGER = SERVICE + '.Manager';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const vms = new Map(); // path → properties of the Domain interface

const values = (dict) =>
  Object.fromEntries(Object.entries(dict).map(([name, variant]) => [name, variant.value]));

function show(path) {
  const vm = vms.get(path);
  console.log(`${vm.Name} ${vm.State}`);
}

function showAvailable(properties) {
  if ('Available' in properties)
    console.log(`VMs are ${properties.Available ? 'available' : 'not available'}`);
}

function add(path, interfaces) {
  if (!(DOMAIN in interfaces)) return;
  vms.set(path, values(interfaces[DOMAIN]));
  show(path);
}

function remove(path, interfaces) {
  if (!interfaces.includes(DOMAIN) || !vms.has(path)) return;
  console.log(`${vms.get(path).Name} is gone`);
  vms.delete(path);
}

function change(path, interfaceName, changed) {
  changed = values(changed);
  if (interfaceName === MANAGER) showAvailable(changed);
  if (interfaceName !== DOMAIN || !vms.has(path)) return;
  Object.assign(vms.get(path), changed);
  if ('State' in changed || 'Name' in changed) show(path);
}

function onSignal(message) {
  if (message.member === 'PropertiesChanged') change(message.path, ...message.body);
  else if (message.member === 'InterfacesAdded') add(...message.body);
  else if (message.member === 'InterfacesRemoved') remove(...message.body);
}

const call = (bus, destination, path, interfaceName, member, signature = '', body = []) =>
  bus.call(new dbus.Message({
    destination, path, interface: interfaceName, member, signature, body,
  }));

async function main() {
  const bus = dbus.systemBus();
  const queue = [];
  let onMessage = (message) => queue.push(message);
  bus.on('message', (message) => {
    if (message.type === dbus.MessageType.SIGNAL && message.path.startsWith(ROOT))
      onMessage(message);
  });

  // One subscription for all objects, before asking what there is: so nothing falls between.
  await call(bus, 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus',
    'AddMatch', 's', [`type='signal',sender='${SERVICE}',path_namespace='${ROOT}'`]);
  const managed = await call(bus, SERVICE, ROOT, 'org.freedesktop.DBus.ObjectManager',
    'GetManagedObjects');
  const manager = await call(bus, SERVICE, ROOT, PROPERTIES, 'GetAll', 's', [MANAGER]);

  showAvailable(values(manager.body[0]));
  const name = ([, interfaces]) => (interfaces[DOMAIN] ? interfaces[DOMAIN].Name.value : '');
  Object.entries(managed.body[0])
    .sort((a, b) => (name(a) < name(b) ? -1 : 1))
    .forEach(([path, interfaces]) => add(path, interfaces));
  // Signals that arrived meanwhile are applied after it.
  onMessage = onSignal;
  queue.forEach(onSignal);
}

main().catch((error) => {
  console.error(error.text || error.message);
  process.exit(1);
});
