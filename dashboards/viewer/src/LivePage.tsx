// The last calls as they land.
import { dateTimeFormat } from '@grafana/data';
import { useEffect, useRef, useState } from 'react';
import { address, type Call, latest, short } from './calls';
import { Said } from './Said';
import { ZONE } from './time';

const EVERY_MS = 2000;
const NEW_MS = 4000;

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
  useEffect(() => {
    document.title = 'farebox: Live';
    return () => { document.title = 'farebox'; };
  }, []);
  return (
    <>
      <div className="heading">
        <h1>Live</h1>
        <p className="hint">The last calls as the ledger receives them</p>
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)}>{paused ? 'Go on' : 'Pause'}</button>
      </div>
      {error && <Said error={error} />}
      {!calls && !error && <p className="waiting">Loading …</p>}
      {calls?.length === 0 && <p className="nothing">No call in the last day. Wrap a client, or run <code>farebox demo</code>.</p>}
      {calls && calls.length > 0 && (
        <div className="wide">
          <table className="calls">
            <thead>
              <tr><th>landed</th><th>route</th><th>model</th><th className="number">cost</th><th>ended</th><th>flags</th>
                <th className="number">attempts</th><th className="number">took</th><th className="number">tokens</th></tr>
            </thead>
            <tbody>
              {calls.map((call) => <Row key={key(call)} call={call} fresh={fresh.has(key(call))} />)}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ call, fresh }: { call: Call; fresh: boolean }) {
  return (
    <tr className={fresh ? 'fresh' : undefined}>
      <td><a href={address(call)} title={`Call ${call.call}`}>{clock(call.landed)}</a></td>
      <td>{call.route}</td>
      <td>{call.model || <em>unknown</em>}</td>
      <td className="number" title={call.cost === null ? 'not known' : `$${call.cost}`}>{short(call.cost, call.not_fully_priced > 0)}</td>
      <td className={call.good ? 'good' : 'bad'}>{call.good ? 'good' : call.outcome === 'ok' ? 'failed' : call.outcome.replaceAll('_', ' ')}</td>
      <td>{call.flags.map((flag) => <span key={flag} className="flag">{flag}</span>)}</td>
      <td className="number">{call.attempts}</td>
      <td className="number">{call.milliseconds === null ? '–' : `${(call.milliseconds / 1000).toFixed(2)} s`}</td>
      <td className="number">{tokens(call)}</td>
    </tr>
  );
}

const tokens = ({ input_tokens: input, output_tokens: output }: Call) =>
  input === null && output === null ? '–' : `${input?.toLocaleString('en') ?? '?'} + ${output?.toLocaleString('en') ?? '?'}`;
