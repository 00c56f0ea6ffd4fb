// What an address shows that leads nowhere: what is wrong with it, and the ways on.
import type { Catalogue } from './api';
import { Dashboards } from './ListPage';
import { Said } from './Said';
import { Title, useWindowTitle } from './Title';

export function NotFoundPage({ error, catalogue }: { error: Error; catalogue?: Catalogue }) {
  useWindowTitle('farebox: Not found');
  return (
    <>
      <Title>Not found</Title>
      <Said error={error} />
      {catalogue && <><h2>Dashboards</h2><Dashboards catalogue={catalogue} /></>}
    </>
  );
}
