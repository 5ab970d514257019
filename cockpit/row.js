// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One row of the list. A row is made once and then shows one machine after the other; update()
// touches the document only where something differs.

import { BUTTON, h, setAttribute, setHidden, setText, svg } from './dom.js';
import { duration, family, mainAddress, percent, size, webLink } from './formats.js';
import { icon, setTile, tile } from './icons.js';
import { possible, primary } from './operations.js';
import { fill, text, word } from './text.js';
import { linePath } from './usage.js';

const BOX = { width: 72, height: 24, count: 30 };

function sparkline(className) {
  return svg('svg', { class: `spark ${className}`, viewBox: `0 -1 ${BOX.width} ${BOX.height + 2}`,
    preserveAspectRatio: 'none', 'aria-hidden': 'true' }, svg('path', { d: '' }));
}

const problemText = ({ kind, device }) => (device
  ? fill(text.onDevice, word(text.problems, kind), device) : word(text.problems, kind));

export const problemsOf = (machine) => (machine.Domain.Problems ?? []).map((problem) =>
  (problem.message ? `${problemText(problem)}: ${problem.message}` : problemText(problem)));

export const isPending = (machine) => Object.keys(machine.Config?.Next ?? {}).length > 0;

// The label of a state, by its tone.
export const LABELS = {
  good: 'pf-c-label pf-m-compact pf-m-green', off: 'pf-c-label pf-m-compact', held: 'pf-c-label pf-m-compact pf-m-gold',
  bad: 'pf-c-label pf-m-compact pf-m-red', busy: 'pf-c-label pf-m-compact pf-m-blue',
};

export const pendingLabel = (...content) => h('span', { class: 'pf-c-label pf-m-compact pf-m-blue' },
  h('span', { class: 'pf-c-label__content' }, content));

export function toneOf(machine) {
  const { State, Problems } = machine.Domain;
  if (State === 'crashed' || Problems?.length) return 'bad';
  return { running: 'good', idle: 'good', shutoff: 'off', paused: 'held', pmsuspended: 'held' }[State] ?? 'busy';
}

export class Row {
  // `on`: select(path, checked, range), open(path), run(name, path), menu(path, button), cancel(path)
  constructor(on) {
    this.on = on;
    this.path = null;
    this.parts = {};
    this.element = h('div', { role: 'row', class: 'row' }, this.nameCells(), this.stateCells(),
      this.figureCells(), this.actionCell());
  }

  part(name, element) {
    this.parts[name] = element;
    return element;
  }

  nameCells() {
    const { on } = this;
    return [
      h('div', { role: 'gridcell', class: 'check' }, this.part('check', h('input', { type: 'checkbox',
        onclick: (event) => on.select(this.path, event.target.checked, event.shiftKey) }))),
      h('div', { role: 'rowheader', class: 'name' }, this.part('tile', tile()),
        h('div', { class: 'lines' },
          this.part('link', h('a', { class: 'title' })),
          h('div', { class: 'second' }, this.part('subtitle', h('span')),
            this.part('pending', pendingLabel(icon('restart', 'pf-c-label__icon'), text.pending))))),
    ];
  }

  stateCells() {
    return [
      h('div', { role: 'gridcell', class: 'state' },
        h('div', { class: 'lines' },
          this.part('label', h('span', {}, this.part('state', h('span', { class: 'pf-c-label__content' })))),
          this.part('reason', h('span', { class: 'second reason' })),
          this.part('problems', h('span', { class: 'second problem' })))),
      h('div', { role: 'gridcell', class: 'address' }, this.part('address', h('span')),
        this.part('web', h('a', { target: '_blank', rel: 'noopener noreferrer' }))),
      h('div', { role: 'gridcell', class: 'uptime' }, this.part('uptime', h('span'))),
    ];
  }

  figureCells() {
    return ['cpu', 'memory'].map((figure) => h('div', { role: 'gridcell', class: `figure ${figure}` },
      this.part(`${figure}Spark`, sparkline(figure)), this.part(figure, h('span', { class: 'value' }))));
  }

  actionCell() {
    const { on } = this;
    return h('div', { role: 'gridcell', class: 'actions' },
      this.part('job', h('span', { class: 'job' },
        this.part('jobText', h('span', { class: 'job-text' })), this.part('progress', h('progress', { max: '1' })),
        this.part('cancel', h('button', { class: BUTTON.link, onclick: () => on.cancel(this.path) }, text.cancel)))),
      this.part('main', h('button', { class: `${BUTTON.secondary} pf-m-small`, onclick: () => on.run(this.main, this.path) })),
      this.part('more', h('button', { class: BUTTON.plain, 'aria-haspopup': 'menu', 'aria-expanded': 'false',
        onclick: () => on.menu(this.path, this.parts.more) }, icon('more'))));
  }

  // `view`: {machine, job, available, usage, selected, index, current}
  update(view) {
    const { machine } = view;
    this.path = machine.path;
    this.updateName(view);
    this.updateState(view);
    this.updateFigures(view);
    this.updateActions(view);
    setAttribute(this.element, 'aria-rowindex', view.index + 2);
    setAttribute(this.element, 'aria-selected', String(view.selected));
    setAttribute(this.element, 'data-path', machine.path);
    const stop = view.current ? '0' : '-1';
    for (const part of ['check', 'link', 'web', 'cancel', 'main', 'more'])
      setAttribute(this.parts[part], 'tabindex', stop);
  }

  updateName({ machine, selected }) {
    const { parts } = this;
    const { Name, Title, Uuid } = machine.Domain;
    setTile(parts.tile, family(machine.Config?.Template));
    setText(parts.link, Name);
    setAttribute(parts.link, 'href', `#/machine/${Uuid}`);
    setText(parts.subtitle, Title);
    setAttribute(parts.subtitle, 'title', Title);
    setHidden(parts.pending, !isPending(machine));
    if (parts.check.checked !== selected) parts.check.checked = selected;
    setAttribute(parts.check, 'aria-label', fill(text.select, Name));
    setAttribute(parts.more, 'aria-label', fill(text.more, Name));
  }

  updateState({ machine }) {
    const { parts } = this;
    const { State, StateReason, StartedAt, Available, Name } = machine.Domain;
    const problems = problemsOf(machine);
    const address = mainAddress(machine.Guest?.Addresses);
    const link = webLink(machine.Config?.Template, address);
    setAttribute(parts.label, 'class', LABELS[toneOf(machine)]);
    setText(parts.state, word(text.states, State));
    setText(parts.reason, StateReason === 'unknown' ? '' : word(text.reasons, StateReason));
    setHidden(parts.reason, problems.length > 0);
    setText(parts.problems, problems[0] ?? '');
    setAttribute(parts.problems, 'title', problems.join('\n') || null);
    setText(parts.address, link ? '' : address);
    setText(parts.web, link ? address || new URL(link).host : '');
    setAttribute(parts.web, 'href', link || null);
    setAttribute(parts.web, 'aria-label', link ? fill(text.opensPage, Name) : null);
    setText(parts.uptime, StartedAt ? duration(Date.now() / 1000 - StartedAt / 1e6) : '');
    this.element.classList.toggle('unavailable', !Available);
  }

  updateFigures({ machine, usage }) {
    const { parts } = this;
    const { path } = machine;
    const limits = { cpu: machine.Config?.VCpus || 1, memory: machine.Config?.MemoryBytes || 1 };
    const values = { cpu: percent(usage.last(path, 'cpu')), memory: size(usage.last(path, 'memory')) };
    const labels = { cpu: text.cpuOf, memory: text.memoryOf };
    for (const figure of ['cpu', 'memory']) {
      const line = linePath(usage.samples(path, figure), { ...BOX, top: limits[figure] });
      setAttribute(parts[`${figure}Spark`].firstChild, 'd', line);
      setText(parts[figure], values[figure]);
      setAttribute(parts[figure], 'aria-label',
        values[figure] && fill(labels[figure], machine.Domain.Name, values[figure]));
    }
    this.element.classList.toggle('stale', usage.stale(path));
  }

  updateActions({ machine, job, available }) {
    const { parts } = this;
    const { Name } = machine.Domain;
    const operations = possible(machine, available);
    const main = primary(operations)?.name;
    setHidden(parts.job, !job);
    if (job) {
      const { Operation, Progress } = job.Job;
      setText(parts.jobText, word(text.running, Operation));
      if (Progress >= 0) setAttribute(parts.progress, 'value', Progress);
      else parts.progress.removeAttribute('value');
      setAttribute(parts.progress, 'aria-label', word(text.running, Operation));
      setAttribute(parts.cancel, 'aria-label', fill(text.cancelJob, word(text.operations, Operation), Name));
    }
    this.main = main;
    setHidden(parts.main, !main || Boolean(job));
    setText(parts.main, main ? text.operations[main] : '');
    setAttribute(parts.main, 'aria-label', main && `${text.operations[main]} ${Name}`);
    setHidden(parts.more, operations.length < (job ? 1 : 2));
  }
}
