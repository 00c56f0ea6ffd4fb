// Figures side by side, each under its name.
import { VizOrientation, type FieldDisplay } from '@grafana/data';
import {
  BigValue, BigValueColorMode, BigValueGraphMode, BigValueJustifyMode, BigValueTextMode, VizRepeater,
} from '@grafana/ui';
import type { Drawn } from './drawn';
import { alignment, figures, linked } from './figures';

// On a phone figures go on in the next line where no more fit beside each other.
export const FIGURE_WIDTH_MIN = 84;
export const FIGURE_HEIGHT = 58;
const LINE_HEIGHT = 1.2;

export function StatPanel(drawn: Drawn) {
  const { panel, width, height, frames } = drawn;
  const options = panel.options ?? {};
  const withGraph = options.graphMode && options.graphMode !== 'none';
  const found = figures(drawn, withGraph);
  const side = Math.max(Math.floor(width / FIGURE_WIDTH_MIN), 1);
  if (drawn.narrow && found.length > side) return <Lines drawn={drawn} found={found} side={side} />;
  const all = (
    <VizRepeater<FieldDisplay, ReturnType<typeof alignment>> autoGrid source={frames} width={width} height={height} renderCounter={0}
      orientation={options.orientation ?? VizOrientation.Auto} itemSpacing={3}
      getValues={() => found} getAlignmentFactors={alignment}
      renderValue={({ value, width: w, height: h, alignmentFactors, count }) => (
        <Figure {...{ drawn, value, alignmentFactors, count }} width={w} height={h} />
      )} />
  );
  const below = baseline(options, height);
  return below ? <div className="level" ref={(element) => element?.style.setProperty('--below', `${below}px`)}>{all}</div> : all;
}

/** How far above the bottom figures stand that have their own line: names of one and of two lines push none of them down. */
function baseline(options: Record<string, any>, height: number): number {
  const { titleSize, valueSize } = options.text ?? {};
  if (options.orientation !== VizOrientation.Vertical || !titleSize || !valueSize) return 0;
  return Math.max(Math.floor((height - LINE_HEIGHT * (titleSize + valueSize)) / 2), 0);
}

function Lines({ drawn, found, side }: { drawn: Drawn; found: FieldDisplay[]; side: number }) {
  const [width, height] = [Math.floor(drawn.width / side), Math.floor(drawn.height / Math.ceil(found.length / side))];
  const alignmentFactors = alignment(found);
  return (
    <div className="lines">
      {found.map((value, at) => <Figure key={at} {...{ drawn, value, width, height, alignmentFactors }} count={found.length} />)}
    </div>
  );
}

interface FigureProps {
  drawn: Drawn;
  value: FieldDisplay;
  width: number;
  height: number;
  count: number;
  alignmentFactors?: ReturnType<typeof alignment>;
}

function Figure({ drawn, value, width, height, count, alignmentFactors }: FigureProps) {
  const options = drawn.panel.options ?? {};
  const withGraph = options.graphMode && options.graphMode !== 'none';
  return linked(value, (className, open) => (
    <BigValue theme={drawn.theme} width={width} height={height} value={value.display} count={count}
      sparkline={withGraph ? value.sparkline : undefined} alignmentFactors={alignmentFactors}
      colorMode={options.colorMode ?? BigValueColorMode.Value} graphMode={options.graphMode ?? BigValueGraphMode.Area}
      justifyMode={options.justifyMode ?? BigValueJustifyMode.Auto} textMode={options.textMode ?? BigValueTextMode.Auto}
      text={options.text} disableWideLayout={options.wideLayout === false} className={className} onClick={open} />
  ));
}
