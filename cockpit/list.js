// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The list of all machines. Only the rows on the screen are in the document, each bound to its machine
// while it stays there; all are drawn from the mirror, once per frame.

import { batched, BUTTON, h, rebuild, setAttribute, setHidden, setText } from './dom.js';
import { emptyState, icon } from './icons.js';
import { closeMenu, openMenu } from './menu.js';
import { OPERATIONS, possible } from './operations.js';
import { Row } from './row.js';
import { counts, KINDS, slice, visible } from './rows.js';
import { fill, text } from './text.js';

const COLUMNS = ['name', 'state', 'address', 'uptime', 'cpu', 'memory'];
// Rows that one frame makes; the others come with the next ones, so that none takes long.
const NEW_ROWS = 8;
const narrow = window.matchMedia('(max-width: 768px)');

export class List {
  constructor({ mirror, service, usage, actions }) {
    Object.assign(this, { mirror, service, usage, actions });
    this.view = { filter: '', kind: 'all', sort: 'name', reverse: false };
    this.selected = new Set();
    this.rows = new Map(); // path → Row
    this.free = []; // rows that show no machine
    this.current = null; // the path of the row that Tab reaches
    this.shown = [];
    this.draw = batched(() => this.drawNow());
    this.scrolled = batched(() => this.drawRows());
    this.element = h('section', { class: 'list-page' },
      h('div', { class: 'list pf-c-card' }, this.toolbar(), this.bulkBar(), this.grid()));
    new ResizeObserver(this.draw).observe(this.scroller);
    narrow.addEventListener('change', this.draw);
  }

  toolbar() {
    this.filter = h('input', { class: 'pf-c-text-input-group__text-input', type: 'search', placeholder: text.filter, 'aria-label': text.filter,
      oninput: () => this.look({ filter: this.filter.value }) });
    this.kinds = Object.keys(KINDS).map((kind) => h('button', { class: 'kind pf-c-toggle-group__button', 'aria-pressed': 'false',
      'data-kind': kind, onclick: () => this.look({ kind }) }, text.kinds[kind], ' ', h('span', { class: 'count' })));
    this.sorter = h('select', { class: 'sorter', 'aria-label': text.sort,
      onchange: () => this.look({ sort: this.sorter.value }) },
    COLUMNS.map((column) => h('option', { value: column }, text.columns[column])));
    return h('header', { class: 'toolbar pf-c-card__header' }, h('h1', { class: 'pf-c-title pf-m-xl' }, text.title),
      h('div', { class: 'kinds pf-c-toggle-group', role: 'group', 'aria-label': text.columns.state },
        this.kinds.map((button) => h('div', { class: 'pf-c-toggle-group__item' }, button))), this.sorter,
      h('div', { class: 'search pf-c-text-input-group' }, h('div', { class: 'pf-c-text-input-group__main pf-m-icon' },
        h('span', { class: 'pf-c-text-input-group__text' },
          h('span', { class: 'pf-c-text-input-group__icon' }, icon('search')), this.filter))));
  }

  bulkBar() {
    this.bulkCount = h('strong');
    this.bulkButtons = h('div', { class: 'buttons' });
    this.bulk = h('div', { class: 'bulk', role: 'toolbar', 'aria-label': text.machines, hidden: true },
      this.bulkCount, this.bulkButtons,
      h('button', { class: BUTTON.link, onclick: () => this.clearSelection() }, text.clearSelection));
    return this.bulk;
  }

  grid() {
    this.all = h('input', { type: 'checkbox', 'aria-label': text.selectAll, onclick: () => this.selectAll() });
    this.headers = COLUMNS.map((column) => h('div', { role: 'columnheader', class: column },
      h('button', { class: 'sort', onclick: () => this.sortBy(column) }, text.columns[column])));
    this.body = h('div', { class: 'rows', role: 'rowgroup' });
    this.empty = h('div', { hidden: true });
    const head = h('div', { class: 'head-group', role: 'rowgroup' }, h('div', { role: 'row', class: 'head', 'aria-rowindex': '1' },
      h('div', { role: 'columnheader', class: 'check' }, this.all), this.headers,
      h('div', { role: 'columnheader', class: 'actions' })));
    this.scroller = h('div', { class: 'scroller', tabindex: '-1', onscroll: this.scrolled }, head, this.body, this.empty);
    this.table = h('div', { role: 'grid', class: 'grid pf-c-table', 'aria-label': text.machines,
      'aria-multiselectable': 'true', 'aria-colcount': COLUMNS.length + 2, onkeydown: (event) => this.onKey(event) },
    this.scroller);
    return this.table;
  }

  look(changes) {
    Object.assign(this.view, changes);
    this.scroller.scrollTop = 0;
    this.draw();
  }

  sortBy(sort) {
    this.look({ sort, reverse: this.view.sort === sort && !this.view.reverse });
  }

  rowHeight() {
    return narrow.matches ? 124 : 60;
  }

  drawNow() {
    if (!this.element.isConnected) return;
    const { machines } = this.mirror;
    for (const path of this.selected) if (!machines.has(path)) this.selected.delete(path);
    this.shown = visible(machines, this.usage, this.view);
    this.drawToolbar(counts(machines));
    this.drawBulk();
    this.drawRows();
    this.drawEmpty();
    this.element.classList.toggle('away', !this.available());
  }

  available() {
    return this.service.state === 'ready' && Boolean(this.mirror.root.Manager.Available);
  }

  drawToolbar(found) {
    const { kind, sort, reverse } = this.view;
    for (const button of this.kinds) {
      const own = button.dataset.kind;
      setAttribute(button, 'aria-pressed', String(own === kind));
      button.classList.toggle('pf-m-selected', own === kind);
      setText(button.lastChild, String(found[own]));
    }
    this.sorter.value = sort;
    this.headers.forEach((header, i) => {
      const direction = reverse ? 'descending' : 'ascending';
      setAttribute(header, 'aria-sort', COLUMNS[i] === sort ? direction : 'none');
    });
    const some = this.shown.filter(({ path }) => this.selected.has(path)).length;
    this.all.checked = some > 0 && some === this.shown.length;
    this.all.indeterminate = some > 0 && some < this.shown.length;
  }

  // How many of the selected machines each operation is possible for.
  drawBulk() {
    const machines = this.selectedMachines();
    const useful = OPERATIONS.map(({ name, danger }) => [name, danger, this.possibleFor(name, machines).length])
      .filter(([, , count]) => count);
    setHidden(this.bulk, !machines.length);
    setText(this.bulkCount, fill(text.selected, machines.length));
    rebuild(this.bulkButtons, useful, () => useful.map(([name, danger, count]) => h('button', {
      class: danger ? BUTTON.risky : BUTTON.secondary,
      onclick: () => this.actions.run(name, this.possibleFor(name, this.selectedMachines())),
    }, `${text.operations[name]} (${count})`)));
  }

  selectedMachines() {
    return [...this.selected].map((path) => this.mirror.machines.get(path)).filter(Boolean);
  }

  possibleFor(name, machines) {
    return machines.filter((machine) => possible(machine, this.available()).some((one) => one.name === name));
  }

  drawRows() {
    const height = this.rowHeight();
    const { scrollTop, clientHeight } = this.scroller;
    const { first, end } = slice(this.shown.length, height, scrollTop, clientHeight);
    const wanted = this.shown.slice(first, end).map((machine, i) => ({ machine, index: first + i }));
    if (!this.shown.some(({ path }) => path === this.current)) this.current = this.shown[0]?.path ?? null;
    this.keepFocused(wanted);
    const paths = new Set(wanted.map(({ machine }) => machine.path));
    for (const [path, row] of this.rows)
      if (!paths.has(path)) this.release(path, row);
    const most = this.rows.size + this.free.length + NEW_ROWS;
    if (wanted.length > most) {
      wanted.length = most;
      this.scrolled();
    }
    setAttribute(this.table, 'aria-rowcount', this.shown.length + 1);
    this.setStyle(this.body, 'height', `${this.shown.length * height}px`);
    const available = this.available();
    for (const { machine, index } of wanted) this.drawRow(machine, index, height, available);
    for (const row of this.free) setHidden(row.element, true);
    this.arrange(wanted);
  }

  // The rows stand in the document as on the screen: a screen reader reads them in that order.
  arrange(wanted) {
    const focused = document.activeElement;
    let next = this.body.firstChild;
    for (const { machine } of wanted) {
      while (next?.hidden) next = next.nextSibling;
      const { element } = this.rows.get(machine.path);
      if (element === next) next = next.nextSibling;
      else this.body.insertBefore(element, next);
    }
    if (document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  // A row that has the focus stays in the document when it is scrolled away.
  keepFocused(wanted) {
    const path = document.activeElement?.closest?.('.row')?.dataset.path;
    if (!path || wanted.some(({ machine }) => machine.path === path)) return;
    const index = this.shown.findIndex((machine) => machine.path === path);
    if (index < 0) return;
    const focused = { machine: this.shown[index], index };
    if (index < wanted[0]?.index) wanted.unshift(focused);
    else wanted.push(focused);
  }

  // In their order, so that a row that shows another machine at once need not move in the document.
  release(path, row) {
    this.rows.delete(path);
    row.element.removeAttribute('data-path');
    this.free.push(row);
  }

  drawRow(machine, index, height, available) {
    let row = this.rows.get(machine.path);
    if (!row) {
      row = this.free.shift() ?? this.newRow();
      this.rows.set(machine.path, row);
      setHidden(row.element, false);
    }
    this.setStyle(row.element, 'transform', `translateY(${index * height}px)`);
    row.update({ machine, index, available, job: this.mirror.jobOf(machine), usage: this.usage,
      selected: this.selected.has(machine.path), current: machine.path === this.current });
  }

  setStyle(element, name, value) {
    if (element.style[name] !== value) element.style[name] = value;
  }

  newRow() {
    const machine = (path) => this.mirror.machines.get(path);
    const row = new Row({
      select: (path, checked, range) => this.select(path, checked, range),
      run: (name, path) => machine(path) && this.actions.run(name, [machine(path)]),
      menu: (path, button) => machine(path) && this.menu(machine(path), button),
      cancel: (path) => {
        const job = machine(path) && this.mirror.jobOf(machine(path));
        if (job) this.actions.cancel(job, machine(path));
      },
    });
    this.body.append(row.element);
    return row;
  }

  menu(machine, button) {
    openMenu(button, possible(machine, this.available()).map(({ name, danger }) => ({
      label: text.operations[name], danger, act: () => this.actions.run(name, [machine]),
    })));
  }

  drawEmpty() {
    const reading = this.service.state !== 'ready' && !this.mirror.machines.size;
    const key = this.shown.length ? '' : [reading, this.mirror.machines.size > 0];
    setHidden(this.empty, !key);
    rebuild(this.empty, key, () => {
      if (reading) return emptyState(null, text.loading);
      if (this.mirror.machines.size)
        return emptyState('search', text.noMatch, h('button', { class: BUTTON.link, onclick: () => {
          this.filter.value = '';
          this.look({ filter: '', kind: 'all' });
        } }, text.clearFilter));
      return emptyState('other', text.none, text.noneHint);
    });
  }

  // With Shift: all between the one that was clicked before and this one.
  select(path, checked, range) {
    const paths = this.shown.map((machine) => machine.path);
    const [from, to] = [paths.indexOf(range ? this.anchor : path), paths.indexOf(path)];
    const chosen = from < 0 ? [path] : paths.slice(Math.min(from, to), Math.max(from, to) + 1);
    for (const one of chosen) this.selected[checked ? 'add' : 'delete'](one);
    this.anchor = path;
    this.current = path;
    this.draw();
  }

  selectAll() {
    if (this.all.checked) for (const { path } of this.shown) this.selected.add(path);
    else this.clearSelection();
    this.draw();
  }

  clearSelection() {
    this.selected.clear();
    this.draw();
  }

  // The arrow keys move from row to row, Tab moves in a row; "/" goes to the filter.
  onKey(event) {
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.rowHeight()) - 1);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
    const row = event.target.closest('.row');
    if (!row) return;
    if (event.key === ' ' && event.target.matches('a.title')) {
      this.select(row.dataset.path, !this.selected.has(row.dataset.path), event.shiftKey);
      event.preventDefault();
    }
    if (step === undefined) return;
    event.preventDefault();
    closeMenu();
    const at = this.shown.findIndex(({ path }) => path === row.dataset.path);
    this.focusRow(Math.max(0, Math.min(this.shown.length - 1, at + step)));
  }

  focusRow(index) {
    const height = this.rowHeight();
    const { scroller } = this;
    this.current = this.shown[index].path;
    const free = scroller.clientHeight - this.body.offsetTop; // below the header, which stays
    if (index * height < scroller.scrollTop) scroller.scrollTop = index * height;
    else if ((index + 1) * height > scroller.scrollTop + free) scroller.scrollTop = (index + 1) * height - free;
    this.drawRows();
    this.rows.get(this.current)?.parts.link.focus({ preventScroll: true });
    this.draw();
  }
}
