// Rows as they come: with bars, colours and links in their cells.
import { type DataFrame, FieldType } from '@grafana/data';
import { TableNG } from '@grafana/ui/unstable';
import { useMemo } from 'react';
import type { Drawn } from './drawn';
import { Nothing } from '../Nothing';

// The grid takes the tabulator for itself, cell by cell; arrows go through cells, the tabulator through links and on.
const onward = (event: React.KeyboardEvent) => {
  if (event.key === 'Tab' && (event.target as Element).closest('[role=gridcell]')) event.stopPropagation();
};

// Widths are meant for a wide page; on a phone they would leave the figures out of sight.
const NARROW_MAX = 130;
const NARROW_TIME_MAX = 165;

function narrowed(data: DataFrame): DataFrame {
  const fields = data.fields.map((field) => {
    const most = field.type === FieldType.time ? NARROW_TIME_MAX : NARROW_MAX;
    const own = field.config.custom?.width;
    return own > most ? { ...field, config: { ...field.config, custom: { ...field.config.custom, width: most } } } : field;
  });
  return { ...data, fields };
}

export function TablePanel({ panel, frames, width, height, range, narrow }: Drawn) {
  const options = panel.options ?? {};
  const whole = frames[options.frameIndex ?? 0] ?? frames[0];
  const data = useMemo(() => (whole && narrow ? narrowed(whole) : whole), [whole, narrow]);
  if (!data?.fields.length || !data.length) return <Nothing panel={panel} said="No rows" />;
  const columns = data.fields.map((field) => field.name).join('\0');
  return (
    <div className="table" data-rows={data.length} onKeyDownCapture={onward}>
      <TableNG key={columns} data={data} width={width} height={height} getActions={() => []}
        cellHeight={options.cellHeight ?? 'sm'} noHeader={options.showHeader === false} sortBy={options.sortBy}
        enablePagination={options.footer?.enablePagination} fieldConfig={panel.fieldConfig} timeRange={range}
        showTypeIcons={options.showTypeIcons} structureRev={1} resizable contentAwareWidthsEnabled />
    </div>
  );
}
