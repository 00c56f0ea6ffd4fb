// Which component draws which type of panel. tests/viewer/test_bundle.py holds that every dashboard's types are here.
import type { ComponentType } from 'react';
import { BarGaugePanel } from './BarGaugePanel';
import type { Drawn } from './drawn';
import { StatPanel } from './StatPanel';
import { StateTimelinePanel } from './StateTimelinePanel';
import { TablePanel } from './TablePanel';
import { TextPanel } from './TextPanel';
import { TimeSeriesPanel } from './TimeSeriesPanel';

interface Kind {
  Component: ComponentType<Drawn>;
  needsRows: boolean;
}

export const DRAWN: Record<string, Kind> = {
  bargauge: { Component: BarGaugePanel, needsRows: true },
  stat: { Component: StatPanel, needsRows: true },
  'state-timeline': { Component: StateTimelinePanel, needsRows: true },
  table: { Component: TablePanel, needsRows: false },
  text: { Component: TextPanel, needsRows: false },
  timeseries: { Component: TimeSeriesPanel, needsRows: true },
};
