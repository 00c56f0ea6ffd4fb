// What a component that draws a panel is given.
import type { DataFrame, GrafanaTheme2, InterpolateFunction, TimeRange } from '@grafana/data';
import type { Mark } from '../api';
import type { Board, Panel } from '../model';

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
