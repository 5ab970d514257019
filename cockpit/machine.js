// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The page of one machine. Its sections are rebuilt where the properties that they show differ;
// charts, console and history keep their elements.

import { Chart, CHARTS } from './chart.js';
import { Console } from './console.js';
import { details } from './details.js';
import { batched, BUTTON, card, h, rebuild, setHidden, setText } from './dom.js';
import { duration, family, mainAddress, webLink } from './formats.js';
import { History } from './history.js';
import { emptyState, icon, setTile, tile } from './icons.js';
import { possible } from './operations.js';
import { LABELS, problemsOf, toneOf } from './row.js';
import { fill, text, word } from './text.js';

export class MachinePage {
  constructor({ cockpit, mirror, service, usage, actions, rights }) {
    Object.assign(this, { mirror, service, usage, actions, uuid: null });
    this.draw = batched(() => this.drawNow());
    this.charts = Object.keys(CHARTS).map((name) => new Chart(name));
    this.console = new Console(cockpit);
    this.history = new History(cockpit, rights);
    this.sections = h('div', { class: 'details' });
    this.gone = h('div', { hidden: true }, emptyState(null, text.gone, text.goneHint));
    this.content = h('div', { class: 'cards' },
      card(text.figures, h('div', { class: 'charts' }, this.charts.map(({ element }) => element))),
      this.sections,
      card(text.console, this.console.element), card(text.history, this.history.element));
    this.element = h('section', { class: 'machine-page' }, this.header(), this.gone, this.content);
  }

  header() {
    this.tile = tile();
    this.name = h('h1', { class: 'pf-c-title pf-m-2xl', tabindex: '-1' });
    this.place = h('li', { class: 'pf-c-breadcrumb__item' });
    this.subtitle = h('span', { class: 'second' });
    this.state = h('div', { class: 'machine-state' });
    this.job = h('div', { class: 'machine-job', role: 'status' });
    this.buttons = h('div', { class: 'buttons', role: 'toolbar', 'aria-label': text.title });
    return h('header', { class: 'machine-header' },
      h('nav', { class: 'pf-c-breadcrumb', 'aria-label': text.title }, h('ol', { class: 'pf-c-breadcrumb__list' },
        h('li', { class: 'pf-c-breadcrumb__item' }, h('a', { class: 'pf-c-breadcrumb__link', href: '#/' }, text.title)),
        this.place)),
      h('div', { class: 'machine-title' }, this.tile, h('div', { class: 'lines' }, this.name, this.subtitle),
        this.state, this.job, this.buttons));
  }

  open(uuid) {
    if (uuid === this.uuid) return;
    this.close();
    this.uuid = uuid;
    this.drawNow();
    requestAnimationFrame(() => this.name.focus());
  }

  close() {
    this.uuid = null;
    this.console.show(null);
    this.history.show(null);
  }

  machine() {
    return this.uuid ? this.mirror.byUuid(this.uuid) : undefined;
  }

  title() {
    return this.machine()?.Domain.Name ?? text.title;
  }

  drawNow() {
    if (!this.uuid) return;
    const machine = this.machine();
    const available = this.service.state === 'ready' && Boolean(this.mirror.root.Manager.Available);
    this.element.classList.toggle('away', !available);
    setHidden(this.gone, Boolean(machine) || this.service.state !== 'ready');
    setHidden(this.content, !machine);
    setHidden(this.buttons, !machine);
    if (!machine) return;
    document.title = machine.Domain.Name;
    this.drawHeader(machine, available);
    for (const chart of this.charts) chart.update(machine, this.usage);
    details(this.sections, machine);
    this.console.show(machine);
    this.history.show(machine.Domain.Name);
  }

  drawHeader(machine, available) {
    const { Name, Title, State, StateReason, StartedAt } = machine.Domain;
    const job = this.mirror.jobOf(machine);
    const address = mainAddress(machine.Guest?.Addresses);
    setTile(this.tile, family(machine.Config?.Template));
    setText(this.name, Name);
    rebuild(this.place, Name, () => [h('span', { class: 'pf-c-breadcrumb__item-divider' }, icon('next')), Name]);
    setText(this.subtitle, Title);
    const up = StartedAt ? duration(Date.now() / 1000 - StartedAt / 1e6) : '';
    const state = [toneOf(machine), word(text.states, State),
      StateReason === 'unknown' ? '' : word(text.reasons, StateReason), up,
      webLink(machine.Config?.Template, address), address, problemsOf(machine)[0]];
    rebuild(this.state, state, () => this.stateWords(Name, ...state));
    rebuild(this.job, job?.Job, () => (job ? this.jobWords(job, machine) : []));
    const operations = possible(machine, available).map(({ name, danger }) => [name, danger]);
    rebuild(this.buttons, [this.uuid, operations], () => operations.map(([name, danger], i) => h('button', {
      class: danger ? BUTTON.risky : i ? BUTTON.secondary : BUTTON.primary, 'data-operation': name,
      onclick: () => this.machine() && this.actions.run(name, [this.machine()]),
    }, text.operations[name])));
  }

  stateWords(name, tone, state, reason, up, link, address, problem) {
    return [
      h('span', { class: LABELS[tone] }, h('span', { class: 'pf-c-label__content' }, state)),
      reason ? h('span', { class: 'second' }, reason) : null, up ? h('span', { class: 'second' }, up) : null,
      link ? h('a', { href: link, target: '_blank', rel: 'noopener noreferrer',
        'aria-label': fill(text.opensPage, name) }, address || link, icon('open')) : null,
      problem ? h('span', { class: 'problem' }, problem) : null,
    ].filter(Boolean);
  }

  jobWords(job, machine) {
    const { Operation, Progress } = job.Job;
    return [
      h('span', {}, word(text.running, Operation)),
      h('progress', { max: '1', value: Progress >= 0 ? Progress : undefined, 'aria-label': word(text.running, Operation) }),
      h('button', { class: BUTTON.link, 'aria-label': fill(text.cancelJob, word(text.operations, Operation), machine.Domain.Name),
        onclick: () => this.actions.cancel(job, machine) }, text.cancel),
    ];
  }
}
