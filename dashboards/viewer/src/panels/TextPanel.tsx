// Markdown, as much of it as dashboards use; elements are made, text is never taken for markup.
import type { ReactNode } from 'react';
import type { Drawn } from './drawn';

const INLINE = /(\*\*[^*]+\*\*|\*[^*\s][^*]*\*|`[^`]+`|\[[^\]]+\]\([^)\s]+\))/;

function inline(text: string): ReactNode[] {
  return text.split(INLINE).map((part, at) => {
    if (at % 2 === 0) return part;
    if (part.startsWith('**')) return <strong key={at}>{part.slice(2, -2)}</strong>;
    if (part.startsWith('*')) return <em key={at}>{part.slice(1, -1)}</em>;
    if (part.startsWith('`')) return <code key={at}>{part.slice(1, -1)}</code>;
    const [, name, url] = /^\[([^\]]+)\]\(([^)]+)\)$/.exec(part)!;
    return /^(\/(?!\/)|https?:\/\/|#)/.test(url) ? <a key={at} href={url} rel="noreferrer">{name}</a> : name;
  });
}

function block(text: string, key: number): ReactNode {
  const heading = /^(#{1,6})\s+(.*)$/s.exec(text);
  if (heading) {
    const Heading = `h${Math.min(heading[1].length + 2, 6)}` as 'h3';
    return <Heading key={key}>{inline(heading[2])}</Heading>;
  }
  const lines = text.split('\n');
  if (lines.every((line) => /^\s*[-*]\s/.test(line))) {
    return <ul key={key}>{lines.map((line, at) => <li key={at}>{inline(line.replace(/^\s*[-*]\s+/, ''))}</li>)}</ul>;
  }
  if (lines.every((line) => /^\s*\d+\.\s/.test(line))) {
    return <ol key={key}>{lines.map((line, at) => <li key={at}>{inline(line.replace(/^\s*\d+\.\s+/, ''))}</li>)}</ol>;
  }
  if (text.startsWith('```')) return <pre key={key}>{text.replace(/^```.*\n|\n?```$/g, '')}</pre>;
  return <p key={key}>{inline(lines.join(' '))}</p>;
}

export function TextPanel({ panel, replace }: Drawn) {
  const content = replace(String(panel.options?.content ?? ''));
  const blocks = content.replace(/(^|\n)(#{1,6} [^\n]*)\n(?!\n)/g, '$1$2\n\n').split(/\n{2,}/).map((each) => each.trim());
  return <div className="text">{blocks.filter(Boolean).map(block)}</div>;
}
