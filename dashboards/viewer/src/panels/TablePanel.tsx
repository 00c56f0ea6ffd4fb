// Rows as they come: with bars, colours and links in their cells.
import type { Drawn } from '.';
import { TableNG } from '@grafana/ui/unstable';
import { Nothing } from '../Nothing';

// The grid takes the tabulator for itself, cell by cell; arrows go through cells, the tabulator through links and on.
const onward = (event: React.KeyboardEvent) => {
  if (event.key === 'Tab' && (event.target as Element).closest('[role=gridcell]')) event.stopPropagation();
};

export function TablePanel({ panel, frames, width, height, range }: Drawn) {
  const options = panel.options ?? {};
  const data = frames[options.frameIndex ?? 0] ?? frames[0];
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
