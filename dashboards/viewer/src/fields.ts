// Applies a panel's field configuration, as Grafana's panel plugins register it: defaults, overrides, thresholds, units.
import {
  applyFieldOverrides, dataFrameFromJSON, dataLinksOverrideProcessor, displayNameOverrideProcessor,
  FieldConfigOptionsRegistry, type DataFrame, type DataFrameJSON, type FieldConfigPropertyItem,
  type FieldConfigSource, type GrafanaTheme2, identityOverrideProcessor, type InterpolateFunction,
  numberOverrideProcessor, thresholdsOverrideProcessor, unitOverrideProcessor, valueMappingsOverrideProcessor,
} from '@grafana/data';
import { locationUtil, type LinkModel } from '@grafana/data';
import type { Panel } from './model';
import { ZONE } from './time';

type Process = FieldConfigPropertyItem<any, any, any>['process'];

const STANDARD: Record<string, Process> = {
  color: identityOverrideProcessor,
  decimals: numberOverrideProcessor,
  description: identityOverrideProcessor,
  displayName: displayNameOverrideProcessor as Process,
  fieldMinMax: identityOverrideProcessor,
  filterable: identityOverrideProcessor,
  links: dataLinksOverrideProcessor as Process,
  mappings: valueMappingsOverrideProcessor as Process,
  max: numberOverrideProcessor,
  min: numberOverrideProcessor,
  noValue: identityOverrideProcessor,
  thresholds: thresholdsOverrideProcessor as Process,
  unit: unitOverrideProcessor as Process,
};

// What a time series looks like where the dashboard does not say.
const SERIES_CUSTOM = {
  axisBorderShow: false,
  axisCenteredZero: false,
  axisColorMode: 'text',
  axisLabel: '',
  axisPlacement: 'auto',
  barAlignment: 0,
  barWidthFactor: 0.6,
  drawStyle: 'line',
  fillOpacity: 0,
  gradientMode: 'none',
  hideFrom: { legend: false, tooltip: false, viz: false },
  lineInterpolation: 'linear',
  lineWidth: 1,
  pointSize: 5,
  scaleDistribution: { type: 'linear' },
  showPoints: 'auto',
  spanNulls: false,
  stacking: { group: 'A', mode: 'none' },
  thresholdsStyle: { mode: 'off' },
};

const CUSTOM: Record<string, object> = {
  'state-timeline': { fillOpacity: 70, lineWidth: 0 },
  'status-history': { fillOpacity: 70, lineWidth: 1 },
  timeseries: SERIES_CUSTOM,
};
const COLOURS: Record<string, string> = { piechart: 'palette-classic', timeseries: 'palette-classic' };

/** Fill in what each of Grafana's panel plugins has as its defaults. */
function withDefaults(panel: Panel): FieldConfigSource<any> {
  const { defaults = {}, overrides = [] } = panel.fieldConfig ?? {};
  const steps = [
    { color: 'green', value: -Infinity },
    { color: 'red', value: 80 },
  ];
  const thresholds = defaults.thresholds ?? { mode: 'absolute', steps };
  return {
    defaults: {
      color: { mode: COLOURS[panel.type] ?? 'thresholds' },
      ...defaults,
      thresholds: { ...thresholds, steps: thresholds.steps.map((each, at) => (at ? each : { ...each, value: -Infinity })) },
      custom: { ...CUSTOM[panel.type], ...defaults.custom },
    },
    overrides,
  } as FieldConfigSource<any>;
}

/** Make the registry of the properties that a panel uses: the standard ones and its own. */
function registry(source: FieldConfigSource<any>): FieldConfigOptionsRegistry {
  const made = new FieldConfigOptionsRegistry();
  const item = (id: string, path: string, process: Process, isCustom: boolean) => ({
    id, path, name: id, isCustom, process, settings: { expandTemplateVars: true },
    shouldApply: () => true, override: () => null, editor: () => null,
  });
  for (const [id, process] of Object.entries(STANDARD)) made.register(item(id, id, process, false) as never);
  const used = new Set(Object.keys(source.defaults.custom ?? {}));
  for (const each of source.overrides.flatMap((rule) => rule.properties)) {
    if (each.id.startsWith('custom.')) used.add(each.id.slice('custom.'.length));
  }
  for (const name of used) made.register(item(`custom.${name}`, name, identityOverrideProcessor, true) as never);
  return made;
}

// Grafana's own check of a link gives it back decoded, so that an `&` in a route's name would end its value; ours looks only.
locationUtil.initialize({
  config: { appSubUrl: '', disableSanitizeHtml: true } as never,
  getVariablesUrlParams: () => ({}),
  getTimeRangeForUrl: () => ({}) as never,
});

/** Leave a link's address as it is, or take it out if it is neither within this site nor a page of the web. */
function checked(link: LinkModel): LinkModel {
  return /^(\/(?![/\\])|https?:\/\/)/.test(link.href) ? link : { ...link, href: '#' };
}

/** Make the frames that a panel draws, each field with its display, colour and links. */
export function prepare(
  panel: Panel, frames: DataFrameJSON[], theme: GrafanaTheme2, replaceVariables: InterpolateFunction,
): DataFrame[] {
  const fieldConfig = withDefaults(panel);
  return applyFieldOverrides({
    data: frames.map((each) => dataFrameFromJSON(each)),
    fieldConfig,
    fieldConfigRegistry: registry(fieldConfig),
    dataLinkPostProcessor: ({ linkModel }) => checked(linkModel),
    replaceVariables,
    theme,
    timeZone: ZONE,
  });
}
