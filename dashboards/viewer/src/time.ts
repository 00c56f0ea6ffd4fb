// Time ranges, as Grafana writes them in addresses: `now-24h` or milliseconds since 1970. Everything is shown in UTC.
import { dateMath, dateTime, dateTimeFormat, rangeUtil, type RawTimeRange, type TimeRange } from '@grafana/data';

export const ZONE = 'utc';

export const PRESETS: Array<{ from: string; to: string; text: string }> = [
  { from: 'now-5m', to: 'now', text: 'Last 5 minutes' },
  { from: 'now-15m', to: 'now', text: 'Last 15 minutes' },
  { from: 'now-30m', to: 'now', text: 'Last 30 minutes' },
  { from: 'now-1h', to: 'now', text: 'Last hour' },
  { from: 'now-3h', to: 'now', text: 'Last 3 hours' },
  { from: 'now-6h', to: 'now', text: 'Last 6 hours' },
  { from: 'now-12h', to: 'now', text: 'Last 12 hours' },
  { from: 'now-24h', to: 'now', text: 'Last 24 hours' },
  { from: 'now-2d', to: 'now', text: 'Last 2 days' },
  { from: 'now-7d', to: 'now', text: 'Last 7 days' },
  { from: 'now-30d', to: 'now', text: 'Last 30 days' },
  { from: 'now-90d', to: 'now', text: 'Last 90 days' },
  { from: 'now/d', to: 'now', text: 'Today so far' },
  { from: 'now-1d/d', to: 'now-1d/d', text: 'Yesterday' },
  { from: 'now/M', to: 'now', text: 'This month so far' },
  { from: 'now-1M/M', to: 'now-1M/M', text: 'Last month' },
];

export const REFRESHES = ['', '5s', '10s', '30s', '1m', '5m', '15m'];

const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** Whole steps of "now", so that several viewers of one dashboard ask the same and the ledger answers once. */
function step(length: number): number {
  if (length <= 6 * HOUR) return 5 * SECOND;
  return length < 12 * HOUR ? 15 * SECOND : length <= 48 * HOUR ? 30 * SECOND : 60 * SECOND;
}

function parsed(text: string, roundUp: boolean, now: number) {
  const moment = /^\d+$/.test(text)
    ? dateTime(Number(text)).utc()
    : dateMath.toDateTime(text, { roundUp, timezone: ZONE, now: dateTime(now).utc() });
  return moment?.isValid() ? moment : undefined;
}

/** Work out a range; undefined where it is unreadable or empty. */
export function resolve(raw: { from: string; to: string }, now = Date.now()): TimeRange | undefined {
  const first = [parsed(raw.from, false, now), parsed(raw.to, true, now)];
  if (!first[0] || !first[1]) return undefined;
  const every = step(first[1].valueOf() - first[0].valueOf());
  const whole = Math.ceil(now / every) * every;
  const from = parsed(raw.from, false, whole);
  const to = parsed(raw.to, true, whole);
  if (!from || !to || from.valueOf() >= to.valueOf()) return undefined;
  return { from, to, raw: isRelative(raw) ? (raw as RawTimeRange) : { from, to } };
}

export const isRelative = (raw: { from: string; to: string }) => raw.from.includes('now') || raw.to.includes('now');

export function describe(raw: { from: string; to: string }): string {
  const preset = PRESETS.find((each) => each.from === raw.from && each.to === raw.to);
  if (preset) return preset.text;
  const range = resolve(raw);
  if (!range) return 'Unreadable time range';
  if (isRelative(raw)) return rangeUtil.describeTimeRange(raw as RawTimeRange, ZONE);
  const show = (moment: TimeRange['from']) => dateTimeFormat(moment, { timeZone: ZONE, format: 'YYYY-MM-DD HH:mm' });
  return `${show(range.from)} to ${show(range.to)}`;
}

/** Go back or forward by half the range, or see twice as much around its middle; never beyond now. */
export function moved(raw: { from: string; to: string }, way: 'back' | 'forward' | 'wider'): { from: string; to: string } | undefined {
  const now = Date.now();
  const range = resolve(raw, now);
  if (!range) return undefined;
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const half = Math.round((to - from) / 2);
  const [left, right] = { back: [-half, -half], forward: [half, half], wider: [-half, half] }[way];
  const over = Math.max(to + right - Math.max(now, to), 0);
  return { from: String(Math.max(from + left - over, 0)), to: String(to + right - over) };
}

export const clock = (moment: number) =>
  dateTimeFormat(moment, { timeZone: ZONE, format: 'YYYY-MM-DD HH:mm:ss' });

/** Give a panel its own range where the dashboard says so (`timeFrom`, `timeShift`), as Grafana does. */
export function panelRange(range: TimeRange, own?: string, shift?: string): { range: TimeRange; said: string } {
  let [shown, said] = [range, ''];
  if (own && typeof range.raw.from === 'string') {
    const info = rangeUtil.describeTextRange(own);
    const found = info.invalid ? undefined : resolve({ from: info.from, to: info.to });
    if (found) [shown, said] = [found, describe({ from: info.from, to: info.to })];
  }
  if (shift && !rangeUtil.describeTextRange(shift).invalid) {
    const moved = (at: TimeRange['from']) => dateMath.parseDateMath(`-${shift}`, at, false) ?? at;
    const [from, to] = [moved(shown.from), moved(shown.to)];
    [shown, said] = [{ from, to, raw: { from, to } }, `${said} shifted by ${shift}`.trim()];
  }
  return { range: shown, said };
}

export const seconds = (refresh: string) => (refresh ? rangeUtil.intervalToSeconds(refresh) : 0);
