// The address is the page's whole state: what is shown, over which time, with which values; a link shows the same.
import { useSyncExternalStore } from 'react';

const CHANGED = 'farebox:address';

function subscribe(changed: () => void) {
  window.addEventListener('popstate', changed);
  window.addEventListener(CHANGED, changed);
  return () => {
    window.removeEventListener('popstate', changed);
    window.removeEventListener(CHANGED, changed);
  };
}

// Whether the page that is about to be drawn was come to by a link within the page, and so must take the focus.
let isArriving = false;

/** Tell once whether a link within the page led here. */
export function arrived(): boolean {
  const was = isArriving;
  isArriving = false;
  return was;
}

const address = () => window.location.pathname + window.location.search;

/** Go to an address of this page, without loading it anew. */
export function go(to: string, { replace = false } = {}) {
  if (to === address()) return;
  window.history[replace ? 'replaceState' : 'pushState'](null, '', to);
  window.dispatchEvent(new Event(CHANGED));
}

export interface Place {
  path: string;
  search: URLSearchParams;
}

export function usePlace(): Place {
  const now = useSyncExternalStore(subscribe, address);
  const [path, query = ''] = now.split(/\?(.*)/s);
  return { path, search: new URLSearchParams(query) };
}

/** Change parameters of the address; null takes one out, a list gives it several values. */
export function change(values: Record<string, string | string[] | null>, options?: { replace: boolean }) {
  const search = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(values)) {
    search.delete(name);
    for (const one of value === null ? [] : [value].flat()) search.append(name, one);
  }
  const query = search.toString();
  go(window.location.pathname + (query ? `?${query}` : ''), options);
}

/** Follow links within the page without loading it anew, as long as nobody asks for another tab. */
export function followLinks() {
  let before = window.location.pathname;
  window.addEventListener('popstate', () => { isArriving = window.location.pathname !== before; }, { capture: true });
  subscribe(() => { before = window.location.pathname; });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element).closest?.('a');
    if (!link || link.hasAttribute('download')) return;
    const to = new URL(link.href, window.location.href);
    const inside = /^\/(d\/|live$|call\/|$)/.test(to.pathname);
    if (to.origin !== window.location.origin || !inside || link.target === '_blank') return;
    // Within the page as it stands, as the link over the head does.
    if (to.hash && to.pathname === window.location.pathname) return;
    event.preventDefault();
    isArriving = to.pathname !== window.location.pathname;
    go(to.pathname + to.search);
    window.scrollTo(0, 0);
  });
}
