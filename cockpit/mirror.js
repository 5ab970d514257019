// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The mirror of the service's objects: the reply to GetManagedObjects, and each signal applied to it.
// It knows nothing of the bus (service.js) and nothing of the screen.

export const SERVICE = 'org.unraid.Vms';
export const ROOT = '/org/unraid/Vms';
export const PROPERTIES = 'org.freedesktop.DBus.Properties';
export const OBJECT_MANAGER = 'org.freedesktop.DBus.ObjectManager';

const PREFIX = SERVICE + '.';
const NOTHING = Object.freeze({});

// A value as Cockpit's bridge sends it, without the variants around its parts.
export function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.t === 'string' && 'v' in value) return plain(value.v);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}

// Interfaces of ours by the last word of their names; others, such as Peer, are left out.
function ours(interfaces) {
  const found = {};
  for (const [name, properties] of Object.entries(interfaces))
    if (name.startsWith(PREFIX)) found[name.slice(PREFIX.length)] = plain(properties);
  return found;
}

// A new object into the map of its kind.
function store({ machines, jobs }, path, found) {
  const map = (found.Domain && machines) || (found.Job && jobs);
  return Boolean(map?.set(path, { path, ...found }));
}

export class Mirror {
  constructor() {
    this.machines = new Map(); // path → {path, Domain, Config, …}
    this.jobs = new Map(); // path → {path, Job}
    this.root = { path: ROOT, Manager: NOTHING, Host: NOTHING };
    this.next = null; // while everything is read: what becomes of it, and the signals that arrive
  }

  // Everything is read again; until finish() the mirror stays as it is, and signals wait: they may be
  // older than the reply.
  begin() {
    this.next = { machines: new Map(), jobs: new Map(), signals: [] };
  }

  // Objects of the reply, as [[path, interfaces]]. They may be given in slices.
  take(objects) {
    for (const [path, interfaces] of objects) store(this.next, path, ours(interfaces));
  }

  // Everything that was known is dropped for what was taken; `root` has the properties of the root object.
  finish(root) {
    const { machines, jobs, signals } = this.next;
    Object.assign(this, { machines, jobs, next: null });
    Object.assign(this.root, ours(root));
    for (const signal of signals) this.signal(...signal);
  }

  // The path of the object that the signal changed, or null.
  signal(path, interfaceName, member, args) {
    if (this.next) {
      this.next.signals.push([path, interfaceName, member, args]);
      return null;
    }
    if (interfaceName === PROPERTIES && member === 'PropertiesChanged')
      return this.change(path, ...args);
    if (interfaceName !== OBJECT_MANAGER) return null;
    if (member === 'InterfacesAdded') return this.add(...args);
    if (member === 'InterfacesRemoved') return this.remove(...args);
    return null;
  }

  object(path) {
    if (path === ROOT) return this.root;
    return this.machines.get(path) ?? this.jobs.get(path);
  }

  add(path, interfaces) {
    const found = ours(interfaces);
    const known = this.object(path);
    if (known) Object.assign(known, found);
    else if (!store(this, path, found)) return null;
    return path;
  }

  remove(path, names) {
    const known = this.object(path);
    if (!known) return null;
    for (const name of names) delete known[name.slice(PREFIX.length)];
    if (!known.Domain) this.machines.delete(path);
    if (!known.Job) this.jobs.delete(path);
    return path;
  }

  change(path, interfaceName, changed) {
    const known = this.object(path);
    if (!known || !interfaceName.startsWith(PREFIX)) return null;
    const name = interfaceName.slice(PREFIX.length);
    // A new object, so that who has the old one can tell that it is old.
    known[name] = { ...known[name], ...plain(changed) };
    return path;
  }

  // The running operation of a machine, or undefined.
  jobOf(machine) {
    const path = machine.Domain.Job;
    return path && path !== '/' ? this.jobs.get(path) : undefined;
  }

  byUuid(uuid) {
    return this.machines.get(`${ROOT}/domain/${uuid.replaceAll('-', '_')}`);
  }
}
