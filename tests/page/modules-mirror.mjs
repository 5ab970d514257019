// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Mirror, OBJECT_MANAGER, plain, PROPERTIES, ROOT } from '../../cockpit/mirror.js';

const DOMAIN = 'org.unraid.Vms.Domain';
const JOB = 'org.unraid.Vms.Job';
const WEB = `${ROOT}/domain/6695eb01_f6a4_8304_79aa_97f2502e193f`;
const JOB7 = `${ROOT}/job/7`;
const text = (v) => ({ t: 's', v });
const web = (state) => ({ [DOMAIN]: { Name: text('web'), State: text(state), Job: { t: 'o', v: '/' } } });
const changed = (path, properties) => [path, PROPERTIES, 'PropertiesChanged', [DOMAIN, properties, []]];
const manager = { 'org.unraid.Vms.Manager': { Available: { t: 'b', v: true } } };

function finish(mirror, objects) {
  mirror.take(Object.entries(objects));
  mirror.finish(manager);
}

function mirrorOf(objects) {
  const mirror = new Mirror();
  mirror.begin();
  finish(mirror, objects);
  return mirror;
}

test('variants are taken off, at any depth', () => {
  assert.deepEqual(plain({ t: 'aa{sv}', v: [{ target: text('vda'), boot: { t: 'u', v: 1 } }] }),
    [{ target: 'vda', boot: 1 }]);
  assert.deepEqual(plain({ t: 'a{ss}', v: { name: 'x' } }), { name: 'x' });
});

test('objects of the reply are there, by their kind', () => {
  const mirror = mirrorOf({
    [WEB]: web('running'),
    [JOB7]: { [JOB]: { Operation: text('Stop') } },
    [`${ROOT}/other`]: { 'org.unraid.Vms.Other': {} },
  });
  assert.equal(mirror.byUuid('6695eb01-f6a4-8304-79aa-97f2502e193f').Domain.State, 'running');
  assert.equal(mirror.machines.size, 1);
  assert.equal(mirror.jobs.size, 1);
  assert.equal(mirror.root.Manager.Available, true);
});

test('signals that come while everything is read are applied after the reply, in their order', () => {
  const mirror = mirrorOf({ [WEB]: web('running') });
  mirror.begin();
  assert.equal(mirror.signal(...changed(WEB, { State: text('paused') })), null);
  mirror.signal(...changed(WEB, { State: text('shutoff') }));
  mirror.signal(ROOT, OBJECT_MANAGER, 'InterfacesAdded', [JOB7, { [JOB]: { Operation: text('Start') } }]);
  assert.equal(mirror.machines.get(WEB).Domain.State, 'running');
  finish(mirror, { [WEB]: web('running') });
  assert.equal(mirror.machines.get(WEB).Domain.State, 'shutoff');
  assert.equal(mirror.jobs.get(JOB7).Job.Operation, 'Start');
});

test('a reply drops what was known before', () => {
  const mirror = mirrorOf({ [WEB]: web('running'), [JOB7]: { [JOB]: {} } });
  mirror.begin();
  finish(mirror, {});
  assert.equal(mirror.machines.size + mirror.jobs.size, 0);
});

test('until all slices of a reply are taken, the mirror stays as it is', () => {
  const mirror = mirrorOf({ [WEB]: web('running') });
  mirror.begin();
  mirror.take([[WEB, web('paused')]]);
  assert.equal(mirror.machines.get(WEB).Domain.State, 'running');
  mirror.take([[JOB7, { [JOB]: {} }]]);
  assert.equal(mirror.jobs.size, 0);
  mirror.finish(manager);
  assert.equal(mirror.machines.get(WEB).Domain.State, 'paused');
  assert.equal(mirror.jobs.size, 1);
});

test('a change is a new object, and others stay', () => {
  const mirror = mirrorOf({ [WEB]: web('running') });
  const before = mirror.machines.get(WEB).Domain;
  assert.equal(mirror.signal(...changed(WEB, { State: text('paused') })), WEB);
  assert.equal(before.State, 'running');
  assert.deepEqual(mirror.machines.get(WEB).Domain, { Name: 'web', State: 'paused', Job: '/' });
  assert.equal(mirror.signal(...changed(`${ROOT}/domain/other`, {})), null);
});

test('the job of a machine is found while it runs', () => {
  const mirror = mirrorOf({ [WEB]: web('running') });
  const machine = mirror.machines.get(WEB);
  assert.equal(mirror.jobOf(machine), undefined);
  mirror.signal(ROOT, OBJECT_MANAGER, 'InterfacesAdded', [JOB7, { [JOB]: { Operation: text('Stop') } }]);
  mirror.signal(...changed(WEB, { Job: { t: 'o', v: JOB7 } }));
  assert.equal(mirror.jobOf(machine).Job.Operation, 'Stop');
  mirror.signal(ROOT, OBJECT_MANAGER, 'InterfacesRemoved', [JOB7, [JOB]]);
  assert.equal(mirror.jobOf(machine), undefined);
});

test('a machine is gone with its Domain interface', () => {
  const mirror = mirrorOf({ [WEB]: { ...web('running'), 'org.unraid.Vms.Config': {} } });
  mirror.signal(ROOT, OBJECT_MANAGER, 'InterfacesRemoved', [WEB, [DOMAIN, 'org.unraid.Vms.Config']]);
  assert.equal(mirror.machines.size, 0);
});
