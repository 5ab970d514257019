// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The symbols of the page. A template's icon names a kind of system; no picture is fetched from anywhere.

import { h, svg } from './dom.js';

const PATHS = {
  windows: 'M3 5.2 10.5 4.1V11.4H3ZM11.5 4 21 2.6V11.4H11.5ZM3 12.4H10.5V19.8L3 18.8ZM11.5 12.4H21V21.3L11.5 19.9Z',
  linux: 'M4 5 10 11.5 4 18 5.9 19.8 13.6 11.5 5.9 3.2ZM13 17.2H21V19.8H13Z',
  mac: 'M8 3.5a3.5 3.5 0 1 0 0 7h2v3H8a3.5 3.5 0 1 0 3.5 3.5v-2h2.5v2a3.5 3.5 0 1 0 3.500-3.500h-2v-3h2A3.500 3.500 0 1 0 14 7v1.500h-2.500V7A3.500 3.500 0 0 0 8 3.500Z',
  bsd: 'M3 8c3-3.500 6-3.500 9 0s6 3.500 9 0v3c-3 3.500-6 3.500-9 0s-6-3.500-9 0ZM3 15c3-3.500 6-3.500 9 0s6 3.500 9 0v3c-3 3.500-6 3.500-9 0s-6-3.500-9 0Z',
  other: 'M4 4H20A1.500 1.500 0 0 1 21.500 5.500V15.500A1.500 1.500 0 0 1 20 17H13V19H17V21H7V19H11V17H4A1.500 1.500 0 0 1 2.500 15.500V5.500A1.500 1.500 0 0 1 4 4ZM4.500 6V15H19.500V6Z',
  warning: 'M12 3 22.500 21H1.500ZM11 10V15H13V10ZM11 16.500V18.500H13V16.500Z',
  plug: 'M8 2H10V7H14V2H16V7H18V12A6 6 0 0 1 13 17.900V22H11V17.900A6 6 0 0 1 6 12V7H8Z',
  lock: 'M7 10V7A5 5 0 0 1 17 7V10H19V21H5V10ZM9 10H15V7A3 3 0 0 0 9 7Z',
  restart: 'M12 4a8 8 0 1 0 8 8h-2.500a5.500 5.500 0 1 1-5.500-5.500V10l5-4.500-5-4.500Z',
  more: 'M10.300 4.500h3.400v3.400h-3.400ZM10.300 10.300h3.400v3.400h-3.400ZM10.300 16.100h3.400v3.400h-3.400Z',
  next: 'M9.500 4 17.500 12 9.500 20 7.500 18 13.500 12 7.500 6Z',
  open: 'M13 3H21V11H18.500V7.300L10.800 15 9 13.200 16.700 5.500H13ZM4 6H10V8.500H6.500V17.500H15.500V14H18V20H4Z',
  search: 'M10 3a7 7 0 1 0 4.200 12.600l5.100 5.100 1.700-1.700-5.100-5.100A7 7 0 0 0 10 3Zm0 2.400a4.600 4.600 0 1 1 0 9.200 4.600 4.600 0 0 1 0-9.200Z',
};

export function icon(name, className = '') {
  return svg('svg', { class: `icon ${className}`, viewBox: '0 0 24 24', 'aria-hidden': 'true' },
    svg('path', { d: PATHS[name] ?? PATHS.other, 'fill-rule': 'evenodd' }));
}

export const emptyState = (symbol, title, ...content) => h('div', { class: 'pf-c-empty-state' },
  h('div', { class: 'pf-c-empty-state__content' }, symbol ? h('div', { class: 'pf-c-empty-state__icon' }, icon(symbol)) : null,
    h('h2', { class: 'pf-c-title pf-m-lg' }, title), h('div', { class: 'pf-c-empty-state__body' }, content)));

// The tile of a machine; setTile changes it when the template does.
export function tile() {
  return svg('svg', { class: 'tile', viewBox: '-5 -5 34 34', 'aria-hidden': 'true' },
    svg('path', { 'fill-rule': 'evenodd' }));
}

export function setTile(element, family) {
  if (element.dataset.family === family) return;
  element.dataset.family = family;
  element.firstChild.setAttribute('d', PATHS[family] ?? PATHS.other);
}
