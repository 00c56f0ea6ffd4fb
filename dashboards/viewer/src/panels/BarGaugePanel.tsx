// Figures as bars.
import { VizOrientation, type FieldDisplay } from '@grafana/data';
import { BarGauge, VizRepeater } from '@grafana/ui';
import type { Drawn } from './drawn';
import { alignment, figures, linked } from './figures';

export function BarGaugePanel(drawn: Drawn) {
  const { panel, width, height, theme, frames } = drawn;
  const options = panel.options ?? {};
  const orientation: VizOrientation = !options.orientation || options.orientation === 'auto'
    ? (width > height ? VizOrientation.Vertical : VizOrientation.Horizontal)
    : options.orientation;
  return (
    <VizRepeater<FieldDisplay, ReturnType<typeof alignment>> source={frames} width={width} height={height} renderCounter={0}
      orientation={orientation} minVizWidth={options.minVizWidth ?? 8} minVizHeight={options.minVizHeight ?? 16} itemSpacing={8}
      getValues={() => figures(drawn)} getAlignmentFactors={alignment}
      renderValue={({ value, width: w, height: h, alignmentFactors }) => linked(value, (className, open) => (
        <BarGauge theme={theme} width={w} height={h} value={value.display} field={value.field}
          display={value.view?.getFieldDisplayProcessor(value.colIndex!)} orientation={orientation}
          displayMode={options.displayMode ?? 'gradient'} itemSpacing={8} lcdCellWidth={12} text={options.text}
          showUnfilled={options.showUnfilled ?? true} valueDisplayMode={options.valueMode}
          alignmentFactors={alignmentFactors} className={className} onClick={open} />
      ))} />
  );
}
