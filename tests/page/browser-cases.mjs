// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The cases of test-browser.sh, one after the other on the same page.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Browser } from './browser.mjs';
import { allowBob, bare, booted, define, obedient, run, virsh } from './world.mjs';

const HOST = '127.0.0.1';
const URL_ROOT = `http://${HOST}:9190/cockpit/@localhost/unraid-vms/index.html`;
const URL_BOB = URL_ROOT.replace('9190', '9191');
const DISK = '/run/vms/web.img';
const MARKUP = '<img src=x onerror=document.title=1>';
let browser, page;

// In the page: the row of a machine, and a part of it.
const rowText = (name, wanted) => {
  const links = [...document.querySelectorAll('.row .title')];
  const row = links.find((link) => link.textContent === name && !link.closest('.row').hidden)?.closest('.row');
  return row && row.innerText.includes(wanted) && row.dataset.path;
};
const says = (selector, wanted) => document.querySelector(selector)?.innerText.includes(wanted);
const inRow = (path, rest) => `.row[data-path="${path}"] ${rest}`;
const shows = (name, wanted, where = page) => where.until(rowText, name, wanted);

async function shot(name, where = page) {
  if (name.endsWith('-dark')) await dark(true, where);
  await where.evaluate('document.fonts.ready.then(() => new Promise(requestAnimationFrame)).then(() => 1)');
  writeFileSync(join(process.env.VMS_SCREENSHOTS, `page-${name}.png`), await where.screenshot());
  if (name.endsWith('-dark')) await dark(false, where);
}

const dark = (on, where) => where.evaluate((style) => {
  localStorage.setItem('shell:style', style);
  window.dispatchEvent(new CustomEvent('cockpit-style', { detail: { style } }));
}, on ? 'dark' : 'light');

const both = async (name, where = page) => {
  await shot(`${name}-light`, where);
  await shot(`${name}-dark`, where);
};

// Of a page that was never loaded again.
const mark = (where = page) => where.evaluate('window.marked = true');
const marked = (where = page) => where.evaluate('window.marked === true');

before(async () => {
  await run('truncate', '--size=2G', DISK);
  await define(
    await obedient('web', { name: 'Linux', icon: 'linux.png', webui: 'http://[IP]:[PORT:8080]/' }, '--title', 'Web server', '--nic', '--disk', DISK),
    bare('build', { title: 'Builds and tests', template: { icon: 'debian.png' }, vcpus: 2, memory: 96 }),
    bare('desktop', { title: 'Family desktop', template: { icon: 'windows11.png' }, memory: 96 }),
    bare('router', { title: 'Firewall', template: { icon: 'opnsense.png' } }),
    bare('media', { title: 'Films and music', template: { icon: 'linux.png' } }),
    bare('studio', { template: { icon: 'macos.png' } }),
    bare('archive', { title: 'Backups', template: { icon: 'truenas.png' } }),
    bare(MARKUP, { title: '</span><b>bold</b>' }),
  );
  for (const name of ['web', 'build', 'router']) await virsh('start', name);
  await run('vmsctl', 'set', 'web', 'stop-timeout', '1min'); // a busy machine makes slow guests
  browser = await Browser.start();
  page = await browser.open(URL_ROOT);
});

after(async () => {
  await browser?.stop();
});

test('the list shows all machines', async () => {
  for (const name of ['web', 'build', 'router']) await shows(name, 'Running');
  for (const name of ['desktop', 'media', 'studio', 'archive']) await shows(name, 'Off');
  await page.until(says, '.kind[data-kind=all]', '8');
  assert.deepEqual(page.errors, []);
});

test('filter, kinds and order', async () => {
  const names = () => page.evaluate(() => [...document.querySelectorAll('.row:not([hidden]) .title')].map((link) => link.textContent));
  await page.click('.search input');
  await page.type('firewall');
  await page.until(() => document.querySelectorAll('.row:not([hidden])').length === 1);
  assert.deepEqual(await names(), ['router']);
  await page.evaluate(() => {
    const input = document.querySelector('.search input');
    input.value = '';
    input.dispatchEvent(new Event('input'));
  });
  await page.click('[data-kind=running]');
  await page.until(() => document.querySelectorAll('.row:not([hidden])').length === 3);
  assert.deepEqual(await names(), ['build', 'router', 'web']);
  await page.click('.name .sort');
  await page.until(() => document.querySelector('.row:not([hidden]) .title').textContent === 'web');
  assert.deepEqual(await names(), ['web', 'router', 'build']);
  await page.click('.name .sort');
  await page.click('[data-kind=all]');
  await shows('archive', 'Off');
});

test('the keyboard alone', async () => {
  const focused = () => page.evaluate('document.activeElement.textContent');
  await page.evaluate(`document.querySelector('.row [tabindex="0"].title').focus()`);
  await page.key('End');
  assert.equal(await focused(), 'web');
  await page.key('Home');
  await page.key('ArrowDown');
  assert.equal(await focused(), 'archive');
  await page.key(' ', ' ');
  await page.until(says, '.bulk', '1 selected');
  await page.key('ArrowDown');
  await page.key(' ', ' ');
  await page.until(says, '.bulk', '2 selected');
  await page.until(says, '.bulk', 'Start (1)');
  await page.until(says, '.bulk', 'Stop (1)');
  await page.click('.bulk .link');
  const path = await shows('build', 'Running');
  await page.evaluate((menu) => document.querySelector(menu).focus(), inRow(path, '.actions .plain'));
  await page.key('Enter', '\r');
  await page.until(() => document.activeElement.getAttribute('role') === 'menuitem');
  await page.key('Escape');
  assert.equal(await page.evaluate('document.activeElement.getAttribute("aria-expanded")'), 'false');
  await page.key('/', '/');
  assert.equal(await page.evaluate('document.activeElement.type'), 'search');
});

test('what a screen reader is told', async () => {
  const { nodes } = await page.send('Accessibility.getFullAXTree');
  const named = (role) => nodes.filter((node) => node.role?.value === role && !node.ignored).map((node) => node.name?.value);
  assert.deepEqual(named('grid'), ['Machines']);
  assert.deepEqual(named('columnheader').slice(1, 7), ['Name', 'State', 'Address', 'Uptime', 'CPU', 'Memory']);
  assert.ok(named('button').includes('Stop build'));
  assert.ok(named('button').includes('More operations of build'));
  assert.ok(named('checkbox').includes('Select archive'));
  for (const role of ['button', 'link', 'checkbox', 'searchbox', 'combobox'])
    assert.ok(named(role).every(Boolean), `a ${role} has no name`);
});

test('names with markup are text', async () => {
  const path = await shows(MARKUP, '</span><b>bold</b>');
  assert.equal(await page.evaluate((row) => document.querySelectorAll(`${row} b, ${row} img`).length, inRow(path, '')), 0);
  assert.notEqual(await page.evaluate('document.title'), '1');
});

test('a change by virsh is shown', async () => {
  await virsh('suspend', 'build');
  await shows('build', 'Paused');
  await virsh('resume', 'build');
  await shows('build', 'Running');
  await define(bare('comes'));
  await shows('comes', 'Off');
  await virsh('undefine', 'comes');
  await page.until(() => !document.body.innerText.includes('comes'));
});

test('figures are drawn', async () => {
  const path = await shows('build', 'MiB');
  await page.until((line) => document.querySelector(line).getAttribute('d').includes('L'), inRow(path, '.spark.memory path'));
});

test('start and stop', async () => {
  const path = await shows('web', 'Running');
  await booted('web');
  await page.click(inRow(path, '.actions .secondary'));
  await page.until(says, 'dialog', 'still up after 1 min, it is forced off');
  await shot('stop-light');
  await page.click('dialog .primary');
  await shows('web', 'Off');
  await shows('web', 'shut down');
  await page.click(inRow(path, '.actions .secondary'));
  await shows('web', 'Running');
});

test('a stop that is cancelled', async () => {
  const path = await shows('build', 'Running');
  await page.click(inRow(path, '.actions .secondary'));
  await page.click('dialog .primary');
  await shows('build', 'Stopping');
  await page.click(inRow(path, '.job button'));
  await page.until(says, '#toasts', 'Stop of build was cancelled');
  await shows('build', 'Running');
  assert.equal(await virsh('domstate', 'build'), 'running');
  await page.click('#toasts button');
});

test('an error is shown in the words of libvirt', async () => {
  await define(bare('broken', { devices: `<disk type='file'><source file='/nonexistent.img'/><target dev='vda' bus='virtio'/></disk>` }));
  const path = await shows('broken', 'Off');
  await page.click(inRow(path, '.actions .secondary'));
  await page.until(says, '#toasts', "Cannot access storage file '/nonexistent.img'");
  await virsh('undefine', 'broken');
  await page.click('#toasts .danger button');
});

// How long the banner took to come and to go, in ms.
async function libvirtdAway(pictures) {
  await run('systemctl', 'stop', 'libvirtd.socket', 'libvirtd-ro.socket', 'libvirtd-admin.socket');
  const killed = Date.now();
  await run('systemctl', 'kill', '--signal=KILL', 'libvirtd.service');
  await page.until(says, '#banner', 'libvirt');
  const came = Date.now() - killed;
  await page.until(() => document.querySelector('.list-page.away .row:not([hidden])') !== null);
  await page.until(says, '#banner', 'libvirt is not running');
  if (pictures) await both('banner');
  await run('systemctl', 'stop', 'libvirtd.service');
  await run('systemctl', 'start', 'libvirtd.service');
  await virsh('list'); // is answered once all drivers are ready
  const started = Date.now();
  await page.until(() => document.querySelector('#banner').className === '');
  return { came, went: Date.now() - started };
}

test('libvirtd is killed and started', async () => {
  await mark();
  const times = [await libvirtdAway(true)];
  // The machine may be busy with something else: the best of three counts.
  while (times.length < 3 && !times.some(({ came, went }) => came < 1000 && went < 1000))
    times.push(await libvirtdAway(false));
  console.log('ms until the banner came and went:', JSON.stringify(times));
  assert.ok(times.some(({ came, went }) => came < 1000 && went < 1000));
  assert.ok(await marked());
});

test('the service is restarted', async () => {
  await mark();
  const pid = await run('systemctl', 'show', '-P', 'MainPID', 'unraid-vms.service');
  await run('systemctl', 'restart', 'unraid-vms.service');
  await virsh('suspend', 'build');
  await shows('build', 'Paused');
  await run('systemctl', 'kill', '--signal=KILL', 'unraid-vms.service');
  await virsh('resume', 'build');
  await shows('build', 'Running');
  await page.until(() => document.querySelector('#banner').className === '');
  assert.notEqual(await run('systemctl', 'show', '-P', 'MainPID', 'unraid-vms.service'), pid);
  assert.ok(await marked());
});

test('the page of a machine', async () => {
  await page.click(inRow(await shows('build', 'Running'), '.title'));
  await page.until(says, '.machine-title', 'Builds and tests');
  await page.until(says, '.details', 'q35');
  assert.equal(await page.evaluate('document.title'), 'build');
  await page.until(() => document.querySelector('.chart .line').closest('.charts').innerText.includes('MiB'));
});

test('values of the next start', async () => {
  const xml = await virsh('dumpxml', '--inactive', 'build');
  await define(xml.replace('>2</vcpu>', '>4</vcpu>'));
  await page.until(says, '.details', '4 after restart');
  // It stays so, for the pictures.
});

test('history from the journal, and what comes', async () => {
  await page.until(says, '.history', 'Stop of "build" ended as canceled');
  await page.click('[data-operation=Pause]');
  await page.until(says, '.machine-state', 'Paused');
  await page.until(says, '.history li', '"build" is paused');
  await page.click('[data-operation=Resume]');
  await page.until(says, '.machine-state', 'Running');
});

test('the console', async () => {
  await page.evaluate(`location.hash = '#/'`);
  await page.click(inRow(await shows('web', 'Running'), '.title'));
  await page.until(says, '.machine-title', 'Web server');
  await booted('web');
  await page.click('.console button');
  await page.until(() => document.activeElement.classList.contains('terminal'));
  await page.key('Enter', '\r');
  await page.until(says, '.terminal', 'login:');
  await page.type('root');
  await page.key('Enter', '\r');
  await page.until(says, '.terminal', '#');
  await page.type('echo $((6*7))-answer');
  await page.key('Enter', '\r');
  await page.until(says, '.terminal', '42-answer');
  // Something for the figures, now and then.
  await page.type('while :; do seq 99999 >/dev/null; sleep 4; done &');
  await page.key('Enter', '\r');
  await page.evaluate(() => {
    document.activeElement.blur();
    document.querySelector('.machine-page').scrollTop = 0;
  });
  await page.until(() => document.querySelector('.chart .line').getAttribute('d').split('L').length > 12);
  await page.resize(1360, 1500);
  await both('machine');
  await page.resize(1360, 820);
  await page.click('.console button:last-child');
  await page.until(says, '.console', 'The console is closed');
  await page.evaluate(`location.hash = '#/'`);
  await shows('web', 'Running');
  await virsh('undefine', MARKUP);
  await virsh('suspend', 'router');
  await virsh('start', 'media');
  await shows('media', 'MiB');
  await shows('router', 'Paused');
  await page.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: 5, y: 5 });
  await both('list');
  await page.resize(420, 820);
  await shot('narrow-light');
  await page.resize(1360, 820);
  assert.deepEqual(page.errors, []);
});

test('an ordinary user sees everything, is told, and acts where polkit lets him', async () => {
  const bob = await browser.open(URL_BOB);
  await mark(bob);
  const path = await shows('archive', 'Off', bob);
  await bob.until(says, '#banner', 'Limited access');
  await bob.click(inRow(path, '.actions .secondary'));
  await bob.until(says, '#toasts', 'You may not do this: Start of archive');
  await shot('limited-light', bob);
  await allowBob();
  await bob.click('#toasts button');
  await bob.click(inRow(path, '.actions .secondary'));
  await shows('archive', 'Running', bob);
  assert.equal(await virsh('domstate', 'archive'), 'running');
  await bob.close();
});

// Each step's time of the processor on the thread of the page, in ms: all tasks of it together, so
// that none alone took longer. The clock would count what else the machine does.
async function stepsOf(many, round) {
  const times = [];
  const steps = [];
  const spent = async () => (await many.send('Performance.getMetrics')).metrics
    .find(({ name }) => name === 'TaskDuration').value * 1000;
  const step = async (act) => {
    const before = await spent();
    await act();
    steps.push(Math.round(await spent() - before));
  };
  for (let i = 0; i < 5; i++)
    await step(async () => {
      const title = `title ${round}-${i}`;
      const seen = many.until((wanted) => [...document.querySelectorAll('.row .second span:first-child')]
        .some((line) => line.textContent === wanted) && Date.now(), title);
      await virsh('desc', 'vm0003', '--title', '--config', title);
      const changed = Date.now();
      times.push((await seen) - changed);
    });
  for (let at = 900; at < 36000; at += 900)
    await step(() => many.evaluate(async (top) => {
      document.querySelector('.scroller').scrollTop = top;
      await new Promise(requestAnimationFrame);
    }, at));
  await many.evaluate(`document.querySelector('.scroller').scrollTop = 1e6`);
  await shows('vm0999', 'Off', many);
  for (const column of ['state', 'memory', 'name'])
    await step(() => many.click(`.head .${column} .sort`));
  await shows('vm0003', 'Off', many);
  return { median: times.sort((a, b) => a - b)[2], steps };
}

test('a thousand machines', async () => {
  await define(...Array.from({ length: 1000 }, (none, i) => bare(`vm${String(i).padStart(4, '0')}`)));
  const many = await browser.open(URL_ROOT);
  await many.send('Performance.enable', { timeDomain: 'threadTicks' });
  await many.until(says, '.kind[data-kind=all]', '100'); // and those of the other cases
  await many.click('.search input');
  await many.type('vm');
  await shows('vm0003', 'Off', many);
  const rounds = [];
  // The machine may be busy with something else: of each step the best of three counts.
  const best = () => rounds[0].steps.map((none, i) => Math.min(...rounds.map(({ steps }) => steps[i])));
  const median = () => Math.min(...rounds.map((round) => round.median));
  do rounds.push(await stepsOf(many, rounds.length));
  while (rounds.length < 3 && (median() >= 200 || Math.max(...best()) >= 50));
  const rows = await many.evaluate(`document.querySelectorAll('.row').length`);
  console.log(`ms from virsh's end to the screen, and of each step: ${median()}, ${best()}; ${rows} rows in the document`);
  assert.ok(median() < 200 && Math.max(...best()) < 50);
  assert.ok(rows < 60);
  assert.deepEqual(many.errors, []);
  await many.close();
});
