// The last calls as they land.
import { dateTimeFormat } from '@grafana/data';
import { useEffect, useRef, useState } from 'react';
import { address, type Call, latest, short } from './calls';
import { Said } from './Said';
import { ZONE } from './time';
import { Title, useWindowTitle } from './Title';

const EVERY_MS = 2000;
const NEW_MS = 4000;

const COLUMNS = [
  ['landed, UTC', 'landed'], ['route', 'route'], ['model', 'model'], ['cost', 'number cost'], ['ended', 'ended'], ['flags', 'flags'],
  ['attempts', 'number more'], ['took', 'number more'], ['tokens', 'number more'],
] as const;

const key = (call: Call) => `${call.trace}/${call.call}`;
const clock = (moment: number) => dateTimeFormat(moment, { timeZone: ZONE, format: 'HH:mm:ss' });

function useLatest(paused: boolean) {
  const [calls, setCalls] = useState<Call[]>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    if (paused) return;
    const asking = new AbortController();
    let timer = 0;
    const ask = async () => {
      if (!document.hidden) {
        try {
          setCalls((await latest(asking.signal)).calls);
          setError(undefined);
        } catch (failed) {
          if (!asking.signal.aborted) setError(failed as Error);
        }
      }
      if (!asking.signal.aborted) timer = window.setTimeout(ask, EVERY_MS);
    };
    void ask();
    return () => {
      asking.abort();
      window.clearTimeout(timer);
    };
  }, [paused]);
  return { calls, error };
}

/** Tell which calls were not there a moment ago. */
function useNew(calls: Call[] | undefined): Set<string> {
  const seen = useRef(new Map<string, number>());
  const now = Date.now();
  const first = seen.current.size === 0;
  for (const call of calls ?? []) {
    if (!seen.current.has(key(call))) seen.current.set(key(call), first ? 0 : now);
  }
  return new Set([...seen.current].filter(([, at]) => now - at < NEW_MS).map(([name]) => name));
}

export function LivePage() {
  const [paused, setPaused] = useState(false);
  const { calls, error } = useLatest(paused);
  const fresh = useNew(calls);
  useWindowTitle('farebox: Live');
  return (
    <>
      <div className="heading">
        <Title>Live</Title>
        <p className="hint">The last calls as the ledger receives them</p>
        <button type="button" onClick={() => setPaused(!paused)}>{paused ? 'Go on' : 'Pause'}</button>
      </div>
      {error && <Said error={error} />}
      {!calls && !error && <p className="waiting">Loading …</p>}
      {calls?.length === 0 && (
        <div className="nothing">
          <p>No call in the last day.
            <small>Calls of a client that went through <code>farebox.wrap(client)</code> appear here as they land.</small></p>
        </div>
      )}
      {calls && calls.length > 0 && (
        <div className="wide" role="group" aria-label="The last calls, to be scrolled" tabIndex={0}>
          <table className="calls live" role="table" aria-label="The last calls">
            <thead role="rowgroup">
              <tr role="row">
                {COLUMNS.map(([name, kind]) => <th key={name} role="columnheader" scope="col" className={kind}>{name}</th>)}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {calls.map((call) => <Row key={key(call)} call={call} fresh={fresh.has(key(call))} />)}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

// Roles are written out: on a phone a row is a card, and browsers forget then that it is one of a table.
function Row({ call, fresh }: { call: Call; fresh: boolean }) {
  const ended = call.good ? 'good' : call.outcome === 'ok' ? 'failed' : call.outcome.replaceAll('_', ' ');
  return (
    <tr role="row" className={fresh ? 'fresh' : undefined}>
      <th role="rowheader" scope="row" className="landed">
        <a href={address(call)} aria-label={`Call on ${call.route}, landed ${clock(call.landed)} UTC`}>{clock(call.landed)}</a>
      </th>
      <td role="cell" className="route">{call.route}</td>
      <td role="cell" className="model">{call.model || <em>unknown</em>}</td>
      <td role="cell" className="number cost" title={call.cost === null ? 'not known' : `$${call.cost}`}>{short(call.cost, call.not_fully_priced > 0)}</td>
      <td role="cell" className={`ended ${call.good ? 'good' : 'bad'}`}>{ended}</td>
      <td role="cell" className="flags">{call.flags.map((flag) => <span key={flag} className="flag">{flag}</span>)}</td>
      <td role="cell" className="number more">{call.attempts}</td>
      <td role="cell" className="number more">{call.milliseconds === null ? '–' : `${(call.milliseconds / 1000).toFixed(2)} s`}</td>
      <td role="cell" className="number more">{tokens(call)}</td>
    </tr>
  );
}

const tokens = ({ input_tokens: input, output_tokens: output }: Call) =>
  input === null && output === null ? '–' : `${input?.toLocaleString('en') ?? '?'} + ${output?.toLocaleString('en') ?? '?'}`;
