/**
 * Builds the package into `dist/`: `index.js` and `react.js`, minified, and their types. `npm run build` in this folder, or
 * `node scripts/in-runtime.mjs packages/browser/scripts/build.ts`; with `--code` without the types.
 */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = path.join(root, 'dist')
const entries = ['index', 'react']

/** Bundles what is older than its sources. The React bindings import `index.js`: both must share one `ConnectError`. */
export async function buildCode(): Promise<void> {
  if (isFresh(entries.map((entry) => `${entry}.js`))) return
  for (const entry of entries) {
    const bundle = await rolldown({
      input: path.join(root, 'src', `${entry}.ts`),
      external: entry === 'react' ? ['react', /\/index\.ts$/] : [],
      transform: { target: 'es2022' },
      logLevel: 'warn',
    })
    await bundle.write({
      file: path.join(dist, `${entry}.js`),
      format: 'esm',
      minify: true,
      paths: (id) => (/[\\/]index\.ts$/.test(id) ? './index.js' : id),
    })
    await bundle.close()
  }
}

/** Writes the types of what is older than its sources. */
export function buildTypes(): void {
  if (isFresh(entries.map((entry) => `${entry}.d.ts`))) return
  for (const old of globSync('*.d.ts', { cwd: dist })) rmSync(path.join(dist, old))
  const { status, stdout } = spawnSync('tsc', ['-p', path.join(root, 'tsconfig.build.json')], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`The types could not be built:\n${stdout}`)
  // The compiler rewrites what code imports, but not what types do.
  for (const name of globSync('*.d.ts', { cwd: dist })) {
    const text = readFileSync(path.join(dist, name), 'utf8')
    writeFileSync(path.join(dist, name), text.replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"))
  }
}

function isFresh(names: readonly string[]): boolean {
  const sources = [...globSync('{src,scripts}/*.ts', { cwd: root }), 'package.json', 'tsconfig.build.json']
  const written = names.map((name) => timeOf(path.join(dist, name)))
  return Math.min(...written) > Math.max(...sources.map((name) => timeOf(path.join(root, name))))
}

function timeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

if (import.meta.main) {
  await buildCode()
  if (!process.argv.includes('--code')) buildTypes()
}
