// Lines, bars and points over time, with a tooltip, marks, and a zoom by dragging.
import {
  DashboardCursorSync, dateTimeFormat, type DataFrame, type Field, FieldType, formattedValueToString, getFieldDisplayName,
  getFieldSeriesColor, type LinkModel,
} from '@grafana/data';
import {
  TimeSeries, TooltipPlugin2, UPlotConfigBuilder, VizTooltipContent, VizTooltipFooter, VizTooltipHeader, VizTooltipWrapper,
} from '@grafana/ui';
import { SortOrder, TooltipDisplayMode } from '@grafana/schema';
import { useState } from 'react';
import type { Drawn } from '.';
import { change } from '../location';
import { ZONE } from '../time';
import { Marks } from './Marks';

const LEGEND = { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: true };

export function TimeSeriesPanel(drawn: Drawn) {
  const { panel, frames, width, height, range, marks, board, label, theme } = drawn;
  const options = panel.options ?? {};
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const drawable = frames.filter((frame) => frame.length && frame.fields.some((field) => field.type === FieldType.number));
  const shown = withHidden(drawable, hidden);
  const structure = shown.map((frame) => frame.fields.map((field) => JSON.stringify([field.name, field.labels, field.config])).join()).join('|');
  if (!shown.length || !shown[0].fields.some((field) => field.type === FieldType.time)) return <p className="nothing">No data</p>;
  const legend = { ...LEGEND, ...options.legend };
  return (
    <div role="img" aria-label={described(label, shown)} className="series"
      onClickCapture={(event) => toggled(event, shown, hidden, setHidden)}>
      <TimeSeries key={structure} frames={shown} structureRev={1} width={width} height={height} timeRange={range} timeZone={ZONE}
        legend={legend as never} options={options}>
        {(config: UPlotConfigBuilder, aligned: DataFrame) => (
          <>
            {options.tooltip?.mode !== 'none' && (
              <TooltipPlugin2 config={config} hoverMode={options.tooltip?.mode === 'single' ? 2 : 1} maxWidth={400}
                syncMode={board.graphTooltip ?? DashboardCursorSync.Off} syncScope="__global_"
                queryZoom={({ from, to }) => change({ from: String(Math.round(from)), to: String(Math.round(to)) })}
                getDataLinks={(series, at) => links(aligned.fields[series], at)}
                render={(_, at, series, pinned, __, ___, viaSync, found) => (
                  <Hover {...{ aligned, at, series, pinned, viaSync, found, options, theme }} />
                )} />
            )}
            <Marks config={config} marks={marks} annotations={board.annotations.list} theme={theme} />
          </>
        )}
      </TimeSeries>
    </div>
  );
}

/** Say in words what a chart shows, for who cannot see it: names and last values. */
function described(label: string, frames: DataFrame[]): string {
  const last = frames.flatMap((frame) => frame.fields.filter((field) => field.type === FieldType.number).map((field) => {
    const value = [...field.values].reverse().find((one) => one !== null && one !== undefined);
    return `${getFieldDisplayName(field, frame, frames)} ${value === undefined ? 'empty' : formattedValueToString(field.display!(value))}`;
  }));
  return `${label}, last values: ${last.slice(0, 10).join(', ')}`;
}

function withHidden(frames: DataFrame[], hidden: ReadonlySet<string>): DataFrame[] {
  if (!hidden.size) return frames;
  return frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field) => hidden.has(getFieldDisplayName(field, frame, frames))
      ? { ...field, config: { ...field.config, custom: { ...field.config.custom, hideFrom: { legend: false, tooltip: true, viz: true } } } }
      : field),
  }));
}

/** A click on a name in the legend shows that series alone, a second one all again; with a key held it is added or left out. */
function toggled(
  event: React.MouseEvent, frames: DataFrame[], hidden: ReadonlySet<string>, setHidden: (names: ReadonlySet<string>) => void,
) {
  const item = (event.target as Element).closest('button');
  const names = frames.flatMap((frame) => frame.fields.filter((field) => field.type === FieldType.number)
    .map((field) => getFieldDisplayName(field, frame, frames)));
  const name = item?.textContent?.trim() ?? '';
  if (!item || !names.includes(name)) return;
  event.stopPropagation();
  const others = names.filter((one) => one !== name);
  if (event.ctrlKey || event.metaKey || event.shiftKey) {
    const after = new Set(hidden);
    if (!after.delete(name)) after.add(name);
    setHidden(after);
  } else {
    const alone = hidden.size === others.length && !hidden.has(name);
    setHidden(alone ? new Set() : new Set(others));
  }
}

const links = (field: Field | undefined, at: number): LinkModel[] => field?.getLinks?.({ valueRowIndex: at }) ?? [];

interface HoverProps {
  aligned: DataFrame;
  at: Array<number | null>;
  series: number | null;
  pinned: boolean;
  viaSync: boolean;
  found: LinkModel[];
  options: Record<string, any>;
  theme: Drawn['theme'];
}

function Hover({ aligned, at, series, pinned, found, options, theme }: HoverProps) {
  const moment = aligned.fields[0].values[at[0] ?? 0];
  const alone = options.tooltip?.mode === TooltipDisplayMode.Single;
  const rows = aligned.fields.flatMap((field, number) => {
    if (number === 0 || field.config.custom?.hideFrom?.tooltip || (alone && number !== series)) return [];
    const value = at[number] == null ? null : field.values[at[number]!];
    if (value === null || value === undefined) return [];
    const display = field.display!(value);
    return [{
      label: getFieldDisplayName(field, aligned), value: formattedValueToString(display), numeric: display.numeric,
      color: getFieldSeriesColor(field, theme).color, isActive: number === series,
    }];
  });
  if (options.tooltip?.sort === SortOrder.Descending) rows.sort((one, other) => other.numeric - one.numeric);
  if (options.tooltip?.sort === SortOrder.Ascending) rows.sort((one, other) => one.numeric - other.numeric);
  const time = dateTimeFormat(moment, { timeZone: ZONE, format: 'YYYY-MM-DD HH:mm:ss' });
  return (
    <VizTooltipWrapper>
      <VizTooltipHeader item={{ label: '', value: `${time} UTC` }} isPinned={pinned} />
      <VizTooltipContent items={rows} isPinned={pinned} scrollable maxHeight={240} />
      {(pinned || found.length > 0) && <VizTooltipFooter dataLinks={found as never} />}
    </VizTooltipWrapper>
  );
}
