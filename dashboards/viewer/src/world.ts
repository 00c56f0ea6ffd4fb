// What a dashboard's address says: its time range, the values of its variables, and how often to ask anew.
import { useEffect, useMemo, useRef, useState } from 'react';
import * as api from './api';
import type { World } from './interpolation';
import { usePlace } from './location';
import { ALL, type Board, type Variable } from './model';
import { resolve, seconds } from './time';

function initialValue(variable: Variable): string | string[] {
  if (variable.type === 'textbox') return String(variable.query ?? '');
  if (variable.type === 'constant') return String(variable.query ?? '');
  if (variable.type === 'datasource') return 'farebox';
  const current = variable.current?.value;
  if (current !== undefined && current !== '' && [current].flat().length) return current;
  return variable.includeAll ? [ALL] : [];
}

/** Options that stand in the dashboard itself, as `text : value, …`. */
function ownOptions(variable: Variable): api.Option[] {
  if (!['custom', 'interval'].includes(variable.type)) return [];
  if (variable.options?.length) return variable.options.map(({ text, value }) => ({ text: String(text), value: String(value) }));
  return String(variable.query ?? '').split(/(?<!\\),/).map((one) => one.trim()).filter(Boolean).map((one) => {
    const [text, value] = one.split(/\s+:\s+/);
    return { text, value: value ?? text };
  });
}

/** The values of a variable to choose from, and what there is to say of them: that some are left out, or why there are none. */
export interface Offered {
  options: api.Option[];
  said: string;
}

export interface Asking {
  raw: { from: string; to: string };
  refresh: string;
  world?: World;
  offered: Record<string, Offered>;
  marks: api.Mark[];
  question: (more: Partial<api.Question>) => api.Question;
  again: () => void;
  key: string;
}

/** Read the address, and what the dashboard asks before any panel: the values of its variables, and its marks. */
export function useAsking(board: Board | undefined, busy: () => boolean): Asking {
  const { search } = usePlace();
  const raw = {
    from: search.get('from') || board?.time?.from || 'now-24h',
    to: search.get('to') || board?.time?.to || 'now',
  };
  const refresh = search.get('refresh') ?? board?.refresh ?? '';
  const [clock, setClock] = useState(() => ({ now: Date.now(), ticked: false }));
  const query = search.toString();
  // A ledger that is slower than the clock is left to answer, not asked over and over.
  useTicking(seconds(refresh), () => busy() || setClock({ now: Date.now(), ticked: true }));
  const place = `${query}|${board?.uid ?? ''}`;
  const placed = useRef(place);
  // A new address is a new look at the clock.
  const { now: moment, ticked } = useMemo(() => {
    const same = placed.current === place;
    placed.current = place;
    return same ? clock : { now: Date.now(), ticked: false };
  }, [clock, place]);
  const [offered, setOffered] = useState<Record<string, Offered>>({});
  const range = useMemo(() => resolve(raw, moment), [raw.from, raw.to, moment]);
  const world = useMemo(() => makeWorld(board, search, raw, range, offered), [board, query, range, offered]);
  const question = (more: Partial<api.Question>): api.Question => ({
    dashboard: board!.uid,
    from: range!.from.valueOf(),
    to: range!.to.valueOf(),
    variables: world!.chosen,
    // Nobody waits for what the page asks by itself: while it is counted, an answer of a moment ago will do.
    again: ticked,
    ...more,
  });
  const key = world ? JSON.stringify([range!.from.valueOf(), range!.to.valueOf(), world.chosen]) : '';
  useOptions(board, world, question, setOffered);
  const marks = useMarks(board, world, key, question);
  return { raw, refresh, world, offered, marks, question, again: () => setClock({ now: Date.now(), ticked: false }), key: `${key}|${moment}` };
}

function makeWorld(
  board: Board | undefined, search: URLSearchParams, raw: World['raw'], range: World['range'] | undefined,
  offered: Record<string, Offered>,
): World | undefined {
  if (!board || !range) return undefined;
  const world: World = { chosen: {}, texts: {}, range, raw };
  for (const variable of board.templating.list) {
    const given = search.getAll(`var-${variable.name}`);
    const multi = Array.isArray(initialValue(variable)) || variable.multi;
    let value = given.length ? (multi ? given : given[0]) : initialValue(variable);
    if (variable.type === 'datasource') value = 'farebox';
    // Where one value must be chosen and none is, it is the first there is.
    if (!variable.includeAll && variable.type === 'query' && ![value].flat().length && offered[variable.name]?.options.length) {
      const first = offered[variable.name].options[0].value;
      value = multi ? [first] : first;
    }
    world.chosen[variable.name] = value;
    const texts = [value].flat().map((one) => (one === ALL ? 'All' : (offered[variable.name]?.options.find((each) => each.value === one)?.text ?? one)));
    world.texts[variable.name] = texts.join(' + ');
  }
  return world;
}

function useTicking(every: number, tick: () => unknown) {
  const last = useRef(tick);
  last.current = tick;
  useEffect(() => {
    if (!every) return;
    const shown = () => document.hidden || last.current();
    const timer = setInterval(shown, every * 1000);
    document.addEventListener('visibilitychange', shown);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', shown);
    };
  }, [every]);
}

type Ask = (more: Partial<api.Question>) => api.Question;

function useOptions(
  board: Board | undefined, world: World | undefined, question: Ask, set: (offered: Record<string, Offered>) => void,
) {
  useEffect(() => {
    if (!board || !world) return;
    const asking = new AbortController();
    const list = board.templating.list;
    const found = list.map(async (each): Promise<[string, Offered]> => {
      if (each.type !== 'query') return [each.name, { options: ownOptions(each), said: '' }];
      try {
        const answer = await api.options(question({ variable: each.name }), asking.signal);
        return [each.name, { options: answer.options, said: answer.notices.join(' ') }];
      } catch (failed) {
        return [each.name, { options: [], said: (failed as Error).message }];
      }
    });
    void Promise.all(found).then((all) => asking.signal.aborted || set(Object.fromEntries(all)));
    return () => asking.abort();
    // The values offered depend on the range, not on what is chosen of them.
  }, [board, world?.range.from.valueOf(), world?.range.to.valueOf()]);
}

function useMarks(board: Board | undefined, world: World | undefined, key: string, question: Ask): api.Mark[] {
  const [marks, setMarks] = useState<api.Mark[]>([]);
  useEffect(() => {
    if (!board || !world || !board.annotations.list.some((each) => each.enable)) return;
    const asking = new AbortController();
    api.marks(question({}), asking.signal).then((answer) => setMarks(answer.annotations), () => undefined);
    return () => asking.abort();
  }, [board, key]);
  return marks;
}
