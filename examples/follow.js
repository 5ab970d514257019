#!/usr/bin/node
// SPDX-License-Identifier: LGPL-2.1-or-later
// Lists the VMs and follows them, through any restart of libvirt and of the service
// itself (npm install dbus-next).
'use strict';

const dbus = require('dbus-next');

const SERVICE = 'org.unraid.Vms';
const ROOT = '/org/unraid/Vms';
const DOMAIN = SERVICE + '.Domain';
const MANAGER = SERVICE + '.Manager';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const vms = new Map(); // path → properties of the Domain interface
let queue = null; // signals that arrive while everything is read

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

// Make the mirror what the service says now; signals that arrive meanwhile are applied after it.
async function readAll(bus) {
  queue = [];
  const managed = await call(bus, SERVICE, ROOT, 'org.freedesktop.DBus.ObjectManager',
    'GetManagedObjects');
  const manager = await call(bus, SERVICE, ROOT, PROPERTIES, 'GetAll', 's', [MANAGER]);
  const objects = managed.body[0];
  const name = ([, interfaces]) => (interfaces[DOMAIN] ? interfaces[DOMAIN].Name.value : '');

  showAvailable(values(manager.body[0]));
  for (const path of vms.keys())
    if (!(path in objects)) remove(path, [DOMAIN]);
  for (const [path, interfaces] of Object.entries(objects).sort((a, b) => (name(a) < name(b) ? -1 : 1))) {
    const known = vms.get(path);
    const found = interfaces[DOMAIN] && values(interfaces[DOMAIN]);
    if (known && found && known.Name === found.Name && known.State === found.State)
      vms.set(path, found);
    else
      add(path, interfaces);
  }
  const arrived = queue;
  queue = null;
  arrived.forEach(onSignal);
}

const match = (bus, rule) => call(bus, 'org.freedesktop.DBus', '/org/freedesktop/DBus',
  'org.freedesktop.DBus', 'AddMatch', 's', [rule]);

async function main() {
  const bus = dbus.systemBus();
  bus.on('message', (message) => {
    if (message.type !== dbus.MessageType.SIGNAL) return;
    if (message.member === 'NameOwnerChanged' && message.body[0] === SERVICE) {
      // Another process owns the name: no signal tells how its objects differ from the mirror.
      if (message.body[2]) readAll(bus).catch(failUnlessGone);
    } else if (message.path.startsWith(ROOT)) {
      if (queue) queue.push(message);
      else onSignal(message);
    }
  });

  // Subscribed before asking what there is: so nothing falls between.
  await match(bus, `type='signal',sender='${SERVICE}',path_namespace='${ROOT}'`);
  await match(bus, `type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${SERVICE}'`);
  await readAll(bus).catch(failUnlessGone);
}

function fail(error) {
  console.error(error.text || error.message);
  process.exit(1);
}

// A service that ends while it is asked is asked again when the name has its next owner.
function failUnlessGone(error) {
  if (error.type !== 'org.freedesktop.DBus.Error.NoReply') fail(error);
}

main().catch(fail);
