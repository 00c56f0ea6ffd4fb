// Asks the server: dashboards, panels, variables and marks by their names; never with SQL.
import type { DataFrameJSON } from '@grafana/data';
import type { Board } from './model';

export type Chosen = Record<string, string | string[]>;

export interface Question {
  dashboard: string;
  from: number;
  to: number;
  interval?: number;
  variables: Chosen;
  again?: boolean;
  panel?: number;
  variable?: string;
}

export interface Listed {
  uid: string;
  title: string;
  description: string;
  tags: string[];
}

export interface Catalogue {
  dashboards: Listed[];
  version: string;
}

export interface Mark {
  name: string;
  time: number;
  timeEnd?: number | null;
  title?: string;
  text?: string;
  tags?: string;
}

export interface Option {
  value: string;
  text: string;
}

/** What the server says is wrong; `sql` is the statement that ClickHouse does not answer. */
export class AnswerError extends Error {
  constructor(
    message: string,
    readonly sql = '',
  ) {
    super(message);
  }
}

export async function read<T>(path: string, options: RequestInit = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: 'same-origin', ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new AnswerError('`farebox up` does not answer; is it still running?');
  }
  const told = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
  if (!answer.ok) throw new AnswerError(told.error ?? `the server answered ${answer.status}`, told.sql);
  return told as T;
}

function ask<T>(path: string, question: Question, signal?: AbortSignal): Promise<T> {
  const headers = { 'Content-Type': 'application/json' };
  return read<T>(path, { method: 'POST', headers, body: JSON.stringify(question), signal });
}

export const list = () => read<Catalogue>('/api/dashboards');

export const board = (uid: string) => read<Board>(`/api/dashboards/${encodeURIComponent(uid)}`);

export const panelData = (question: Question, signal?: AbortSignal) =>
  ask<{ frames: DataFrameJSON[]; notices: string[]; age_s: number }>('/api/panel', question, signal);

export const panelSql = (question: Question) =>
  ask<{ targets: Array<{ refId: string; sql: string }> }>('/api/sql', question);

export const options = (question: Question, signal?: AbortSignal) =>
  ask<{ options: Option[]; notices: string[] }>('/api/variable', question, signal);

export const marks = (question: Question, signal?: AbortSignal) =>
  ask<{ annotations: Mark[] }>('/api/annotations', question, signal);
