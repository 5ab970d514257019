// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Chromium, governed through its DevTools pipe: JSON, each message ended by a zero byte, on the
// descriptors 3 and 4. It needs nothing from npm. Its profile goes with the container's /tmp.

import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BOUND_MSEC = 60000;
const STEP = 'step: ';

export const within = (promise, what, msec = BOUND_MSEC) => {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${msec} ms: ${what}`)), msec);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

export class Browser {
  static async start() {
    const browser = new Browser();
    browser.profile = mkdtempSync(join(tmpdir(), 'chromium-'));
    browser.process = spawn('chromium', ['--headless=new', '--no-sandbox', '--remote-debugging-pipe',
      '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars',
      '--force-color-profile=srgb', `--user-data-dir=${browser.profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: browser.profile, DBUS_SYSTEM_BUS_ADDRESS: 'disabled:' } }); // it hangs with its bus
    browser.ended = new Promise((resolve) => browser.process.on('exit', resolve));
    browser.listen();
    await browser.send('Browser.getVersion');
    return browser;
  }

  listen() {
    this.calls = new Map();
    this.pages = new Map();
    this.id = 0;
    let pending = Buffer.alloc(0);
    this.process.stdio[4].on('data', (data) => {
      pending = Buffer.concat([pending, data]);
      for (let end; (end = pending.indexOf(0)) >= 0; pending = pending.subarray(end + 1))
        this.receive(JSON.parse(pending.subarray(0, end).toString()));
    });
  }

  receive({ id, result, error, method, params, sessionId }) {
    if (id === undefined) {
      (sessionId ? this.pages.get(sessionId) : this)?.event(method, params);
      return;
    }
    const { resolve, reject } = this.calls.get(id);
    this.calls.delete(id);
    if (error) reject(new Error(error.message));
    else resolve(result);
  }

  event(method, params) {
    if (method === 'Tracing.dataCollected') this.trace.push(...params.value);
    if (method === 'Tracing.tracingComplete') this.traceEnded(params);
  }

  // Of each task: how long the processor worked on it.
  async startTrace() {
    this.trace = [];
    const includedCategories = ['disabled-by-default-devtools.timeline', 'blink.user_timing'];
    await this.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories, excludedCategories: ['*'] } });
  }

  // Ends it. The longest task after each mark that step() made in a page, and before the first, in ms of
  // the processor: {'': 12, name: 34}; null where a part of the trace was lost. The clock would count what
  // else the machine does.
  async longestTasks() {
    const complete = new Promise((resolve) => { this.traceEnded = resolve; });
    await this.send('Tracing.end');
    const { dataLossOccurred } = await within(complete, 'the trace');
    if (dataLossOccurred) return null;
    const marks = this.trace.filter(({ name, ts }) => ts && name.startsWith(STEP)).sort((a, b) => a.ts - b.ts);
    const { pid, tid } = marks[0];
    const longest = {};
    for (const task of this.trace.filter((one) => one.name === 'RunTask' && one.tdur && one.pid === pid && one.tid === tid)) {
      const step = marks.findLast(({ ts }) => ts <= task.ts)?.name.slice(STEP.length) ?? '';
      longest[step] = Math.max(longest[step] ?? 0, task.tdur / 1000);
    }
    return longest;
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.id;
    const answer = new Promise((resolve, reject) => this.calls.set(id, { resolve, reject }));
    this.process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return within(answer, method);
  }

  async open(url, { width = 1360, height = 820 } = {}) {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, sessionId, targetId);
    this.pages.set(sessionId, page);
    await page.send('Page.enable');
    await page.send('Runtime.enable');
    await page.resize(width, height);
    await page.send('Page.navigate', { url });
    return page;
  }

  async stop() {
    this.process.kill('SIGTERM');
    await this.ended;
  }
}

class Page {
  constructor(browser, sessionId, targetId) {
    Object.assign(this, { browser, sessionId, targetId, errors: [], contexts: new Map(), awaited: new Map() });
  }

  event(method, params) {
    this.awaited.get(method)?.(params);
    if (method === 'Runtime.executionContextCreated') this.contextMade(params.context);
    if (method === 'Runtime.exceptionThrown')
      this.errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === 'Runtime.consoleAPICalled' && params.type === 'error')
      this.errors.push(params.args.map(({ value, description }) => value ?? description).join(' '));
  }

  send(method, params) {
    return this.browser.send(method, params, this.sessionId);
  }

  contextMade({ id, auxData }) {
    if (auxData.isDefault) this.contexts.set(auxData.frameId, id);
  }

  // Resolves at the next event of this name.
  next(method) {
    return within(new Promise((resolve) => this.awaited.set(method, resolve)), method);
  }

  // The document that a frame shows now; if it is loaded again, this one is gone and every call fails.
  async frame(name) {
    await this.until((wanted) => document.querySelector(`iframe[name="${wanted}"][data-loaded]`) !== null, name);
    const { frameTree } = await this.send('Page.getFrameTree');
    const { frame } = frameTree.childFrames.find((child) => child.frame.name === name);
    return new Frame(this, this.contexts.get(frame.id));
  }

  // A mark in the trace.
  step(name) {
    return this.evaluate(`performance.mark('${STEP}${name}')`);
  }

  resize(width, height) {
    return this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
  }

  // The value of an expression, or of a function that is called in the page with JSON arguments.
  async evaluate(code, ...args) {
    const expression = typeof code === 'function' ? `(${code})(...${JSON.stringify(args)})` : code;
    const { result, exceptionDetails } = await this.send('Runtime.evaluate',
      { expression, contextId: this.context, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  // Resolves with the value of the function, once that is true; it is asked at each change of the document.
  until(code, ...args) {
    const call = `(${code})(...${JSON.stringify(args)})`;
    return within(this.evaluate(`new Promise((resolve) => {
      const look = () => {
        const value = ${call};
        if (!value) return false;
        observer.disconnect();
        resolve(value);
        return true;
      };
      const observer = new MutationObserver(look);
      if (!look()) observer.observe(document,
        { subtree: true, childList: true, characterData: true, attributes: true });
    })`), call).catch(async (error) => {
      const said = await this.evaluate('document.body.innerText');
      throw new Error(`${error.message}\nthe page says:\n${said}\nerrors: ${this.errors.join('\n')}`);
    });
  }

  // A click as a mouse does it, in the middle of the element; again if that was replaced meanwhile.
  async click(selector) {
    let missed;
    do {
      await this.press(selector);
      missed = await this.evaluate('window.clicked === false');
    } while (missed);
  }

  async press(selector) {
    const { x, y } = await this.until((wanted) => {
      const element = document.querySelector(wanted);
      if (!element || element.hidden || element.disabled) return null;
      element.scrollIntoView({ block: 'nearest' });
      const box = element.getBoundingClientRect();
      window.clicked = false;
      element.addEventListener('click', () => { window.clicked = true; }, { capture: true, once: true });
      const frame = window.frameElement?.getBoundingClientRect() ?? { x: 0, y: 0 };
      return box.width ? { x: frame.x + box.x + box.width / 2, y: frame.y + box.y + box.height / 2 } : null;
    }, selector);
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 });
  }

  async key(key, text = undefined) {
    const event = { key, code: key, text, windowsVirtualKeyCode: { Enter: 13, Escape: 27, Tab: 9 }[key] };
    await this.send('Input.dispatchKeyEvent', { type: text ? 'keyDown' : 'rawKeyDown', ...event });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...event, text: undefined });
  }

  async type(text) {
    for (const char of text) await this.key(char, char);
  }

  async screenshot() {
    await this.browser.send('Target.activateTarget', { targetId: this.targetId });
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(data, 'base64');
  }

  async close() {
    await this.browser.send('Target.closeTarget', { targetId: this.targetId });
  }
}

class Frame extends Page {
  constructor(page, context) {
    super(page.browser, page.sessionId, page.targetId);
    Object.assign(this, { errors: page.errors, context });
  }
}
