// Chooses the time range and how often to ask anew.
import { useState } from 'react';
import { change } from './location';
import { Popup } from './Popup';
import { clock, describe, moved, PRESETS, REFRESHES, resolve } from './time';

interface Raw {
  from: string;
  to: string;
}

export function TimePicker({ raw }: { raw: Raw }) {
  const text = describe(raw);
  return (
    <div className="times" role="group" aria-label="Time">
      <Move raw={raw} way="back" name="Earlier by half the range" sign="‹" />
      <Popup className="time" name={`Time range: ${text}`} label={<><span aria-hidden>◷</span> {text}</>}>
        {(close) => <TimeBox raw={raw} close={close} />}
      </Popup>
      <Move raw={raw} way="forward" name="Later by half the range" sign="›" />
      <Move raw={raw} way="wider" name="Zoom out" sign="⊖" />
    </div>
  );
}

function Move({ raw, way, name, sign }: { raw: Raw; way: 'back' | 'forward' | 'wider'; name: string; sign: string }) {
  const go = () => {
    const to = moved(raw, way);
    if (to) change(to);
  };
  return <button type="button" aria-label={name} title={name} onClick={go}><span aria-hidden>{sign}</span></button>;
}

function TimeBox({ raw, close }: { raw: Raw; close: () => void }) {
  const now = resolve(raw);
  const [from, setFrom] = useState(now ? clock(now.from.valueOf()) : '');
  const [to, setTo] = useState(now ? clock(now.to.valueOf()) : '');
  const typed = written(from, to);
  const choose = (range: Raw) => {
    change({ from: range.from, to: range.to });
    close();
  };
  return (
    <div className="time-box">
      <ul>
        {PRESETS.map((each) => (
          <li key={each.text}>
            <button type="button" aria-pressed={each.from === raw.from && each.to === raw.to}
              onClick={() => choose(each)}>{each.text}</button>
          </li>
        ))}
      </ul>
      <form onSubmit={(event) => { event.preventDefault(); if (typed) choose(typed); }}>
        <label>From <input value={from} onChange={(event) => setFrom(event.target.value)} /></label>
        <label>To <input value={to} onChange={(event) => setTo(event.target.value)} /></label>
        <p className="hint" role="status">{typed ? 'UTC. Also now-3h, now/d …' : 'Not a range: write 2026-11-23 14:00 or now-3h'}</p>
        <button type="submit" disabled={!typed}>Apply</button>
      </form>
    </div>
  );
}

function written(from: string, to: string): Raw | undefined {
  const one = (text: string) => {
    const plain = text.trim();
    if (plain.startsWith('now')) return plain;
    const moment = Date.parse(plain.replace(' ', 'T') + (/(Z|[+-]\d\d:?\d\d)$/.test(plain) ? '' : plain.includes(':') ? 'Z' : ''));
    return Number.isNaN(moment) ? '' : String(moment);
  };
  const range = { from: one(from), to: one(to) };
  return range.from && range.to && resolve(range) ? range : undefined;
}

export function RefreshPicker({ every, ask, busy }: { every: string; ask: () => void; busy: boolean }) {
  return (
    <div className="refresh">
      <button type="button" onClick={ask} aria-label="Refresh" title="Refresh (r)" data-busy={busy || undefined}><span aria-hidden>⟳</span></button>
      <select aria-label="Refresh every" value={every} onChange={(event) => change({ refresh: event.target.value })}>
        {REFRESHES.concat(REFRESHES.includes(every) ? [] : [every]).map((each) => (
          <option key={each} value={each}>{each || 'Off'}</option>
        ))}
      </select>
    </div>
  );
}
