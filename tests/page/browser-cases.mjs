// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The cases of test-browser.sh, one after the other on the same page.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { Browser } from './browser.mjs';
import { allowBob, bare, booted, define, obedient, run, virsh } from './world.mjs';

const HOST = '127.0.0.1';
const URL_ROOT = `http://${HOST}:9190/cockpit/@localhost/unraid-vms/index.html`;
const URL_BOB = URL_ROOT.replace('9190', '9191');
const URL_SHELL = `http://${HOST}:9192/unraid-vms`;
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
  await run('vmsctl', 'set', 'build', 'stop-timeout', '10min'); // its stop is cancelled
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
  await page.click('.bulk .pf-m-link');
  const path = await shows('build', 'Running');
  await page.evaluate((menu) => document.querySelector(menu).focus(), inRow(path, '.actions .pf-m-plain'));
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
  await page.click(inRow(path, '.actions .pf-m-secondary'));
  await page.until(says, 'dialog', 'still up after 1 min, it is forced off');
  await shot('stop-light');
  await page.click('dialog .pf-m-primary');
  await shows('web', 'Off');
  await shows('web', 'shut down');
  await page.click(inRow(path, '.actions .pf-m-secondary'));
  await shows('web', 'Running');
});

test('a stop that is cancelled', async () => {
  const path = await shows('build', 'Running');
  await page.click(inRow(path, '.actions .pf-m-secondary'));
  await page.click('dialog .pf-m-primary');
  await shows('build', 'Stopping');
  await page.click(inRow(path, '.job button'));
  await page.until(says, '#toasts', 'Stop of build was cancelled');
  await shows('build', 'Running');
  assert.equal(await virsh('domstate', 'build'), 'running');
  await page.until(() => !document.querySelector('#toasts button')); // it goes by itself
});

test('an error is shown in the words of libvirt', async () => {
  await define(bare('broken', { devices: `<disk type='file'><source file='/nonexistent.img'/><target dev='vda' bus='virtio'/></disk>` }));
  const path = await shows('broken', 'Off');
  await page.click(inRow(path, '.actions .pf-m-secondary'));
  await page.until(says, '#toasts', "Cannot access storage file '/nonexistent.img'");
  await virsh('undefine', 'broken');
  await page.click('#toasts .pf-m-danger button');
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

// systemd would start it again by itself, and refuse to where that is too often.
async function leaveLibvirtdAlone() {
  const dir = '/run/systemd/system/libvirtd.service.d';
  mkdirSync(dir, { recursive: true });
  writeFileSync(`${dir}/test.conf`, '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=no\n');
  await run('systemctl', 'daemon-reload');
}

test('libvirtd is killed and started', async () => {
  await mark();
  await leaveLibvirtdAlone();
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

test('the bus is stopped and started', async () => {
  await shows('build', 'Running');
  await mark();
  // machined waits for the bus in its start, and the bus, as it looks up users, for machined.
  await run('systemctl', 'mask', '--runtime', '--now', 'systemd-machined.service');
  await run('systemctl', 'stop', 'dbus.socket', 'dbus.service');
  await page.until(says, '#banner', 'The service of the virtual machines is away');
  await page.until(() => document.querySelector('.list-page.away .row:not([hidden])') !== null);
  await run('systemctl', 'start', 'dbus.socket', 'dbus.service');
  await run('systemctl', 'unmask', '--runtime', 'systemd-machined.service');
  await virsh('suspend', 'build');
  await shows('build', 'Paused');
  await virsh('resume', 'build');
  await shows('build', 'Running');
  await page.until(() => document.querySelector('#banner').className === '');
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
  await page.until(says, '.history', 'Pause of "build" is done');
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
  // Of some chart, as libvirt may have no figures for one; each has its own bound, for a busy machine.
  for (let points = 1; points <= 12; points++)
    await page.until((least) => [...document.querySelectorAll('.chart .line')]
      .some((line) => line.getAttribute('d')?.split('L').length > least), points);
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
  await bob.click(inRow(path, '.actions .pf-m-secondary'));
  await bob.until(says, '#toasts', 'You may not do this: Start of archive');
  await shot('limited-light', bob);
  await allowBob();
  await bob.click('#toasts button');
  await bob.click(inRow(path, '.actions .pf-m-secondary'));
  await shows('archive', 'Running', bob);
  assert.equal(await virsh('domstate', 'archive'), 'running');
  await bob.close();
});

test('in the shell of Cockpit, with administrative access and without', async () => {
  const shell = await browser.open(URL_SHELL);
  await shell.click('#login-user-input');
  await shell.type('erin');
  await shell.click('#login-password-input');
  await shell.type('secret');
  const loggedIn = shell.next('Page.frameNavigated');
  await shell.click('#login-button');
  await loggedIn;
  const erin = await shell.frame('cockpit1:localhost/unraid-vms');
  const path = await shows('studio', 'Off', erin);
  await erin.until(says, '#banner', 'Limited access');
  await erin.click(inRow(path, '.actions .pf-m-secondary'));
  await erin.until(says, '#toasts', 'You may not do this: Start of studio');
  await erin.click('#toasts button');
  await shell.click('.ct-locked');
  await shell.until(() => document.querySelector('#switch-to-admin-access-password') === document.activeElement);
  await shell.type('secret');
  await shell.key('Enter', '\r');
  await erin.until(() => document.querySelector('#banner').className === '');
  await erin.click(inRow(path, '.actions .pf-m-secondary'));
  await shows('studio', 'Running', erin);
  await shot('shell-light', shell);
  await shell.click('.ct-unlocked');
  await shell.click('.pf-c-modal-box__footer .pf-m-primary');
  await erin.until(says, '#banner', 'Limited access');
  await shows('studio', 'Running', erin);
  await shell.close();
});

// Until a frame with what was done is drawn.
const drawn = (many) => many.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
const rowsShown = (many) => many.evaluate(`document.querySelectorAll('.row').length`);

// How long five changes by virsh took to the screen, in ms.
async function changesOf(many, round) {
  const times = [];
  for (let i = 0; i < 5; i++) {
    const title = `title ${round}-${i}`;
    const seen = many.until((wanted) => [...document.querySelectorAll('.row .second span:first-child')]
      .some((line) => line.textContent === wanted) && Date.now(), title);
    await virsh('desc', 'vm0003', '--title', '--config', title);
    const changed = Date.now();
    times.push((await seen) - changed);
  }
  return times.sort((a, b) => a - b);
}

async function scrollDown(many) {
  for (let at = 900; at < 36000; at += 900)
    await many.evaluate(async (top) => {
      document.querySelector('.scroller').scrollTop = top;
      await new Promise(requestAnimationFrame);
    }, at);
  await many.evaluate(`document.querySelector('.scroller').scrollTop = 1e6`);
  await shows('vm0999', 'Off', many);
}

// A page with all of them: what is done with it, how fast changes are, and its longest tasks.
async function roundOf(number) {
  await browser.startTrace();
  const many = await browser.open(URL_ROOT);
  await many.until(says, '.kind[data-kind=all]', '100'); // and those of the other cases
  await many.step('filter');
  await many.click('.search input');
  await many.type('vm');
  await shows('vm0003', 'Off', many);
  await many.step('change');
  const times = await changesOf(many, number);
  await many.step('scroll');
  await scrollDown(many);
  for (const column of ['state', 'memory', 'name']) {
    await many.step(`sort by ${column}`);
    await many.click(`.head .${column} .sort`);
    await drawn(many);
  }
  await shows('vm0003', 'Off', many);
  await many.step('select all');
  await many.click('.head .check input');
  await many.until(says, '.bulk', '1000 selected');
  await drawn(many);
  const rows = await rowsShown(many);
  const longest = await browser.longestTasks();
  assert.deepEqual(many.errors, []);
  await many.close();
  if (!longest) return null;
  const { '': read, ...steps } = longest;
  return { median: times[2], rows, longest: { read, ...steps } };
}

test('a thousand machines', async () => {
  await define(...Array.from({ length: 1000 }, (none, i) => bare(`vm${String(i).padStart(4, '0')}`)));
  const rounds = [];
  // The machine may be busy with something else: of each the best of five counts. Chromium may lose a
  // part of its trace then: such a round has measured nothing.
  const median = () => Math.min(...rounds.map((round) => round.median));
  const longest = () => Object.fromEntries(Object.keys(rounds[0].longest).map((step) =>
    [step, Math.round(Math.min(...rounds.map((round) => round.longest[step])))]));
  const isDone = () => rounds.length > 0 && median() < 200 && Math.max(...Object.values(longest())) < 50;
  for (let i = 0; i < 5 && !isDone(); i++) {
    const round = await roundOf(i);
    if (round) rounds.push(round);
  }
  assert.ok(rounds.length > 0, 'no trace is complete');
  const { rows } = rounds[0];
  console.log(`ms from virsh's end to the screen: ${median()}; longest tasks: ${JSON.stringify(longest())}; ${rows} rows in the document`);
  assert.ok(median() < 200 && Math.max(...Object.values(longest())) < 50);
  assert.ok(rows < 60);
});
