// A panel's statement, and the figures of a chart as a table: one click away.
import { type DataFrame, dateTimeFormat, type Field, FieldType, formattedValueToString, getFieldDisplayName } from '@grafana/data';
import { type ReactNode, useRef, useState } from 'react';
import * as api from './api';
import { csv, download } from './csv';
import { Said } from './Said';
import { ZONE } from './time';

interface BoxProps {
  name: string;
  sign: string;
  title: string;
  children: (isOpen: boolean) => ReactNode;
  opened?: () => void;
}

/** A button and the box that it opens; the browser moves the focus in and back, and closes on Escape. */
function Box({ name, sign, title, children, opened }: BoxProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  const open = () => {
    setOpen(true);
    dialog.current?.showModal();
    opened?.();
  };
  return (
    <>
      <button type="button" className="plain action" onClick={open} aria-haspopup="dialog" aria-label={name} title={name}>{sign}</button>
      <dialog ref={dialog} className="dialog" aria-label={name} onClose={() => setOpen(false)}
        onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
        <form method="dialog"><h2 data-own>{title}</h2><button aria-label="Close">×</button></form>
        {children(isOpen)}
      </dialog>
    </>
  );
}

/** The statements of a panel, as they are asked. */
export function Sql({ question, title }: { question: () => api.Question; title: string }) {
  const [told, setTold] = useState<Array<{ refId: string; sql: string }>>();
  const [error, setError] = useState<Error>();
  const ask = () => {
    setError(undefined);
    api.panelSql(question()).then((answer) => setTold(answer.targets), setError);
  };
  return (
    <Box name={`SQL of ${title}`} sign="SQL" title={title} opened={ask}>
      {(isOpen) => isOpen && (
        <>
          {error ? <Said error={error} /> : !told && <p className="waiting">Loading …</p>}
          {told?.map((each) => (
            <div key={each.refId} className="statement">
              <Copy text={each.sql} />
              <pre tabIndex={0}>{each.sql}</pre>
            </div>
          ))}
        </>
      )}
    </Box>
  );
}

function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState('');
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied('Copied'), () => setCopied('The browser does not let it'));
  return <p className="copy"><span role="status">{copied}</span> <button type="button" onClick={copy}>Copy</button></p>;
}

const SHOWN_MAX = 500;

const isTime = (field: Field) => field.type === FieldType.time;
const isNumber = (field: Field) => field.type === FieldType.number;
const isSeries = (frame: DataFrame) => frame.fields.every((field, at) => (at ? isNumber(field) : isTime(field)));

/** What a panel shows, as a table with the links that its points have, and as a file; over time the latest comes first. */
export function Data({ frames, title }: { frames: DataFrame[]; title: string }) {
  return (
    <Box name={`Data of ${title}`} sign="Data" title={title}>
      {(isOpen) => isOpen && frames.filter((frame) => frame.length).map((frame, at) => <Figures key={at} frame={frame} frames={frames} title={title} />)}
    </Box>
  );
}

function Figures({ frame, frames, title }: { frame: DataFrame; frames: DataFrame[]; title: string }) {
  const all = Array.from({ length: frame.length }, (_, at) => at);
  const rows = (isTime(frame.fields[0]) && isSeries(frame) ? all.reverse() : all).slice(0, SHOWN_MAX);
  return (
    <div className="statement">
      <p className="copy">
        {frame.length > SHOWN_MAX && <span>The first {SHOWN_MAX} of {frame.length.toLocaleString('en')} rows; the file has all.</span>}
        <button type="button" onClick={() => download(title, csv(frame, frames))}>Download CSV</button>
      </p>
      <div className="wide" role="group" aria-label={`Figures of ${title}, to be scrolled`} tabIndex={0}>
        <table className="calls" aria-label={`Figures of ${title}`}>
          <thead>
            <tr>{frame.fields.map((field, at) => (
              <th key={at} scope="col" className={isNumber(field) ? 'number' : undefined}>
                {isTime(field) ? `${field.name}, UTC`
                  : <Name field={field} row={rows[0]} name={getFieldDisplayName(field, frame, frames)} isSeries={isSeries(frame)} />}
              </th>
            ))}</tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row}>{frame.fields.map((field, at) => (
                at === 0 ? <th key={at} scope="row">{shown(field, row)}</th>
                  : <td key={at} className={isNumber(field) ? 'number' : undefined}>{shown(field, row)}</td>
              ))}</tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** A series' name, which leads where its points do. */
function Name({ field, row, name, isSeries: leads }: { field: Field; row: number; name: string; isSeries: boolean }) {
  const [first, ...others] = (leads && field.getLinks?.({ valueRowIndex: row })) || [];
  if (!first) return name;
  return (
    <>
      <a href={first.href} target={first.target} title={first.title} rel="noreferrer">{name}</a>
      {others.map((link, at) => <a key={at} href={link.href} target={link.target} rel="noreferrer">, {link.title}</a>)}
    </>
  );
}

function shown(field: Field, row: number): string {
  const value = field.values[row];
  if (value === null || value === undefined) return '–';
  if (isTime(field)) return dateTimeFormat(value, { timeZone: ZONE, format: 'YYYY-MM-DD HH:mm:ss' });
  return field.display ? formattedValueToString(field.display(value)) : String(value);
}
