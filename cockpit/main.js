// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The page: it joins the connection, the mirror and the views, and shows the view that the address names.

import { Actions } from './actions.js';
import { Banner, bannerOf } from './banner.js';
import { batched } from './dom.js';
import { List } from './list.js';
import { MachinePage } from './machine.js';
import { closeMenu } from './menu.js';
import { Mirror } from './mirror.js';
import { Rights } from './rights.js';
import { Service } from './service.js';
import { text } from './text.js';
import { followTheme } from './theme.js';
import { Usage } from './usage.js';

const { cockpit } = globalThis;

// The page of a machine is made when it is looked at for the first time.
class Views {
  constructor(parts, element) {
    Object.assign(this, { parts, element, list: new List(parts), machinePage: null });
  }

  show() {
    closeMenu();
    const [kind, uuid] = cockpit.location.path;
    if (kind === 'machine' && uuid) {
      this.machinePage ??= new MachinePage(this.parts);
      this.machinePage.open(uuid);
      this.place(this.machinePage, this.machinePage.title());
    } else {
      this.machinePage?.close();
      this.place(this.list, text.title);
    }
  }

  place(view, title) {
    if (view.element.parentNode !== this.element) this.element.replaceChildren(view.element);
    document.title = title;
    view.draw();
  }

  draw() {
    this.list.draw();
    this.machinePage?.draw();
  }
}

function main() {
  const mirror = new Mirror();
  const usage = new Usage();
  const draw = () => {
    drawBanner();
    views.draw();
  };
  const rights = new Rights(cockpit, (before) => {
    if (before !== null) service.open();
    draw();
  });
  const service = new Service(cockpit, mirror, {
    changed: draw,
    state: draw,
    usage: (timestamp, figures) => {
      usage.tick(figures);
      draw();
    },
    jobRemoved: (job) => actions.jobRemoved(job),
  });
  const actions = new Actions(service, mirror);
  const banner = new Banner(document.getElementById('banner'), () => actions.reconnect());
  const drawBanner = batched(() => banner.show(bannerOf(service, mirror.root.Manager, rights.administrative)));
  const views = new Views({ cockpit, mirror, service, usage, actions, rights }, document.getElementById('page'));
  followTheme();
  views.show();
  cockpit.addEventListener('locationchanged', () => views.show());
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target.matches('input, textarea, select') || !views.list.element.isConnected) return;
    views.list.filter.focus();
    event.preventDefault();
  });
  setInterval(draw, 60000); // uptimes
  service.open();
}

main();
