// What each page has: its main part, a name of the window, and a heading that takes the focus after a link within the page was followed, as the top of a newly loaded page would.
import { type ReactNode, useEffect, useRef } from 'react';
import { arrived } from './location';

export function Title({ children, hint }: { children: ReactNode; hint?: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (arrived()) heading.current?.focus({ preventScroll: true });
  }, []);
  return <h1 ref={heading} tabIndex={-1} title={hint}>{children}</h1>;
}

/** Name the window after what is shown. */
export function useWindowTitle(title: string | undefined) {
  useEffect(() => {
    if (!title) return;
    document.title = title;
    return () => { document.title = 'farebox'; };
  }, [title]);
}

/** The part of the page that the link over its head leads to. */
export const Main = ({ children }: { children: ReactNode }) => <main id="content" tabIndex={-1}>{children}</main>;
