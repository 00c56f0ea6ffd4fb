// States over time: a line for each field, a bar for as long as its state lasts. @grafana/ui does not export its own.
import { type DataFrame, dateTimeFormat, type Field, FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import type { Drawn } from './drawn';
import { Nothing } from '../Nothing';
import { clock, ZONE } from '../time';

const LINE_MAX = 36;
const LABELS_MAX = 150;
const AXIS = 22;
const TICK = 120;

interface Span {
  from: number;
  to: number;
  text: string;
  colour: string;
}

export function StateTimelinePanel({ frames, width, height, range, theme, label, panel }: Drawn) {
  const lines = frames.flatMap((frame) => {
    const time = frame.fields.find((field) => field.type === FieldType.time);
    if (!time) return [];
    return frame.fields.filter((field) => field !== time).map((field) => ({
      name: getFieldDisplayName(field, frame, frames), spans: spans(time, field, range.to.valueOf(), frame),
    }));
  });
  if (!lines.length) return <Nothing panel={panel} />;
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const labels = Math.min(LABELS_MAX, width * 0.3);
  const each = Math.max(Math.min((height - AXIS) / lines.length, LINE_MAX), 12);
  const x = (moment: number) => labels + ((Math.min(Math.max(moment, from), to) - from) / (to - from)) * (width - labels);
  const fill = (panel.fieldConfig?.defaults.custom?.fillOpacity ?? 70) / 100;
  const format = to - from > 2 * 86_400_000 ? 'MM-DD HH:mm' : 'HH:mm';
  const ticks = Math.max(Math.floor((width - labels) / TICK), 1);
  const tall = each * lines.length + AXIS;
  return (
    <div className="scrolled">
      <svg width={width} height={tall} role="img" aria-label={`${label}: ${lines.map((line) => `${line.name} ${atLast(line.spans, to)}`).join(', ')}`}>
        {lines.map((line, row) => (
          <g key={row}>
            <text x={labels - 8} y={row * each + each / 2 + 4} textAnchor="end" fontSize={12} fill={theme.colors.text.primary}>{cut(line.name, labels)}</text>
            {line.spans.map((span, at) => (
              <rect key={at} x={x(span.from)} y={row * each + 2} width={Math.max(x(span.to) - x(span.from), 1)} height={each - 4} fill={span.colour} fillOpacity={fill}>
                <title>{`${line.name}: ${span.text}\n${clock(span.from)} to ${clock(span.to)} UTC`}</title>
              </rect>
            ))}
          </g>
        ))}
        {Array.from({ length: ticks }, (_, at) => {
          const moment = from + ((at + 0.5) / ticks) * (to - from);
          return (
            <text key={at} x={x(moment)} y={tall - 6} textAnchor="middle" fontSize={12} fill={theme.colors.text.secondary}>
              {dateTimeFormat(moment, { timeZone: ZONE, format })}
            </text>
          );
        })}
      </svg>
    </div>
  );
}

function spans(time: Field, field: Field, end: number, frame: DataFrame): Span[] {
  const found: Span[] = [];
  for (let at = 0; at < frame.length; at++) {
    const value = field.values[at];
    const from = Number(time.values[at]);
    if (found.length && found.at(-1)!.to === end) found.at(-1)!.to = from;
    if (value === null || value === undefined) continue;
    const display = field.display!(value);
    const text = formattedValueToString(display);
    const before = found.at(-1);
    if (before && before.to === from && before.text === text) before.to = end;
    else found.push({ from, to: end, text, colour: display.color ?? 'gray' });
  }
  return found;
}

/** The state that lasts to the end of the range. */
const atLast = (found: Span[], end: number) => found.find((span) => span.to === end)?.text ?? 'unknown';

const cut = (name: string, room: number) => (name.length * 6.8 > room ? name.slice(0, Math.floor(room / 6.8) - 1) + '…' : name);
