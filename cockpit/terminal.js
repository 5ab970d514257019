// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The screen of a terminal as Linux consoles use it (a subset of VT102): text in, rows of styled
// pieces out. Nothing here knows the document; console.js shows it.

const BLANK = Object.freeze({ char: ' ', style: '' });
const SCROLLBACK = 500;
const SEQUENCE_BOUND = 256;

const clamp = (value, least, most) => Math.max(least, Math.min(most, value));

export class Terminal {
  constructor(rows = 24, columns = 80) {
    Object.assign(this, { rows, columns });
    this.reset();
  }

  reset() {
    this.screen = Array.from({ length: this.rows }, () => this.blankRow());
    this.history = [];
    this.row = this.column = 0;
    this.wrap = false; // the next character begins a new row
    this.pen = { fg: '', bg: '', bold: false, inverse: false, underline: false };
    this.style = '';
    this.top = 0;
    this.bottom = this.rows - 1;
    this.saved = [0, 0];
    this.cursorKeys = false; // of applications, such as an editor
    this.pending = '';
    this.replies = '';
  }

  blankRow() {
    return new Array(this.columns).fill(BLANK);
  }

  // Takes what the guest writes. Returns what has to be sent back: answers to its questions.
  write(data) {
    let input = this.pending + data;
    this.pending = '';
    this.replies = '';
    while (input) {
      const used = input[0] === '\x1b' ? this.escape(input) : this.plain(input);
      if (!used) {
        // An incomplete sequence waits for its rest, within a bound.
        this.pending = input.length < SEQUENCE_BOUND ? input : '';
        break;
      }
      input = input.slice(used);
    }
    return this.replies;
  }

  plain(input) {
    const char = String.fromCodePoint(input.codePointAt(0));
    const control = {
      '\r': () => this.move(this.row, 0), '\n': () => this.lineFeed(), '\v': () => this.lineFeed(),
      '\b': () => this.move(this.row, this.column - 1),
      '\t': () => this.move(this.row, (Math.floor(this.column / 8) + 1) * 8),
    }[char];
    if (control) control();
    else if (char >= ' ' && char !== '\x7f') this.put(char);
    return char.length;
  }

  put(char) {
    if (this.wrap) {
      this.column = 0;
      this.lineFeed();
    }
    this.screen[this.row][this.column] = { char, style: this.style };
    this.wrap = this.column === this.columns - 1;
    if (!this.wrap) this.column++;
  }

  move(row, column) {
    this.row = clamp(row, 0, this.rows - 1);
    this.column = clamp(column, 0, this.columns - 1);
    this.wrap = false;
  }

  lineFeed() {
    this.wrap = false;
    if (this.row === this.bottom) this.scroll(1);
    else this.row = Math.min(this.row + 1, this.rows - 1);
  }

  // Moves the rows from `first` to the bottom of the region up (or down, where count is negative).
  scroll(count, first = this.top) {
    for (let i = 0; i < Math.min(Math.abs(count), this.rows); i++) {
      if (count > 0) {
        const [gone] = this.screen.splice(first, 1);
        this.screen.splice(this.bottom, 0, this.blankRow());
        if (first === 0 && this.top === 0) this.history.push(gone);
      } else {
        this.screen.splice(this.bottom, 1);
        this.screen.splice(first, 0, this.blankRow());
      }
    }
    this.history.splice(0, this.history.length - SCROLLBACK);
  }

  // The length of the sequence at the start of the input; 0 where it is not complete.
  escape(input) {
    const control = /^\x1b\[([?>=!]?)([\d;:]*)[ -/]*([@-~])/.exec(input);
    if (control) {
      this.control(control[1], control[2].split(/[;:]/).map(Number), control[3]);
      return control[0].length;
    }
    // A title, and strings for devices that are not here.
    const string = /^\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)/.exec(input);
    if (string) return string[0].length;
    if (/^\x1b(?:\[[?>=!]?[\d;:]*[ -/]*|[\]P^_X][^\x07\x1b]*\x1b?|[ -/]*)$/.test(input)) return 0;
    const short = /^\x1b[ -/]*[0-~]/.exec(input);
    if (!short) return 1;
    this.short(short[0].slice(1));
    return short[0].length;
  }

  short(name) {
    const action = {
      D: () => this.lineFeed(), E: () => (this.move(this.row, 0), this.lineFeed()),
      M: () => (this.row === this.top ? this.scroll(-1) : this.move(this.row - 1, this.column)),
      7: () => this.save(), 8: () => this.restore(), c: () => this.reset(),
    }[name];
    action?.();
  }

  save() {
    this.saved = [this.row, this.column];
  }

  restore() {
    this.move(...this.saved);
  }

  control(mark, given, name) {
    if (mark === '?') {
      if (given.includes(1) && 'hl'.includes(name)) this.cursorKeys = name === 'h';
      if (given.some((mode) => [47, 1047, 1049].includes(mode)) && 'hl'.includes(name)) this.eraseDisplay(2);
      return;
    }
    if (mark) return;
    const count = Math.max(1, given[0] || 1);
    const { row, column } = this;
    const action = {
      A: () => this.move(row - count, column), B: () => this.move(row + count, column),
      C: () => this.move(row, column + count), D: () => this.move(row, column - count),
      E: () => this.move(row + count, 0), F: () => this.move(row - count, 0),
      G: () => this.move(row, count - 1), '`': () => this.move(row, count - 1),
      d: () => this.move(count - 1, column),
      H: () => this.move(count - 1, (given[1] || 1) - 1), f: () => this.move(count - 1, (given[1] || 1) - 1),
      J: () => this.eraseDisplay(given[0]), K: () => this.eraseLine(given[0]),
      L: () => this.scroll(-count, row), M: () => this.scroll(count, row),
      S: () => this.scroll(count), T: () => this.scroll(-count),
      P: () => this.shift(-count), '@': () => this.shift(count), X: () => this.blank(row, column, column + count),
      m: () => this.attributes(given), r: () => this.region(given), s: () => this.save(), u: () => this.restore(),
      n: () => this.report(given[0]), c: () => (this.replies += '\x1b[?6c'),
    }[name];
    action?.();
  }

  report(question) {
    if (question === 6) this.replies += `\x1b[${this.row + 1};${this.column + 1}R`;
    if (question === 5) this.replies += '\x1b[0n';
  }

  region([top, bottom]) {
    this.top = clamp((top || 1) - 1, 0, this.rows - 2);
    this.bottom = clamp((bottom || this.rows) - 1, this.top + 1, this.rows - 1);
    this.move(0, 0);
  }

  blank(row, first, end) {
    this.screen[row].fill(BLANK, first, Math.min(end, this.columns));
  }

  eraseLine(part) {
    const [first, end] = [[this.column, this.columns], [0, this.column + 1], [0, this.columns]][part] ?? [0, 0];
    this.blank(this.row, first, end);
  }

  eraseDisplay(part) {
    const [first, end] = [[this.row + 1, this.rows], [0, this.row], [0, this.rows]][part] ?? [0, 0];
    for (let row = first; row < end; row++) this.blank(row, 0, this.columns);
    if (part < 2) this.eraseLine(part);
  }

  shift(count) {
    const cells = this.screen[this.row];
    const gap = new Array(Math.min(Math.abs(count), this.columns - this.column)).fill(BLANK);
    if (count > 0) cells.splice(this.column, 0, ...gap);
    else {
      cells.splice(this.column, gap.length);
      cells.push(...gap);
    }
    cells.length = this.columns;
  }

  attributes(given) {
    const { pen } = this;
    for (let i = 0; i < given.length; i++) {
      const code = given[i];
      if (code === 0) Object.assign(pen, { fg: '', bg: '', bold: false, inverse: false, underline: false });
      else if (code === 1) pen.bold = true;
      else if (code === 22) pen.bold = false;
      else if (code === 4 || code === 24) pen.underline = code === 4;
      else if (code === 7 || code === 27) pen.inverse = code === 7;
      else if (code === 38 || code === 48) i += given[i + 1] === 5 ? 2 : 4; // of 256 colours: not shown
      else if (code % 10 === 9 && code < 50) pen[code < 40 ? 'fg' : 'bg'] = '';
      else if (code >= 30 && code <= 47) pen[code < 40 ? 'fg' : 'bg'] = `${code % 10}`;
      else if (code >= 90 && code <= 107) pen[code < 100 ? 'fg' : 'bg'] = `${code % 10}`;
    }
    const { fg, bg } = pen.inverse ? { fg: pen.bg || 'bg', bg: pen.fg || 'fg' } : pen;
    this.style = [fg && `f${fg}`, bg && `b${bg}`, pen.bold && 'bold', pen.underline && 'under']
      .filter(Boolean).join(' ');
  }

  // A row as pieces [text, style], without the blanks at its end; the cursor's cell is one of them.
  pieces(index) {
    const cursor = index === this.row ? this.column : -1;
    const pieces = [];
    this.screen[index].forEach(({ char, style }, column) => {
      const own = column === cursor ? `${style} cursor` : style;
      const last = pieces.at(-1);
      if (last && last[1] === own) last[0] += char;
      else pieces.push([char, own]);
    });
    if (pieces.at(-1)[1] === '') pieces.at(-1)[0] = pieces.at(-1)[0].trimEnd();
    return pieces;
  }

  text() {
    return this.screen.map((cells) => cells.map(({ char }) => char).join('').trimEnd()).join('\n');
  }
}

const KEYS = {
  Enter: '\r', Backspace: '\x7f', Tab: '\t', Escape: '\x1b', Delete: '\x1b[3~', Insert: '\x1b[2~',
  PageUp: '\x1b[5~', PageDown: '\x1b[6~', F1: '\x1bOP', F2: '\x1bOQ', F3: '\x1bOR', F4: '\x1bOS',
  F5: '\x1b[15~', F6: '\x1b[17~', F7: '\x1b[18~', F8: '\x1b[19~', F9: '\x1b[20~', F10: '\x1b[21~',
};
const CURSOR_KEYS = { ArrowUp: 'A', ArrowDown: 'B', ArrowRight: 'C', ArrowLeft: 'D', Home: 'H', End: 'F' };

// The bytes of a key, or '' for one that the guest does not get (such as those of the browser).
export function keyBytes({ key, ctrlKey, altKey, metaKey, shiftKey }, cursorKeys) {
  if (metaKey || (ctrlKey && shiftKey)) return '';
  const escape = altKey ? '\x1b' : '';
  if (key in CURSOR_KEYS) return `\x1b${cursorKeys ? 'O' : '['}${CURSOR_KEYS[key]}`;
  if (key in KEYS) return shiftKey && key === 'Tab' ? '' : escape + KEYS[key];
  if ([...key].length !== 1) return '';
  if (!ctrlKey) return escape + key;
  const code = key.toUpperCase().charCodeAt(0);
  if (key === ' ') return '\0';
  return code >= 64 && code < 96 ? escape + String.fromCharCode(code - 64) : '';
}
