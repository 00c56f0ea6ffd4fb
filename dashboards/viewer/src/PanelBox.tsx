// One panel: asks for its data while it is in sight, and shows it, or that there is none, or what went wrong.
import { LoadingState, rangeUtil, stringToJsRegex, type DataFrame } from '@grafana/data';
import { Icon, PanelChrome, Tooltip, useTheme2 } from '@grafana/ui';
import { Component, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import * as api from './api';
import { Data, Sql } from './Dialogs';
import { prepare } from './fields';
import { interpolator } from './interpolation';
import { useMended } from './mended';
import type { Board, Panel } from './model';
import { Nothing } from './Nothing';
import { DRAWN } from './panels';
import type { Drawn } from './panels/drawn';
import { FIGURE_HEIGHT, FIGURE_WIDTH_MIN } from './panels/StatPanel';
import { Said } from './Said';
import type { Told } from './status';
import type { Mode } from './theme';
import { panelRange } from './time';
import type { Asking } from './world';

const POINTS_MIN = 100;
const POINTS_MAX = 2000;
const AHEAD = '400px';
const ROW = 36;
const ABOVE_ROWS = 110;
const ABOVE_FIGURES = 56;
const AROUND = 18;
const LINE = 21;
const LETTER = 7;
const OLD_S = 10;

interface Props {
  panel: Panel;
  board: Board;
  asking: Asking;
  mode: Mode;
  width: number;
  height: number;
  narrow: boolean;
  tell: Told;
}

interface Answer {
  frames: Awaited<ReturnType<typeof api.panelData>>['frames'];
  notices: string[];
  age_s: number;
}

function useSeen(): [React.RefObject<HTMLDivElement | null>, boolean] {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const watching = new IntersectionObserver((entries) => setSeen(entries.at(-1)!.isIntersecting), { rootMargin: AHEAD });
    watching.observe(box.current!);
    return () => watching.disconnect();
  }, []);
  return [box, seen];
}

function useAnswer({ panel, asking, width, tell }: Props, seen: boolean) {
  const [answer, setAnswer] = useState<Answer>();
  const [error, setError] = useState<Error>();
  const [loading, setLoading] = useState(false);
  const [tries, setTries] = useState(0);
  const world = asking.world!;
  const own = useMemo(() => panelRange(world.range, panel.timeFrom, panel.timeShift), [world.range]);
  const points = Math.min(Math.max(panel.maxDataPoints ?? width, POINTS_MIN), POINTS_MAX);
  const asksNothing = !panel.targets?.length;
  const question = () => {
    const interval = rangeUtil.calculateInterval(own.range, points, panel.interval || '1s').intervalMs;
    const span = { from: own.range.from.valueOf(), to: own.range.to.valueOf() };
    return asking.question({ panel: panel.id, interval: Math.max(interval, 1000), ...span });
  };
  // A narrower window asks for fewer points, but not at every pixel.
  const asked = `${asking.key}|${Math.round(points / 200)}|${tries}`;
  const answered = useRef('');
  const current = useRef<AbortController>(undefined);
  useEffect(() => {
    // What is out of sight shows what it has, and asks when it comes into sight again.
    if (!seen || asksNothing || answered.current === asked) return;
    const request = new AbortController();
    current.current = request;
    setLoading(true);
    tell(panel.id, { busy: 1 });
    api.panelData(question(), request.signal)
      .then((told) => {
        answered.current = asked;
        setAnswer(told);
        setError(undefined);
        tell(panel.id, { failed: false });
      }, (failed: Error) => {
        if (request.signal.aborted) return;
        setError(failed);
        tell(panel.id, { failed: true });
      })
      .finally(() => {
        tell(panel.id, { busy: -1 });
        if (current.current === request) setLoading(false);
      });
    return () => request.abort();
  }, [seen, asked]);
  return { answer, error, loading, question, own, asksNothing, again: () => setTries(tries + 1) };
}

export function PanelBox(props: Props) {
  const { panel, asking, width, mode, board } = props;
  const theme = useTheme2();
  const [box, seen] = useSeen();
  useMended(box, panel.title);
  const asked = useAnswer(props, seen);
  const { answer, error, loading, own, asksNothing } = asked;
  const world = asking.world!;
  const replace = useMemo(() => interpolator({ ...world, range: own.range }), [world, own.range]);
  const frames = useMemo(
    () => (answer ? prepare(panel, answer.frames, theme, replace) : undefined),
    [answer, theme, replace],
  );
  const height = props.narrow ? fitted(panel, width, props.height, frames) : props.height;
  const state = loading ? LoadingState.Loading : error ? LoadingState.Error : LoadingState.Done;
  const title = replace(panel.title ?? '');
  const told = frames && hasRows(frames) ? frames : undefined;
  // Another viewer's answer of a moment ago is shown as it was.
  const old = answer && answer.age_s >= OLD_S ? `${answer.age_s} s old` : '';
  const notes = [own.said, ...(answer?.notices ?? []), old].filter(Boolean).join(' · ');
  return (
    <div ref={box} className="panel" aria-busy={loading} data-panel={panel.id}
      data-type={panel.type} data-state={error ? 'error' : answer || asksNothing ? 'done' : seen ? 'loading' : 'unseen'}>
      <PanelChrome width={width} height={height} title={title} loadingState={state} padding="md"
        displayMode={panel.transparent ? 'transparent' : 'default'} hoverHeader={!title}
        actions={asksNothing ? undefined : [
          told && <Data key="data" frames={told} title={title} />, <Sql key="sql" question={asked.question} title={title} />,
        ]}
        titleItems={[
          panel.description && <About key="about" title={title} what={replace(panel.description)} />,
          notes && <span key="notes" className="notes" title={notes}>{notes}</span>,
        ]}>
        {(innerWidth, innerHeight) => {
          if (error) return <Said error={error} again={asked.again} quiet />;
          if (!frames && !asksNothing) return <p className="waiting">{seen ? 'Loading …' : ''}</p>;
          const drawn: Drawn = {
            panel, board, width: innerWidth, height: innerHeight, range: own.range, frames: frames ?? [], replace,
            marks: asking.marks, theme, label: title, narrow: props.narrow,
          };
          return <Guarded key={mode}><Drawing {...drawn} /></Guarded>;
        }}
      </PanelChrome>
    </div>
  );
}

/** On a phone a table is as high as its rows, up to the height it has elsewhere; figures and notes take as many lines as they need. */
function fitted(panel: Panel, width: number, height: number, frames: DataFrame[] | undefined): number {
  if (panel.type === 'table' && frames) return Math.min(height, ABOVE_ROWS + ROW * Math.max(frames[0]?.length ?? 0, 1));
  // A note is there to be read whole; its links' addresses are not.
  const letters = String(panel.options?.content ?? '').replace(/\]\([^)]*\)/g, '').length;
  if (panel.type === 'text') return Math.max(height, AROUND + LINE * (Math.ceil((letters * LETTER) / (width - AROUND)) + 1));
  if (panel.type !== 'stat' || !frames) return height;
  const side = Math.max(Math.floor((width - AROUND) / FIGURE_WIDTH_MIN), 1);
  const only = panel.options?.reduceOptions?.fields;
  const shown = frames[0]?.fields.filter((field) => !only || stringToJsRegex(only).test(field.name)).length ?? 0;
  return Math.max(height, ABOVE_FIGURES + FIGURE_HEIGHT * Math.ceil(shown / side));
}

const hasRows = (frames: DataFrame[]) => frames.some((frame) => frame.length > 0 && frame.fields.length > 0);

function Drawing(drawn: Drawn) {
  const kind = DRAWN[drawn.panel.type];
  if (!kind) return <p className="nothing">Panels of the type {drawn.panel.type} are not drawn here.</p>;
  if (kind.needsRows && !hasRows(drawn.frames)) return <Nothing panel={drawn.panel} />;
  const { Component: Kind } = kind;
  return <Kind {...drawn} />;
}

class Guarded extends Component<{ children: ReactNode }, { error?: Error }> {
  state: { error?: Error } = {};

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  render() {
    const { error } = this.state;
    return error ? <div data-state="error"><Said error={new Error(`This panel could not be drawn: ${error.message}`)} /></div> : this.props.children;
  }
}

/** What a panel shows, in a sentence: under the pointer, with the focus, or by a click. */
function About({ title, what }: { title: string; what: string }) {
  return (
    <Tooltip content={what}>
      <button type="button" className="plain about-panel" aria-label={`About ${title}`}><Icon name="info-circle" aria-hidden /></button>
    </Tooltip>
  );
}
