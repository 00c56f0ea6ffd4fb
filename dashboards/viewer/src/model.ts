// The parts of Grafana's dashboard JSON that the viewer reads.
import type { FieldConfigSource } from '@grafana/data';

export interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface DashboardLink {
  title: string;
  type: 'dashboards' | 'link';
  url?: string;
  tags?: string[];
  keepTime?: boolean;
  includeVars?: boolean;
  targetBlank?: boolean;
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: GridPos;
  // Each panel type has options of its own; its component knows which.
  options?: Record<string, any>;
  fieldConfig?: FieldConfigSource<any>;
  targets?: Array<{ refId: string }>;
  links?: DashboardLink[];
  maxDataPoints?: number;
  interval?: string;
  timeFrom?: string;
  timeShift?: string;
  transparent?: boolean;
  collapsed?: boolean;
  panels?: Panel[];
}

export interface Variable {
  name: string;
  label?: string;
  description?: string;
  type: string;
  multi?: boolean;
  includeAll?: boolean;
  allValue?: string;
  hide?: number;
  query?: unknown;
  options?: Array<{ text: string; value: string }>;
  current?: { text: string | string[]; value: string | string[] };
}

export interface Annotation {
  name: string;
  enable: boolean;
  iconColor?: string;
}

export interface Board {
  uid: string;
  title: string;
  description?: string;
  tags: string[];
  panels: Panel[];
  templating: { list: Variable[] };
  annotations: { list: Annotation[] };
  links?: DashboardLink[];
  time?: { from: string; to: string };
  refresh?: string;
  timezone?: string;
  graphTooltip?: number;
}

/** The value that stands for everything. */
export const ALL = '$__all';
