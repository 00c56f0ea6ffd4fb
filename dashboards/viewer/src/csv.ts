// A panel's data as a file: values as the ledger gave them, moments in UTC.
import { type DataFrame, type Field, FieldType, getFieldDisplayName } from '@grafana/data';

// A spreadsheet takes a text that begins so for a formula; names of routes are whatever applications say.
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^[+-]?\d+(\.\d+)?$/;
const QUOTED = /[",\r\n]/;
const END = '\r\n';

function cell(field: Field, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (field.type === FieldType.time) return new Date(Number(value)).toISOString();
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  const safe = FORMULA.test(text) && !NUMBER.test(text) && typeof value !== 'number' ? `'${text}` : text;
  return quoted(safe);
}

const quoted = (text: string) => (QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Write a frame as RFC 4180 has it; what is not known is empty. */
export function csv(frame: DataFrame, frames: DataFrame[]): string {
  const head = frame.fields.map((field) => quoted(getFieldDisplayName(field, frame, frames))).join(',');
  const rows = Array.from({ length: frame.length }, (_, row) => frame.fields.map((field) => cell(field, field.values[row])).join(','));
  return [head, ...rows].join(END) + END;
}

/** Hand a text to the reader as a file. */
export function download(title: string, text: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  link.download = `${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
