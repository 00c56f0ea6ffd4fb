// The dashboard's variables: lists with several choices or one, and texts.
import { useState } from 'react';
import type { Option } from './api';
import { change } from './location';
import { ALL, type Variable } from './model';
import { Popup } from './Popup';
import type { Offered } from './world';

interface Props {
  variables: Variable[];
  chosen: Record<string, string | string[]>;
  offered: Record<string, Offered>;
}

export function Variables({ variables, chosen, offered }: Props) {
  const shown = variables.filter((each) => each.hide !== 2 && !['constant', 'datasource', 'adhoc'].includes(each.type));
  if (!shown.length) return null;
  return (
    <div className="variables" role="group" aria-label="Variables">
      {shown.map((each) => each.type === 'textbox'
        ? <TextVariable key={each.name} variable={each} value={[chosen[each.name] ?? ''].flat()[0]} />
        : <ListVariable key={each.name} variable={each} values={[chosen[each.name] ?? []].flat()}
            options={offered[each.name]?.options ?? []} said={offered[each.name]?.said} />)}
    </div>
  );
}

function TextVariable({ variable, value }: { variable: Variable; value: string }) {
  const [typed, setTyped] = useState(value);
  const [before, setBefore] = useState(value);
  if (before !== value) {
    setBefore(value);
    setTyped(value);
  }
  const name = variable.label || variable.name;
  return (
    <form className="variable" onSubmit={(event) => { event.preventDefault(); change({ [`var-${variable.name}`]: typed }); }}>
      <label title={variable.description}>{name}{' '}
        <input value={typed} size={Math.min(Math.max(typed.length, 12), 34)} onChange={(event) => setTyped(event.target.value)}
          onBlur={() => typed !== value && change({ [`var-${variable.name}`]: typed })} />
      </label>
    </form>
  );
}

const textOf = (value: string, options: Option[]) =>
  value === ALL ? 'All' : (options.find((one) => one.value === value)?.text ?? (value || '(none)'));

interface ListProps {
  variable: Variable;
  values: string[];
  options: Option[];
  said?: string;
}

function ListVariable({ variable, values, options, said }: ListProps) {
  const name = variable.label || variable.name;
  const texts = values.map((value) => textOf(value, options));
  const text = texts.length > 2 ? `${texts.length} chosen` : texts.join(' + ') || 'All';
  return (
    <Popup className="variable" name={`${name}: ${text}`} label={<><span className="variable-name">{name}</span> {text}</>}>
      {(close) => <Choices {...{ variable, values, options, said, close, name }} />}
    </Popup>
  );
}

interface ChoicesProps extends ListProps {
  close: () => void;
  name: string;
}

function Choices({ variable, values, options, said, close, name }: ChoicesProps) {
  const [filter, setFilter] = useState('');
  const all = values.includes(ALL) || (!values.length && variable.includeAll);
  const known = new Set(options.map((one) => one.value));
  // What an address chose stays to be seen, and to be taken back, though the range has none of it.
  const gone = values.filter((value) => value !== ALL && !known.has(value)).map((value) => ({ value, text: value || '(none)' }));
  const found = [...gone, ...options].filter((one) => one.text.toLowerCase().includes(filter.toLowerCase()));
  const set = (chosen: string[]) => change({ [`var-${variable.name}`]: chosen.length || !variable.includeAll ? chosen : [ALL] });
  const toggle = (value: string) => {
    if (!variable.multi) {
      set([value]);
      return;
    }
    const others = values.filter((one) => one !== ALL && one !== value);
    set(values.includes(value) ? others : [...others, value]);
  };
  return (
    <fieldset className="choices">
      <legend>{variable.description || name}</legend>
      {options.length > 8 && (
        <input type="search" placeholder="Filter" aria-label={`Filter ${name}`} value={filter}
          onChange={(event) => setFilter(event.target.value)} />
      )}
      {variable.includeAll && <Choice {...{ variable, text: 'All', on: Boolean(all), close, toggle: () => set([ALL]) }} />}
      <div className="choices-list">
        {found.map((one) => (
          <Choice key={one.value} variable={variable} text={one.text} on={values.includes(one.value)} close={close} toggle={() => toggle(one.value)} />
        ))}
        {!found.length && !said && <p className="hint">{filter ? 'Nothing of that name' : 'Nothing in this time range'}</p>}
        {said && <p className="hint">{said}</p>}
      </div>
    </fieldset>
  );
}

interface ChoiceProps {
  variable: Variable;
  text: string;
  on: boolean;
  toggle: () => void;
  close: () => void;
}

function Choice({ variable, text, on, toggle, close }: ChoiceProps) {
  // Of one value a click chooses and is done; the arrow keys go through all of them, and they click too, with no count.
  const clicked = (event: React.MouseEvent) => !variable.multi && event.detail > 0 && close();
  return (
    <label className="choice">
      <input type={variable.multi ? 'checkbox' : 'radio'} name={`choice-${variable.name}`} checked={on} onChange={toggle}
        onClick={clicked} />
      <span>{text}</span>
    </label>
  );
}
