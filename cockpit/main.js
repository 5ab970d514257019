// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The page: it joins the connection, the mirror and the views, and shows the view that the address names.

import { Actions } from './actions.js';
import { Banner, bannerOf } from './banner.js';
import { batched } from './dom.js';
import { List } from './list.js';
import { MachinePage } from './machine.js';
import { Mirror } from './mirror.js';
import { Rights } from './rights.js';
import { Service } from './service.js';
import { text } from './text.js';
import { followTheme } from './theme.js';
import { Usage } from './usage.js';

const { cockpit } = globalThis;

function showView(page, list, machinePage) {
  const [kind, uuid] = cockpit.location.path;
  const view = kind === 'machine' && uuid ? machinePage : list;
  if (view === machinePage) machinePage.open(uuid);
  else machinePage.close();
  if (view.element.parentNode !== page) page.replaceChildren(view.element);
  document.title = view === list ? text.title : machinePage.title();
  view.draw();
}

function main() {
  const mirror = new Mirror();
  const usage = new Usage();
  const views = [];
  const draw = () => views.forEach((view) => view.draw());
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
  const parts = { cockpit, mirror, service, usage, actions, rights };
  const list = new List(parts);
  const machinePage = new MachinePage(parts);
  const page = document.getElementById('page');
  views.push({
    draw: batched(() => banner.show(bannerOf(service, mirror.root.Manager, rights.administrative))),
  }, list, machinePage);
  followTheme();
  showView(page, list, machinePage);
  cockpit.addEventListener('locationchanged', () => showView(page, list, machinePage));
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || event.target.matches('input, textarea, select') || !list.element.isConnected) return;
    list.filter.focus();
    event.preventDefault();
  });
  setInterval(draw, 60000); // uptimes
  service.open();
}

main();
