// Single calls, as the server tells of them: money is text, to the last digit.
import { read } from './api';

export interface Call {
  trace: string;
  call: string;
  began: number;
  landed: number;
  route: string;
  model: string;
  provider: string;
  task: string;
  attempts: number;
  good: number;
  outcome: string;
  flags: string[];
  milliseconds: number | null;
  input_tokens: number | null;
  output_tokens: number | null;
  cost: string | null;
  not_fully_priced: number;
}

export interface Attempt {
  started_at: number;
  received_at: number;
  duration_ms: number | null;
  ttft_ms: number | null;
  kind: string;
  attempt: number;
  good: number;
  flags: string[];
  checked: string[];
  malformed_tools: string[];
  list_cost: string | null;
  price_state: string;
  price_reason: string;
  [column: string]: number | string | string[] | null;
}

export const latest = (signal: AbortSignal) => read<{ calls: Call[] }>('/api/calls', { signal });

export const one = (trace: string, call: string, at: string) =>
  read<{ attempts: Attempt[] }>(`/api/calls/${encodeURIComponent(trace)}/${encodeURIComponent(call)}?at=${encodeURIComponent(at)}`);

export const address = (call: Call) => `/call/${call.trace}/${encodeURIComponent(call.call)}?at=${call.began}`;

/** Add exact amounts without a float; null where none is known. */
export function added(amounts: Array<string | null>): string | null {
  const known = amounts.filter((each) => each !== null);
  if (!known.length) return null;
  const digits = Math.max(...known.map((each) => each.split('.')[1]?.length ?? 0));
  const units = known.map((each) => {
    const [whole, rest = ''] = each.split('.');
    return BigInt(whole + rest.padEnd(digits, '0'));
  });
  const sum = units.reduce((one_, other) => one_ + other, 0n);
  const text = (sum < 0n ? -sum : sum).toString().padStart(digits + 1, '0');
  const rest = digits ? text.slice(-digits).replace(/0+$/, '') : '';
  return `${sum < 0n ? '-' : ''}${text.slice(0, text.length - digits)}${rest ? `.${rest}` : ''}`;
}

/** Show an amount to three digits; `atLeast`: it is a lower bound. The whole of it stands in the title. */
export function short(amount: string | null, atLeast = false): string {
  if (amount === null) return '–';
  const value = Number(amount);
  const digits = value === 0 ? 0 : Math.max(2, 2 - Math.floor(Math.log10(Math.abs(value))));
  return `${atLeast ? '≥ ' : ''}$${value.toFixed(digits)}`;
}

// What a family of flags means; the part after the point says which kind.
const MEANINGS: Record<string, string> = {
  clarification: 'It asked back instead of answering.',
  constraint_violation: 'It breaks a constraint that the request states.',
  disclaimer: 'It hedges with a disclaimer.',
  empty: 'Nothing came.',
  language_mismatch: 'It is in another language than the request.',
  long_context: 'The request was long.',
  loop: 'It repeats itself.',
  not_checked: 'A detector stopped at its limit here.',
  refusal: 'It refuses.',
  tool_call_in_text: 'A tool call stands in the text instead of being made.',
  tool_call_malformed: 'The arguments of a tool call are not what the tool takes.',
  truncated: 'It was cut short.',
  unknown_import: 'Its code imports what does not exist.',
  unknown_stdlib_attr: 'Its code uses a name that the standard library does not have.',
  unsupported_citation: 'It cites what was not given.',
};

export const meaning = (flag: string) => MEANINGS[flag.split('.')[0]] ?? 'A detector of your own raised it.';
