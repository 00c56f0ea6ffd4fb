// Rows as they come: with bars, colours and links in their cells.
import type { Drawn } from '.';
import { TableNG } from '@grafana/ui/unstable';

export function TablePanel({ panel, frames, width, height, range, label }: Drawn) {
  const options = panel.options ?? {};
  const data = frames[options.frameIndex ?? 0] ?? frames[0];
  if (!data?.fields.length) return <p className="nothing">No data</p>;
  const columns = data.fields.map((field) => field.name).join('\0');
  return (
    <div className="table" data-rows={data.length}>
      <TableNG key={columns} ariaLabel={label} data={data} width={width} height={data.length ? height : 70} getActions={() => []}
        cellHeight={options.cellHeight ?? 'sm'} noHeader={options.showHeader === false} sortBy={options.sortBy}
        enablePagination={options.footer?.enablePagination} fieldConfig={panel.fieldConfig} timeRange={range}
        showTypeIcons={options.showTypeIcons} structureRev={1} resizable contentAwareWidthsEnabled />
      {!data.length && <p className="nothing">No rows in this time range</p>}
    </div>
  );
}
