// The list of dashboards.
import type { Catalogue } from './App';

export function ListPage({ catalogue }: { catalogue?: Catalogue }) {
  if (!catalogue) return <p className="waiting">Loading …</p>;
  return (
    <>
      <h1>Dashboards</h1>
      <ul className="list">
        {catalogue.dashboards.map((each) => (
          <li key={each.uid}>
            <a href={`/d/${each.uid}`}>
              <strong>{each.title.replace(/^farebox: /, '')}</strong>
              <span>{each.description}</span>
            </a>
          </li>
        ))}
      </ul>
      <p className="footnote">farebox {catalogue.version}. The same dashboards as in Grafana, drawn with its components.</p>
    </>
  );
}
