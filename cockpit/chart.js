// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A chart of one or two figures over the last minutes, with the last value in words.

import { h, setAttribute, setText, svg } from './dom.js';
import { percent, rate, size } from './formats.js';
import { text } from './text.js';
import { areaPath, ceiling, linePath, SAMPLES } from './usage.js';

const BOX = { width: 300, height: 80, count: SAMPLES };

// `top`: the upper edge, of the machine or of the samples that are shown.
const rates = { format: rate, top: (machine, most) => ceiling(most, true) };
export const CHARTS = {
  cpu: { figures: ['cpu'], format: percent, top: (machine, most) => Math.max(machine.Config?.VCpus || 1, most) },
  memory: { figures: ['memory'], format: size, top: (machine, most) => Math.max(machine.Config?.MemoryBytes || 1, most) },
  disk: { figures: ['disk_read', 'disk_write'], ...rates },
  net: { figures: ['net_rx', 'net_tx'], ...rates },
};

export class Chart {
  constructor(name) {
    Object.assign(this, { name, ...CHARTS[name] });
    this.lines = this.figures.map((figure, i) => ({
      area: svg('path', { class: `area tone${i}` }), line: svg('path', { class: `line tone${i}` }),
      value: h('strong'),
    }));
    this.scale = h('span', { class: 'scale' });
    const several = this.figures.length > 1;
    this.element = h('figure', { class: 'chart' },
      h('figcaption', {}, h('span', { class: 'chart-name' }, text.charts[name]),
        this.lines.map(({ value }, i) => h('span', { class: 'chart-value' },
          several ? h('span', { class: `key tone${i}` }) : null,
          several ? `${text.charts[this.figures[i]]} ` : null, value))),
      h('div', { class: 'plot' }, this.scale, svg('svg', { viewBox: `0 -1 ${BOX.width} ${BOX.height + 2}`,
        preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      ...this.lines.flatMap(({ area, line }) => [area, line]))));
  }

  update(machine, usage) {
    const samples = this.figures.map((figure) => usage.samples(machine.path, figure));
    const most = Math.max(0, ...samples.flat().map((sample) => sample ?? 0));
    const box = { ...BOX, top: this.top(machine, most) };
    setText(this.scale, this.format(box.top));
    this.figures.forEach((figure, i) => {
      const { area, line, value } = this.lines[i];
      setAttribute(area, 'd', areaPath(samples[i], box));
      setAttribute(line, 'd', linePath(samples[i], box));
      setText(value, this.format(usage.last(machine.path, figure)) || '–');
    });
    this.element.classList.toggle('stale', usage.stale(machine.path));
  }
}
