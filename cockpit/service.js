// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The connection to org.unraid.Vms through Cockpit's bridge. It keeps the mirror, through every
// restart of the service and of the bus: when the name has another owner, everything is read again.
// Its state is `connecting`, `ready` or `away` (with `problem` and `since`).

import { OBJECT_MANAGER, PROPERTIES, ROOT, SERVICE } from './mirror.js';
import { text } from './text.js';

const MANAGER = SERVICE + '.Manager';
const USAGE_USEC = 2000000;
// Well before the minute that the service grants is over.
const RENEW_MSEC = 25000;
const FIRST_RETRY_MSEC = 250;
const LAST_RETRY_MSEC = 8000;

const variant = (type) => (value) => ({ t: type, v: value });
export const asBoolean = variant('b');
export const asTime = variant('t');

// However many objects there are, no task of the page takes long.
const SLICE = 20;

function* slices(list) {
  for (let at = 0; at < list.length; at += SLICE) yield list.slice(at, at + SLICE);
}

// A timer would be held back in a page that is hidden.
const nextTask = () => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    resolve();
  };
  port2.postMessage(null);
});

export class Service {
  // `on` has changed(paths), usage(timestamp, figures), jobRemoved({…}) and state().
  constructor(cockpit, mirror, on) {
    Object.assign(this, { cockpit, mirror, on, state: 'connecting', problem: '', since: Date.now() });
    this.retry = FIRST_RETRY_MSEC;
    this.attempt = 0; // of reading everything; a reply to an older one is not looked at
    this.timer = null;
    setInterval(() => this.renew(), RENEW_MSEC);
    cockpit.addEventListener('visibilitychange', () => this.renew());
  }

  // Opens the channel, or opens it again with the rights that the session has now.
  open() {
    const previous = this.client;
    const client = this.cockpit.dbus(SERVICE, { bus: 'system', superuser: 'try' });
    this.client = client;
    previous?.close();
    client.addEventListener('close', (event, options) => {
      if (client === this.client) this.lost(this.words(options), true);
    });
    client.addEventListener('owner', (event, owner) => {
      if (client !== this.client) return;
      if (owner) this.readAll();
      else this.lost('');
    });
    client.subscribe({ path_namespace: ROOT }, (...signal) => {
      if (client === this.client) this.signal(...signal);
    });
    this.readAll();
  }

  setState(state, problem = '') {
    if (state === this.state && problem === this.problem) return;
    if (state !== this.state) this.since = Date.now();
    this.state = state;
    this.problem = problem;
    this.on.state();
  }

  async readAll() {
    const attempt = ++this.attempt;
    clearTimeout(this.timer);
    this.mirror.begin();
    try {
      const [objects, manager, host] = await Promise.all([
        this.call(ROOT, OBJECT_MANAGER, 'GetManagedObjects', '', []),
        this.call(ROOT, PROPERTIES, 'GetAll', 's', [MANAGER]),
        this.call(ROOT, PROPERTIES, 'GetAll', 's', [SERVICE + '.Host']),
      ]);
      for (const slice of slices(Object.entries(objects[0]))) {
        await nextTask();
        if (attempt !== this.attempt) return;
        this.mirror.take(slice);
      }
      if (attempt !== this.attempt) return;
      this.mirror.finish({ [MANAGER]: manager[0], [SERVICE + '.Host']: host[0] });
      this.retry = FIRST_RETRY_MSEC;
      this.setState('ready');
      this.on.changed(null);
      this.renew();
    } catch (error) {
      if (attempt === this.attempt) this.lost(this.words(error));
    }
  }

  // Why a channel was closed, or a call failed.
  words(error) {
    return error.message || text.channel[error.problem] || this.cockpit.message(error);
  }

  // The bus starts the service when it is called, so trying again is all that heals.
  lost(problem, closed = false) {
    this.attempt++;
    clearTimeout(this.timer);
    this.setState('away', problem || this.problem);
    this.timer = setTimeout(() => (closed ? this.open() : this.readAll()), this.retry);
    this.retry = Math.min(this.retry * 2, LAST_RETRY_MSEC);
  }

  signal(path, interfaceName, member, args) {
    if (interfaceName === MANAGER && member === 'Usage') this.on.usage(...args);
    else if (interfaceName === MANAGER && member === 'JobRemoved') this.jobRemoved(...args);
    else {
      const changed = this.mirror.signal(path, interfaceName, member, args);
      if (changed) this.on.changed(changed);
    }
  }

  jobRemoved(job, machine, operation, result, message) {
    this.on.jobRemoved({ job, machine, operation, result, message });
  }

  // Nobody looks at a hidden page: its subscription ends by itself.
  renew() {
    if (this.state !== 'ready' || this.cockpit.hidden) return;
    this.call(ROOT, MANAGER, 'SubscribeUsage', 'ta{sv}', [USAGE_USEC, {}]).catch((error) =>
      console.warn('no figures of the machines:', error.message));
  }

  call(path, interfaceName, method, type, args) {
    return this.client.call(path, interfaceName, method, args, { type });
  }
}
