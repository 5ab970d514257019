// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The serial console of a machine: a terminal on `vmsctl console`, which Cockpit starts.

import { batched, BUTTON, h, rebuild, setAttribute, setHidden, setText } from './dom.js';
import { keyBytes, Terminal } from './terminal.js';
import { fill, text } from './text.js';

const ROWS = 24;
const COLUMNS = 80;
const LEAVE = '\x1d'; // Ctrl+], which vmsctl takes for itself

export class Console {
  constructor(cockpit) {
    Object.assign(this, { cockpit, machine: null, process: null });
    this.draw = batched(() => this.drawNow());
    this.terminal = new Terminal(ROWS, COLUMNS);
    this.note = h('p', { class: 'second', role: 'status' });
    this.connectButton = h('button', { class: BUTTON.secondary, onclick: () => this.connect() }, text.connect);
    this.forceButton = h('button', { class: BUTTON.secondary, hidden: true, onclick: () => this.connect('--force') }, text.takeOver);
    this.leaveButton = h('button', { class: BUTTON.secondary, onclick: () => this.send(LEAVE) }, text.disconnect);
    this.lines = Array.from({ length: ROWS }, () => h('div'));
    this.screen = h('div', { class: 'terminal', role: 'textbox', 'aria-multiline': 'true', tabindex: '0', hidden: true,
      onkeydown: (event) => this.onKey(event), onpaste: (event) => this.onPaste(event) }, this.lines);
    this.element = h('div', { class: 'console' }, this.note,
      h('div', { class: 'buttons' }, this.connectButton, this.forceButton, this.leaveButton), this.screen);
  }

  // Of this machine; null: none, and a console that is open is left.
  show(machine) {
    if (machine?.path !== this.machine?.path) {
      this.process?.close('terminated');
      this.process = null;
      setHidden(this.screen, true);
      setHidden(this.forceButton, true);
      this.message = null;
    }
    this.machine = machine;
    if (machine) this.drawButtons();
  }

  runs() {
    return (this.machine?.Domain.Id ?? -1) >= 0;
  }

  drawButtons() {
    setHidden(this.connectButton, Boolean(this.process) || !this.runs());
    setHidden(this.leaveButton, !this.process);
    setText(this.note, this.message ?? (this.runs() ? text.consoleHint : text.consoleOff));
  }

  connect(...options) {
    const { Name, Uuid } = this.machine.Domain;
    const decoder = new TextDecoder();
    const process = this.cockpit.spawn(['vmsctl', 'console', ...options, Uuid], {
      superuser: 'try', pty: true, binary: true, environ: ['TERM=linux'], window: { rows: ROWS, cols: COLUMNS },
    });
    this.process = process;
    this.message = null;
    this.terminal.reset();
    process.stream((data) => {
      if (process !== this.process) return;
      const reply = this.terminal.write(decoder.decode(data, { stream: true }));
      if (reply) this.send(reply);
      this.draw();
    });
    process.then(() => this.ended(process), () => this.ended(process));
    setAttribute(this.screen, 'aria-label', fill(text.consoleLabel, Name));
    setHidden(this.screen, false);
    setHidden(this.forceButton, true);
    this.drawButtons();
    this.drawNow();
    this.screen.focus();
  }

  // The last words of vmsctl stay on the screen: they say why it ended.
  ended(process) {
    if (process !== this.process) return;
    this.process = null;
    this.message = text.consoleEnded;
    setHidden(this.forceButton, !this.runs());
    this.drawButtons();
  }

  send(bytes) {
    this.process?.input(new TextEncoder().encode(bytes), true);
  }

  onKey(event) {
    const bytes = this.process ? keyBytes(event, this.terminal.cursorKeys) : '';
    if (!bytes) return;
    this.send(bytes);
    event.preventDefault();
    event.stopPropagation();
  }

  onPaste(event) {
    this.send(event.clipboardData.getData('text').replaceAll('\n', '\r'));
    event.preventDefault();
  }

  drawNow() {
    this.lines.forEach((line, i) => {
      const pieces = this.terminal.pieces(i);
      rebuild(line, pieces, () => pieces.map(([piece, style]) => (style ? h('span', { class: style }, piece) : piece)));
    });
  }
}
