/** Builds the package into `dist/`: `npm run build` in this folder. */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '..')
const dist = path.join(root, 'dist')

/** Compiles the sources, unless what is there is newer than they are. */
export function buildNodePackage(): void {
  if (isFresh()) return
  rmSync(dist, { recursive: true, force: true })
  const { status, stdout } = spawnSync('tsc', ['-p', path.join(root, 'tsconfig.build.json')], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`The package could not be built:\n${stdout}`)
  // The compiler rewrites what code imports, but not what types do.
  for (const name of globSync('*.d.ts', { cwd: dist })) {
    const text = readFileSync(path.join(dist, name), 'utf8')
    writeFileSync(path.join(dist, name), text.replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"))
  }
}

function isFresh(): boolean {
  const sources = ['package.json', 'tsconfig.build.json', ...globSync('{src,scripts}/*.ts', { cwd: root })]
  const written = statSync(path.join(dist, 'index.d.ts'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  return sources.every((name) => statSync(path.join(root, name)).mtimeMs < written)
}

if (import.meta.main) buildNodePackage()
