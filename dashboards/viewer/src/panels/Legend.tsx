// The names under a chart: a click shows one series alone, a second one all again; with a key held it is added or left out.
import {
  type DataFrame, type Field, FieldType, fieldReducers, formattedValueToString, getFieldDisplayName, getFieldSeriesColor,
  type GrafanaTheme2, reduceField,
} from '@grafana/data';
import { useLayoutEffect, useRef } from 'react';

interface Props {
  frames: DataFrame[];
  hidden: ReadonlySet<string>;
  set: (hidden: ReadonlySet<string>) => void;
  theme: GrafanaTheme2;
  calcs: string[];
  label: string;
  measured: (height: number) => void;
}

export interface Series {
  name: string;
  field: Field;
}

/** The series of a chart, as its legend names them. */
export function series(frames: DataFrame[]): Series[] {
  return frames.flatMap((frame) => frame.fields
    .filter((field) => field.type === FieldType.number && !field.config.custom?.hideFrom?.legend)
    .map((field) => ({ name: getFieldDisplayName(field, frame, frames), field })));
}

export function Legend({ frames, hidden, set, theme, calcs, label, measured }: Props) {
  const list = useRef<HTMLUListElement>(null);
  useLayoutEffect(() => {
    const watching = new ResizeObserver(([entry]) => measured(Math.ceil(entry.borderBoxSize[0].blockSize)));
    watching.observe(list.current!);
    return () => watching.disconnect();
  }, []);
  const all = series(frames);
  const names = all.map((each) => each.name);
  return (
    <ul ref={list} className="legend" aria-label={`Series of ${label}`}>
      {all.map(({ name, field }, at) => (
        <li key={at}>
          <button type="button" aria-pressed={!hidden.has(name)} title={`${name}: this one alone, or all again`}
            onClick={(event) => set(chosen(names, hidden, name, event.ctrlKey || event.metaKey || event.shiftKey))}>
            <Swatch field={field} theme={theme} />
            {name}
            {calcs.map((calc) => <small key={calc}>{fieldReducers.getIfExists(calc)?.name ?? calc} {calculated(field, calc)}</small>)}
          </button>
        </li>
      ))}
    </ul>
  );
}

function chosen(names: string[], hidden: ReadonlySet<string>, name: string, several: boolean): ReadonlySet<string> {
  if (several) {
    const after = new Set(hidden);
    if (!after.delete(name)) after.add(name);
    return after;
  }
  const isAlone = hidden.size === names.length - 1 && !hidden.has(name);
  return isAlone ? new Set() : new Set(names.filter((one) => one !== name));
}

function Swatch({ field, theme }: { field: Field; theme: GrafanaTheme2 }) {
  const { lineStyle, drawStyle, axisPlacement } = field.config.custom ?? {};
  const kind = drawStyle === 'points' ? 'point' : lineStyle?.fill === 'dash' ? 'dash' : 'line';
  const colour = getFieldSeriesColor(field, theme).color;
  return (
    <>
      <span className={`swatch ${kind}`} aria-hidden ref={(element) => element?.style.setProperty('--series', colour)} />
      {axisPlacement === 'right' && <span className="aside">right axis: </span>}
    </>
  );
}

/** A figure over all of a series, as `last` or `max`, in words. */
export function calculated(field: Field, calc: string): string {
  const value = reduceField({ field, reducers: [calc] })[calc];
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  return field.display ? formattedValueToString(field.display(value)) : String(value);
}
