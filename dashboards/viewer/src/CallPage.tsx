// One call: what it cost, part by part and attempt by attempt, how each attempt ended, and why it is judged so.
import { useEffect, useState } from 'react';
import { added, type Attempt, meaning, one } from './calls';
import { Said } from './Said';
import { clock } from './time';
import { Title, useWindowTitle } from './Title';

const PARTS = [
  ['input', 'cost_input', 'uncached_input_tokens'],
  ['cache reads', 'cost_cache_read', 'cache_read_tokens'],
  ['cache writes', 'cost_cache_write', 'cache_write_tokens'],
  ['output', 'cost_output', 'output_tokens'],
  ['tools', 'cost_tools', ''],
] as const;

const ABOUT = [
  'route', 'task', 'tenant', 'user_id', 'prompt_version', 'service', 'environment', 'provider', 'server_address', 'region',
  'operation',
];

interface Props {
  trace: string;
  call: string;
  at: string;
}

export function CallPage({ trace, call, at }: Props) {
  const [attempts, setAttempts] = useState<Attempt[]>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    one(trace, call, at).then((told) => setAttempts(told.attempts), setError);
  }, [trace, call, at]);
  useWindowTitle('farebox: Call');
  if (error) return <><Title>Call</Title><Said error={error} /><p><a href="/live">The last calls</a></p></>;
  if (!attempts) return <p className="waiting">Loading …</p>;
  const first = attempts[0];
  return (
    <>
      <div className="heading">
        <Title>Call</Title>
        <p className="hint">{String(first.model) || 'unknown model'} · {clock(first.started_at)} UTC</p>
        <a className="link" href={`/d/farebox-trace?var-trace=${trace}&from=${first.started_at - 3_600_000}&to=${first.started_at + 3_600_000}`}>
          Its trace</a>
        <a className="link" href="/live">Live</a>
      </div>
      <Summary attempts={attempts} />
      <Money attempts={attempts} />
      <h2>Attempts</h2>
      {attempts.map((attempt, number) => <AttemptBox key={number} attempt={attempt} />)}
      <h2>About</h2>
      <dl className="about">
        <Fact name="trace" value={trace} />
        <Fact name="call" value={call} />
        {ABOUT.map((name) => <Fact key={name} name={name.replaceAll('_', ' ')} value={first[name]} />)}
      </dl>
    </>
  );
}

function Fact({ name, value }: { name: string; value: unknown }) {
  if (value === null || value === undefined || value === '' || (Array.isArray(value) && !value.length)) return null;
  return <div className={Array.isArray(value) ? 'whole' : undefined}><dt>{name}</dt><dd>{Array.isArray(value) ? value.join(', ') : String(value)}</dd></div>;
}

const doubtful = (attempt: Attempt) => ['no_price', 'no_usage', 'partial'].includes(attempt.price_state);

function Summary({ attempts }: { attempts: Attempt[] }) {
  const cost = added(attempts.map((each) => each.list_cost));
  const doubts = attempts.filter(doubtful).length;
  const good = attempts.some((each) => each.good && each.kind !== 'iteration');
  const last = attempts.at(-1)!;
  const end = last.started_at + (last.duration_ms ?? 0);
  return (
    <dl className="facts">
      <div><dt>cost</dt><dd>{cost === null ? 'not known' : `${doubts ? '≥ ' : ''}$${cost}`}</dd></div>
      <div><dt>ended</dt><dd className={good ? 'good' : 'bad'}>{good ? 'good' : 'failed'}</dd></div>
      <div><dt>attempts</dt><dd>{attempts.filter((each) => each.kind !== 'iteration').length}</dd></div>
      <div><dt>took</dt><dd>{((end - attempts[0].started_at) / 1000).toFixed(2)} s</dd></div>
      {doubts > 0 && <div><dt>not fully priced</dt><dd className="doubt">{doubts}</dd></div>}
    </dl>
  );
}

function Money({ attempts }: { attempts: Attempt[] }) {
  const amount = (value: unknown) => (value === null || value === undefined ? '–' : `$${value}`);
  const total = (name: string) => added(attempts.map((each) => each[name] as string | null));
  return (
    <>
      <h2>Money</h2>
      <div className="wide" role="group" aria-label="Money, part by part, to be scrolled" tabIndex={0}>
        <table className="calls money" aria-label="Money, part by part">
          <thead>
            <tr><th scope="col">attempt</th>{PARTS.map(([name]) => <th key={name} scope="col" className="number">{name}</th>)}<th scope="col" className="number">list cost</th><th scope="col">price</th></tr>
          </thead>
          <tbody>
            {attempts.map((each, number) => (
              <tr key={number}>
                <th scope="row">{named(each)}</th>
                {PARTS.map(([name, column, tokens]) => (
                  <td key={name} className="number">{amount(each[column])}
                    {tokens && each[tokens] !== null && <small>{Number(each[tokens]).toLocaleString('en')} tokens</small>}</td>
                ))}
                <td className="number">{each.price_state === 'partial' ? '≥ ' : ''}{amount(each.list_cost)}</td>
                <td>{each.price_state}{each.price_reason && <small>{each.price_reason}</small>}</td>
              </tr>
            ))}
          </tbody>
          {attempts.length > 1 && (
            <tfoot>
              <tr><th scope="row">all</th>{PARTS.map(([name, column]) => <td key={name} className="number">{amount(total(column))}</td>)}
                <td className="number">{amount(total('list_cost'))}</td><td /></tr>
            </tfoot>
          )}
        </table>
      </div>
    </>
  );
}

const named = (attempt: Attempt) =>
  attempt.kind === 'attempt' ? String(attempt.attempt + 1) : attempt.kind.replaceAll('_', ' ');

function AttemptBox({ attempt }: { attempt: Attempt }) {
  const clean = attempt.checked.filter((name) => !attempt.flags.some((flag) => flag.split('.')[0] === name));
  return (
    <section className="box" aria-label={`Attempt ${named(attempt)}`}>
      <h3>
        Attempt {named(attempt)}: <span className={attempt.good ? 'good' : 'bad'}>{ended(attempt)}</span>
      </h3>
      {attempt.flags.length > 0 && (
        <ul className="why">
          {attempt.flags.map((flag) => (
            <li key={flag}><span className="flag">{flag}</span> {meaning(flag)} {detail(flag, attempt)}</li>
          ))}
        </ul>
      )}
      {attempt.contradiction && <p className="doubt">{String(attempt.contradiction)}</p>}
      <dl className="about">
        <Fact name="began" value={`${clock(attempt.started_at)} UTC`} />
        <Fact name="took" value={attempt.duration_ms === null ? null : `${Math.round(attempt.duration_ms)} ms`} />
        <Fact name="first token" value={attempt.ttft_ms === null ? null : `${Math.round(attempt.ttft_ms)} ms`} />
        <Fact name="status" value={attempt.http_status} />
        <Fact name="error" value={attempt.error_type} />
        <Fact name="stop reason" value={attempt.stop_reason} />
        <Fact name="usage" value={attempt.usage_state} />
        <Fact name="reasoning tokens" value={attempt.reasoning_tokens} />
        <Fact name="estimated output" value={attempt.estimated_output_tokens} />
        <Fact name="tool calls" value={attempt.tool_calls === null ? null
          : `${attempt.tool_calls}${attempt.tool_calls_malformed ? `, ${attempt.tool_calls_malformed} malformed` : ''}`} />
        <Fact name="asked for" value={attempt.request_model} />
        <Fact name="answered by" value={attempt.response_model} />
        <Fact name="service tier" value={attempt.service_tier} />
        <Fact name="request id" value={attempt.request_id} />
        <Fact name="price" value={attempt.price_id} />
        <Fact name="cost as reported" value={attempt.reported_cost === null ? null : `$${attempt.reported_cost}`} />
        <Fact name="checked, and nothing found" value={clean} />
      </dl>
    </section>
  );
}

function ended({ outcome, good }: Attempt): string {
  if (outcome === 'ok') return good ? 'good' : 'answered, but the answer is no good';
  return String(outcome).replaceAll('_', ' ');
}

function detail(flag: string, attempt: Attempt): string {
  if (flag.startsWith('tool_call_malformed') && attempt.malformed_tools.length) return `Of ${attempt.malformed_tools.join(', ')}.`;
  if (flag.startsWith('refusal') && attempt.refusal_kind) return `Kind: ${attempt.refusal_kind}.`;
  if (flag.startsWith('truncated') && attempt.stop_reason) return `It stopped because of ${attempt.stop_reason}.`;
  if (flag.startsWith('unsupported_citation') && attempt.unsupported_citations) return `${attempt.unsupported_citations} of them.`;
  return '';
}
