// Counts over time and over buckets: the darker or brighter, the more. @grafana/ui does not export its own.
import { dateTimeFormat, FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import type { Drawn } from '.';
import { clock, ZONE } from '../time';

const LABELS = 76;
const AXIS = 22;
const TICK = 120;

export function HeatmapPanel({ frames, width, height, range, theme, label }: Drawn) {
  const frame = frames[0];
  const time = frame?.fields.find((field) => field.type === FieldType.time);
  const rows = frame?.fields.filter((field) => field.type === FieldType.number) ?? [];
  if (!time || !rows.length) return <p className="nothing">No data</p>;
  const named = rows.map((field) => ({ field, name: getFieldDisplayName(field, frame, frames) }));
  named.sort((one, other) => (parseFloat(other.name) || 0) - (parseFloat(one.name) || 0));
  const most = Math.max(...rows.flatMap((field) => field.values.map((value: number | null) => value ?? 0)), 1);
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const x = (moment: number) => LABELS + ((moment - from) / (to - from)) * (width - LABELS);
  const step = frame.length > 1 ? Math.min(...time.values.slice(1).map((value: number, at: number) => value - time.values[at])) : to - from;
  const each = (height - AXIS) / named.length;
  const ticks = Math.max(Math.floor((width - LABELS) / TICK), 1);
  const format = to - from > 2 * 86_400_000 ? 'MM-DD HH:mm' : 'HH:mm';
  const [hue, base] = theme.isDark ? [32, 14] : [28, 96];
  return (
    <svg width={width} height={height} role="img" aria-label={`${label}, a heatmap of ${named.length} buckets`}>
      {named.map(({ field, name }, row) => (
        <g key={name}>
          <text x={LABELS - 8} y={row * each + each / 2 + 4} textAnchor="end" fontSize={11} fill={theme.colors.text.secondary}>{name}</text>
          {field.values.map((value: number | null, at: number) => {
            if (!value) return null;
            const share = Math.sqrt(value / most);
            const lightness = theme.isDark ? base + 50 * share : base - 50 * share;
            const left = Math.max(x(time.values[at]), LABELS);
            return (
              <rect key={at} x={left} y={row * each} width={Math.max(Math.min(x(time.values[at] + step), width) - left, 1)} height={each - 1}
                fill={`hsl(${hue - 20 * share} 90% ${lightness}%)`}>
                <title>{`${name}: ${formattedValueToString(field.display!(value))}\n${clock(time.values[at])} UTC`}</title>
              </rect>
            );
          })}
        </g>
      ))}
      {Array.from({ length: ticks }, (_, at) => {
        const moment = from + ((at + 0.5) / ticks) * (to - from);
        return (
          <text key={at} x={x(moment)} y={height - 6} textAnchor="middle" fontSize={12} fill={theme.colors.text.secondary}>
            {dateTimeFormat(moment, { timeZone: ZONE, format })}
          </text>
        );
      })}
    </svg>
  );
}
