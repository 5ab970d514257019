// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Messages about operations, in libvirt's words. One per machine and operation: a later one replaces
// an earlier one. An error stays until it is closed.

import { BUTTON, h } from './dom.js';
import { icon } from './icons.js';
import { text } from './text.js';

const MOST = 5;
const GONE_MSEC = 8000;
const LOOKS = { info: 'pf-c-alert pf-m-info', danger: 'pf-c-alert pf-m-danger' };
const shown = new Map(); // key → element

export function toast(key, severity, title, detail = '') {
  shown.get(key)?.remove();
  shown.delete(key);
  const close = () => {
    element.remove();
    if (shown.get(key) === element) shown.delete(key);
  };
  const element = h('li', { class: LOOKS[severity], role: severity === 'danger' ? 'alert' : 'status' },
    h('div', { class: 'pf-c-alert__icon' }, icon(severity === 'info' ? 'other' : 'warning')),
    h('h2', { class: 'pf-c-alert__title' }, title),
    h('div', { class: 'pf-c-alert__action' },
      h('button', { class: BUTTON.plain, 'aria-label': text.close, onclick: close }, '×')),
    detail ? h('div', { class: 'pf-c-alert__description' }, detail) : null);
  shown.set(key, element);
  document.getElementById('toasts').append(element);
  if (shown.size > MOST) {
    const [oldest, first] = shown.entries().next().value;
    first.remove();
    shown.delete(oldest);
  }
  if (severity !== 'danger') setTimeout(close, GONE_MSEC);
}
