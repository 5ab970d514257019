// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Making and changing elements. Texts become text nodes, so that no text is ever read as markup.

const SVG = 'http://www.w3.org/2000/svg';

function assign(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (typeof value === 'boolean') element.toggleAttribute(name, value);
    else if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
}

// The looks of PatternFly's button.
export const BUTTON = {
  primary: 'pf-c-button pf-m-primary', danger: 'pf-c-button pf-m-danger',
  secondary: 'pf-c-button pf-m-secondary', risky: 'pf-c-button pf-m-secondary pf-m-danger',
  link: 'pf-c-button pf-m-link pf-m-inline', plain: 'pf-c-button pf-m-plain',
};

// h('button', {class: BUTTON.primary, onclick}, 'text', element…)
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  assign(element, attributes);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const card = (title, ...content) => h('section', { class: 'pf-c-card', 'aria-label': title },
  h('h2', { class: 'pf-c-card__title' }, title), h('div', { class: 'pf-c-card__body' }, content));

export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  assign(element, attributes);
  element.append(...children);
  return element;
}

// These touch the document only where something differs.
export function setText(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

export function setAttribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

// Rebuilds the content of an element when `key`, what it is made from, is another one.
export function rebuild(element, key, build) {
  const text = JSON.stringify(key);
  if (element.builtFrom === text) return;
  element.builtFrom = text;
  element.replaceChildren(...[build()].flat());
}

// Calls `draw` once before the next frame, however often it is asked for.
export function batched(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
