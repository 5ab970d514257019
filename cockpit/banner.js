// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The banner: whether the list is what libvirt has now, and if not, why and since when.

import { BUTTON, h, rebuild, setText } from './dom.js';
import { duration } from './formats.js';
import { icon } from './icons.js';
import { fill, text, word } from './text.js';

// Which banner stands now, or null: a function of the connection, of the Manager's properties and of
// whether the session has administrative access.
export function bannerOf({ state, problem, since }, manager, administrative) {
  if (state === 'away')
    return { kind: 'service', title: text.away.service, detail: problem || text.away.serviceWhy, since };
  if (state === 'ready' && !manager.Available)
    return {
      kind: 'libvirt', title: word(text.away, manager.Status), detail: manager.StatusMessage,
      since: manager.StatusSince / 1000,
    };
  if (administrative === false)
    return { kind: 'limited', title: text.limited, detail: text.limitedWhy, since: 0 };
  return null;
}

const SYMBOLS = { service: 'plug', libvirt: 'plug', limited: 'lock' };
const LOOKS = {
  service: 'pf-c-alert pf-m-inline pf-m-danger', libvirt: 'pf-c-alert pf-m-inline pf-m-warning',
  limited: 'pf-c-alert pf-m-inline pf-m-info',
};

export class Banner {
  constructor(element, reconnect) {
    Object.assign(this, { element, reconnect, shown: null });
    setInterval(() => this.tick(), 1000);
  }

  show(banner) {
    this.shown = banner;
    this.element.className = banner ? LOOKS[banner.kind] : '';
    rebuild(this.element, banner, () => (banner ? this.build(banner) : []));
    this.tick();
  }

  build({ kind, title, detail, since }) {
    this.time = h('span', { class: 'since' });
    return [
      h('div', { class: 'pf-c-alert__icon' }, icon(SYMBOLS[kind])),
      h('h2', { class: 'pf-c-alert__title' }, title),
      h('div', { class: 'pf-c-alert__description' }, detail, ' ', since ? this.time : null),
      kind === 'libvirt' ? h('div', { class: 'pf-c-alert__action-group' },
        h('button', { class: BUTTON.link, onclick: this.reconnect }, text.reconnect)) : null,
    ].filter(Boolean);
  }

  // The clock is no news for a screen reader.
  tick() {
    if (!this.shown?.since) return;
    const { since } = this.shown;
    this.time.setAttribute('aria-live', 'off');
    setText(this.time, fill(text.since, new Date(since).toLocaleTimeString(),
      duration((Date.now() - since) / 1000)));
  }
}
