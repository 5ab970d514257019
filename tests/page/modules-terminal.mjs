// SPDX-License-Identifier: LGPL-2.1-or-later

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { keyBytes, Terminal } from '../../cockpit/terminal.js';

const terminal = (...writes) => {
  const made = new Terminal(4, 10);
  for (const data of writes) made.write(data);
  return made;
};
const rows = (...writes) => terminal(...writes).text().split('\n');

test('text, line ends and wrapping', () => {
  assert.deepEqual(rows('ab\r\ncd'), ['ab', 'cd', '', '']);
  assert.deepEqual(rows('0123456789x'), ['0123456789', 'x', '', '']);
  assert.deepEqual(rows('abc\b\bX\tY'), ['aXc     Y', '', '', '']);
  assert.deepEqual(rows('äé€😀'), ['äé€😀', '', '', '']);
});

test('the screen scrolls, and in its region alone', () => {
  assert.deepEqual(rows('1\r\n2\r\n3\r\n4\r\n5'), ['2', '3', '4', '5']);
  assert.deepEqual(rows('1\r\n2\r\n3\r\n4', '\x1b[2;3r\x1b[3;1H\n5'), ['1', '3', '5', '4']);
});

test('the cursor moves, and stays on the screen', () => {
  assert.deepEqual(rows('\x1b[2;3Hx'), ['', '  x', '', '']);
  assert.deepEqual(rows('\x1b[99;99Hx\x1b[99A\x1b[99Dy'), ['y', '', '', '         x']);
});

test('erasing', () => {
  assert.deepEqual(rows('abc\x1b[2D\x1b[K'), ['a', '', '', '']);
  assert.deepEqual(rows('a\r\nb\r\nc\x1b[2;1H\x1b[J'), ['a', '', '', '']);
  assert.deepEqual(rows('abcd\x1b[3D\x1b[2P'), ['ad', '', '', '']);
  assert.deepEqual(rows('ad\x1b[1D\x1b[2@'), ['a  d', '', '', '']);
  assert.deepEqual(rows('1\r\n2\r\n3\x1b[2;1H\x1b[L'), ['1', '', '2', '3']);
});

test('sequences that come in parts, or that it does not know', () => {
  assert.deepEqual(rows('a\x1b', '[2', ';2Hb'), ['a', ' b', '', '']);
  assert.deepEqual(rows('\x1b]0;title\x07a\x1b(B\x1b[?2004hb\x1b[>4;2mc'), ['abc', '', '', '']);
  assert.deepEqual(rows(`\x1b]0;${'x'.repeat(1000)}`, 'a'), ['a', '', '', '']);
});

test('colours are pieces of a row', () => {
  const made = terminal('a\x1b[1;31mb\x1b[0mc\r\n');
  assert.deepEqual(made.pieces(0), [['a', ''], ['b', 'f1 bold'], ['c', '']]);
  assert.deepEqual(made.pieces(1)[0], [' ', ' cursor']);
});

test('questions are answered', () => {
  const made = terminal('ab');
  assert.equal(made.write('\x1b[6n'), '\x1b[1;3R');
  assert.equal(made.write('\x1b[c'), '\x1b[?6c');
});

test('keys', () => {
  assert.equal(keyBytes({ key: 'a' }), 'a');
  assert.equal(keyBytes({ key: 'c', ctrlKey: true }), '\x03');
  assert.equal(keyBytes({ key: 'Enter' }), '\r');
  assert.equal(keyBytes({ key: 'ArrowUp' }), '\x1b[A');
  assert.equal(keyBytes({ key: 'ArrowUp' }, true), '\x1bOA');
  assert.equal(keyBytes({ key: 'Shift' }), '');
  assert.equal(keyBytes({ key: 'v', metaKey: true }), '');
});
