// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as formats from '../../cockpit/formats.js';
import { parseLines } from '../../cockpit/history.js';
import { areaPath, ceiling, linePath, SAMPLES, Usage } from '../../cockpit/usage.js';

const number = (v) => ({ t: 'd', v });

test('figures are kept for the last minutes, of machines that run', () => {
  const usage = new Usage();
  for (let i = 0; i < SAMPLES + 10; i++)
    usage.tick({ '/web': { cpu: number(i), memory_rss: number(5), stale: { t: 'b', v: false } } });
  assert.equal(usage.samples('/web', 'cpu').length, SAMPLES);
  assert.equal(usage.last('/web', 'cpu'), SAMPLES + 9);
  assert.equal(usage.last('/web', 'memory'), 5);
  assert.equal(usage.last('/web', 'net_rx'), null);
  usage.tick({ '/web': { stale: { t: 'b', v: true } } });
  assert.equal(usage.stale('/web'), true);
  assert.equal(usage.last('/web', 'cpu'), SAMPLES + 9);
  usage.tick({});
  assert.deepEqual(usage.samples('/web', 'cpu'), []);
});

test('lines end at the right edge, and a gap is a gap', () => {
  const box = { width: 100, height: 10, top: 10, count: 5 };
  assert.equal(linePath([0, 10], box), 'M75.0 10.0L100.0 0.0');
  assert.equal(linePath([1, null, 20], box), 'M50.0 9.0M100.0 0.0');
  assert.equal(linePath([], box), '');
  assert.equal(areaPath([0, 10], box), 'M75.0 10.0L100.0 0.0L100 10L75.0 10Z');
});

test('the top of a chart is a round number', () => {
  assert.equal(ceiling(0.3), 0.5);
  assert.equal(ceiling(7), 10);
  assert.equal(ceiling(1500, true), 2048);
  assert.equal(ceiling(0, true), 1024);
});

test('sizes, shares and times', () => {
  assert.equal(formats.size(0), '0 B');
  assert.equal(formats.size(1536), '1.5 KiB');
  assert.equal(formats.size(4 * 2 ** 30), '4 GiB');
  assert.equal(formats.size(null), '');
  assert.equal(formats.percent(1.256), '126 %');
  assert.equal(formats.duration(0), '0 s');
  assert.equal(formats.duration(3600), '1 h');
  assert.equal(formats.duration(90061), '1 d 1 h');
});

test('the address that a person would type', () => {
  const rows = ['127.0.0.1', 'fe80::1', '2001:db8::5', '192.0.2.7'].map((address) => ({ address }));
  assert.equal(formats.mainAddress(rows), '192.0.2.7');
  assert.equal(formats.mainAddress(rows.slice(0, 3)), '2001:db8::5');
  assert.equal(formats.mainAddress(undefined), '');
});

test('the web page of a machine is a link for the web, or none', () => {
  const link = (webui, address) => formats.webLink({ webui }, address);
  const address = '192.0.2.7';
  assert.equal(link('http://[IP]:[PORT:8080]/admin', address), `http://${address}:8080/admin`);
  assert.equal(link('https://[IP]/', '2001:db8::5'), 'https://[2001:db8::5]/');
  assert.equal(link('http://[IP]/', ''), '');
  assert.equal(link('javascript:alert(1)', ''), '');
  assert.equal(link('not a link', ''), '');
  assert.equal(formats.webLink(undefined), '');
});

test('the kind of system', () => {
  assert.equal(formats.family({ icon: 'windows11.png' }), 'windows');
  assert.equal(formats.family({ os: 'darwin' }), 'mac');
  assert.equal(formats.family({ icon: 'ubuntu.png' }), 'linux');
  assert.equal(formats.family({}), 'other');
});

test('lines of the journal, also in parts and in bytes', () => {
  const entry = (MESSAGE) => JSON.stringify({ MESSAGE, PRIORITY: '3', __REALTIME_TIMESTAMP: '5000' });
  const { entries, rest } = parseLines(`${entry('one')}\n${entry([104, 105])}\n{"MESS`);
  assert.deepEqual(entries, [{ time: 5, message: 'one', level: 'danger' }, { time: 5, message: 'hi', level: 'danger' }]);
  assert.equal(rest, '{"MESS');
});
