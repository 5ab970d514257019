// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Light or dark, as Cockpit's shell is set, else as the system is.

const dark = window.matchMedia('(prefers-color-scheme: dark)');

function apply(style = localStorage.getItem('shell:style') || 'auto') {
  const isDark = style === 'dark' || (style === 'auto' && dark.matches);
  document.documentElement.classList.toggle('pf-theme-dark', isDark);
}

export function followTheme() {
  apply();
  dark.addEventListener('change', () => apply());
  window.addEventListener('storage', (event) => {
    if (event.key === 'shell:style') apply();
  });
  // The shell tells its frames in this one, in the window that changed it.
  window.addEventListener('cockpit-style', (event) => apply(event.detail?.style));
}
