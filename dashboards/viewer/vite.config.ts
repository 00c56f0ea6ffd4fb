// Builds the page into the Python package that ships it, with a hash of what it was built from beside it.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const here = import.meta.dirname;
const bundle = resolve(here, '../farebox_dashboards/viewer/bundle');
const standIn = (name: string) => resolve(here, 'src/standins', name);

// tests/viewer/test_bundle.py computes the same: a committed bundle that is not of these sources fails there.
function sources(): string[] {
  const inside = readdirSync(join(here, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1));
  const beside = ['index.html', 'package.json', 'package-lock.json', 'tsconfig.json', 'vite.config.ts'];
  return [...inside, ...beside].map((name) => name.replaceAll('\\', '/')).sort();
}

function sourcesHash(): Plugin {
  return {
    name: 'sources-hash',
    writeBundle() {
      const hash = createHash('sha256');
      for (const name of sources()) {
        hash.update(name + '\0');
        hash.update(readFileSync(join(here, name)));
      }
      writeFileSync(join(bundle, 'sources.sha256'), hash.digest('hex') + '\n');
    },
  };
}

// The bundle holds others' work: whose, and under which licence, goes with it.
function licences(): Plugin {
  return {
    name: 'licences',
    generateBundle(_, output) {
      const modules = Object.values(output).flatMap((each) => (each.type === 'chunk' ? Object.keys(each.modules) : []));
      const folders = modules.map((id) => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id.replace(/^\0/, ''))?.[0]);
      const font = join(here, 'node_modules/@fontsource-variable/inter');
      const parts = [...new Set([...folders, font])].filter((each) => each !== undefined).map((folder) => {
        const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf-8'));
        const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
        const text = file ? readFileSync(join(folder, file), 'utf-8').trim() : '';
        return { head: `${name} ${version}: ${license?.type ?? license ?? 'see below'}`, text };
      });
      const byText = new Map<string, typeof parts>();
      for (const each of parts) byText.set(each.text, [...(byText.get(each.text) ?? []), each]);
      const all = [...byText].map(([text, each]) => [...each.map((one) => one.head).sort(), '', text].join('\n'));
      const source = `What this bundle is made of, beside farebox itself.\n\n${all.sort().join(`\n\n${'-'.repeat(80)}\n`)}\n`;
      this.emitFile({ type: 'asset', fileName: 'licences.txt', source });
    },
  };
}

export default defineConfig({
  plugins: [react(), licences(), sourcesHash()],
  define: { 'process.env': {} },
  resolve: {
    alias: [
      // Editors that @grafana/ui brings and no dashboard shows: most of its weight.
      { find: /^@monaco-editor\/react$/, replacement: standIn('nothing.ts') },
      { find: /^monaco-editor.*/, replacement: standIn('nothing.ts') },
      // It would fetch each icon; ours are in the bundle.
      { find: /^react-inlinesvg$/, replacement: standIn('icon.tsx') },
    ],
  },
  build: { outDir: bundle, emptyOutDir: true, chunkSizeWarningLimit: 4000, target: 'es2022', assetsInlineLimit: 0 },
});
