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

export class Mirror {
  constructor() {
    this.machines = new Map(); // path → {path, Domain, Config, …}
    this.jobs = new Map(); // path → {path, Job}
    this.root = { path: ROOT, Manager: NOTHING, Host: NOTHING };
    this.queue = null; // signals that arrive while everything is read
  }

  // From here on signals wait for replace(): they may be older than the reply.
  begin() {
    this.queue = [];
  }

  // Everything that was known is dropped for `objects`; `root` has the properties of the root object.
  replace(objects, root) {
    const arrived = this.queue ?? [];
    this.machines.clear();
    this.jobs.clear();
    this.queue = null;
    Object.assign(this.root, ours(root));
    for (const [path, interfaces] of Object.entries(objects)) this.add(path, interfaces);
    for (const signal of arrived) this.signal(...signal);
  }

  // The path of the object that the signal changed, or null.
  signal(path, interfaceName, member, args) {
    if (this.queue) {
      this.queue.push([path, interfaceName, member, args]);
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
    else if (found.Domain) this.machines.set(path, { path, ...found });
    else if (found.Job) this.jobs.set(path, { path, ...found });
    else return null;
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
