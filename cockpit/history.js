// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The lines of the journal about a machine, and those that come: journalctl, started by Cockpit.

import { h } from './dom.js';
import { fill, text } from './text.js';

const LINES = 100;
const LEVELS = ['danger', 'danger', 'danger', 'danger', 'warning'];

// A field is text, or an array of bytes where it is no UTF-8.
const decode = (field) => (Array.isArray(field)
  ? new TextDecoder().decode(Uint8Array.from(field)) : String(field ?? ''));

// The entries of complete lines of journalctl's JSON, and the rest that is not complete yet.
export function parseLines(data) {
  const lines = data.split('\n');
  const rest = lines.pop();
  const entries = lines.filter(Boolean).map((line) => JSON.parse(line)).map((entry) => ({
    time: Number(entry.__REALTIME_TIMESTAMP) / 1000,
    message: decode(entry.MESSAGE),
    level: LEVELS[Number(entry.PRIORITY)] ?? '',
  }));
  return { entries, rest };
}

export class History {
  constructor(cockpit, rights) {
    Object.assign(this, { cockpit, rights, name: null, process: null });
    this.lines = h('ol', { class: 'history', reversed: true });
    this.note = h('p', { class: 'second' });
    this.element = h('div', {}, this.note, this.lines);
  }

  // Of this machine; null: none.
  show(name) {
    if (name === this.name) return;
    this.name = name;
    const old = this.process;
    this.process = null;
    old?.close('terminated');
    this.lines.replaceChildren();
    if (name !== null) this.start();
  }

  start() {
    let rest = '';
    this.tell(text.historyNone);
    const process = this.cockpit.spawn(['journalctl', '--quiet', '--output=json', '--follow', `--lines=${LINES}`,
      `VM_NAME=${this.name}`], { superuser: 'try', err: 'out' });
    this.process = process;
    process.stream((data) => {
      if (process !== this.process) return;
      const parsed = parseLines(rest + data);
      ({ rest } = parsed);
      this.add(parsed.entries);
    });
    process.catch((error) => {
      if (process === this.process) this.tell(fill(text.historyRefused, error.message));
    });
  }

  tell(note) {
    const limited = this.rights.administrative === false ? ` ${text.historyLimited}` : '';
    this.note.textContent = note ? note + limited : '';
  }

  // The newest first.
  add(entries) {
    if (!entries.length) return;
    this.tell('');
    this.lines.prepend(...entries.reverse().map(({ time, message, level }) => h('li', { class: level },
      h('time', { datetime: new Date(time).toISOString() }, new Date(time).toLocaleString()), ' ', message)));
    while (this.lines.childElementCount > LINES) this.lines.lastElementChild.remove();
  }
}
