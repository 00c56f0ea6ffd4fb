// Writes out `${variables}` of titles and links, with the formats that dashboards use.
import { dateTimeFormat, type InterpolateFunction, type ScopedVars, type TimeRange } from '@grafana/data';
import type { Chosen } from './api';
import { ZONE } from './time';

const VARIABLE = /\$\{([\w.]+)(?:\["([^"]+)"\])?(?:\.(\w+))?(?::([^}]+))?\}|\$(?!\{)(\w+)|\[\[(\w+)\]\]/g;

export interface World {
  chosen: Chosen;
  texts: Record<string, string>;
  range: TimeRange;
  raw: { from: string; to: string };
}

// What encodeURIComponent leaves alone and Grafana does not.
const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (letter) => '%' + letter.charCodeAt(0).toString(16).toUpperCase());

function formatted(name: string, value: unknown, format: unknown): string {
  const values = [value ?? ''].flat().map(String);
  switch (format) {
    case 'queryparam':
      return values.map((one) => `var-${name}=${encoded(one)}`).join('&');
    case 'percentencode':
    case 'uriencode':
      return encoded(values.length > 1 ? `{${values.join(',')}}` : (values[0] ?? ''));
    case 'csv':
    case 'raw':
      return values.join(',');
    default:
      return values.length > 1 ? `{${values.join(',')}}` : (values[0] ?? '');
  }
}

interface Context {
  field?: { name: string; labels?: Record<string, string>; state?: { displayName?: string | null } | null;
    config: { displayName?: string; unit?: string }; values: unknown[];
    display?: (value: unknown) => { text: string; numeric: number; prefix?: string; suffix?: string } };
  frame?: { fields: Array<NonNullable<Context['field']>>; name?: string };
  rowIndex?: number;
  calculatedValue?: { text: string; numeric: number };
}

/** Look up what belongs to one value of one series: its field, its row, itself. Undefined: not a name of that kind. */
function ofData(path: string, key: string | undefined, context: Context | undefined): unknown {
  const [head, ...rest] = path.split('.');
  const field = context?.field;
  if (head === '__field' && field) {
    if (rest[0] === 'labels') return rest[1] ? (field.labels?.[rest[1]] ?? '') : JSON.stringify(field.labels ?? {});
    if (rest[0] === 'name') return field.name;
    if (rest[0] === 'displayName') return field.state?.displayName ?? field.config.displayName ?? field.name;
  }
  const row = context?.rowIndex;
  if (head === '__value') {
    const value = row === undefined ? context?.calculatedValue?.numeric : field?.values[row];
    if (rest[0] === 'time') return context?.frame?.fields.find((one) => one.name === 'time')?.values[row ?? 0] ?? '';
    if (rest[0] === 'text') return context?.calculatedValue?.text ?? field?.display?.(value).text ?? value;
    return value ?? '';
  }
  if (head === '__data' && rest[0] === 'fields') {
    const name = key ?? rest[1] ?? '';
    const fields = context?.frame?.fields ?? [];
    const found = fields.find((one) => one.name === name) ?? fields[Number(name)];
    const value = row === undefined ? undefined : found?.values[row];
    const part = rest[key ? 1 : 2];
    return part === 'text' ? (found?.display?.(value).text ?? value) : (value ?? '');
  }
  return undefined;
}

function ofWorld(name: string, world: World): unknown {
  switch (name) {
    case '__from':
      return world.range.from.valueOf();
    case '__to':
      return world.range.to.valueOf();
    default:
      return world.chosen[name];
  }
}

function dated(value: unknown, format: string | undefined): unknown {
  if (!format?.startsWith('date')) return value;
  const form = format.slice('date:'.length);
  return form && form !== 'iso'
    ? dateTimeFormat(Number(value), { timeZone: ZONE, format: form })
    : new Date(Number(value)).toISOString();
}

/** Parameters that keep the time range. */
export const timeParameters = (world: World) => `from=${encoded(world.raw.from)}&to=${encoded(world.raw.to)}`;

/** Parameters that keep all variables. */
export const variableParameters = (world: World) =>
  Object.entries(world.chosen)
    .map(([name, value]) => formatted(name, value, 'queryparam'))
    .filter(Boolean)
    .join('&');

export function interpolator(world: World): InterpolateFunction {
  return (text: string | undefined, scoped?: ScopedVars, format?: string | Function) =>
    String(text ?? '').replace(VARIABLE, (whole, braced, key, tail, own, bare, square) => {
      const name: string = braced ?? bare ?? square;
      const path = tail ? `${name}.${tail}` : name;
      if (name === '__url_time_range') return timeParameters(world);
      if (name === '__all_variables') return variableParameters(world);
      const given = scoped?.[name]?.value;
      const context = (scoped?.__dataContext?.value ?? undefined) as Context | undefined;
      let value = given ?? ofData(path, key, context) ?? ofWorld(name, world);
      if (value === undefined) return whole;
      if (own === 'text') value = world.texts[name] ?? value;
      return formatted(name, dated(value, own), own ?? format);
    });
}
