// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The figures of the last minutes: a row of samples for each machine that runs, and paths of SVG
// that draw one. Nothing here knows the screen.

import { plain } from './mirror.js';

export const FIGURES = ['cpu', 'memory', 'disk_read', 'disk_write', 'net_rx', 'net_tx'];
export const SAMPLES = 150; // five minutes of one each two seconds

// The memory that the guest says it uses, else what its process has.
const memoryOf = (row) => row.memory_used ?? row.memory_rss;

export class Usage {
  constructor() {
    this.machines = new Map(); // path → {stale, samples: {figure: [number or null]}}
  }

  // A signal Usage: what it does not name runs no more.
  tick(figures) {
    for (const path of this.machines.keys()) if (!(path in figures)) this.machines.delete(path);
    for (const [path, row] of Object.entries(figures)) this.add(path, plain(row));
  }

  add(path, row) {
    const known = this.machines.get(path) ?? { stale: false, samples: {} };
    this.machines.set(path, known);
    known.stale = Boolean(row.stale);
    for (const figure of FIGURES) {
      const samples = (known.samples[figure] ??= []);
      samples.push((figure === 'memory' ? memoryOf(row) : row[figure]) ?? null);
      if (samples.length > SAMPLES) samples.shift();
    }
  }

  samples(path, figure) {
    return this.machines.get(path)?.samples[figure] ?? [];
  }

  // The last known one; of a stale machine it is an old one.
  last(path, figure) {
    return this.samples(path, figure).findLast((sample) => sample !== null) ?? null;
  }

  stale(path) {
    return this.machines.get(path)?.stale ?? false;
  }
}

// A round number that is at least `value`, for the top of a chart. Sizes go by powers of two.
export function ceiling(value, binary = false) {
  if (!(value > 0)) return binary ? 1024 : 1;
  if (binary) return 2 ** Math.ceil(Math.log2(value));
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * step).find((round) => round >= value);
}

// Points of a line in a box of width × height, the newest at its right edge; a sample that is
// missing interrupts the line.
export function linePath(samples, { width, height, top, count }) {
  const step = width / (count - 1);
  let path = '';
  let pen = 'M';
  samples.slice(-count).forEach((sample, i, shown) => {
    if (sample === null) {
      pen = 'M';
      return;
    }
    const x = width - (shown.length - 1 - i) * step;
    const y = height - Math.min(sample / top, 1) * height;
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return path;
}

// The same line as the upper edge of an area, from its first sample to its last.
export function areaPath(samples, box) {
  const line = linePath(samples.map((sample) => sample ?? 0), box);
  if (!line) return '';
  const shown = Math.min(samples.length, box.count);
  const left = box.width - (shown - 1) * (box.width / (box.count - 1));
  return `${line}L${box.width} ${box.height}L${left.toFixed(1)} ${box.height}Z`;
}
