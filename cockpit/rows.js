// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The machines that the list shows, in its order: a function of the mirror and of the view (filter,
// kind, sort). Nothing here knows the screen.

import { mainAddress } from './formats.js';

const RUNNING = new Set(['running', 'idle']);
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

const pending = (machine) => Object.keys(machine.Config?.Next ?? {}).length > 0;
const ill = (machine) => (machine.Domain.Problems ?? []).length > 0;

export const KINDS = {
  all: () => true,
  running: (machine) => RUNNING.has(machine.Domain.State),
  off: (machine) => machine.Domain.State === 'shutoff',
  attention: (machine) => ill(machine) || pending(machine) || machine.Domain.State === 'crashed',
};

export function counts(machines) {
  const found = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, 0]));
  for (const machine of machines.values())
    for (const kind in KINDS) if (KINDS[kind](machine)) found[kind]++;
  return found;
}

// All words have to be found in what the row says of the machine.
function matches(machine, words) {
  if (!words.length) return true;
  const { Name, Title, State, Uuid } = machine.Domain;
  const address = mainAddress(machine.Guest?.Addresses);
  const text = `${Name} ${Title} ${State} ${Uuid} ${address}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

const byText = (get) => (a, b) => collator.compare(get(a), get(b));
const byNumber = (get) => (a, b) => (get(b) ?? -1) - (get(a) ?? -1);

// `usage` answers last(path, figure).
const orders = (usage) => ({
  name: byText((machine) => machine.Domain.Name),
  state: byText((machine) => machine.Domain.State),
  address: byText((machine) => mainAddress(machine.Guest?.Addresses)),
  uptime: byNumber((machine) => (machine.Domain.StartedAt ? -machine.Domain.StartedAt : -Infinity)),
  cpu: byNumber((machine) => usage.last(machine.path, 'cpu')),
  memory: byNumber((machine) => usage.last(machine.path, 'memory')),
});

export function visible(machines, usage, { filter = '', kind = 'all', sort = 'name', reverse = false }) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const of = KINDS[kind] ?? KINDS.all;
  const shown = [...machines.values()].filter((machine) => of(machine) && matches(machine, words));
  const { name, ...others } = orders(usage);
  const order = others[sort];
  const sign = reverse ? -1 : 1;
  return shown.sort((a, b) => sign * (order?.(a, b) || name(a, b)));
}

// The rows of a list of `count` that are on the screen, and some beyond its edges.
export function slice(count, rowHeight, scrollTop, height, beyond = 6) {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - beyond);
  const end = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + beyond);
  return { first: Math.min(first, end), end };
}
