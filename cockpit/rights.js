// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whether the session has administrative access: `administrative` is true, false, or null until it is
// known. `changed` is called with the value before when it changes, by the switch in Cockpit's shell.

export class Rights {
  constructor(cockpit, changed) {
    Object.assign(this, { cockpit, changed, administrative: null });
    this.superuser = cockpit.dbus(null, { bus: 'internal' }).proxy('cockpit.Superuser', '/superuser');
    this.superuser.addEventListener('changed', () => this.look());
    this.look();
  }

  // A channel that needs administrative access opens only with it.
  async look() {
    const channel = this.cockpit.channel({ payload: 'null', superuser: 'require' });
    const allowed = await channel.wait().then(() => true, () => false);
    channel.close();
    if (allowed === this.administrative) return;
    const before = this.administrative;
    this.administrative = allowed;
    this.changed(before);
  }
}
