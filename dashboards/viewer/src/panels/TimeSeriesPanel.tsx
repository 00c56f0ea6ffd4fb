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
import type { Drawn } from './drawn';
import { change } from '../location';
import { ZONE } from '../time';
import { Nothing } from '../Nothing';
import { calculated, Legend, series } from './Legend';
import { Marks } from './Marks';

// Grafana's own legend does not tell a screen reader the names, so ours stands in its place.
const NO_LEGEND = { calcs: [], displayMode: 'list', placement: 'bottom', showLegend: false };
const HEIGHT_MIN = 60;
const SERIES_TOLD = 10;

export function TimeSeriesPanel(drawn: Drawn) {
  const { panel, frames, width, height, range, marks, board, label, theme } = drawn;
  const options = panel.options ?? {};
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [below, setBelow] = useState(0);
  const drawable = frames.filter((frame) => frame.length && frame.fields.some((field) => field.type === FieldType.number));
  const shown = withHidden(drawable, hidden);
  const structure = shown.map((frame) => frame.fields.map((field) => JSON.stringify([field.name, field.labels, field.config])).join()).join('|');
  if (!shown.length || !shown[0].fields.some((field) => field.type === FieldType.time)) return <Nothing panel={panel} />;
  const hasLegend = options.legend?.showLegend !== false;
  return (
    <div className="series">
      <div role="img" className="aside" aria-label={described(label, drawable)} />
      <TimeSeries key={structure} frames={shown} structureRev={1} width={width} height={Math.max(height - below, HEIGHT_MIN)}
        timeRange={range} timeZone={ZONE} legend={NO_LEGEND as never} options={options}>
        {(config: UPlotConfigBuilder, aligned: DataFrame) => (
          <>
            {options.tooltip?.mode !== 'none' && (
              <TooltipPlugin2 config={config} hoverMode={options.tooltip?.mode === 'single' ? 2 : 1} maxWidth={400}
                syncMode={board.graphTooltip ?? DashboardCursorSync.Off} syncScope="__global_"
                queryZoom={({ from, to }) => change({ from: String(Math.round(from)), to: String(Math.round(to)) })}
                getDataLinks={(index, at) => links(aligned.fields[index], at)}
                render={(_, at, index, pinned, __, ___, viaSync, found) => (
                  <Hover {...{ aligned, at, series: index, pinned, viaSync, found, options, theme }} />
                )} />
            )}
            <Marks config={config} marks={marks} annotations={board.annotations.list} theme={theme} />
          </>
        )}
      </TimeSeries>
      {hasLegend && (
        <Legend frames={drawable} hidden={hidden} set={setHidden} theme={theme} calcs={options.legend?.calcs ?? []} label={label}
          measured={setBelow} />
      )}
    </div>
  );
}

/** Say in words what a chart shows, for who cannot see it: of each series the last, the least and the greatest value. */
function described(label: string, frames: DataFrame[]): string {
  const all = series(frames);
  const told = all.slice(0, SERIES_TOLD).map(({ name, field }) => {
    if (!field.values.some((one) => one !== null && one !== undefined)) return `${name} empty`;
    const [last, least, greatest] = ['lastNotNull', 'min', 'max'].map((calc) => calculated(field, calc));
    return `${name} ${last}, from ${least} to ${greatest}`;
  });
  const more = all.length > SERIES_TOLD ? `; and ${all.length - SERIES_TOLD} more` : '';
  return `${label}, a chart; last values: ${told.join('; ')}${more}`;
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
