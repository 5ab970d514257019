// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The operations: in which states each is possible (docs: dbus/org.unraid.Vms.Domain.xml), how it is
// called, and in which colour it stands. Nothing here knows the bus or the screen.

const RUNS = ['running', 'idle'];
const LIVES = [...RUNS, 'paused', 'pmsuspended', 'shutdown'];

// `confirm`: it may lose what the guest has not written, so it is explained first.
export const OPERATIONS = [
  { name: 'Start', states: ['shutoff'] },
  { name: 'Resume', states: ['paused', 'pmsuspended'] },
  { name: 'Stop', states: [...LIVES, 'crashed'], confirm: true },
  { name: 'Pause', states: RUNS },
  { name: 'Reboot', states: LIVES },
  { name: 'Reset', states: [...LIVES, 'crashed'], confirm: true, danger: true },
  { name: 'ForceStop', states: [...LIVES, 'crashed'], confirm: true, danger: true },
];

const KNOWN = new Set(['shutoff', ...OPERATIONS.flatMap((operation) => operation.states)]);

export const operationNamed = (name) => OPERATIONS.find((operation) => operation.name === name);

// Whether the machine's state allows it; a state that this page does not know is for the service to judge.
const allowedIn = (operation, state) => operation.states.includes(state) || !KNOWN.has(state);

// The operations that are possible now. While another one runs, only ForceStop overtakes it.
export function possible(machine, available) {
  const { State, Job, Available } = machine.Domain;
  if (!available) return [];
  return OPERATIONS.filter((operation) => allowedIn(operation, State) &&
    (!Job || Job === '/' || operation.name === 'ForceStop') &&
    (Available || operation.name === 'ForceStop'));
}

// The one that stands beside the machine; the others are in its menu.
export const primary = (operations) =>
  operations.find(({ name }) => ['Start', 'Resume', 'Stop'].includes(name));

// How long Stop waits for this machine before it forces, in µs.
export const stopTimeout = (machine, manager) =>
  machine.Config?.StopTimeoutUSec || manager.StopTimeoutUSec || 0;
