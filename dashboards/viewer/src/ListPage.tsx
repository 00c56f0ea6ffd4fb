// The list of dashboards.
import type { Catalogue } from './api';
import { Title, useWindowTitle } from './Title';

export function ListPage({ catalogue }: { catalogue?: Catalogue }) {
  useWindowTitle('farebox: Dashboards');
  return (
    <>
      <Title>Dashboards</Title>
      {catalogue ? <Dashboards catalogue={catalogue} /> : <p className="waiting">Loading …</p>}
      {catalogue && <p className="footnote">farebox {catalogue.version}. The same dashboards as in Grafana, drawn with its components.</p>}
    </>
  );
}

export function Dashboards({ catalogue }: { catalogue: Catalogue }) {
  return (
    <ul className="list">
      {catalogue.dashboards.map((each) => (
        <Entry key={each.uid} to={`/d/${each.uid}`} title={each.title.replace(/^farebox: /, '')} what={each.description} />
      ))}
      <Entry to="/live" title="Live" what="The last calls as they land, and each call with its money and flags" />
    </ul>
  );
}

function Entry({ to, title, what }: { to: string; title: string; what: string }) {
  return (
    <li>
      <a href={to}>
        <strong>{title}</strong>
        <span>{what}</span>
      </a>
    </li>
  );
}
