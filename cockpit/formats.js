// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Numbers and texts as people read them.

import { fill, text } from './text.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function size(bytes) {
  if (bytes === null || bytes === undefined) return '';
  let unit = 0;
  while (bytes >= 1024 && unit < UNITS.length - 1) {
    bytes /= 1024;
    unit++;
  }
  const digits = unit && bytes < 10 && !Number.isInteger(bytes) ? 1 : 0;
  return `${bytes.toFixed(digits)} ${UNITS[unit]}`;
}

export const rate = (bytes) => (bytes === null ? '' : `${size(bytes)}/s`);

// Of one host CPU.
export const percent = (share) => (share === null ? '' : `${Math.round(share * 100)} %`);

// The two largest units of a time, such as "3 d 4 h".
export function duration(seconds) {
  const { day, hour, minute, second } = text.durations;
  const units = [[86400, day], [3600, hour], [60, minute], [1, second]];
  let rest = Math.max(0, Math.floor(seconds));
  const first = units.findIndex(([length]) => rest >= length);
  if (first < 0) return fill(second, 0);
  const parts = [];
  for (const [length, unit] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count) parts.push(fill(unit, count));
  }
  return parts.join(' ');
}

// The address that a person would type: IPv4 before IPv6, none that is local to a link or to the guest.
export function mainAddress(addresses = []) {
  const usable = addresses.map(({ address }) => address ?? '').filter((address) =>
    address && !/^(127\.|169\.254\.|::1$|fe80:)/i.test(address));
  return usable.find((address) => address.includes('.')) ?? usable[0] ?? '';
}

// The address of the machine's own web page, from its template: "[IP]" and "[PORT:8080]" are filled
// in. Only links for the web: a template comes from whoever may define machines.
export function webLink(template = {}, address = '') {
  const host = address.includes(':') ? `[${address}]` : address;
  const typed = (template.webui ?? '').replace(/\[PORT:(\d+)\]/gi, '$1');
  if (!typed || (/\[IP\]/i.test(typed) && !host)) return '';
  try {
    const url = new URL(typed.replace(/\[IP\]/gi, host));
    return ['http:', 'https:'].includes(url.protocol) ? url.href : '';
  } catch {
    return '';
  }
}

// The kind of system that a template's icon or os names: one of the symbols of icons.js.
export function family(template = {}) {
  const said = `${template.icon ?? ''} ${template.os ?? ''}`.toLowerCase();
  if (/darwin|mac ?os|osx/.test(said)) return 'mac';
  if (/win/.test(said)) return 'windows';
  if (/bsd|opnsense|pfsense|truenas/.test(said)) return 'bsd';
  if (/linux|ubuntu|debian|fedora|arch|centos|suse|mint|red ?hat|rocky|alma/.test(said)) return 'linux';
  return 'other';
}
