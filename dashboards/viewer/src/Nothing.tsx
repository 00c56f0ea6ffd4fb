// A panel without data: that it has none, and what would be here.
import type { Panel } from './model';

export function Nothing({ panel, said = 'No data in this time range' }: { panel: Panel; said?: string }) {
  return <div className="nothing"><p>{said}{panel.description && <small>{panel.description}</small>}</p></div>;
}
