// The frame of every page: which one the address names, the list of dashboards, light and dark.
import { type ReactNode, useEffect, useState } from 'react';
import * as api from './api';
import { CallPage } from './CallPage';
import { DashboardPage } from './DashboardPage';
import { ListPage } from './ListPage';
import { LivePage } from './LivePage';
import { usePlace } from './location';
import { NotFoundPage } from './NotFoundPage';
import { Popup } from './Popup';
import { Said } from './Said';
import { type Mode, Themed, useMode } from './theme';
import { Main, Title } from './Title';

function useCatalogue(): [api.Catalogue | undefined, Error | undefined] {
  const [catalogue, setCatalogue] = useState<api.Catalogue>();
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
  catalogue?: api.Catalogue;
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
  if (error) return <>{top()}<Main><Title>farebox</Title><Said error={error} /></Main></>;
  if (uid) return <DashboardPage key={uid} uid={decoded(uid)} catalogue={catalogue} mode={mode} top={top} />;
  const nowhere = new Error(`There is no page at ${path}.`);
  const shown = call
    ? <CallPage key={path} trace={call[1]} call={decoded(call[2])} at={search.get('at') ?? ''} />
    : path === '/live' ? <LivePage /> : path === '/' ? <ListPage catalogue={catalogue} />
      : <NotFoundPage key={path} error={nowhere} catalogue={catalogue} />;
  return <>{top()}<Main>{shown}</Main></>;
}

/** Undo an address' escapes; one that is no escape stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const short = (title: string) => title.replace(/^farebox: /, '');

// Where the ways do not fit beside each other they are a menu; style.css has the same width.
const NARROW = '(max-width: 900px)';

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => window.matchMedia(NARROW).matches);
  useEffect(() => {
    const asked = window.matchMedia(NARROW);
    const changed = () => setNarrow(asked.matches);
    asked.addEventListener('change', changed);
    return () => asked.removeEventListener('change', changed);
  }, []);
  return narrow;
}

interface Way {
  to: string;
  title: string;
  what: string;
  here: boolean;
}

function Top({ catalogue, mode, toggle, path, children }: Omit<PageProps, 'error'> & { path: string; children?: ReactNode }) {
  const { search } = usePlace();
  const narrow = useNarrow();
  const query = search.toString();
  const kept = path.startsWith('/d/') && query ? `?${query}` : '';
  const ways: Way[] = [
    ...(catalogue?.dashboards ?? []).map((each) => ({
      to: `/d/${each.uid}${kept}`, title: short(each.title), what: each.description, here: path === `/d/${each.uid}`,
    })),
    { to: '/live', title: 'Live', what: 'The last calls as they land', here: path === '/live' },
  ];
  const here = ways.find((each) => each.here)?.title;
  return (
    <header className="top">
      <nav aria-label="Dashboards" className="nav">
        <a className="brand" href="/">farebox</a>
        {narrow
          ? (
            <Popup key={path} className="ways" name={`Dashboards${here ? `: ${here}` : ''}`} label={<><span aria-hidden>☰</span> {here ?? 'Dashboards'}</>}>
              {() => <ul>{ways.map((each) => <li key={each.to}><WayLink {...each} /></li>)}</ul>}
            </Popup>
          )
          : ways.map((each) => <WayLink key={each.to} {...each} />)}
        <span className="spring" />
        <button type="button" className="plain" onClick={toggle}
          aria-label={mode === 'dark' ? 'Switch to light colours' : 'Switch to dark colours'}>
          <span aria-hidden>{mode === 'dark' ? '☀' : '☾'}</span>
        </button>
      </nav>
      {children}
    </header>
  );
}

const WayLink = ({ to, title, what, here }: Way) => <a href={to} title={what} aria-current={here ? 'page' : undefined}>{title}</a>;
