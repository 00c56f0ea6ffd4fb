// Stands in for react-inlinesvg, with which Grafana's icons are fetched one by one: these are in the bundle.
import type { Ref, SVGProps } from 'react';

const files = import.meta.glob<string>(
  [
    '/node_modules/@grafana/ui/dist/public/img/icons/unicons/angle-{down,up,left,right}.svg',
    '/node_modules/@grafana/ui/dist/public/img/icons/unicons/arrow-{down,up}.svg',
    '/node_modules/@grafana/ui/dist/public/img/icons/unicons/{info-circle,exclamation-triangle,external-link-alt}.svg',
    '/node_modules/@grafana/ui/dist/public/img/icons/unicons/{ellipsis-v,times,copy,filter,link,spinner}.svg',
  ],
  { query: '?raw', import: 'default', eager: true },
);

interface Drawing {
  viewBox: string;
  inside: string;
}

function drawing(text: string): Drawing {
  const inside = text.replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, '');
  return { viewBox: /viewBox="([^"]*)"/.exec(text)?.[1] ?? '0 0 24 24', inside };
}

const drawings = new Map(Object.entries(files).map(([path, text]) => [path.split('/').pop()!, drawing(text)]));

interface Props extends SVGProps<SVGSVGElement> {
  src: string;
  innerRef?: Ref<SVGSVGElement>;
  loader?: unknown;
  title?: string;
}

export default function Icon({ src, innerRef, loader: _loader, title, onLoad: _l, onError: _e, ...rest }: Props) {
  const found = drawings.get(src.split('/').pop() ?? '');
  return (
    <svg {...rest} ref={innerRef} viewBox={found?.viewBox ?? '0 0 24 24'} role={title ? 'img' : undefined}
      aria-label={title || undefined} dangerouslySetInnerHTML={{ __html: found?.inside ?? '' }} />
  );
}
