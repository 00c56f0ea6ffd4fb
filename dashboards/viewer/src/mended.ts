// What Grafana's components leave out for who does not see them: the level of a panel's heading, the name of a grid.
import { type RefObject, useEffect } from 'react';

/** Mend what is drawn in a panel, now and whenever it is drawn anew. */
export function useMended(box: RefObject<HTMLElement | null>, title: string | undefined) {
  useEffect(() => {
    const mend = () => {
      const panel = box.current!;
      // The page's heading is the first level, a row's the second.
      panel.querySelector('h2:not([data-own])')?.setAttribute('aria-level', '3');
      for (const grid of panel.querySelectorAll('[role=grid]')) grid.setAttribute('aria-label', title || 'Table');
      for (const canvas of panel.querySelectorAll('canvas')) canvas.setAttribute('aria-hidden', 'true');
    };
    mend();
    const watching = new MutationObserver(mend);
    watching.observe(box.current!, { childList: true, subtree: true });
    return () => watching.disconnect();
  }, [title]);
}
