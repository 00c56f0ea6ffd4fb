// Which component draws which type of panel. tests/viewer/test_bundle.py holds that every dashboard's types are here.
import type { DataFrame, GrafanaTheme2, InterpolateFunction, TimeRange } from '@grafana/data';
import type { ComponentType } from 'react';
import type { Mark } from '../api';
import type { Board, Panel } from '../model';
import { BarGaugePanel } from './BarGaugePanel';
import { StatPanel } from './StatPanel';
import { StateTimelinePanel } from './StateTimelinePanel';
import { TablePanel } from './TablePanel';
import { TextPanel } from './TextPanel';
import { TimeSeriesPanel } from './TimeSeriesPanel';

export interface Drawn {
  panel: Panel;
  board: Board;
  frames: DataFrame[];
  width: number;
  height: number;
  range: TimeRange;
  replace: InterpolateFunction;
  marks: Mark[];
  theme: GrafanaTheme2;
  label: string;
  narrow: boolean;
}

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
