// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bannerOf } from '../../cockpit/banner.js';
import { possible, primary, stopTimeout } from '../../cockpit/operations.js';
import { counts, slice, visible } from '../../cockpit/rows.js';

const machine = (Name, State, more = {}) => ({ path: `/${Name}`,
  Domain: { Name, State, Title: '', Uuid: `uuid-${Name}`, Job: '/', Available: true, Problems: [], ...more } });
const names = (operations) => operations.map(({ name }) => name).join(' ');

// As the table of "each operation, by state" of the interface says, without Start where Resume does it.
const TABLE = {
  running: 'Stop Pause Reboot Reset ForceStop',
  idle: 'Stop Pause Reboot Reset ForceStop',
  paused: 'Resume Stop Reboot Reset ForceStop',
  pmsuspended: 'Resume Stop Reboot Reset ForceStop',
  shutdown: 'Stop Reboot Reset ForceStop',
  shutoff: 'Start',
  crashed: 'Stop Reset ForceStop',
  nostate: 'Start Resume Stop Pause Reboot Reset ForceStop',
};

for (const [state, wanted] of Object.entries(TABLE))
  test(`the operations of a machine that is ${state}`, () => {
    assert.equal(names(possible(machine('web', state), true)), wanted);
  });

test('only ForceStop overtakes an operation, and nothing is possible without libvirt', () => {
  assert.equal(names(possible(machine('web', 'running', { Job: '/job/1' }), true)), 'ForceStop');
  assert.equal(names(possible(machine('web', 'running', { Available: false }), true)), 'ForceStop');
  assert.equal(names(possible(machine('web', 'running'), false)), '');
});

test('the operation beside a machine', () => {
  assert.equal(primary(possible(machine('web', 'paused'), true)).name, 'Resume');
  assert.equal(primary(possible(machine('web', 'running'), true)).name, 'Stop');
});

test('the time-out of a stop is the own one of the machine, else that of all', () => {
  const manager = { StopTimeoutUSec: 10e6 };
  assert.equal(stopTimeout({ Config: { StopTimeoutUSec: 90e6 } }, manager), 90e6);
  assert.equal(stopTimeout({ Config: { StopTimeoutUSec: 0 } }, manager), 10e6);
});

const away = { Available: false, Status: 'stopped', StatusMessage: 'refused', StatusSince: 5e9 };

test('the banner tells the worst of all', () => {
  const ready = { state: 'ready', problem: '', since: 1 };
  assert.equal(bannerOf({ state: 'connecting', since: 1 }, {}, null), null);
  assert.deepEqual([bannerOf({ state: 'away', problem: 'gone', since: 7 }, away, false)]
    .map(({ kind, detail, since }) => [kind, detail, since])[0], ['service', 'gone', 7]);
  assert.deepEqual([bannerOf(ready, away, false)].map(({ kind, title, detail, since }) =>
    [kind, title, detail, since])[0], ['libvirt', 'libvirt is not running', 'refused', 5e6]);
  assert.equal(bannerOf(ready, { Available: true }, false).kind, 'limited');
  assert.equal(bannerOf(ready, { Available: true }, true), null);
});

const usage = { last: (path, figure) => ({ '/web': { cpu: 2 }, '/db': { cpu: 0.5 } }[path]?.[figure] ?? null) };
const machines = new Map([
  machine('vm10', 'shutoff'), machine('vm9', 'shutoff'), machine('db', 'running', { StartedAt: 5 }),
  machine('web', 'running', { StartedAt: 9, Problems: [{ kind: 'io-error' }] }),
].map((one) => [one.path, one]));
const shown = (view) => visible(machines, usage, view).map(({ Domain }) => Domain.Name).join(' ');

test('the list is ordered as people order', () => {
  assert.equal(shown({}), 'db vm9 vm10 web');
  assert.equal(shown({ reverse: true }), 'web vm10 vm9 db');
  assert.equal(shown({ sort: 'cpu' }), 'web db vm9 vm10');
  assert.equal(shown({ sort: 'uptime' }), 'db web vm9 vm10');
});

test('the list is filtered by all words, and by kind', () => {
  assert.equal(shown({ filter: 'VM 9' }), 'vm9');
  assert.equal(shown({ filter: 'none' }), '');
  assert.equal(shown({ kind: 'attention' }), 'web');
  assert.deepEqual(counts(machines), { all: 4, running: 2, off: 2, attention: 1 });
});

test('the rows on the screen, within the list', () => {
  assert.deepEqual(slice(1000, 60, 6000, 600, 2), { first: 98, end: 112 });
  assert.deepEqual(slice(3, 60, 0, 600), { first: 0, end: 3 });
  assert.deepEqual(slice(3, 60, 60000, 600), { first: 3, end: 3 });
});
