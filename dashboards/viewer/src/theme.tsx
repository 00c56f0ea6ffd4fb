// Light and dark: as the reader chose here, else as the system says.
import { createTheme, type GrafanaTheme2, type NewThemeOptions, ThemeContext } from '@grafana/data';
import { type ReactNode, useEffect, useMemo, useState } from 'react';

export type Mode = 'dark' | 'light';

const KEY = 'farebox.theme';
const FONTS = "'Inter', system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif";
const MONOSPACE = "ui-monospace, 'Roboto Mono', 'SFMono-Regular', Menlo, 'DejaVu Sans Mono', monospace";

// Grafana's colours for figures are too faint to be read on white; these have a contrast of 4.5 at least, lines of 3.
const LEGIBLE: NonNullable<NonNullable<NewThemeOptions['visualization']>['hues']> = [
  { name: 'red', shades: [{ name: 'red', color: '#C4162A' }] },
  { name: 'orange', shades: [{ name: 'orange', color: '#B34700' }, { name: 'semi-dark-orange', color: '#D45500' }] },
  { name: 'yellow', shades: [{ name: 'yellow', color: '#7D5F00' }, { name: 'semi-dark-yellow', color: '#A87B00' }, { name: 'dark-yellow', color: '#8F6E00' }] },
  { name: 'green', shades: [{ name: 'green', color: '#2A7221' }] },
];

const systems = () => window.matchMedia('(prefers-color-scheme: light)');

function initial(): Mode {
  const asked = new URLSearchParams(window.location.search).get('theme');
  const kept = asked ?? window.localStorage.getItem(KEY);
  if (kept === 'dark' || kept === 'light') return kept;
  return systems().matches ? 'light' : 'dark';
}

/** Hand the colours of Grafana's theme to our own style sheet. */
function paint(theme: GrafanaTheme2) {
  const root = document.documentElement;
  const { colors, shadows } = theme;
  const values: Record<string, string> = {
    canvas: colors.background.canvas,
    primary: colors.background.primary,
    secondary: colors.background.secondary,
    elevated: colors.background.elevated ?? colors.background.primary,
    border: colors.border.weak,
    'border-medium': colors.border.medium,
    text: colors.text.primary,
    'text-secondary': colors.text.secondary,
    link: colors.text.link,
    accent: colors.primary.main,
    'accent-text': colors.primary.text,
    error: colors.error.text,
    'error-main': colors.error.main,
    warning: colors.warning.text,
    success: colors.success.text,
    hover: colors.action.hover,
    selected: colors.action.selected,
    shadow: shadows.z3,
    font: FONTS,
    monospace: MONOSPACE,
  };
  for (const [name, value] of Object.entries(values)) root.style.setProperty(`--${name}`, value);
  root.dataset.theme = theme.isDark ? 'dark' : 'light';
}

export function useMode(): [Mode, () => void] {
  const [mode, setMode] = useState<Mode>(initial);
  useEffect(() => {
    const system = systems();
    const follow = () => window.localStorage.getItem(KEY) ?? setMode(system.matches ? 'light' : 'dark');
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, []);
  const toggle = () => {
    const other = mode === 'dark' ? 'light' : 'dark';
    window.localStorage.setItem(KEY, other);
    setMode(other);
  };
  return [mode, toggle];
}

export function Themed({ mode, children }: { mode: Mode; children: ReactNode }) {
  const theme = useMemo(
    () => createTheme({
      colors: { mode },
      typography: { fontFamily: FONTS, fontFamilyMonospace: MONOSPACE },
      visualization: mode === 'light' ? { hues: LEGIBLE } : undefined,
    }),
    [mode],
  );
  useMemo(() => paint(theme), [theme]);
  return <ThemeContext.Provider value={theme}>{children}</ThemeContext.Provider>;
}
