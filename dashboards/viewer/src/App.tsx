// The frame of every page: which one the address names, the list of dashboards, light and dark.
import { type ReactNode, useEffect, useState } from 'react';
import * as api from './api';
import { CallPage } from './CallPage';
import { DashboardPage } from './DashboardPage';
import { ListPage } from './ListPage';
import { LivePage } from './LivePage';
import { usePlace } from './location';
import { Said } from './Said';
import { type Mode, Themed, useMode } from './theme';

export interface Catalogue {
  dashboards: api.Listed[];
  version: string;
}

function useCatalogue(): [Catalogue | undefined, Error | undefined] {
  const [catalogue, setCatalogue] = useState<Catalogue>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    api.list().then(setCatalogue, setError);
  }, []);
  return [catalogue, error];
}

export function App() {
  const [mode, toggle] = useMode();
  const [catalogue, error] = useCatalogue();
  return (
    <Themed mode={mode}>
      <a className="skip" href="#content">Skip to the content</a>
      <Page catalogue={catalogue} error={error} mode={mode} toggle={toggle} />
    </Themed>
  );
}

interface PageProps {
  catalogue?: Catalogue;
  error?: Error;
  mode: Mode;
  toggle: () => void;
}

function Page({ catalogue, error, mode, toggle }: PageProps) {
  const { path, search } = usePlace();
  const call = /^\/call\/([^/]+)\/([^/]+)$/.exec(path);
  const uid = /^\/d\/([^/]+)/.exec(path)?.[1];
  const top = (children?: ReactNode) => (
    <Top catalogue={catalogue} mode={mode} toggle={toggle} path={path}>{children}</Top>
  );
  if (error) return <>{top()}<main id="content"><Said error={error} /></main></>;
  if (uid) return <DashboardPage key={uid} uid={decodeURIComponent(uid)} catalogue={catalogue} mode={mode} top={top} />;
  const shown = call
    ? <CallPage trace={call[1]} call={decodeURIComponent(call[2])} at={search.get('at') ?? ''} />
    : path === '/live' ? <LivePage /> : <ListPage catalogue={catalogue} />;
  return <>{top()}<main id="content">{shown}</main></>;
}

const short = (title: string) => title.replace(/^farebox: /, '');

function Top({ catalogue, mode, toggle, path, children }: Omit<PageProps, 'error'> & { path: string; children?: ReactNode }) {
  const { search } = usePlace();
  const query = search.toString();
  const kept = path.startsWith('/d/') && query ? `?${query}` : '';
  return (
    <header className="top">
      <nav aria-label="Dashboards" className="nav">
        <a className="brand" href="/">farebox</a>
        {catalogue?.dashboards.map((each) => (
          <a key={each.uid} href={`/d/${each.uid}${kept}`} title={each.description}
            aria-current={path === `/d/${each.uid}` ? 'page' : undefined}>{short(each.title)}</a>
        ))}
        <a href="/live" title="The last calls as they land" aria-current={path === '/live' ? 'page' : undefined}>Live</a>
        <span className="spring" />
        <button type="button" className="plain" onClick={toggle}
          aria-label={mode === 'dark' ? 'Switch to light colours' : 'Switch to dark colours'}>
          {mode === 'dark' ? '☀' : '☾'}
        </button>
      </nav>
      {children}
    </header>
  );
}
