// One dashboard: its controls, and its panels in Grafana's grid of 24 columns; in one column on a phone.
import { DashboardCursorSync, EventBusSrv } from '@grafana/data';
import { type PanelContext, PanelContextProvider } from '@grafana/ui';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import * as api from './api';
import { interpolator, timeParameters, variableParameters } from './interpolation';
import { change } from './location';
import type { Board, DashboardLink, GridPos, Panel } from './model';
import { PanelBox } from './PanelBox';
import { NotFoundPage } from './NotFoundPage';
import { Said } from './Said';
import { type Told, useStatus } from './status';
import type { Mode } from './theme';
import { RefreshPicker, TimePicker } from './TimePicker';
import { Main, Title, useWindowTitle } from './Title';
import { Variables } from './Variables';
import { type Asking, useAsking } from './world';

const COLUMNS = 24;
const CELL = 30;
const GAP = 8;
const NARROW = 760;

interface Props {
  uid: string;
  catalogue?: api.Catalogue;
  mode: Mode;
  top: (children?: ReactNode) => ReactNode;
}

export function DashboardPage({ uid, catalogue, mode, top }: Props) {
  const [board, setBoard] = useState<Board>();
  const [error, setError] = useState<Error>();
  const { busy, tell, status } = useStatus();
  const waiting = useRef(0);
  waiting.current = busy;
  const asking = useAsking(board, () => waiting.current > 0);
  useEffect(() => {
    api.board(uid).then(setBoard, setError);
  }, [uid]);
  useWindowTitle(board?.title);
  useKey('r', asking.again);
  const controls = board && (
    <div className="controls">
      <Title hint={board.description}>{board.title.replace(/^farebox: /, '')}</Title>
      <Variables variables={board.templating.list} chosen={asking.world?.chosen ?? {}} offered={asking.offered} />
      <span className="spring" />
      <Links links={board.links ?? []} asking={asking} catalogue={catalogue} />
      <span className="clock">
        <TimePicker raw={asking.raw} />
        <RefreshPicker every={asking.refresh} ask={asking.again} busy={busy > 0} />
      </span>
    </div>
  );
  return (
    <>
      {top(controls)}
      <Main>
        <p className="aside" role="status">{status}</p>
        {error && <NotFoundPage error={error} catalogue={catalogue} />}
        {!board && !error && <p className="waiting">Loading …</p>}
        {board && !asking.world && (
          <>
            <Said error={new Error('The time range in the address is unreadable or empty.')} />
            <p><button type="button" onClick={() => change({ from: null, to: null })}>Show the usual one</button></p>
          </>
        )}
        {board && asking.world && <Panels board={board} asking={asking} mode={mode} tell={tell} />}
      </Main>
    </>
  );
}

function useKey(key: string, act: () => void) {
  const last = useRef(act);
  last.current = act;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const typing = (event.target as Element).closest?.('input, select, textarea, [contenteditable]');
      if (event.key === key && !typing && !event.metaKey && !event.ctrlKey && !event.altKey) last.current();
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, [key]);
}

/** Links of the dashboard itself; those to all of farebox's stand in the page's head already. */
function Links({ links, asking, catalogue }: { links: DashboardLink[]; asking: Asking; catalogue?: api.Catalogue }) {
  const { world } = asking;
  if (!world) return null;
  const inHead = new Set(catalogue?.dashboards.flatMap((each) => each.tags));
  const shown = links.filter((each) => each.type === 'link' || !each.tags?.some((tag) => inHead.has(tag)));
  const replace = interpolator(world);
  return shown.map((each) => {
    const kept = [each.keepTime && timeParameters(world), each.includeVars && variableParameters(world)].filter(Boolean);
    const url = replace(each.url ?? '') + (kept.length ? `${each.url?.includes('?') ? '&' : '?'}${kept.join('&')}` : '');
    return <a key={each.title} className="link" href={url} target={each.targetBlank ? '_blank' : undefined} rel="noreferrer">{replace(each.title)}</a>;
  });
}

export interface Section {
  title: string;
  id: number;
  folded: boolean;
  panels: Panel[];
}

/** Put panels under their rows; a folded row holds its own. */
function sections(panels: Panel[]): Section[] {
  const found: Section[] = [{ title: '', id: 0, folded: false, panels: [] }];
  for (const panel of panels) {
    if (panel.type === 'row') {
      found.push({ title: panel.title, id: panel.id, folded: Boolean(panel.collapsed), panels: panel.panels ?? [] });
    } else {
      found.at(-1)!.panels.push(panel);
    }
  }
  return found.filter((each) => each.title || each.panels.length);
}

function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const watching = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    watching.observe(box.current!);
    return () => watching.disconnect();
  }, []);
  return [box, width];
}

interface PanelsProps {
  board: Board;
  asking: Asking;
  mode: Mode;
  tell: Told;
}

function Panels({ board, asking, mode, tell }: PanelsProps) {
  const [box, width] = useWidth();
  const parts = useMemo(() => sections(board.panels), [board]);
  const [folded, setFolded] = useState(() => new Set(parts.filter((each) => each.folded).map((each) => each.id)));
  const context = useMemo<PanelContext>(() => ({
    eventsScope: '__global_',
    eventBus: new EventBusSrv(),
    sync: () => board.graphTooltip ?? DashboardCursorSync.Off,
  }), [board]);
  const toggle = (id: number) => setFolded((before) => {
    const after = new Set(before);
    if (!after.delete(id)) after.add(id);
    return after;
  });
  const replace = interpolator(asking.world!);
  return (
    <PanelContextProvider value={context}>
      <div ref={box} className="dashboard">
        {parts.map((part) => (
          <div key={part.id} role="group" aria-label={part.title || undefined}>
            {part.title && (
              <h2 className="row"><button type="button" aria-expanded={!folded.has(part.id)} onClick={() => toggle(part.id)}>
                <span aria-hidden>{folded.has(part.id) ? '▸' : '▾'}</span> {replace(part.title)}
              </button></h2>
            )}
            {!folded.has(part.id) && width > 0 && <Grid {...{ panels: part.panels, width, asking, mode, tell, board }} />}
          </div>
        ))}
      </div>
    </PanelContextProvider>
  );
}

interface GridProps extends PanelsProps {
  panels: Panel[];
  width: number;
}

function Grid({ panels, width, ...rest }: GridProps) {
  const narrow = width < NARROW;
  const top = Math.min(...panels.map((each) => each.gridPos.y));
  const bottom = Math.max(...panels.map((each) => each.gridPos.y + each.gridPos.h));
  const places = panels.map((panel) => place(panel.gridPos, width, top));
  const style = narrow || !panels.length ? undefined : { height: (bottom - top) * (CELL + GAP) - GAP };
  return (
    <div className={narrow ? 'column' : 'grid'} style={style}>
      {panels.map((panel, at) => {
        const size = narrow ? { left: 0, top: 0, width, height: places[at].height } : places[at];
        return (
          <div key={panel.id} className="cell" style={narrow ? undefined : size}>
            <PanelBox panel={panel} width={size.width} height={size.height} narrow={narrow} {...rest} />
          </div>
        );
      })}
    </div>
  );
}

function place({ x, y, w, h }: GridPos, width: number, top: number) {
  const column = (width - (COLUMNS - 1) * GAP) / COLUMNS;
  const left = Math.round(x * (column + GAP));
  const right = Math.round((x + w) * (column + GAP) - GAP);
  return { left, top: (y - top) * (CELL + GAP), width: right - left, height: h * (CELL + GAP) - GAP };
}
