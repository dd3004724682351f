import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const folder = mkdtempSync(path.join(tmpdir(), 'connector-oauth-lint-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** What the linter, set up as for the workspace, says about files. */
function lint(files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions: { typeRoots: [path.join(root, 'node_modules', '@types')] },
      include: ['*.ts'],
    }),
  )
  const program = path.join(root, 'node_modules', '.bin', 'oxlint')
  const parameters = ['--type-aware', '--deny-warnings', '-f', 'unix']
  const done = spawnSync(program, [...parameters, '-c', path.join(root, '.oxlintrc.json'), '.'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${path.join(root, 'node_modules', '.bin')}${path.delimiter}${process.env['PATH']}` },
  })
  for (const name of Object.keys(files)) rmSync(path.join(folder, name))
  return `${done.stdout}${done.stderr}`
}

describe('the linter', () => {
  const planted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'no-explicit-any': { 'a.ts': 'export const a: any = 1\n' },
    'no-non-null-assertion': { 'a.ts': 'export const a = (b: string | undefined) => b!.length\n' },
    'no-floating-promises': { 'a.ts': 'export function a() {\n  Promise.resolve(1)\n}\n' },
    'no-misused-promises': { 'a.ts': 'export const a = (b: string[]) => b.forEach(async () => {})\n' },
    'switch-exhaustiveness-check': {
      'a.ts':
        "export function a(b: 'x' | 'y') {\n  switch (b) {\n    case 'x':\n      return 1\n  }\n  return undefined\n}\n",
    },
    'no-cycle': {
      'a.ts': "import { b } from './b.ts'\nexport const a = () => b\n",
      'b.ts': "import { a } from './a.ts'\nexport const b = () => a\n",
    },
    'no-default-export': { 'a.ts': 'export default 1\n' },
    'max-params': {
      'a.ts': 'export const a = (b: 1, c: 1, d: 1, e: 1, f: 1, g: 1) => b + c + d + e + f + g\n',
    },
    'no-unused-vars': { 'a.ts': 'const a = 1\nexport const b = 2\n' },
  }
  for (const [rule, files] of Object.entries(planted)) {
    it(`finds a planted case for ${rule}`, () => {
      assert.ok(lint(files).includes(`(${rule})`), lint(files))
    })
  }

  it('takes clean code, and tests that nobody awaits', () => {
    const said = lint({
      'a.ts': "import { it } from 'node:test'\nexport const a = 1\nit('is', () => {})\n",
    })
    assert.match(said, /^\s*$/)
  })
})
