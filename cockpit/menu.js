// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The menu of operations that a button opens: one at a time, closed by Escape, by Tab and by a click
// elsewhere; arrow keys move in it.

import { h } from './dom.js';

let opened = null; // {element, button}

export function closeMenu(focus = false) {
  if (!opened) return;
  const { element, button } = opened;
  opened = null;
  element.remove();
  button.setAttribute('aria-expanded', 'false');
  if (focus) button.focus();
}

function onKey(event) {
  const items = [...opened.element.children];
  const at = items.indexOf(document.activeElement);
  const to = {
    ArrowDown: (at + 1) % items.length, ArrowUp: (at + items.length - 1) % items.length,
    Home: 0, End: items.length - 1,
  }[event.key];
  if (to !== undefined) items[to].focus();
  else if (event.key === 'Escape') closeMenu(true);
  else if (event.key === 'Tab') closeMenu();
  else return;
  event.stopPropagation();
  if (event.key !== 'Tab') event.preventDefault();
}

// `items`: [{label, danger, act}]
export function openMenu(button, items) {
  const again = opened?.button === button;
  closeMenu();
  if (again || !items.length) return;
  const element = h('div', { class: 'menu pf-c-dropdown pf-c-dropdown__menu', role: 'menu', onkeydown: onKey },
    items.map(({ label, danger, act }) => h('button', {
      role: 'menuitem', tabindex: '-1', class: danger ? 'pf-c-dropdown__menu-item danger' : 'pf-c-dropdown__menu-item',
      onclick: () => {
        closeMenu(true);
        act();
      },
    }, label)));
  document.body.append(element);
  const box = button.getBoundingClientRect();
  const size = element.getBoundingClientRect();
  const below = box.bottom + size.height < window.innerHeight;
  element.style.top = `${Math.max(4, below ? box.bottom + 4 : box.top - size.height - 4)}px`;
  element.style.left = `${Math.max(4, Math.min(box.right - size.width, window.innerWidth - size.width - 4))}px`;
  button.setAttribute('aria-expanded', 'true');
  opened = { element, button };
  element.firstChild.focus();
}

document.addEventListener('pointerdown', (event) => {
  if (opened && !opened.element.contains(event.target) && !opened.button.contains(event.target)) closeMenu();
});
document.addEventListener('scroll', () => closeMenu(), true);
