// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Carrying out operations: asking first where something may be lost, calling the service, and telling
// what came of it.

import { BUTTON, h } from './dom.js';
import { duration } from './formats.js';
import { operationNamed, stopTimeout } from './operations.js';
import { ROOT, SERVICE } from './mirror.js';
import { asBoolean } from './service.js';
import { fill, text, word } from './text.js';
import { toast } from './toasts.js';

const ERROR = SERVICE + '.Error.';
const REFUSED = ['org.freedesktop.DBus.Error.AccessDenied',
  'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired'];

// The words of an error that a method replied with: [severity, title, detail].
export function explain(error, operation, name) {
  const label = word(text.operations, operation);
  if (REFUSED.includes(error.name))
    return ['danger', fill(text.refused, label, name), `${error.message.replace(/\.?$/, '.')} ${text.refusedHint}`];
  if (error.name === ERROR + 'StillRunning') return ['info', fill(text.stillRunning, label, name), ''];
  if (error.name === ERROR + 'Canceled') return ['info', fill(text.results.canceled, label, name), ''];
  return ['danger', fill(text.notDone, label, name), error.message];
}

// Resolves to the answer of a modal dialog: null, or {never} for Stop.
function ask(operation, machines, manager) {
  const label = text.operations[operation.name];
  const one = machines.length === 1;
  const timeouts = new Set(machines.map((machine) => stopTimeout(machine, manager)));
  const wait = duration((timeouts.size === 1 ? [...timeouts][0] : manager.StopTimeoutUSec) / 1e6);
  const explained = {
    Stop: fill(timeouts.size === 1 ? text.askStop : text.askStopEach, wait),
    ForceStop: text.askForceStop, Reset: text.askReset,
  }[operation.name];
  const never = h('input', { type: 'checkbox', class: 'pf-c-check__input', id: 'never-force' });
  return new Promise((resolve) => {
    const dialog = h('dialog', { class: 'pf-c-modal-box pf-m-sm', 'aria-labelledby': 'ask-title', 'aria-describedby': 'ask-text', onclose() {
      resolve(dialog.returnValue === 'yes' ? { never: never.checked } : null);
      dialog.remove();
    } }, h('form', { method: 'dialog' },
      h('header', { class: 'pf-c-modal-box__header' }, h('h1', { id: 'ask-title', class: 'pf-c-modal-box__title' },
        one ? fill(text.askTitle, label, machines[0].Domain.Name) : fill(text.askMany, label, machines.length))),
      h('div', { class: 'pf-c-modal-box__body' }, h('p', { id: 'ask-text' }, explained),
        operation.name === 'Stop' ? h('label', { class: 'pf-c-check' }, never,
          h('span', { class: 'pf-c-check__label' }, text.neverForce)) : null,
        one ? null : h('p', { class: 'names' }, machines.map((machine) => machine.Domain.Name).join(', '))),
      h('footer', { class: 'pf-c-modal-box__footer' },
        h('button', { value: 'yes', class: operation.danger ? BUTTON.danger : BUTTON.primary }, label),
        h('button', { value: '', class: 'pf-c-button pf-m-link' }, text.cancel))));
    document.body.append(dialog);
    dialog.showModal();
  });
}

export class Actions {
  constructor(service, mirror) {
    Object.assign(this, { service, mirror });
  }

  tell(key, outcome) {
    toast(key, ...outcome);
  }

  // Asks once for all of them, then calls each.
  async run(name, machines) {
    const operation = operationNamed(name);
    const answer = operation.confirm ? await ask(operation, machines, this.mirror.root.Manager) : {};
    if (!answer) return;
    await Promise.all(machines.map((machine) => this.call(name, machine, answer)));
  }

  async call(name, machine, { never = false }) {
    const { Name } = machine.Domain;
    try {
      if (name === 'Stop')
        await this.domain(machine, 'StopWithOptions', 'a{sv}', [never ? { force: asBoolean(false) } : {}]);
      else await this.domain(machine, name, '', []);
    } catch (error) {
      this.tell(`${machine.path} ${name}`, explain(error, name, Name));
    }
  }

  domain(machine, method, type, args) {
    return this.service.call(machine.path, SERVICE + '.Domain', method, type, args);
  }

  async cancel(job, machine) {
    try {
      await this.service.call(job.path, SERVICE + '.Job', 'Cancel', '', []);
    } catch (error) {
      this.tell(`${machine.path} cancel`, explain(error, job.Job.Operation, machine.Domain.Name));
    }
  }

  async reconnect() {
    try {
      await this.service.call(ROOT, SERVICE + '.Manager', 'Reconnect', '', []);
    } catch (error) {
      this.tell('reconnect', ['danger', text.reconnectFailed, error.message]);
    }
  }

  // The end of a job, whoever began it.
  jobRemoved({ machine: path, operation, result, message }) {
    const machine = this.mirror.machines.get(path);
    if (!machine || !(result in text.results)) return;
    const title = fill(text.results[result], word(text.operations, operation), machine.Domain.Name);
    this.tell(`${path} ${operation}`, [result === 'canceled' ? 'info' : 'danger', title, message]);
  }
}
