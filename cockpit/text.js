// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Every English text of the page, through Cockpit's translation (po.LANGUAGE.js).

const _ = (text) => (globalThis.cockpit ? globalThis.cockpit.gettext(text) : text);

// "$0" stands for the first of `values`, and so on.
export const fill = (template, ...values) =>
  template.replace(/\$(\d)/g, (mark, index) => values[index] ?? '');

export const text = {
  title: _('Virtual machines'),
  loading: _('Reading the machines …'),
  none: _('No virtual machines are defined'),
  noneHint: _('A machine that is defined with vmsctl or virsh appears here by itself.'),
  noMatch: _('No machine matches'),
  clearFilter: _('Show all machines'),
  filter: _('Filter by name, state or address'),
  machines: _('Machines'),
  kinds: {
    all: _('All'), running: _('Running'), off: _('Off'), attention: _('Attention'),
  },
  columns: {
    name: _('Name'), state: _('State'), address: _('Address'), uptime: _('Uptime'),
    cpu: _('CPU'), memory: _('Memory'),
  },
  selectAll: _('Select all machines that are shown'),
  select: _('Select $0'),
  selected: _('$0 selected'),
  clearSelection: _('Clear selection'),
  more: _('More operations of $0'),
  pending: _('Changes after restart'),
  opensPage: _('Opens the web page of $0'),
  cpuOf: _('CPU of $0: $1'),
  memoryOf: _('Memory of $0: $1'),
  sort: _('Sort by'),

  states: {
    nostate: _('No state'), running: _('Running'), idle: _('Running'), paused: _('Paused'),
    shutdown: _('Shutting down'), shutoff: _('Off'), crashed: _('Crashed'), pmsuspended: _('Asleep'),
  },
  reasons: {
    'booted': _('started'), 'migrated': _('migrated'), 'restored': _('restored'),
    'from-snapshot': _('from a snapshot'), 'unpaused': _('resumed'), 'wakeup': _('woken up'),
    'user': _('by a user'), 'io-error': _('I/O error'), 'watchdog': _('watchdog'),
    'shutting-down': _('shutting down'), 'shut-down': _('shut down by the guest'), 'destroyed': _('forced off'),
    'crashed': _('crashed'), 'saved': _('saved'), 'failed': _('start failed'), 'daemon': _('by libvirt'),
    'panicked': _('the guest panicked'), 'starting-up': _('starting up'), 'postcopy': _('migrating'),
  },
  problems: {
    'io-error': _('I/O error'), 'no-space': _('No space left'), 'watchdog': _('Watchdog fired'),
    'panicked': _('The guest panicked'), 'memory-failure': _('Memory failure'),
    'control-error': _('Control error'), 'unresponsive': _('libvirt does not answer for it'),
  },
  onDevice: _('$0 on $1'),

  operations: {
    Start: _('Start'), Stop: _('Stop'), Pause: _('Pause'), Resume: _('Resume'),
    ForceStop: _('Force off'), Reboot: _('Reboot'), Reset: _('Reset'), Save: _('Save'),
    CreateSnapshot: _('Snapshot'), RevertSnapshot: _('Revert to snapshot'),
    DeleteSnapshot: _('Delete snapshot'), Migrate: _('Migrate'), Resize: _('Resize'),
    Commit: _('Commit'), Pull: _('Pull'), Copy: _('Copy'),
  },
  running: {
    Start: _('Starting'), Stop: _('Stopping'), Pause: _('Pausing'), Resume: _('Resuming'),
    ForceStop: _('Forcing off'), Reboot: _('Rebooting'), Reset: _('Resetting'), Save: _('Saving'),
    CreateSnapshot: _('Making a snapshot'), RevertSnapshot: _('Reverting to a snapshot'),
    DeleteSnapshot: _('Deleting a snapshot'), Migrate: _('Migrating'),
  },
  cancel: _('Cancel'),
  cancelJob: _('Cancel: $0 of $1'),
  close: _('Close'),

  askTitle: _('$0 $1?'),
  askMany: _('$0 $1 machines?'),
  askStop: _('The guest is asked to shut down. If it is still up after $0, it is forced off, as pulling the plug does: data that it has not written is lost.'),
  askStopEach: _('Each guest is asked to shut down. One that is still up when its time-out is over (usually $0) is forced off, as pulling the plug does: data that it has not written is lost.'),
  neverForce: _('Never force: a guest that is still up then stays on'),
  askForceStop: _('The power is cut now, without asking the guest. Data that it has not written is lost.'),
  askReset: _('The reset button is pressed now, without asking the guest. Data that it has not written is lost.'),

  results: {
    failed: _('$0 of $1 failed'), timeout: _('$0 of $1: the time is up'),
    canceled: _('$0 of $1 was cancelled'),
  },
  refused: _('You may not do this: $0 of $1'),
  refusedHint: _('It needs administrative access, or a polkit rule that allows you the action.'),
  notDone: _('$0 of $1 was not done'),
  stillRunning: _('$0 of $1 takes longer, and goes on'),

  away: {
    service: _('The service of the virtual machines is away'),
    serviceWhy: _('The list shows the last known state. It is tried again until the service answers.'),
    starting: _('Connecting to libvirt'), stopped: _('libvirt is not running'),
    unreachable: _('libvirt does not answer'), denied: _('libvirt refuses the service'),
    failed: _('libvirt cannot be used'),
  },
  channel: {
    'disconnected': _('The system bus has closed the connection.'),
    'not-found': _('The system bus cannot start it.'),
  },
  since: _('Since $0 ($1)'),
  durations: { day: _('$0 d'), hour: _('$0 h'), minute: _('$0 min'), second: _('$0 s') },
  reconnect: _('Try now'),
  reconnectFailed: _('There is no connection to libvirt yet'),
  limited: _('Limited access'),
  limitedWhy: _('You see everything. Starting, stopping and other operations need administrative access, or a polkit rule that allows them to you.'),

  gone: _('This machine is gone'),
  goneHint: _('It was removed, or it never existed.'),
  figures: _('Last five minutes'),
  charts: {
    cpu: _('CPU'), memory: _('Memory'), disk: _('Disks'), net: _('Network'),
    disk_read: _('read'), disk_write: _('written'), net_rx: _('received'), net_tx: _('sent'),
  },
  hardware: _('Hardware'),
  vcpus: _('vCPUs'), memory: _('Memory'), maximum: _('up to $0'), firmware: _('Firmware'),
  machineType: _('Machine'), autostart: _('Starts with the host'), yes: _('Yes'), no: _('No'),
  uuid: _('UUID'), description: _('Description'), system: _('System'), hostname: _('Host name'),
  afterRestart: _('$0 after restart'),
  otherNext: _('Also changed after restart: $0'),
  addresses: _('Addresses'), noAddresses: _('None is known.'),
  addressSources: { agent: _('from the guest agent'), lease: _('from a DHCP lease') },
  disks: _('Disks'), noDisks: _('It has no disks.'),
  nics: _('Network interfaces'), noNics: _('It has no network interfaces.'),
  diskColumns: [_('Target'), _('Source'), _('Size'), _('Details')],
  nicColumns: [_('MAC'), _('Attached to'), _('Model'), _('Link')],
  emptyDrive: _('empty'), readonly: _('read-only'), up: _('up'), down: _('down'),
  problemsTitle: _('Problems'),

  console: _('Console'),
  consoleHint: _('The serial console of the guest. One person at a time can use it.'),
  consoleOff: _('The console can be used while the machine runs.'),
  connect: _('Connect'), takeOver: _('Take over'), disconnect: _('Disconnect'),
  consoleEnded: _('The console is closed'),
  consoleLabel: _('Serial console of $0. Ctrl+] leaves it.'),
  history: _('History'),
  historyNone: _('The journal has nothing about this machine.'),
  historyRefused: _('The journal cannot be read: $0'),
  historyLimited: _('Without administrative access the journal may be hidden from you.'),
};

// A word that this page does not know is shown as the service says it.
export const word = (table, name) => table[name] ?? name;
