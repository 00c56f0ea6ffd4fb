// What a screen reader is told of a dashboard: once after the reader asked for something, and when panels fail or recover.
import { useCallback, useEffect, useRef, useState } from 'react';
import { usePlace } from './location';
import { clock } from './time';

export interface Change {
  busy?: 1 | -1;
  failed?: boolean;
}

/** Told by panels: one more or less of them waits for data, or has failed or not. */
export type Told = (panel: number, change: Change) => void;

const SETTLED_MS = 400;

export function useStatus(): { busy: number; tell: Told; status: string } {
  const [busy, setBusy] = useState(0);
  const [failed, setFailed] = useState<ReadonlySet<number>>(new Set());
  const [status, setStatus] = useState('');
  const { search } = usePlace();
  const asked = search.toString();
  const said = useRef({ asked: '', failed: 0 });
  const tell = useCallback<Told>((panel, change) => {
    if (change.busy) setBusy((before) => before + change.busy!);
    if (change.failed === undefined) return;
    setFailed((before) => {
      if (before.has(panel) === change.failed) return before;
      const after = new Set(before);
      if (!after.delete(panel)) after.add(panel);
      return after;
    });
  }, []);
  useEffect(() => {
    if (busy) return;
    // Panels come into sight one after the other; what is said waits until they are all through.
    const timer = setTimeout(() => {
      const last = said.current;
      if (last.asked === asked && last.failed === failed.size) return;
      said.current = { asked, failed: failed.size };
      setStatus(failed.size ? `${failed.size} ${failed.size === 1 ? 'panel has' : 'panels have'} failed` : `Panels are up to date, ${clock(Date.now())} UTC`);
    }, SETTLED_MS);
    return () => clearTimeout(timer);
  }, [busy, failed, asked]);
  return { busy, tell, status };
}
