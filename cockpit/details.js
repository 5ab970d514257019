// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The sections of a machine's page that say what it is made of, each a function of its properties.

import { card, h, rebuild } from './dom.js';
import { size } from './formats.js';
import { pendingLabel, problemsOf } from './row.js';
import { fill, text, word } from './text.js';

// Properties of Config that a section shows with their next value.
const SHOWN_NEXT = ['VCpus', 'MaxVCpus', 'MemoryBytes', 'MaxMemoryBytes', 'Firmware', 'Machine', 'OsType', 'Architecture'];

const fact = ([name, value]) => h('div', { class: 'pf-c-description-list__group' },
  h('dt', { class: 'pf-c-description-list__term' }, h('span', { class: 'pf-c-description-list__text' }, name)),
  h('dd', { class: 'pf-c-description-list__description' }, h('div', { class: 'pf-c-description-list__text' }, value)));

const facts = (rows) => h('dl', { class: 'pf-c-description-list pf-m-horizontal pf-m-compact' },
  rows.filter(([, value]) => value).map(fact));

const table = (label, columns, rows, none) => (rows.length
  ? h('table', { class: 'pf-c-table pf-m-compact', 'aria-label': label }, h('thead', {}, h('tr', {}, columns.map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell) => h('td', {}, cell))))))
  : h('p', { class: 'second' }, none));

// The live value, and the one after the next start where that will be another.
function withNext(config, name, show) {
  const live = show(config[name]);
  if (!live || !config.Next || !(name in config.Next)) return live;
  return [live, ' ', pendingLabel(fill(text.afterRestart, show(config.Next[name])))];
}

function hardware({ Domain, Config = {}, Guest = {} }) {
  const plain = (value) => (value === undefined ? '' : String(value));
  const maximum = (name, show) => (Config[name] ? [' ', h('span', { class: 'second' },
    fill(text.maximum, show(Config[name])))] : []);
  const others = Object.keys(Config.Next ?? {}).filter((name) => !SHOWN_NEXT.includes(name));
  return facts([
    [text.vcpus, [withNext(Config, 'VCpus', plain), maximum('MaxVCpus', plain)].flat()],
    [text.memory, [withNext(Config, 'MemoryBytes', size), maximum('MaxMemoryBytes', size)].flat()],
    [text.machineType, withNext(Config, 'Machine', plain)],
    [text.firmware, withNext(Config, 'Firmware', plain)],
    [text.system, Guest.OsInfo?.name],
    [text.hostname, Guest.Hostname],
    [text.autostart, Domain.Autostart ? text.yes : text.no],
    [text.description, Domain.Description],
    [text.uuid, h('code', {}, Domain.Uuid)],
    ['', others.length ? pendingLabel(fill(text.otherNext, others.join(', '))) : ''],
  ]);
}

const addresses = ({ Guest = {} }) => ((Guest.Addresses ?? []).length
  ? h('ul', { class: 'addresses' }, Guest.Addresses.map(({ address, prefix, interface: name, source }) => h('li', {},
    h('code', {}, prefix === undefined ? address : `${address}/${prefix}`), ' ',
    h('span', { class: 'second' }, [name, word(text.addressSources, source)].filter(Boolean).join(', ')))))
  : h('p', { class: 'second' }, text.noAddresses));

const disks = ({ Config = {} }) => table(text.disks, text.diskColumns, (Config.Disks ?? []).map((disk) => [
  h('code', {}, disk.target ?? ''), disk.source ?? h('span', { class: 'second' }, text.emptyDrive),
  size(disk.capacity), [disk.device, disk.bus, disk.format, disk.readonly && text.readonly].filter(Boolean).join(', '),
]), text.noDisks);

const nics = ({ Config = {} }) => table(text.nics, text.nicColumns, (Config.Nics ?? []).map((nic) => [
  h('code', {}, nic.mac ?? ''), [nic.type, nic.source].filter(Boolean).join(' '), nic.model ?? '',
  nic.link === false ? text.down : text.up,
]), text.noNics);

const problems = (machine) => h('ul', { class: 'problems' }, problemsOf(machine).map((problem, i) => h('li', {},
  h('span', { class: 'problem' }, problem), ' ',
  h('span', { class: 'second' }, new Date(machine.Domain.Problems[i].since / 1000).toLocaleString()))));

export function details(element, machine) {
  const { Uuid, Autostart, Description, Problems } = machine.Domain;
  const { Addresses, OsInfo, Hostname } = machine.Guest ?? {};
  rebuild(element, [Uuid, Autostart, Description, Problems, Addresses, OsInfo, Hostname, machine.Config], () => [
    ...(Problems?.length ? [card(text.problemsTitle, problems(machine))] : []),
    card(text.hardware, hardware(machine)),
    card(text.addresses, addresses(machine)),
    card(text.disks, disks(machine)),
    card(text.nics, nics(machine)),
  ]);
}
