// What stat and bar gauge share: the figures of a panel, and links on them.
import {
  type DisplayValueAlignmentFactors, type FieldDisplay, getDisplayValueAlignmentFactors, getFieldDisplayValues,
} from '@grafana/data';
import { DataLinksContextMenu } from '@grafana/ui';
import type { ReactElement } from 'react';
import type { Drawn } from './drawn';
import { ZONE } from '../time';

export function figures({ panel, frames, replace, theme }: Drawn, sparkline = false): FieldDisplay[] {
  const { calcs = ['lastNotNull'], values = false, ...rest } = panel.options?.reduceOptions ?? {};
  return getFieldDisplayValues({
    fieldConfig: panel.fieldConfig ?? { defaults: {}, overrides: [] },
    reduceOptions: { calcs, values, ...rest },
    replaceVariables: replace,
    theme,
    data: frames,
    sparkline,
    timeZone: ZONE,
  });
}

export const alignment = (values: FieldDisplay[]): DisplayValueAlignmentFactors =>
  getDisplayValueAlignmentFactors(values);

/** Wrap a figure in its link, or in a menu of its links. */
export function linked(value: FieldDisplay, draw: (className?: string, open?: React.MouseEventHandler<HTMLElement>) => ReactElement) {
  if (!value.hasLinks || !value.getLinks) return draw();
  return (
    <DataLinksContextMenu links={value.getLinks}>
      {(menu) => draw(menu.targetClassName, menu.openMenu)}
    </DataLinksContextMenu>
  );
}
