// Marks on the axis of time: a dashed line each, and under it a button that says what it was.
import type { GrafanaTheme2 } from '@grafana/data';
import type { UPlotConfigBuilder } from '@grafana/ui';
import { useLayoutEffect, useRef, useState } from 'react';
import type { Mark } from '../api';
import type { Annotation } from '../model';
import { clock } from '../time';

interface Props {
  config: UPlotConfigBuilder;
  marks: Mark[];
  annotations: Annotation[];
  theme: GrafanaTheme2;
}

interface Placed {
  left: number;
  top: number;
  mark: Mark;
  colour: string;
}

export function Marks({ config, marks, annotations, theme }: Props) {
  const [placed, setPlaced] = useState<Placed[]>([]);
  const current = useRef(marks);
  current.current = marks;
  const plot = useRef<{ redraw: () => void }>(null);
  useLayoutEffect(() => {
    const colourOf = (mark: Mark) =>
      theme.visualization.getColorByName(annotations.find((each) => each.name === mark.name)?.iconColor ?? 'orange');
    config.addHook('init', (u) => { (plot as { current: unknown }).current = u; });
    config.addHook('draw', (u) => {
      const { ctx, bbox } = u;
      const found: Placed[] = [];
      ctx.save();
      ctx.lineWidth = devicePixelRatio;
      ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      for (const mark of current.current) {
        const x = Math.round(u.valToPos(mark.time, 'x', true));
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.strokeStyle = colourOf(mark);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        found.push({ left: x / devicePixelRatio, top: (bbox.top + bbox.height) / devicePixelRatio, mark, colour: colourOf(mark) });
      }
      ctx.restore();
      // Marks that would lie on each other share a button's place; the first few say it all.
      queueMicrotask(() => setPlaced((before) => (same(before, found) ? before : found)));
    });
  }, [config]);
  useLayoutEffect(() => {
    if (plot.current) plot.current.redraw();
  }, [marks]);
  return placed.map(({ left, top, mark, colour }, at) => (
    <button key={at} type="button" className="mark" ref={(element) => {
      element?.style.setProperty('left', `${left}px`);
      element?.style.setProperty('top', `${top}px`);
      element?.style.setProperty('--mark', colour);
    }} aria-label={`${clock(mark.time)}: ${mark.text ?? mark.title ?? mark.name}`}>
      <span role="tooltip"><strong>{mark.title || mark.name}</strong> {clock(mark.time)} UTC<br />{mark.text}</span>
    </button>
  ));
}

const same = (one: Placed[], other: Placed[]) =>
  one.length === other.length && one.every((each, at) => each.left === other[at].left && each.top === other[at].top && each.mark === other[at].mark);
