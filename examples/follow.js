#!/usr/bin/node
// SPDX-License-Identifier: LGPL-2.1-or-later
// Lists the VMs and follows them, through any restart of libvirt and of the service
// itself (npm install dbus-next): their states, start times, problems, pending changes, screens,
// host names, systems and addresses, and with --usage what they use.
'use strict';

const dbus = require('dbus-next');

const SERVICE = 'org.unraid.Vms';
const ROOT = '/org/unraid/Vms';
const CONFIG = SERVICE + '.Config';
const DISPLAY = SERVICE + '.Display';
const DOMAIN = SERVICE + '.Domain';
const GUEST = SERVICE + '.Guest';
const MANAGER = SERVICE + '.Manager';
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const ERROR = 'org.freedesktop.DBus.Error.';
const INTERVAL_USEC = 2000000n;
const MIB = 1048576;

// The values that a row has of these keys, in their order; each may be in a variant.
const rowBy = (between, ...keys) => (row) =>
  keys.filter((key) => key in row).map((key) => row[key].value ?? row[key]).join(between);

const rowsBy = (...args) => (rows) => rows.map(rowBy(...args)).join(', ');

// Local time, in whole seconds; nothing for 0. Sweden writes it with the year first.
const toTime = (usec) => (usec ? new Date(Number(usec / 1000n)).toLocaleString('sv') : '');

// The properties that are told: their value as text, the words before it, and those for no text.
const TOLD = [
  [MANAGER, 'Available', (value) => (value ? 'available' : 'not available'), ' are ', ''],
  [DOMAIN, 'State', (value) => value, ' ', ''],
  [DOMAIN, 'StartedAt', toTime, ' has been up since ', ' is not up any more'],
  [DOMAIN, 'Problems', rowsBy(': ', 'kind', 'device', 'message'),
    ' has a problem: ', ' has no problems any more'],
  [CONFIG, 'Next', (value) => Object.keys(value).join(', '),
    ' changes at its next start: ', ' has no pending change any more'],
  [DISPLAY, 'Graphics', rowsBy(' ', 'type', 'listen', 'port', 'socket'),
    ' has the screens ', ' has no screens any more'],
  [GUEST, 'Hostname', (value) => value, ' has the host name ', ' has no known host name any more'],
  [GUEST, 'OsInfo', rowBy(' ', 'name', 'version'), ' runs ', ' runs no known system any more'],
  [GUEST, 'Addresses', rowsBy('', 'address'), ' has the addresses ', ' has no addresses any more'],
];

// The figures that are told: in which unit, with how many decimals, and the words after it.
const FIGURES = [
  ['cpu', 0.01, 1, ' % of a processor'],
  ['memory_rss', MIB, 0, ' MiB of memory'],
  ['memory_used', MIB, 0, ' MiB of memory in the guest'],
  ['disk_read', MIB, 1, ' MiB/s read from disks'],
  ['disk_write', MIB, 1, ' MiB/s written to disks'],
  ['net_rx', MIB, 1, ' MiB/s received'],
  ['net_tx', MIB, 1, ' MiB/s sent'],
];
const mirror = new Map(); // path → its Name, and as which text each property was told
let owner = null; // the process that was asked
let queue = null; // signals that arrive while everything is read
let renewal = null; // the timer of the request for Usage

// Any text may be a guest's: what a terminal would act on becomes an escape.
const printable = (text) => text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => {
  const code = c.codePointAt(0).toString(16);
  return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
});

const say = (...texts) => console.log(printable(texts.join('')));

// Takes over properties, all or those that changed, and prints what is new. The Manager is "VMs".
function tell(path, interfaces) {
  const known = mirror.get(path) ?? {};
  const name = interfaces[DOMAIN]?.Name?.value ?? known.Name ?? 'VMs';

  if (known.Name && known.Name !== name) say(known.Name, ' is now called ', name);
  known.Name = name;
  mirror.set(path, known);
  for (const [interfaceName, key, toText, words, without] of TOLD) {
    const variant = interfaces[interfaceName]?.[key];
    if (!variant) continue;
    const text = toText(variant.value);
    if (text !== (known[key] ?? '')) say(name, text ? words : without, text);
    known[key] = text;
  }
}

function add(path, interfaces) {
  if (DOMAIN in interfaces) tell(path, interfaces);
}

function remove(path, interfaces) {
  if (!interfaces.includes(DOMAIN) || !mirror.has(path)) return;
  say(mirror.get(path).Name, ' is gone');
  mirror.delete(path);
}

function change(path, interfaceName, changed) {
  if (mirror.has(path)) tell(path, { [interfaceName]: changed });
}

function tellUsage(timestamp, usage) {
  for (const [path, figures] of Object.entries(usage)) {
    const texts = FIGURES.filter(([key]) => key in figures)
      .map(([key, unit, decimals, words]) =>
        (Number(figures[key].value) / unit).toFixed(decimals) + words);
    const words = texts.length ? ` uses ${texts.join(', ')}` : ' has no figures';
    if (mirror.has(path))
      say(mirror.get(path).Name, figures.stale?.value ? ' does not answer' : words);
  }
}

function onSignal(message) {
  // Anybody may send a signal to this connection alone, as Usage is sent.
  if (message.sender !== owner) return;
  if (message.member === 'PropertiesChanged') change(message.path, ...message.body);
  else if (message.member === 'InterfacesAdded') add(...message.body);
  else if (message.member === 'InterfacesRemoved') remove(...message.body);
  else if (message.member === 'Usage') tellUsage(...message.body);
}

const call = (bus, destination, path, interfaceName, member, signature = '', body = []) =>
  bus.call(new dbus.Message({
    destination, path, interface: interfaceName, member, signature, body,
  }));

// Usage comes to this connection alone, for the time that the reply says.
async function subscribeUsage(bus) {
  const reply = await call(bus, SERVICE, ROOT, MANAGER, 'SubscribeUsage', 'ta{sv}',
    [INTERVAL_USEC, {}]);
  clearTimeout(renewal);
  renewal = setTimeout(() => subscribeUsage(bus).catch(failUnlessGone),
    Number(reply.body[0]) / 2000);
}

// Make the mirror what the service says now; signals that arrive meanwhile are applied after it.
async function readAll(bus) {
  const arrived = queue = [];
  const managed = await call(bus, SERVICE, ROOT, 'org.freedesktop.DBus.ObjectManager',
    'GetManagedObjects');
  const manager = await call(bus, SERVICE, ROOT, PROPERTIES, 'GetAll', 's', [MANAGER]);
  if (queue !== arrived) return; // another owner has come meanwhile, and its objects are being read
  const objects = managed.body[0];
  const name = ([, interfaces]) => (interfaces[DOMAIN] ? interfaces[DOMAIN].Name.value : '');

  owner = managed.sender;
  tell(ROOT, { [MANAGER]: manager.body[0] });
  for (const path of mirror.keys())
    if (path !== ROOT && !(path in objects)) remove(path, [DOMAIN]);
  for (const [path, interfaces] of Object.entries(objects).sort((a, b) => (name(a) < name(b) ? -1 : 1)))
    add(path, interfaces);
  queue = null;
  arrived.forEach(onSignal);
  if (process.argv.includes('--usage')) await subscribeUsage(bus);
}

const match = (bus, rule) => call(bus, 'org.freedesktop.DBus', '/org/freedesktop/DBus',
  'org.freedesktop.DBus', 'AddMatch', 's', [rule]);

async function main() {
  const bus = dbus.systemBus();
  bus.on('message', (message) => {
    if (message.type !== dbus.MessageType.SIGNAL) return;
    if (message.member === 'NameOwnerChanged' && message.sender === 'org.freedesktop.DBus' &&
        message.body[0] === SERVICE) {
      clearTimeout(renewal);
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
  console.error(printable(error.text || error.message));
  process.exit(1);
}

// A service that ends while it is asked is asked again when the name has its next owner.
function failUnlessGone(error) {
  const isGone = error.type === ERROR + 'NoReply' ||
    (owner && error.type === ERROR + 'ServiceUnknown');
  if (!isGone) fail(error);
}

main().catch(fail);
