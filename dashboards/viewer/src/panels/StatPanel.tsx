// Figures side by side, each under its name.
import { VizOrientation, type FieldDisplay } from '@grafana/data';
import {
  BigValue, BigValueColorMode, BigValueGraphMode, BigValueJustifyMode, BigValueTextMode, VizRepeater,
} from '@grafana/ui';
import type { Drawn } from '.';
import { alignment, figures, linked } from './figures';

export function StatPanel(drawn: Drawn) {
  const { panel, width, height, theme, frames } = drawn;
  const options = panel.options ?? {};
  const withGraph = options.graphMode && options.graphMode !== 'none';
  return (
    <VizRepeater<FieldDisplay, ReturnType<typeof alignment>> autoGrid source={frames} width={width} height={height} renderCounter={0}
      orientation={options.orientation ?? VizOrientation.Auto} itemSpacing={3}
      getValues={() => figures(drawn, withGraph)} getAlignmentFactors={alignment}
      renderValue={({ value, width: w, height: h, alignmentFactors, count }) => linked(value, (className, open) => (
        <BigValue theme={theme} width={w} height={h} value={value.display} count={count}
          sparkline={withGraph ? value.sparkline : undefined} alignmentFactors={alignmentFactors}
          colorMode={options.colorMode ?? BigValueColorMode.Value} graphMode={options.graphMode ?? BigValueGraphMode.Area}
          justifyMode={options.justifyMode ?? BigValueJustifyMode.Auto} textMode={options.textMode ?? BigValueTextMode.Auto}
          text={options.text} disableWideLayout={options.wideLayout === false} className={className} onClick={open} />
      ))} />
  );
}
