// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The machines of the test, as others than the page make and change them: virsh and systemctl.

import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const BOUND_MSEC = 60000;
const domainXml = join(process.env.VMS_TESTS ?? new URL('..', import.meta.url).pathname, 'support/guest/domain-xml');

export async function run(command, ...args) {
  const { stdout } = await execute(command, args, { timeout: BOUND_MSEC, maxBuffer: 1 << 24 });
  return stdout.trim();
}

export const virsh = (...args) => run('virsh', '-q', '-c', 'qemu:///system', ...args);

const escape = (text) => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const metadata = (template) => (template ? `<metadata><vmtemplate xmlns="http://unraid" ${Object.entries(template)
  .map(([name, value]) => `${name}="${escape(value)}"`).join(' ')}/></metadata>` : '');

// A machine without a kernel: it is up at once, and ignores ACPI.
export function bare(name, { title = '', template = null, memory = 64, vcpus = 1, devices = '' } = {}) {
  return `<domain type='qemu'><name>${escape(name)}</name>${title ? `<title>${escape(title)}</title>` : ''}
    ${metadata(template)}<memory unit='MiB'>${memory}</memory><vcpu>${vcpus}</vcpu>
    <os><type arch='x86_64' machine='q35'>hvm</type></os>
    <devices><serial type='pty'/><controller type='usb' model='none'/>${devices}</devices></domain>`;
}

export async function define(...xmls) {
  const directory = '/run/vms';
  const files = xmls.map((xml, i) => {
    const path = join(directory, `define-${i}.xml`);
    writeFileSync(path, xml);
    return path;
  });
  // One virsh for all of them: commands are separated by ";".
  await virsh(files.map((path) => `define ${path}`).join('; '));
}

// One with a kernel, which shuts down when it is asked to.
export async function obedient(name, template, ...options) {
  const xml = await run(domainXml, ...options, name, 'agent');
  return xml.replace('</name>', `</name>${metadata(template)}`);
}

// The guest says so on its console, once for each start.
export async function booted(name) {
  await run('timeout', '60', 'sh', '-c', `tail -n +1 -F /run/vms/${name}.console 2>/dev/null | grep -q -m1 VMS-GUEST-READY`);
}

// polkit lets him start machines.
export async function allowBob() {
  writeFileSync('/etc/polkit-1/rules.d/20-bob.rules', `polkit.addRule(function (action, subject) {
    if (subject.user == "bob" && action.id == "org.unraid.vms.start") return polkit.Result.YES;
  });`);
  await run('systemctl', 'restart', 'polkit.service');
}
